# shows: ioctls: whatever command number a user asks, he gets XFS's errno, ends no
#        sharing, keeps nobody from executing and locks nothing; two files of the
#        mount exchange bytes; a read-only mount lets none change anything
# timeout: 200
. /tests/lib.sh

fresh_xfs
fold_mount
random_file $LOWER/a 1
cp --reflink=always $LOWER/a $LOWER/b
cp "$(type -P true)" $LOWER/true
cp --reflink=always $LOWER/true $LOWER/true2
chmod 755 $LOWER/true
drop_caches
joined() {
	cat $FOLD/a $FOLD/b >/dev/null
	[ "$(shared-pages $FOLD/a)" = 256 ]
}
until_true 30 joined

asked=$(ioctls same $FOLD $LOWER)
note "$asked"
ioctls exec $FOLD $LOWER
ioctls rename $FOLD $LOWER

# ---- two files: XFS without the feature says so, SWAPEXT works without -----------------
ioctls exchange $FOLD $LOWER
ioctls swap $FOLD $LOWER

# ---- a mount that is read-only, in either way ---------------------------------------------
ioctls label $FOLD $LOWER first
mkdir /mnt/ro
mount --bind $FOLD /mnt/ro
mount -o remount,bind,ro /mnt/ro
assert_fails "Read-only file system" ioctls label /mnt/ro $LOWER second
umount /mnt/ro
mount -t foldfs -o ro $LOWER /mnt/ro
assert_fails "Read-only file system" ioctls label /mnt/ro $LOWER third
umount /mnt/ro
umount $FOLD
umount $LOWER

# ---- with the feature, which mkfs.xfs may be too old for ------------------------------------
mkfs.xfs -q -f -K -m reflink=1 $DISK
features=$(xfs_db -r -c "sb 0" -c "print features_incompat" $DISK)
features=$(( ${features##* } | 0x40 ))
xfs_db -x -c "sb 0" -c "write -d features_incompat $features" $DISK >/dev/null
mount $DISK $LOWER
fold_mount
ioctls exchange $FOLD $LOWER has
umount $FOLD
umount $LOWER

# ---- Btrfs, which folds nothing -------------------------------------------------------------
fresh_btrfs
fold_mount $LOWER $FOLD -o nofold
ioctls subvolume $FOLD $LOWER vol
echo text >$FOLD/vol/file
ioctls subvolume $FOLD $LOWER snap $FOLD/vol
assert_eq "$(cat $FOLD/snap/file)" text "the snapshot's file"
ioctls destroy $FOLD $LOWER snap
[ ! -e $FOLD/snap ] || fail "the snapshot is still there"
mount -o remount,ro $FOLD
assert_fails "Read-only file system" ioctls subvolume $FOLD $LOWER vol2
assert_fails "Read-only file system" ioctls subvolume $FOLD $LOWER snap2 $FOLD/vol
assert_fails "Read-only file system" ioctls destroy $FOLD $LOWER vol
[ -d $LOWER/vol ] || fail "the subvolume is gone"
