# shows: a pool of a quarter of what is read: eviction while clones are read and mapped, no byte wrong
# mem: 1G
# args: memmap=8M!512M
# timeout: 240
. /tests/lib.sh
. /tests/dax.inc

# 12 clones of 10 MiB: 27 MiB of different pages, in a pool that has at most 8 MiB
clones=12
dax_images $clones
unique=$(unique_pages $clones)
dax_mount
frames=$(dax_counter fold frames)
assert_le $frames $(( unique / 3 )) "frames of the pool"

writes=$(awk '{ print $5 }' /sys/block/vda/stat)
judged=$(daxload run $FOLD/images $clones $BASE_PAGES 6 50)
assert_ge "$(dax_counter fold evictions)" $frames evictions
assert_ge "$(dax_counter fold shootdowns)" 1000 "entries shot down"
assert_eq "$(dax_counter fold timeouts)" 0 "waits for a frame that were given up"
assert_eq "$(dax_counter fold errors)" 0 errors
note "$judged pages judged; $(dmsetup status fold | cut -d' ' -f4-)"

# Nobody maps or reads: all frames can go.
dmsetup message fold 0 drop
assert_eq "$(dax_counter fold cached)" 0 "pages in the pool after drop"
assert_eq "$(dax_counter fold free)" $frames "free frames after drop"

# One read(2) that is larger than the pool, and one mapping.
cat $FOLD/images/0 | cmp - $FOLD/images/0
daxload touch $FOLD/images $clones $BASE_PAGES

umount $FOLD
dmsetup remove fold
assert_eq "$(awk '{ print $5 }' /sys/block/vda/stat)" "$writes" "writes at the lower device"
xfs_repair -n $DISK >/dev/null 2>&1 || fail "xfs_repair finds something"
