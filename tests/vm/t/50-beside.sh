# shows: a kernel that maps whole folios shows nothing of what lies beside a shared
#        run, in faults and around them, and a store opens nothing to other stores
# timeout: 300
. /tests/lib.sh

fresh_xfs
fold_mount
beside $FOLD $LOWER || fail "with fault-around"
umount $FOLD
rm $LOWER/*

# Each page by a fault of its own.
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
around=$(cat /sys/kernel/debug/fault_around_bytes)
echo 4096 >/sys/kernel/debug/fault_around_bytes
fold_mount
beside $FOLD $LOWER || fail "without fault-around"
echo "$around" >/sys/kernel/debug/fault_around_bytes
umount $FOLD
