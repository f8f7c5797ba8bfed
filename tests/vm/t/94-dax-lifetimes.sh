# shows: dm-fold when the lower device fails, memory fails, or its table goes while pages are mapped and pinned
# mem: 1G
# disk2: 64M
# args: memmap=64M!512M
# allows: Memory failure|recovery action
. /tests/lib.sh
. /tests/dax.inc

clones=2
dax_images $clones
load_dm_fold
sectors=$(blockdev --getsz $DISK)
dmsetup create base --table "0 $sectors linear $DISK 0"
base=/dev/dm-$(dmsetup info -c --noheadings -o minor base)
fold_device fold $base readahead 0
mkdir -p $FOLD
mount -t xfs -o ro,dax=always $DAX $FOLD
# So that the filesystem has what it needs in its own memory.
daxload touch $FOLD/images $clones $BASE_PAGES
dmsetup message fold 0 drop
dmsetup message fold 0 reset

# becomes TABLE: the device base gets another table, with the filesystem mounted above
becomes() {
	dmsetup suspend --nolockfs base
	dmsetup load base --table "$1"
	dmsetup resume base
}

# The lower device cannot be read: what is cached can, and the rest says so.
dd if=$FOLD/images/0 of=/tmp/first bs=64k count=1 2>/dev/null
becomes "0 $sectors error"
dd if=$FOLD/images/0 bs=64k count=1 2>/dev/null | cmp - /tmp/first || fail "what was cached is wrong"
assert_fails "Input/output error" dd if=$FOLD/images/0 of=/dev/null bs=64k skip=1 count=1
status=0
daxload touch $FOLD/images 0 $BASE_PAGES || status=$?
assert_eq $status 135 "status of one who maps what cannot be read (SIGBUS)"
errors=$(dax_counter fold errors)
assert_ge $errors 2 errors
assert_eq "$(dax_counter fold fills)" 16 "pages that are cached"

# One bad block fails alone, whatever is read with it.
at=$(filefrag -v -b512 $FOLD/images/0 | awk '$1 == "0:" { sub("\\.\\.", "", $4); print $4 }')
bad=$(( at + 100 * 8 ))
becomes "0 $bad linear $DISK 0
$bad 8 error
$(( bad + 8 )) $(( sectors - bad - 8 )) linear $DISK $(( bad + 8 ))"
assert_eq "$(dd if=$FOLD/images/0 bs=128k count=4 2>/dev/null | wc -c)" $(( 100 * 4096 )) "bytes before the bad block"
assert_eq "$(dd if=$FOLD/images/0 bs=4k skip=101 count=20 2>/dev/null | wc -c)" $(( 20 * 4096 )) "bytes behind the bad block"
assert_fails "Input/output error" dd if=$FOLD/images/0 of=/dev/null bs=4k skip=100 count=1

becomes "0 $sectors linear $DISK 0"
errors=$(dax_counter fold errors)
daxload touch $FOLD/images $clones $BASE_PAGES
assert_eq "$(dax_counter fold errors)" $errors "errors after it could be read again"
assert_eq "$(dax_counter fold fills)" "$(unique_pages $clones)" "pages filled in the end"

# Memory fails below a page that is mapped through three files: each goes on.
daxload poison $FOLD/images $clones $BASE_PAGES
assert_eq "$(dax_counter fold retired)" 1 "frames that are out of service"
assert_eq "$(dax_counter fold fills)" $(( $(unique_pages $clones) + 1 )) "pages filled after that"

# The table goes below the mounted filesystem, and somebody has pinned pages.
dmsetup create slow --table "0 $(blockdev --getsz $DISK2) linear $DISK2 0"
slow=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
dmsetup suspend slow
coproc daxload pin $FOLD/alone 0 $ALONE_PAGES $slow 64
read -r line <&"${COPROC[0]}"
assert_eq "$line" pinned
dmesg -c >/dev/null
dmsetup suspend fold
dmsetup load --readonly fold --table "0 $sectors error"
dmsetup resume fold
kernel_said "stays in use until the last page"
assert_fails "Input/output error" cat $FOLD/images/1
! dmsetup create --readonly two --table "0 65536 fold $DISK2 $POOL ro" 2>/dev/null ||
	fail "the pool was given to another table while pages are pinned"
dmsetup resume slow
echo >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
assert_eq "$line" over
let_go() {
	[[ $(dmesg) == *"has been let go"* ]]
}
until_true 10 let_go
