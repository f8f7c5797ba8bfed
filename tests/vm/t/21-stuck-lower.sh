# shows: files whose inode locks somebody keeps busy delay nobody else's join,
#        though each holds up a thread that wanted to query it
# timeout: 180
. /tests/lib.sh

fresh_xfs
randfile $LOWER/a 1
for i in 0 1 2 3 4 5 6 7 8 9; do
	cp --reflink=always $LOWER/a $LOWER/stuck$i
done
cp --reflink=always $LOWER/a $LOWER/free
sync
fold_mount

threads() {
	cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^foldfs-query'
}

more_threads() {
	[ "$(threads)" -gt "$resident" ]
}

only_residents() {
	[ "$(threads)" = "$resident" ]
}

joined() {
	[ "$(counter $FOLD joins)" -gt 0 ]
}

resident=$(threads)
assert_ge 10 "$resident" "resident threads (this test has to block them all)"

lockfile $LOWER/stuck? >/tmp/ready &
locker=$!
until_true 60 grep -q ready /tmp/ready
for i in 0 1 2 3 4 5 6 7 8 9; do
	cat $FOLD/stuck$i >/tmp/out$i &
done
until_true 20 more_threads
! joined || fail "a stuck file has joined"

cat $FOLD/free >/tmp/free || fail "an innocent file cannot be read"
assert_same /tmp/free $LOWER/a
until_true 20 joined
for i in 0 1 2 3 4 5 6 7 8 9; do
	[ ! -s /tmp/out$i ] || fail "stuck$i was not stuck"
done
note "$(threads) threads, of which $resident resident"

kill -9 $locker
until_true 30 cmp /tmp/out9 $LOWER/a
for i in 0 1 2 3 4 5 6 7 8; do
	until_true 30 cmp /tmp/out$i $LOWER/a
done
# Extra threads go when nothing is stuck any more.
until_true 30 only_residents
