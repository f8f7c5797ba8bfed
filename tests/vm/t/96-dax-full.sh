# shows: when all frames are pinned who reads has ENOMEM after the time that the table says, who maps goes on later
# mem: 1G
# disk2: 64M
# args: memmap=2M!512M
. /tests/lib.sh
. /tests/dax.inc

dax_images 1
dax_mount readahead 0 wait 200
frames=$(dax_counter fold frames)
dmsetup create slow --table "0 $(blockdev --getsz $DISK2) linear $DISK2 0"
slow=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
dmsetup suspend slow
coproc daxload pin $FOLD/alone 0 $ALONE_PAGES $slow $frames
read -r line <&"${COPROC[0]}"
assert_eq "$line" pinned
assert_eq "$(dax_counter fold free)" 0 "free frames"

dmesg -c >/dev/null
assert_fails "Cannot allocate memory" dd if=$FOLD/alone/0 of=/dev/null bs=4k skip=$frames count=1
assert_ge "$(dax_counter fold timeouts)" 1 "waits that were in vain"
kernel_said "no frame became free in 200 ms"

# What is there is read all the same; a fault is tried again until there is a frame.
dd if=$FOLD/alone/0 of=/tmp/first bs=4k count=$frames 2>/dev/null
daxload touch $FOLD/images 1 $BASE_PAGES &
mapper=$!
waits=$(dax_counter fold waits)
more_waits() {
	[ "$(dax_counter fold waits)" -ge $(( waits + 2 )) ]
}
until_true 10 more_waits
dmsetup resume slow
echo >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
assert_eq "$line" over
wait $mapper
cmp -n $(( frames * 4096 )) /tmp/first $DISK2 || fail "what was written is not what was pinned"
