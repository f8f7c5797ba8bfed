# shows: foldctl dax makes, shows and removes devices of dm-fold, and says why the kernel refuses
# mem: 1G
# disk2: 64M
# args: memmap=64M!512M
. /tests/lib.sh
. /tests/dax.inc

dax_images 2
load_dm_fold
assert_eq "$(foldctl dax status -n)" ""
foldctl dax create -r 0 fold $DISK $POOL
assert_eq "$(dmsetup table fold | cut -d' ' -f3,6-)" "fold ro readahead 0"
mkdir -p $FOLD
mount -t xfs -o ro,dax=always /dev/dm-"$(dmsetup info -c --noheadings -o minor fold)" $FOLD
dmsetup message fold 0 drop
dmsetup message fold 0 reset
daxload touch $FOLD/images 2 $BASE_PAGES
unique=$(unique_pages 2)
assert_eq "$(foldctl dax status -bno FILLS,CACHED,ERRORS fold | awk '{ $1 = $1; print }')" "$unique $(( unique * 4096 )) 0"
assert_eq "$(foldctl dax status -no LOWER,POOL fold | awk '{ $1 = $1; print }')" "vda pmem0"
foldctl dax status --json >/tmp/json
grep -q '"name": "\?fold' /tmp/json || grep -q '"name":"fold"' /tmp/json || fail "no name in $(cat /tmp/json)"
grep -q "\"fills\": *$unique\b" /tmp/json || fail "no fills in $(cat /tmp/json)"

assert_fails "fold: in use; unmount what is on it" foldctl dax remove fold
assert_fails "the pool is in use" foldctl dax create two $DISK2 $POOL
assert_fails "the pool cannot be found" foldctl dax create two $DISK2 /dev/null
assert_fails "cannot open" foldctl dax create two /dev/nothing $POOL
assert_fails "wants a number from 0 to 255" foldctl dax create -r 256 two $DISK2 $POOL
assert_fails "are needed" foldctl dax create two $DISK2
assert_fails "no device of dm-fold" foldctl dax status nothing
assert_fails "no device of dm-fold" foldctl dax remove nothing
assert_fails "is needed" foldctl dax
assert_fails "only root" setpriv --reuid 1000 --regid 1000 --clear-groups foldctl dax status

umount $FOLD
foldctl dax remove fold
assert_eq "$(foldctl dax status -n)" ""
assert_eq "$(dmsetup ls)" "No devices found"
