# shows: blocks that move to other files behind the mount (dedupe, swapped extents,
#        xfs_fsr, rewriting, unsharing) never let two files meet on one page, and a file that is
#        truncated behind the mount gives its end to nobody else
. /tests/lib.sh

for way in dedupe swapext rewrite unshare; do
	fresh_xfs
	fold_mount
	moved $FOLD $LOWER $way
	umount $FOLD
	umount $LOWER
done

# A file that is being cut off below is no source for others.
fresh_xfs
fold_mount
cutoff $FOLD $LOWER
note "joins $(counter $FOLD joins), refills $(counter $FOLD refills)"
umount $FOLD
umount $LOWER

# xfs_fsr itself, on a file in pieces that shares and is open meanwhile.
fresh_xfs
randfile $LOWER/a 4 7
cp $LOWER/a /tmp/a
: >$LOWER/a
for (( i = 0; i < 64; i++ )); do
	dd if=/tmp/a bs=64k skip=$i count=1 of=$LOWER/a oflag=append conv=notrunc,fsync status=none
	# What grows by turns with it keeps it in pieces.
	dd if=/dev/zero bs=64k count=1 of=$LOWER/other oflag=append conv=notrunc,fsync status=none
done
cp --reflink=always $LOWER/a $LOWER/b
sync
extents() { filefrag "$1" | sed 's/.*: \([0-9]*\) extents\? found/\1/'; }
assert_ge "$(extents $LOWER/a)" 3 "extents before"
fold_mount
exec 7<$FOLD/a
all_shared() {
	cat $FOLD/a $FOLD/b >/dev/null
	[ "$(counter $FOLD pages_saved)" = 1024 ]
}
until_true 60 all_shared
xfs_fsr -v -d $LOWER/a >/tmp/fsr 2>&1 || fail "xfs_fsr: $(cat /tmp/fsr)"
assert_eq "$(extents $LOWER/a)" 1 "extents after xfs_fsr"
# Its old blocks are free, and hardly any others, for a third file. (That the next file
# does get them is seen to above, with the ioctl that xfs_fsr uses.)
rm $FOLD/b
sync -f $LOWER
fallocate -l "$(( $(df --output=avail -B1 $LOWER | tail -n 1) - (16 << 20) ))" $LOWER/filler
randfile $LOWER/x 12 8
cp --reflink=always $LOWER/x $LOWER/y
sync
randfile /tmp/x 12 8
for round in 1 2 3; do
	cmp $FOLD/a /tmp/a || fail "a, round $round"
	cmp $FOLD/x /tmp/x || fail "x, round $round"
	cmp $FOLD/y /tmp/x || fail "y, round $round"
	sleep 0.5
done
cmp /proc/$$/fd/7 /tmp/a || fail "a, open all the time"
