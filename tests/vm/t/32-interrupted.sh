# shows: signals that have handlers cut short no read, fault, write, clone or
#        truncation, whatever foldfs has to wait for meanwhile; a mount that is
#        killed at any moment leaves nothing
. /tests/lib.sh

fresh_xfs
# XFS itself passes, so this is no demand that nobody meets.
mkdir $LOWER/native $LOWER/tree
interrupted $LOWER/native $LOWER/native 5 >/tmp/native || fail "on XFS"
fold_mount $LOWER/tree
signals=$(interrupted $FOLD $LOWER/tree 25) || fail "through the mount"
assert_ge "$signals" 25 "signals handled"
assert_ge "$(counter $FOLD joins)" 50 "joins"
assert_ge "$(counter $FOLD breaks)" 75 "breaks"
note "signals $signals, joins $(counter $FOLD joins), breaks $(counter $FOLD breaks)"
umount $FOLD

kills=$(killmount $LOWER/tree $FOLD) || fail "killed mounts"
note "mounts cut off and done all the same: $kills"
# Nothing of the cut-off ones holds the module or the disk.
until_true 10 rmmod foldfs
umount $LOWER
mount -t xfs $DISK $LOWER
