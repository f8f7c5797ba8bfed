# shows: what foldfs cannot be mounted on is refused with the reason in one line,
# and what the lower filesystem refuses is refused with the same error
# disk2: 1G
. /tests/lib.sh

fresh_xfs
load_foldfs
mkdir -p $LOWER/tree $FOLD
echo text >$LOWER/tree/file

assert_fails "not a directory" mount -t foldfs $LOWER/tree/file $FOLD
assert_fails "/nowhere" mount -t foldfs /nowhere $FOLD
assert_fails "tmpfs" mount -t foldfs /dev/shm $FOLD
assert_fails "proc" mount -t foldfs /proc $FOLD
assert_fails "nofald" mount -t foldfs -o nofald $LOWER/tree $FOLD
assert_fails "nofold" mount -t foldfs -o nofold=1 $LOWER/tree $FOLD
mkdir -p /mnt/removed
mount --bind $LOWER/tree /mnt/removed
mount --make-unbindable /mnt/removed
assert_fails "cannot be cloned" mount -t foldfs /mnt/removed $FOLD
umount /mnt/removed

# On Btrfs extents are not settled when writeback is over: shared bytes were wrong.
fresh_btrfs $DISK2 /mnt/btrfs
assert_fails "-o nofold" mount -t foldfs /mnt/btrfs $FOLD
assert_fails "wrong fs type" mount -i -t foldfs /mnt/btrfs $FOLD
dmesg | grep -q 'foldfs: /mnt/btrfs is on btrfs' || fail "no reason in the log"
fold_mount /mnt/btrfs $FOLD -o nofold
echo text >$FOLD/file
assert_eq "$(cat /mnt/btrfs/file)" text "a file made over Btrfs"
assert_eq "$(counter $FOLD joins)" 0 "joins over Btrfs"
umount $FOLD
umount /mnt/btrfs

# Where one file answers to many names. The reason is one line, with the way out.
# Newer kernels are built without such an XFS, and say so.
mkdir -p /mnt/ci
mkfs.xfs -q -f -K -m reflink=1 -n version=ci $DISK2
if mount -t xfs $DISK2 /mnt/ci; then
	echo text >/mnt/ci/Name
	assert_eq "$(cat /mnt/ci/nAME)" text "a name in other letters"
	assert_fails "case-insensitive" mount -t foldfs /mnt/ci $FOLD
	umount /mnt/ci
else
	dmesg | grep -q 'XFS.*(ascii-ci=1) not supported by kernel' ||
		fail "why is there no case-insensitive XFS here?"
	note "this kernel has no case-insensitive XFS"
fi

fold_mount $LOWER/tree
assert_fails "foldfs already" mount -t foldfs $FOLD /mnt/removed
mkdir $FOLD/sub
assert_fails "foldfs already" mount -t foldfs $FOLD/sub /mnt/removed
assert_fails "nofold cannot be changed" mount -o remount,nofold $FOLD
mount -t overlay -o lowerdir=$FOLD overlay /mnt/removed 2>/dev/null && {
	assert_fails "overlay" mount -t foldfs /mnt/removed /mnt/removed
	umount /mnt/removed
}

# Without the helper the reason is in the kernel's log.
assert_fails "wrong fs type" mount -i -t foldfs /dev/shm /mnt/removed
dmesg | grep -q 'foldfs: /dev/shm is on tmpfs' || fail "no reason in the log"

# Only who may mount anything may mount this.
assert_fails "ermission" unshare -U -r -m mount -i -t foldfs $LOWER/tree /mnt/removed

# The file that each of these is done to is the same below.
chattr +i $FOLD/file
for tree in $FOLD $LOWER/tree; do
	assert_fails "Operation not permitted" truncate -s 0 $tree/file
	assert_fails "Operation not permitted" rm $tree/file
	assert_fails "Operation not permitted" mv $tree/file $tree/other
	assert_fails "Operation not permitted" ln $tree/file $tree/other
	assert_fails "Operation not permitted" chmod 600 $tree/file
	assert_fails "Operation not permitted" setfattr -n user.a -v b $tree/file
	assert_fails "Operation not permitted" setfacl -m u:1:r $tree/file
done
chattr -i $LOWER/tree/file
chattr +a $LOWER/tree/file
for tree in $FOLD $LOWER/tree; do
	assert_fails "Operation not permitted" truncate -s 0 $tree/file
	assert_fails "Operation not permitted" dd if=/dev/zero of=$tree/file bs=1 count=1 conv=notrunc
	echo more >>$tree/file
done
assert_eq "$(wc -l <$LOWER/tree/file)" 3 "lines in a file that only grows"
chattr -a $FOLD/file

dd if=/dev/zero of=$FOLD/swap bs=1M count=4 status=none
mkswap $FOLD/swap >/dev/null 2>&1 || true
assert_fails "nvalid argument" swapon $FOLD/swap

# Users get what the files below say, not more.
chmod 600 $FOLD/file
chmod 711 $FOLD/sub
for tree in $FOLD $LOWER/tree; do
	assert_fails "Permission denied" setpriv --reuid=1000 --regid=1000 --clear-groups cat $tree/file
	assert_fails "Permission denied" setpriv --reuid=1000 --regid=1000 --clear-groups ls $tree/sub
	assert_fails "Permission denied" setpriv --reuid=1000 --regid=1000 --clear-groups touch $tree/sub/x
	assert_fails "not permitted" setpriv --reuid=1000 --regid=1000 --clear-groups chmod 777 $tree/sub
done

# The lower tree is another filesystem, though the blocks are on one.
assert_fails "cross-device link" cp --reflink=always $FOLD/file $LOWER/tree/copy
assert_fails "cross-device link" cp --reflink=always $LOWER/tree/file $FOLD/copy
rm -f $FOLD/copy

# No space left is no space left.
fallocate -l 100M $FOLD/all 2>/dev/null || true
while fallocate -l 200M "$FOLD/fill.$RANDOM" 2>/dev/null; do :; done
assert_fails "No space left" fallocate -l 4G $FOLD/more
assert_fails "No space left" dd if=/dev/zero of=$FOLD/most bs=1M status=none
