# shows: files whose inode locks somebody keeps busy, more than there are threads to ask
#        them, delay nobody else's join; they are not asked, and join later
# timeout: 180
. /tests/lib.sh

fresh_xfs
randfile $LOWER/a 1
for (( i = 0; i < 40; i++ )); do
	cp --reflink=always $LOWER/a $LOWER/stuck$i
done
for (( i = 0; i < 16; i++ )); do
	cp --reflink=always $LOWER/a $LOWER/free$i
done
sync
fold_mount

threads() {
	cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^foldfs-query'
}

joined() {
	[ "$(counter $FOLD joins)" -ge "$1" ]
}

all_wait() {
	local pid n=0
	for pid in "${readers[@]}"; do
		grep -q '^State:.*D' "/proc/$pid/status" && n=$(( n + 1 ))
	done
	[ $n = 40 ]
}

resident=$(threads)
lockfile $LOWER/stuck* >/tmp/ready &
locker=$!
until_true 120 grep -q ready /tmp/ready
readers=()
for (( i = 0; i < 40; i++ )); do
	cat $FOLD/stuck$i >/tmp/out$i &
	readers+=($!)
done
until_true 60 all_wait
assert_eq "$(counter $FOLD joins)" 0 "joins of files that are locked"

for (( i = 0; i < 16; i++ )); do
	cat $FOLD/free$i >/tmp/free || fail "an innocent file cannot be read"
	assert_same /tmp/free $LOWER/a
done
until_true 60 joined 16
all_wait || fail "the locked files were not locked all the time"
assert_eq "$(threads)" "$resident" "threads, as no file that is locked was asked"

# They join when they can.
exec 5<$FOLD/stuck0
kill -9 $locker
for (( i = 0; i < 40; i++ )); do
	until_true 60 cmp /tmp/out$i $LOWER/a
done
cat <&5 >/dev/null
until_true 60 joined 17
