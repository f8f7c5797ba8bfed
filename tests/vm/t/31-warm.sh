# shows: a second run finds a warm cache, as on XFS: when the last user of files has gone
#        and the kernel takes back dentries and inodes, by order or because a large file
#        was read, their shared pages stay while one clone's inodes do, which are all
#        that stays; they go with the pages. Removed files give pages and blocks back. A cgroup whose memory is wanted gives its inodes back. All this
#        while others read, clone, remove, mount and unmount
# mem: 500M
# disk: 6G
# timeout: 300
. /tests/lib.sh

FILES=100
CLONES=8

clones() {
	local i
	for i in $(seq $CLONES); do
		cat "$1"/t$i/f* >/dev/null
	done
}

# Inodes of foldfs that are in memory.
inodes() {
	echo 1 >/sys/kernel/slab/foldfs_inode/shrink
	cut -d " " -f 1 /sys/kernel/slab/foldfs_inode/objects
}

few_inodes() {	# LIMIT: after having had them taken back
	echo 2 >/proc/sys/vm/drop_caches
	[ "$(inodes)" -le "$1" ]
}

free_blocks() {
	stat -f -c %f $LOWER
}

# brought_in COMMAND...: the kB that it had read from the disk
brought_in() {
	local before
	before=$(vmstat pgpgin)
	"$@"
	brought=$(( $(vmstat pgpgin) - before ))
}

fresh_xfs
mkdir $LOWER/t1
for i in $(seq $FILES); do
	randfile $LOWER/t1/f$i 1 "$i"
	truncate -s 64K $LOWER/t1/f$i
done
for i in $(seq 2 $CLONES); do
	cp -r --reflink=always $LOWER/t1 $LOWER/t$i
done
xfs_io -f -c "falloc 0 2g" $LOWER/large
drop_caches
pages=$(( FILES * 16 ))

# What a large file that is read costs those who read a tree again, on XFS.
for i in 1 2 3 4 5 6; do
	cat $LOWER/t1/f* >/dev/null
done
cat $LOWER/large >/dev/null
brought_in cat $LOWER/t1/f* >/dev/null
native=$brought

fold_mount
drop_caches
clones $FOLD
clones $FOLD
assert_eq "$(counter $FOLD pages_cached)" $pages "pages_cached"
assert_ge "$(inodes)" $(( FILES * CLONES )) "inodes"

# By order: the pages stay, with one clone's inodes.
until_true 30 few_inodes $(( FILES + 20 ))
assert_ge "$(inodes)" $FILES "inodes that stay with the pages"
assert_eq "$(counter $FOLD pages_cached)" $pages "pages_cached after inodes were dropped"
fills=$(counter $FOLD fills)
clones $FOLD
assert_eq "$(counter $FOLD fills)" "$fills" "fills after a second run"
assert_eq "$(counter $FOLD pages_saved)" $(( pages * (CLONES - 1) )) "pages_saved after a second run"

# Because memory is wanted.
until_true 30 few_inodes $(( FILES + 20 ))
cat $FOLD/t1/f* >/dev/null
cat $LOWER/large >/dev/null
brought_in cat $FOLD/t1/f* >/dev/null
note "read again after a large file: $native kB from the disk on XFS, $brought kB through foldfs, of $(( FILES * 64 )) kB"
# All of it where inodes go first; which pages reclaim takes differs from run to run.
assert_le "$brought" $(( native + FILES * 64 / 2 )) "kB read from the disk again"

# The pages go, and so do the inodes.
echo 1 >/proc/sys/vm/drop_caches
assert_eq "$(counter $FOLD pages_cached)" 0 "pages_cached after pages were dropped"
until_true 30 few_inodes 20

# A removed file's blocks come back, though one is warm.
for i in $(seq $CLONES); do
	mv $FOLD/t$i/f1 $FOLD/kept$i
done
cat $FOLD/kept* >/dev/null
assert_eq "$(counter $FOLD pages_cached)" 16 "pages of a file and its clones"
one_is_warm() {
	[ "$(counter $FOLD references)" = 1 ]
}
echo 2 >/proc/sys/vm/drop_caches
until_true 20 one_is_warm
xfs_io -c "syncfs" $LOWER
before=$(free_blocks)
rm $FOLD/kept*
none_cached() {
	[ "$(counter $FOLD pages_cached)" = 0 ]
}
until_true 20 none_cached
blocks_back() {
	sync -f $LOWER
	[ "$(free_blocks)" -ge $(( before + 16 )) ]
}
until_true 20 blocks_back

# A cgroup whose memory is wanted gives back the inodes that it is charged for.
mkdir $LOWER/many
randfile /tmp/many 12 99
( cd $LOWER/many && split -b 4096 -a 4 /tmp/many )
rm /tmp/many
cp -r --reflink=always $LOWER/many $LOWER/twin
drop_caches
group=$(cgroup many)
in_cgroup many find $FOLD/many $FOLD/twin -type f -exec cat {} + >/dev/null
had=$(inodes)
assert_ge "$had" 6144 "inodes in memory"
wanted() {
	echo 16M >"$group"/memory.reclaim
	[ "$(inodes)" -le $(( had / 4 )) ]
} 2>/dev/null
until_true 40 wanted
note "of $had inodes $(inodes) are left when a cgroup's memory was wanted"
drop_caches
until_true 30 few_inodes 20

# Shrinking beside everything else.
SECOND=/mnt/second
mkdir $SECOND
until [ -e /tmp/enough ]; do echo 2 >/proc/sys/vm/drop_caches; done &
until [ -e /tmp/enough ]; do clones $FOLD 2>/dev/null; done &
(
	until [ -e /tmp/enough ]; do
		mount -t foldfs $LOWER $SECOND
		clones $SECOND 2>/dev/null
		umount $SECOND
	done
) &
for i in $(seq 40); do
	cp --reflink=always $FOLD/t1/f2 $FOLD/new$i
	cat $FOLD/new$i >/dev/null
	cmp $FOLD/new$i $FOLD/t2/f2 || fail "a clone differs"
	printf x | dd of=$FOLD/new$i bs=1 conv=notrunc status=none
	[ $(( i % 2 )) = 0 ] || rm $FOLD/new$i
done
touch /tmp/enough
wait
for i in $(seq $CLONES); do
	assert_same $FOLD/t$i/f2 $LOWER/t1/f2
done
cat $FOLD/t*/f* >/dev/null
until_true 30 few_inodes $(( FILES + 60 ))
