# shows: after umount -l, open files and mappings go on and stay shared, the lower
#        filesystem stays in use, nothing is left when the last has gone; a new mount meanwhile shares with the old one; writers
#        keep a mount from becoming read-only
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/trees
random_file $LOWER/trees/a 4
cp --reflink=always $LOWER/trees/a $LOWER/trees/b
sync
fold_mount $LOWER/trees
dev=$(devno $FOLD)
shared() {	# NAME: a counter of the mount that was detached
	cat "/sys/fs/foldfs/$dev/$1"
}

# ---- a writer keeps "ro" away, from the file system and from the mount point
exec 5>>$FOLD/new
assert_fails "busy" mount -o remount,ro $FOLD
assert_fails "busy" mount -o remount,bind,ro $FOLD
exec 5>&-
mount -o remount,ro $FOLD
mount -o remount,rw $FOLD
assert_fails "cannot be changed by a remount" mount -o remount,nofold $FOLD

# ---- busy, then detached
cat $FOLD/a >/dev/null
exec 6<$FOLD/a 7<$FOLD/b
assert_fails "busy" umount $FOLD
umount -l $FOLD
[ ! -e $FOLD/a ] || fail "the mount is still there"
cmp $LOWER/trees/a <(cat <&6) || fail "an open file reads other bytes after umount -l"
cmp $LOWER/trees/a <(cat <&7) || fail "an open file reads other bytes after umount -l"
assert_eq "$(shared pages_cached)" 1024 "pages cached after umount -l"
assert_eq "$(shared pages_saved)" 1024 "pages saved after umount -l: the second file did not join"
assert_fails "unavailable" rmmod foldfs

# ---- the lower filesystem goes out of sight, but stays in use
umount $LOWER
assert_fails "busy" mkfs.xfs -f $DISK
cat <&6 >/dev/null
mount -t xfs $DISK $LOWER

# ---- a new mount of the same trees has the old one's cache
fold_mount $LOWER/trees
assert_ne "$(devno $FOLD)" "$dev" "device of the new mount"
assert_eq "$(counter $FOLD cache)" "$(shared cache)" "the new mount's cache"
cat $FOLD/b >/dev/null
assert_eq "$(counter $FOLD pages_cached)" 1024 "pages cached for both mounts"
assert_eq "$(counter $FOLD pages_saved)" 2048 "pages saved: two files of the old mount, one of the new"
printf x | dd of=$FOLD/b conv=notrunc status=none
assert_eq "$(head -c 1 /proc/self/fd/7)" "$(printf x)" "a byte written through the new mount, read through the old"
umount $FOLD

# ---- the last one out
exec 6<&-
[ -d "/sys/fs/foldfs/$dev" ] || fail "the counters went away with a file still open"
exec 7<&-
until_true 5 test ! -e "/sys/fs/foldfs/$dev"
umount $LOWER
mkfs.xfs -q -f $DISK
rmmod foldfs
