# shows: on Btrfs blocks may move under files that share (balance, defragment, dedupe, a
#        device that goes): no byte changes, nobody meets another file's, and after a
#        balance new copies and old ones share one page again
# disk2: 4G
# mem: 1500M
# timeout: 400
. /tests/lib.sh

same() {	# WHEN
	local f
	for f in "$FOLD"/b/a "$FOLD"/c? "$FOLD"/s?/a; do
		cmp "$f" /tmp/a || fail "$f differs $1"
	done
}

# All files again, until their pages are N and are shared by M.
pages_are() {
	same "while it is waited for"
	[ "$(counter $FOLD pages_cached)" = "$1" ] && [ "$(counter $FOLD pages_saved)" = "$2" ]
}

fresh_btrfs
random_file /tmp/a 8
btrfs -q subvolume create $LOWER/b
cp /tmp/a $LOWER/b/a
sync
for i in 1 2 3; do
	cp --reflink=always $LOWER/b/a $LOWER/c$i
	btrfs -q subvolume snapshot $LOWER/b $LOWER/s$i
done
sync
fold_mount
until_true 30 pages_are 2048 $(( 2048 * 6 ))
before=$(filefrag -v -b4096 $LOWER/c1 | awk '$1 == "0:" { sub("\\.\\.", "", $4); print $4 }')

# ---- a balance, while they are read; then a copy of a file that has moved ------------------
exec 5<$FOLD/c2
touch /tmp/going
while [ -e /tmp/going ]; do
	same "during a balance"
	echo 1 >/proc/sys/vm/drop_caches
done &
btrfs -q balance start --full-balance $LOWER
rm /tmp/going
wait $!
after=$(filefrag -v -b4096 $LOWER/c1 | awk '$1 == "0:" { sub("\\.\\.", "", $4); print $4 }')
assert_ne "$after" "$before" "the first block's address after a balance"
cp --reflink=always $FOLD/c1 $FOLD/c4
btrfs -q subvolume snapshot $LOWER/b $LOWER/s4
sync -f $FOLD
until_true 60 pages_are 2048 $(( 2048 * 8 ))
note "after a balance: $(counter $FOLD pages_cached) pages cached, $(counter $FOLD pages_saved) saved"

# What was freed is written again by others: nobody meets it.
random_file $FOLD/new 8 7
random_file /tmp/new 8 7
cp --reflink=always $FOLD/new $FOLD/new2
sync -f $FOLD
drop_caches
for f in new new2; do
	assert_same $FOLD/$f /tmp/new
done
same "after others were written"

# ---- defragmented, below and through the mount: copies of their own, with the same bytes ----
dd if=/dev/urandom of=/tmp/one bs=4k count=1 status=none
for i in 3 100 1000 2000; do
	dd if=/tmp/one of=$FOLD/c3 bs=4k seek=$i count=1 conv=notrunc status=none
done
cp $FOLD/c3 /tmp/c3
sync -f $FOLD
btrfs filesystem defragment -t 32M $LOWER/c3 $LOWER/c2 >/dev/null
btrfs filesystem defragment -t 32M $FOLD/c1 >/dev/null
assert_same $FOLD/c3 /tmp/c3
mv $FOLD/c3 $FOLD/d3
sync -f $FOLD
same "after two were defragmented"
drop_caches
same "after two were defragmented, cold"
assert_same $FOLD/d3 /tmp/c3
cmp - /tmp/a <&5 || fail "an open descriptor"
exec 5<&-

# ---- deduplicated around the mount ----------------------------------------------------------
cp /tmp/a $LOWER/c5
sync
cmp $FOLD/c5 /tmp/a
xfs_io -r -c "dedupe $LOWER/b/a 0 0 $(stat -c %s /tmp/a)" $LOWER/c5 >/dev/null
same "after a deduplication"
joined() {
	same "after a deduplication"
	shared-pages $FOLD/c5 | grep -qx 2048
}
until_true 60 joined

# ---- a device comes, and the other one goes --------------------------------------------------
btrfs device add -f -K $DISK2 $LOWER >/dev/null
btrfs device remove $DISK $LOWER
same "on another device"
drop_caches
same "on another device, cold"
btrfs filesystem resize 2:-100M $LOWER >/dev/null
same "after it was made smaller"
umount $FOLD
umount $LOWER
btrfs check $DISK2 >/tmp/check 2>&1 || fail "btrfs check: $(tail -n 3 /tmp/check)"
