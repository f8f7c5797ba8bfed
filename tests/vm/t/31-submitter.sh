# shows: a file whose fill has been read does not end its sharing, nor give up the inode
#        below, before the task that started the read is back from the lower filesystem
# module: test
. /tests/lib.sh

TRACING=/sys/kernel/tracing
[ -d $TRACING/events ] || mount -t tracefs tracefs $TRACING

fresh_xfs
randfile $LOWER/image 4 5
cp --reflink=always $LOWER/image $LOWER/clone
sync
fold_mount
head -c 4096 $FOLD/clone >/dev/null
joined() {
	[ "$(counter $FOLD references)" = "$1" ]
}
until_true 30 joined 1

# Counted on the clone's extent: the read, and who started it.
echo >$TRACING/kprobe_events
echo 'p:submit/leaves foldfs:fold_fill_leaves' >>$TRACING/kprobe_events
echo 'p:submit/truncated xfs_vn_setattr' >>$TRACING/kprobe_events
echo 1 >$TRACING/events/submit/enable
echo 3000 >/sys/module/foldfs/parameters/submit_delay_ms
dd if=$FOLD/clone of=/dev/null bs=4k skip=512 count=1 status=none &
reader=$!
sleeps() {
	grep -q msleep /proc/$reader/stack
}
until_true 30 sleeps
filled=$(counter $FOLD fills)
read_in() {
	[ "$(grep -c leaves: $TRACING/trace)" -ge 1 ]
}
until_true 30 read_in
assert_ge "$filled" 1 "fills"
truncate -s 0 $FOLD/clone
echo 0 >/sys/module/foldfs/parameters/submit_delay_ms
wait $reader
echo 0 >$TRACING/events/submit/enable
grep -E 'leaves:|truncated:' $TRACING/trace
order=$(awk '/leaves:/ { printf "l" } /truncated:/ { printf "t" }' $TRACING/trace)
case $order in
llt*) ;;
*) fail "the order of leaving (l) and of the truncation (t) was $order" ;;
esac
echo >$TRACING/kprobe_events
