# shows: pages of dm-fold that are pinned by direct I/O are not evicted before that is over
# mem: 1G
# disk2: 64M
# args: memmap=16M!512M
. /tests/lib.sh
. /tests/dax.inc

clones=6
dax_images $clones
dax_mount readahead 0
dmsetup create slow --table "0 $(blockdev --getsz $DISK2) linear $DISK2 0"
slow=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
dmsetup suspend slow

# A file that shares nothing: on 6.12 the kernel takes a shared DAX page that is pinned for
# reading for an anonymous one, and asks for a fault again and again.
# A direct write whose source is a mapping, to a device that does not answer
coproc daxload pin $FOLD/alone 0 $ALONE_PAGES $slow 64
read -r line <&"${COPROC[0]}"
assert_eq "$line" pinned
dmsetup message fold 0 drop
assert_eq "$(dax_counter fold cached)" 64 "pages that are left after drop"
assert_eq "$(dax_counter fold busy)" 64 "pages that could not go"

# All other frames get other blocks meanwhile.
daxload touch $FOLD/images $clones $BASE_PAGES
dmsetup resume slow
echo >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
assert_eq "$line" over
cmp -n $(( 64 * 4096 )) $FOLD/alone/0 $DISK2 || fail "what was written is not what was pinned"
dmsetup message fold 0 drop
assert_eq "$(dax_counter fold cached)" 0 "pages that are left"
