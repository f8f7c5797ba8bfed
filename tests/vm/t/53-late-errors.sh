# shows: who has opened a file that shares for reading is told by fsync(2) of what could not
#        be written since, also if he has no lower file until then
# allows: I/O error|writeback error
. /tests/lib.sh

need_module dm_mod
sectors=$(blockdev --getsz $DISK)
dmsetup create bad --table "0 $sectors linear $DISK 0"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor bad)
fresh_xfs $dev
random_file $LOWER/x 1
sync
cp --reflink=always $LOWER/x $LOWER/y
dd if=/dev/urandom of=$LOWER/x bs=1M count=1 seek=1 conv=notrunc,fsync status=none
at=$(filefrag -v -b512 $LOWER/x | awk '$2 == "2048.." { sub("\\.\\.", "", $4); print $4 }')
[ "$at" -gt 0 ] || fail "where is it? $(filefrag -v -b512 $LOWER/x)"
drop_caches
fold_mount
cat $FOLD/x $FOLD/y >/dev/null
dmsetup suspend --noflush --nolockfs bad
dmsetup load bad --table "0 $at linear $DISK 0
$at 2048 error
$(( at + 2048 )) $(( sectors - at - 2048 )) linear $DISK $(( at + 2048 ))"
dmsetup resume bad
late errors $FOLD
