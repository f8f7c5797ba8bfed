# shows: what dm-fold refuses, and the words for it in dmsetup's error or in the kernel's log
# mem: 1G
# disk2: 512M
# args: memmap=64M!512M memmap=64M!640M
. /tests/lib.sh
. /tests/dax.inc

dax_images 1
load_dm_fold
sectors=$(blockdev --getsz $DISK)

# refused WORDS TABLE [OPTIONS]: dmsetup does not load it, and the kernel says why
refused() {
	local words=$1 table=$2
	shift 2
	dmesg -c >/dev/null
	! dmsetup create --readonly "$@" bad --table "$table" 2>/dev/null ||
		fail "accepted: $table"
	kernel_said "$words"
}

refused "are missing" "0 $sectors fold $DISK"
refused "add the option ro" "0 $sectors fold $DISK $POOL"
refused "an unknown option" "0 $sectors fold $DISK $POOL ro frobnicate"
refused "readahead takes" "0 $sectors fold $DISK $POOL ro readahead"
refused "readahead takes" "0 $sectors fold $DISK $POOL ro readahead 256"
refused "wait takes" "0 $sectors fold $DISK $POOL ro wait x"
refused "no multiple of a page" "0 $(( sectors - 1 )) fold $DISK $POOL ro"
refused "shorter than the table" "0 $(( sectors + 8 )) fold $DISK $POOL ro"
refused "cannot be opened" "0 $sectors fold /dev/nothing $POOL ro"
refused "the pool cannot be found" "0 $sectors fold $DISK /dev/nothing ro"
refused "no pmem device" "0 $sectors fold $DISK $DISK2 ro"

# A writable table: dmsetup without --readonly
dmesg -c >/dev/null
! dmsetup create bad --table "0 $sectors fold $DISK $POOL ro" 2>/dev/null || fail "accepted as writable"
kernel_said "has to be loaded read-only"

# A partition of a pmem device, and a pool that something else uses
printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\0\001\0' | dd of=/dev/pmem1 bs=1 seek=446 2>/dev/null
printf '\125\252' | dd of=/dev/pmem1 bs=1 seek=510 2>/dev/null
blockdev --rereadpt /dev/pmem1
until_true 10 [ -b /dev/pmem1p1 ]
refused "the pool is a partition" "0 $sectors fold $DISK /dev/pmem1p1 ro"
dmsetup create other --table "0 65536 linear /dev/pmem1 0"
refused "the pool is in use" "0 $sectors fold $DISK /dev/pmem1 ro"
refused "no pmem device" "0 $sectors fold $DISK /dev/dm-$(dmsetup info -c --noheadings -o minor other) ro"
dmsetup remove other
mkfs.xfs -q -f -K $DISK2
mkdir -p /mnt/two
mount $DISK2 /mnt/two
refused "the lower device is in use" "0 65536 fold $DISK2 $POOL ro"
umount /mnt/two

# A live pool: neither another table nor the same device's next one
dax_mount
refused "the pool is in use" "0 65536 fold $DISK2 $POOL ro"
dmesg -c >/dev/null
! dmsetup reload --readonly fold --table "0 $sectors fold $DISK $POOL ro" 2>/dev/null ||
	fail "a second table on a live pool was accepted"
kernel_said "the pool is in use"
daxload touch $FOLD/images 1 $BASE_PAGES

# What nobody may do with a device or a filesystem that is there
assert_fails "write-protected" mount -o remount,rw $FOLD
assert_fails "" touch $FOLD/new
assert_fails "" dd if=/dev/zero of=$DAX bs=4096 count=1 oflag=direct conv=notrunc
assert_fails "" dmsetup message fold 0 frobnicate
kernel_said "an unknown message"

# The line that dmsetup shows is one that it takes.
table=$(dmsetup table fold)
umount $FOLD
dmsetup remove fold
dmsetup create --readonly fold --table "$table"
assert_eq "$(dmsetup table fold)" "$table" "the table's line"
