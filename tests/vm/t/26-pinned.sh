# shows: a file that joins while a device still writes to pages of its page cache, through
#        a mapping that has gone, keeps those pages: what was read is not lost
# disk2: 64M
. /tests/lib.sh

need_module dm-mod
fresh_xfs
randfile $LOWER/a 1
cp $LOWER/a $LOWER/b
cp $LOWER/a /tmp/want
dd if=/dev/urandom of=/tmp/new bs=4k count=4 status=none
dd if=/tmp/new of=$DISK2 bs=4k conv=fsync status=none
dd if=/tmp/new of=/tmp/want bs=4k seek=1 conv=notrunc status=none
dmsetup create slow --table "0 $(blockdev --getsz $DISK2) linear $DISK2 0"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
fold_mount
sync

mkfifo /tmp/go
dmsetup suspend slow
pinned $LOWER/b $dev >/tmp/out </tmp/go &
reader=$!
exec 5>/tmp/go
until_true 60 grep -q started /tmp/out
# The pages are written back, and are clean, while the device goes on.
sync -f $LOWER
cp --reflink=always $LOWER/b $LOWER/c
sync -f $LOWER
joined() {
	cat $FOLD/b >/dev/null
	[ "$(counter $FOLD joins)" -ge "$1" ]
}
exec 6<$FOLD/b
until_true 60 joined 1
cmp -s $FOLD/b $LOWER/a || fail "the file is not what it was before the read"

dmsetup resume slow
echo >&5
wait $reader
grep -q over /tmp/out || fail "the read is not over"
assert_same $FOLD/b /tmp/want
assert_same $LOWER/b /tmp/want
sync -f $LOWER
drop_caches
assert_same $FOLD/b /tmp/want
