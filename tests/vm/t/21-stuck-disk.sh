# shows: who has files on a disk that does not answer gets a small part of the threads
#        that ask lower files, and another user's files on another disk join meanwhile;
#        his own reads do not wait for joins then
# module: test
# disk2: 1G
# timeout: 180
. /tests/lib.sh

need_module dm-mod
fresh_xfs
randfile $LOWER/a 1
for (( i = 0; i < 16; i++ )); do
	cp --reflink=always $LOWER/a $LOWER/free$i
done
cp --reflink=always $LOWER/a $LOWER/his
fold_mount

dmsetup create slow --table "0 $(blockdev --getsz $DISK2) linear $DISK2 0"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
fresh_xfs $dev /mnt/slow
together make 1 1024 4 /mnt/slow/image
for (( i = 0; i < 24; i++ )); do
	cp --reflink=always /mnt/slow/image /mnt/slow/c$i
done
# Read again: a file's extents, when they are asked for the first time.
umount /mnt/slow
mount -t xfs $dev /mnt/slow
fold_mount /mnt/slow /mnt/folded -o noatime

# Threads that wait for the disk.
stuck() {
	local comm n=0
	for comm in /proc/[0-9]*/comm; do
		grep -q '^foldfs-query' "$comm" 2>/dev/null &&
			grep -q '^State:.*D' "${comm%/comm}/status" 2>/dev/null &&
			n=$(( n + 1 ))
	done
	echo $n
}

is_stuck() {
	[ "$(stuck)" -ge 4 ]
}

joined() {
	[ "$(counter $FOLD joins)" -ge 16 ]
}

all_joined() {
	[ "$(counter /mnt/folded joins)" -ge $(( 24 * 256 )) ]
}

# A user maps 24 files, which reads nothing of them.
mkfifo /tmp/go
mapped-only 1000 /mnt/folded/c* >/tmp/mapped </tmp/go &
exec 5>/tmp/go
until_true 60 grep -q open /tmp/mapped
assert_eq "$(stuck)" 0 "threads that wait before the disk stops"
dmsetup suspend --nolockfs slow
echo >&5
until_true 60 grep -q mapped /tmp/mapped
until_true 60 is_stuck

for (( i = 0; i < 16; i++ )); do
	cat $FOLD/free$i >/tmp/free || fail "another file cannot be read"
	assert_same /tmp/free $LOWER/a
done
until_true 60 joined
waits() {
	cat /sys/module/foldfs/parameters/waits
}
before=$(waits)
assert_ge "$before" 1 "reads that have waited for a join"
for i in 1 2 3 4 5; do
	setpriv --reuid=1000 --clear-groups cat $FOLD/his >/tmp/free
	assert_same /tmp/free $LOWER/a
done
assert_eq "$(waits)" "$before" "reads that have waited, with his for whom there is no thread"
assert_eq "$(stuck)" 4 "threads that wait for one user's disk"

dmsetup resume slow
until_true 120 all_joined
exec 5>&-
