# shows: mounts over one filesystem have one cache: clones that are seen through different
#        mounts are cached once; a change through one mount is seen at once through others
#        that show the file, deduplication by a descriptor for reading included; mounts come
#        and go while others work, and the last one takes the cache along
# timeout: 150
. /tests/lib.sh

ONE=$FOLD TWO=/mnt/two ALL=/mnt/all NONE=/mnt/none
KIB=16384

# look WAY DIR...: sets $unique and $growth (kB), as tree prints them
look() {
	local out
	out=$(tree "$1" $KIB 1 "${@:2}") || fail "tree $1 of ${*:2}"
	read -r unique growth <<<"$out"
}

fresh_xfs
mkdir $LOWER/one $LOWER/two
tree make $KIB 1 $LOWER/one/c1 >/dev/null
for i in 2 3 4; do cp -r --reflink=always $LOWER/one/c1 $LOWER/one/c$i; done
for i in 1 2 3 4; do cp -r --reflink=always $LOWER/one/c1 $LOWER/two/c$i; done

# ---- four clones in one mount, four in another: cached once
fold_mount $LOWER/one $ONE
fold_mount $LOWER/two $TWO
fold_mount $LOWER $NONE -o nofold
drop_caches
look read $ONE/c? $TWO/c?
note "8 clones of $unique kB, read through 2 mounts, cost $growth kB of page cache"
assert_le "$growth" $(( unique * 105 / 100 )) "page cache of 8 clones in 2 mounts (kB)"
cached=$(counter $ONE pages_cached)
assert_ge "$cached" $(( unique * 95 / 400 )) "pages_cached"
assert_ge "$(counter $ONE pages_saved)" $(( cached * 7 * 95 / 100 )) "pages_saved"
for name in cache fragments references pages_cached pages_saved fills refills shootdowns; do
	assert_eq "$(counter $TWO $name)" "$(counter $ONE $name)" "$name of the two mounts"
done
for mnt in $ONE $TWO; do
	assert_ge "$(counter $mnt joins)" $(( $(counter $ONE references) / 3 )) "joins of $mnt"
done
assert_eq "$(( $(counter $ONE joins) + $(counter $TWO joins) ))" "$(counter $ONE references)" \
	"joins of both mounts, each counted for itself"
for name in cache pages_cached references joins; do
	assert_eq "$(counter $NONE $name)" 0 "$name of the mount that takes no part"
done
for way in private shared; do
	look $way $ONE/c? $TWO/c?
	assert_le "$growth" $(( unique / 50 )) "growth by $way mappings in both (kB)"
done

# ---- one goes and comes again: what the other refers to stays
cached=$(counter $TWO pages_cached)
id=$(counter $TWO cache)
umount $ONE
assert_eq "$(counter $TWO pages_cached)" "$cached" "pages cached after the other mount has gone"
saved=$(counter $TWO pages_saved)
assert_ge "$saved" $(( cached * 3 * 95 / 100 )) "pages saved by the mount that is left"
assert_le "$saved" $(( cached * 3 )) "pages saved by the mount that is left"
fills=$(counter $TWO fills)
look read $TWO/c?
fold_mount $LOWER/one $ONE
look read $ONE/c?
assert_eq "$(counter $ONE fills)" "$fills" "pages filled, with everything cached"
assert_eq "$(counter $ONE cache)" "$id" "the cache's number, as long as it lives"

# ---- what one orders to be dropped is dropped for all
echo 1 >"/sys/fs/foldfs/$(devno $ONE)/drop"
assert_le "$(counter $TWO pages_cached)" $(( cached / 50 )) "pages cached after drop"

# ---- a third mount shows the same files: changes through one are seen through the other
fold_mount $LOWER $ALL
sysctl_set fs.lease-break-time 10
outside $ONE $ALL/one >/tmp/out || fail "changes through the upper mount: $(tail -n 1 /tmp/out)"
rm $ONE/a $ONE/b $ONE/donor
outside $ALL/two $TWO >/tmp/out || fail "changes through the lower mount: $(tail -n 1 /tmp/out)"

# ---- blocks that change under a descriptor for reading
random_file $LOWER/two/x 1
cat $LOWER/two/x >$LOWER/two/z
cp --reflink=always $LOWER/two/x $LOWER/two/y
cp --reflink=always $LOWER/two/z $LOWER/two/zz
sync
drop_caches
cat $ALL/two/x $ALL/two/y $TWO/x >/tmp/xyx
refers=$(counter $ALL references)
outsiders=$(counter $ALL outside_writers)
xfs_io -r -c "dedupe $TWO/z 0 0 1048576" $TWO/x >/tmp/out
grep -q '^deduped 1048576' /tmp/out || fail "no deduplication: $(cat /tmp/out)"
# Its own reference is broken, and that of the other mount's inode.
assert_eq "$(counter $ALL references)" $(( refers - 2 )) "references after deduplication"
noticed() {
	[ "$(counter $ALL outside_writers)" != "$outsiders" ]
}
until_true 10 noticed
assert_same $ALL/two/x $LOWER/two/z
assert_same $ALL/two/y $TWO/x

# ---- mounts come and go under load
load() {
	while [ ! -e /tmp/enough ]; do
		tree read $KIB 1 $ALL/one/c? $ALL/two/c? >/dev/null || { touch /tmp/wrong; break; }
		tree private $KIB 1 $ALL/two/c? >/dev/null || { touch /tmp/wrong; break; }
		echo >>/tmp/rounds
	done
}
umount $ONE
umount $TWO
: >/tmp/rounds
load & loader=$!
i=0
until [ "$(wc -l </tmp/rounds)" -ge 2 ] && [ $i -ge 10 ]; do
	i=$(( i + 1 ))
	fold_mount $LOWER/one $ONE
	fold_mount $LOWER/two $TWO
	cmp $ONE/c$(( i % 4 + 1 ))/d1/f17 $TWO/c1/d1/f17 || fail "clones differ"
	echo $i >$ONE/new
	assert_eq "$(cat $ALL/one/new)" $i "what was written through a mount that comes and goes"
	# A change that breaks what the load has mapped, and leaves the bytes as they are.
	dd if=$TWO/c1/d1/f17 of=$TWO/c2/d1/f17 bs=64k conv=notrunc status=none
	[ $(( i % 3 )) = 0 ] && drop_caches
	umount $ONE $TWO || fail "umount, round $i"
	[ ! -e /tmp/wrong ] || fail "a tree read through the mount that stays has wrong bytes"
done
note "$i mounts and umounts of two beside $(wc -l </tmp/rounds) rounds of reading through a third"
touch /tmp/enough
wait $loader
assert_fails "temporarily unavailable" rmmod foldfs

# ---- the last one takes the cache along
umount $ALL
fold_mount $LOWER/one $ONE
assert_ne "$(counter $ONE cache)" "$id" "the number of a new cache"
assert_eq "$(counter $ONE pages_cached)" 0 "pages of a new cache"
