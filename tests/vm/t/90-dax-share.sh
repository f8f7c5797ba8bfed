# shows: on XFS with DAX on dm-fold, clones that are read and mapped cost each block once
# mem: 1G
# args: memmap=128M!512M
. /tests/lib.sh
. /tests/dax.inc

clones=10
dax_images $clones
unique=$(unique_pages $clones)
drop_caches
writes=$(awk '{ print $5 }' /sys/block/vda/stat)
dax_mount readahead 0

# The mount itself may have asked for something.
dmsetup message fold 0 drop
dmsetup message fold 0 reset
assert_eq "$(dax_counter fold cached)" 0 "frames in use before"
before=$(cached_kb)

daxload touch $FOLD/images $clones $BASE_PAGES
assert_eq "$(dax_counter fold fills)" $unique "pages filled by mapping the base and $clones clones"
assert_eq "$(dax_counter fold cached)" $unique "pages in the pool"

for i in $(seq 0 $clones); do
	cat $FOLD/images/$i >/dev/null
done
assert_eq "$(dax_counter fold fills)" $unique "pages filled after reading them as well"
assert_eq "$(dax_counter fold evictions)" 0 evictions
assert_le $(( $(cached_kb) - before )) 512 "kB that the page cache grew by"
note "base of $BASE_PAGES pages and $clones clones: $unique different pages, as many fills; page cache: $(( $(cached_kb) - before )) kB more"

# Here and not beside other pmem devices: 6.12 lets a new DAX device keep the flags of one
# that has gone.
assert_eq "$(mapsync $FOLD/images/0)" "Operation not supported" "mmap with MAP_SYNC"

# read(2) alone, from an empty pool
dmsetup message fold 0 drop
assert_eq "$(dax_counter fold cached)" 0 "pages in the pool after drop"
dmsetup message fold 0 reset
for i in $(seq 0 $clones); do
	cat $FOLD/images/$i >/dev/null
done
assert_eq "$(dax_counter fold fills)" $unique "pages filled by reading"

# With reading ahead, what lies behind the files' extents is read as well, once.
umount $FOLD
dmsetup remove fold
dax_mount
dmsetup message fold 0 drop
dmsetup message fold 0 reset
daxload touch $FOLD/images $clones $BASE_PAGES
assert_ge "$(dax_counter fold fills)" $unique "pages filled with readahead"
assert_ge "$(dax_counter fold ahead)" $(( BASE_PAGES / 2 )) "of these ahead"
note "with readahead: $(dax_counter fold fills) fills, $(dax_counter fold ahead) of them ahead"

umount $FOLD
dmsetup remove fold
assert_eq "$(awk '{ print $5 }' /sys/block/vda/stat)" "$writes" "writes at the lower device"
