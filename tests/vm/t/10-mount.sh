# shows: foldfs mounts over its own lower directory and elsewhere, with mount(8)'s
# helper and without, shows what it is, remounts, and does not go while in use
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/tree
echo text >$LOWER/tree/file
cp /bin/cat $LOWER/tree/cat

# Elsewhere.
fold_mount $LOWER/tree
assert_eq "$(findmnt -n -o SOURCE,FSTYPE $FOLD | tr -s ' ')" "$LOWER/tree foldfs" "findmnt"
assert_eq "$(cat $FOLD/file)" text "a file"
assert_eq "$($FOLD/cat $FOLD/file)" text "what a program on foldfs printed"
assert_eq "$(stat -c %i $FOLD/file)" "$(stat -c %i $LOWER/tree/file)" "inode number"
assert_ne "$(stat -c %d $FOLD/file)" "$(stat -c %d $LOWER/tree/file)" "device number"
assert_eq "$(stat -c %d $FOLD)" "$(stat -c %d $FOLD/file)" "device number"
assert_eq "$(stat -f -c '%T %b %f %a %c %l %i' $FOLD)" \
	"$(stat -f -c '%T %b %f %a %c %l %i' $LOWER/tree)" "statfs"

# In use.
exec 5<$FOLD/file
assert_fails "target is busy" umount $FOLD
exec 5<&-
$FOLD/cat <(sleep 1000) &
until_true 10 grep -q "$FOLD/cat" /proc/$!/maps
assert_fails "target is busy" umount $FOLD
assert_eq "$(readlink /proc/$!/exe)" "$FOLD/cat" "the running program"
kill $!
wait $! || true
umount $FOLD

# With a lazy umount the open file stays.
fold_mount $LOWER/tree
exec 5<>$FOLD/file
umount -l $FOLD
assert_eq "$(cat <&5)" text "a file of a mount that is gone"
echo more >&5
exec 5<&-
assert_eq "$(cat $LOWER/tree/file)" "text
more" "what was written to it"

# Over itself, twice the same name for the same files.
fold_mount $LOWER/tree $LOWER/tree
assert_eq "$(findmnt -n -o SOURCE,FSTYPE $LOWER/tree | tail -n 1 | tr -s ' ')" \
	"$LOWER/tree foldfs" "findmnt"
echo new >$LOWER/tree/new
umount $LOWER/tree
assert_eq "$(cat $LOWER/tree/new)" new "a file made on the mount"

# The root of the filesystem, and without the helper: plain mount(2).
fold_mount $LOWER $LOWER -i
assert_eq "$(cat $LOWER/tree/new)" new "a file"
umount $LOWER

# Two mounts of one directory know of each other's changes.
fold_mount $LOWER/tree $FOLD
fold_mount $LOWER/tree /mnt/fold2
echo first >$FOLD/both
assert_eq "$(cat /mnt/fold2/both)" first "a file made on the other mount"
echo second >/mnt/fold2/both
assert_eq "$(cat $FOLD/both)" second "a file changed on the other mount"
mv /mnt/fold2/both /mnt/fold2/moved
[ ! -e $FOLD/both ] || fail "a file renamed on the other mount is still there"
umount /mnt/fold2

# Bind mounts and remounts.
mkdir /mnt/bind
mount --bind $FOLD /mnt/bind
assert_eq "$(stat -c %d /mnt/bind)" "$(stat -c %d $FOLD)" "device number"
mount -o remount,bind,ro /mnt/bind
assert_fails "Read-only file system" touch /mnt/bind/x
touch $FOLD/x
umount /mnt/bind
mount -o remount,ro $FOLD
assert_fails "Read-only file system" touch $FOLD/y
assert_fails "Read-only file system" rm $FOLD/x
assert_fails "Read-only file system" chmod 700 $FOLD/x
assert_fails "Read-only file system" setfattr -n user.a -v b $FOLD/x
mount -o remount,rw $FOLD
rm $FOLD/x
umount $FOLD

# Options.
fold_mount $LOWER/tree $FOLD -o nofold,nosuid,noexec
findmnt -n -o OPTIONS $FOLD | grep -q nofold || fail "nofold is not shown"
assert_fails "Permission denied" $FOLD/cat $FOLD/file
mount -o remount,exec $FOLD
assert_eq "$($FOLD/cat $FOLD/new)" new "what a program printed"
umount $FOLD

# Read-only below: read-only above.
mount -o remount,ro $LOWER
fold_mount $LOWER/tree
case $(findmnt -n -o OPTIONS $FOLD) in
ro,*) ;;
*) fail "not read-only above a read-only filesystem" ;;
esac
assert_fails "Read-only file system" touch $FOLD/z
assert_fails "read-only" mount -o remount,rw $FOLD
mount -o remount,rw $LOWER
assert_fails "was mounted read-only" mount -o remount,rw $FOLD
umount $FOLD
fold_mount $LOWER/tree
touch $FOLD/z
[ -e $LOWER/tree/z ] || fail "nothing was made below"

# What goes wrong below while something is written is reported above.
sync -f $FOLD
umount $FOLD

# Subvolumes of Btrfs have inode numbers of their own, and so device numbers.
umount $LOWER
fresh_btrfs
for name in one two; do
	btrfs subvolume create $LOWER/$name >/dev/null
	echo $name >$LOWER/$name/file
done
fold_mount $LOWER $FOLD -o nofold
assert_eq "$(stat -c %i $FOLD/one/file)" "$(stat -c %i $FOLD/two/file)" "inode numbers"
assert_ne "$(stat -c %d $FOLD/one/file)" "$(stat -c %d $FOLD/two/file)" "device numbers"
assert_eq "$(stat -c %d $FOLD/one/file)" "$(stat -c %d $FOLD/one)" "device numbers"
assert_eq "$(stat -c %Hd:%Ld $FOLD)" "$(devno $FOLD)" "device number of the root"
assert_eq "$(cat $FOLD/one/file $FOLD/two/file | tr '\n' ' ')" "one two " "contents"
btrfs subvolume snapshot $LOWER/one $LOWER/three >/dev/null
assert_eq "$(cat $FOLD/three/file)" one "a file of a snapshot"
