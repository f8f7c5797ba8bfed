# shows: on Btrfs a tree read through eight copies costs the page cache of one: reflinks,
#        snapshots, copies in several subvolumes, compressed ones; mapped ones too
# mem: 1500M
# timeout: 400
. /tests/lib.sh
. /tests/settled.inc

kib=20480

# look WAY DIR...: compare the copies with what they must hold; sets $unique (kB of one
# tree in the page cache) and $growth (kB)
look() {
	local out
	out=$(tree "$1" $kib 1 "${@:2}") || fail "tree $1 of $(( $# - 1 )) copies"
	read -r unique growth <<<"$out"
}

# all_read FILE...: the same of files that all hold what /tmp/words does
all_read() {
	local f before
	before=$(cached_kb)
	for f in "$@"; do
		cmp "$f" /tmp/words || fail "$f differs"
	done
	growth=$(( $(cached_kb) - before ))
}

# fresh: a mount that knows of no file yet
fresh() {
	fold_mount
	drop_caches
}

# costs WHAT LIMIT COMMAND...: what is cached after COMMAND
costs() {
	settled "$2" "the page cache of $1" "${@:3}"
	note "$1 of $unique kB: foldfs caches $growth kB"
	assert_ge "$(counter $FOLD pages_saved)" $(( unique * 7 * 95 / 400 )) "$1: pages_saved"
	assert_le "$(counter $FOLD pages_cached)" $(( unique * 105 / 400 )) "$1: pages_cached"
}

fresh_btrfs
btrfs -q subvolume create $LOWER/base
tree make $kib 1 $LOWER/base/tree >/dev/null
for i in 1 2 3 4 5 6 7; do
	cp -r --reflink=always $LOWER/base/tree $LOWER/c$i
done
sync
drop_caches
look read $LOWER/base/tree $LOWER/c?
note "8 reflinked copies of $unique kB: Btrfs caches $growth kB"
assert_ge "$growth" $(( unique * 8 * 95 / 100 )) "page cache on plain Btrfs (kB)"
for way in read private; do
	fresh
	costs "8 reflinked copies, $way," $(( unique * 105 / 100 )) look $way $FOLD/base/tree $FOLD/c?
	umount $FOLD
done
rm -r $LOWER/c?

for i in 1 2 3 4; do
	btrfs -q subvolume snapshot $LOWER/base $LOWER/s$i
done
for i in 5 6; do
	btrfs -q subvolume snapshot -r $LOWER/base $LOWER/s$i
done
btrfs -q subvolume create $LOWER/s7
cp -r --reflink=always $LOWER/base/tree $LOWER/s7
fresh
costs "a tree, 6 snapshots, and a copy in another subvolume," $(( unique * 105 / 100 )) \
	look read $FOLD/base/tree $FOLD/s?/tree
for i in 1 7; do
	assert_eq "$(stat -c %i $FOLD/s$i/tree/d1/f1)" "$(stat -c %i $LOWER/s$i/tree/d1/f1)" "inode number"
	assert_ne "$(stat -c %d $FOLD/s$i/tree/d1/f1)" "$(stat -c %d $FOLD/base/tree/d1/f1)" "device number"
done
umount $FOLD
umount $LOWER

# Compressed.
kib=12288
seq 2000000 >/tmp/words
truncate -s ${kib}k /tmp/words
unique=$kib
fresh_btrfs
mount -o remount,compress=zstd $LOWER
cp /tmp/words $LOWER/w0
sync
for i in 1 2 3 4 5 6 7; do
	cp --reflink=always $LOWER/w0 $LOWER/w$i
done
filefrag -v $LOWER/w1 | grep -q 'encoded.*shared' || fail "not compressed, or not shared"
fresh
costs "8 files by zstd," $(( unique * 105 / 100 )) all_read $FOLD/w?
