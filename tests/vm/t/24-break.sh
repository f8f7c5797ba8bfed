# shows: one change of one clone, made in any way, shows at once through every
#        descriptor and mapping of it; no other clone changes, only the touched
#        blocks are duplicated, and the disk has it so after a remount
# timeout: 180
. /tests/lib.sh

check() {	# DIR WHEN
	local f
	for f in *; do
		cmp "$f" "$1/$f" || fail "$f differs $2: $(cmp "$f" "$1/$f" 2>&1)"
	done
}

fresh_xfs
mkdir /tmp/expect
fold_mount
breaks $FOLD $LOWER /tmp/expect
cd /tmp/expect || exit
[ "$(find . -type f | wc -l)" -ge 60 ] || fail "the program left too few files to compare"

sync
drop_caches
check $LOWER "below, from the disk"
check $FOLD "through the mount, with cold caches"
umount $FOLD
fold_mount
check $FOLD "after foldfs was mounted again"
umount $FOLD
umount $LOWER
mount -t xfs $DISK $LOWER
check $LOWER "below, after XFS was mounted again"
