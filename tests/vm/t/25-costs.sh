# shows: what is done to a clone costs what its own map costs, in calls that are counted:
#        a join beside 400 clones that have drifted apart as many questions to the
#        filesystem as one beside 4, and beside a file of 4,096 extents in reverse not one
#        for each of them; the end of a clone of a cached image no look at the pages that
#        stay; shooting down a page no visit to clones that do not map it; and a file of
#        60,000 references to one block goes at once
# mem: 2G
# timeout: 300
. /tests/lib.sh

APART=$(sized 400 40)	# clones that have drifted apart
MANY=$(sized 60000 3000)	# references to one block
. /tests/calls.inc

fresh_xfs
randfile $LOWER/image 16 5
sync

# ---- joining beside clones that have drifted apart ---------------------------
mkdir $LOWER/apart
for (( i = 0; i <= APART; i++ )); do
	cp --reflink=always $LOWER/image $LOWER/apart/$i
	dd if=/dev/urandom of=$LOWER/apart/$i bs=4k seek=$(( i * 10 + 5 )) count=1 conv=notrunc status=none
done
sync
fold_mount
joined() {	# REFERENCES
	[ "$(counter $FOLD references)" = "$1" ]
}
join_one() {	# NUMBER: sets asked
	count_calls xfs_vn_fiemap
	head -c 4096 $FOLD/apart/$1 >/dev/null
	until_true 30 joined $(( 2 * $1 + 2 ))
	asked=$(calls xfs_vn_fiemap)
	no_calls
}
for i in 0 1 2 3; do
	head -c 4096 $FOLD/apart/$i >/dev/null
	until_true 30 joined $(( 2 * i + 2 ))
done
join_one 4
few=$asked
for (( i = 5; i < APART; i++ )); do
	head -c 4096 $FOLD/apart/$i >/dev/null
done
until_true 60 joined $(( 2 * APART ))
join_one $APART
note "questions for extents at a join: $few beside 4 clones that have drifted apart, $asked beside $APART"
assert_le "$asked" $(( few + 2 )) "questions for extents beside $APART clones"

# ---- the end of a clone of a cached image -------------------------------------
cp --reflink=always $FOLD/image $FOLD/clone
cat $FOLD/image $FOLD/clone >/dev/null
all=$(( 2 * APART + 4 ))
until_true 30 joined $all
assert_ge "$(counter $FOLD pages_cached)" 4096 "pages_cached"
count_calls filemap_get_folios
rm $FOLD/clone
until_true 30 joined $(( all - 1 ))
looked=$(calls filemap_get_folios)
no_calls
note "looks into the page cache for the end of a clone of 4,096 cached pages: $looked"
assert_le "$looked" 8 "looks into the page cache"
assert_ge "$(counter $FOLD pages_cached)" 4096 "pages_cached after a clone was removed"

# ---- shooting down what one clone maps ----------------------------------------
# The one that maps comes last, so that the others would all be visited first.
cp --reflink=always $FOLD/image $FOLD/last
cat $FOLD/last >/dev/null
until_true 30 joined $all
atonce map $FOLD/last >/tmp/mapped &
mapper=$!
until_true 30 test -s /tmp/mapped
count_calls unmap_mapping_pages
echo 1 >/sys/fs/foldfs/"$(devno $FOLD)"/drop
zapped=$(calls unmap_mapping_pages)
no_calls
shot=$(counter $FOLD shootdowns)
kill $mapper
note "shot down: $shot pages that 1 of $(( APART + 4 )) clones mapped, by $zapped unmappings"
assert_ge "$shot" 1 "pages shot down"
assert_le "$zapped" $(( shot + 4 )) "unmappings"
umount $FOLD

# ---- joining beside a file whose pages lie the other way round ----------------
# A look goes on from where it begins, and each brought one page that was new.
atonce reversed $LOWER/image $LOWER/pieces 4096
sync
fold_mount
cat $FOLD/pieces >/dev/null
until_true 60 joined 4096
count_calls xfs_vn_fiemap
head -c 4096 $FOLD/image >/dev/null
until_true 60 joined 4097
asked=$(calls xfs_vn_fiemap)
no_calls
note "questions for extents beside a file of 4,096 that lie in reverse: $asked"
assert_le "$asked" 100 "questions for extents beside a reversed file"
umount $FOLD

# ---- very many references of one file to one block ----------------------------
# Each of them looked at all the others once: four thousand million looks.
atonce same $LOWER/image $LOWER/many $MANY
cp --reflink=always $LOWER/many $LOWER/twin
sync
fold_mount
cat $FOLD/many $FOLD/twin >/dev/null
until_true 120 joined $(( 2 * MANY ))
# One after the other: the third is begun when two are over.
count_calls fold_cache_needs fold_fragment_sharer
examined() {
	echo 2 >/proc/sys/vm/drop_caches
	[ "$(calls fold_cache_needs)" -ge 3 ]
}
until_true 120 examined
looked=$(calls fold_fragment_sharer)
turns=$(calls fold_cache_needs)
no_calls
note "examining two files of $MANY references to one block: $looked looks at others in $turns turns"
assert_le "$looked" $(( turns * 512 * 17 )) "looks at others who refer to the block"
umount $FOLD
