# shows: a large read of what a sharing file has for itself brings in a window of
#        readahead at a time, not all of it before the first byte
. /tests/lib.sh

fresh_xfs
random_file $LOWER/a 4
cp --reflink=always $LOWER/a $LOWER/b
random_file /tmp/tail 128 2
cat /tmp/tail >>$LOWER/b
cat $LOWER/b >/tmp/want
rm /tmp/tail
sync
fold_mount
drop_caches
joined() {
	head -c 4096 $FOLD/b >/dev/null
	[ "$(counter $FOLD joins)" -ge 1 ]
}
# Open, so that what it refers to stays when the caches are dropped.
exec 6<$FOLD/b
until_true 60 joined

drop_caches 1
before=$(cached_kb)
mkfifo /tmp/go
firstbyte $FOLD/b $(( 4 << 20 )) $(( 128 << 20 )) >/tmp/out </tmp/go &
exec 5>/tmp/go
until_true 60 grep -q stopped /tmp/out
grown=$(( $(cached_kb) - before ))
window=$(cat /sys/block/vda/queue/max_sectors_kb)
note "128 MiB asked for in one read: $grown kB brought in before the first byte, a window is $window kB"
assert_le "$grown" $(( 2 * window + 2048 )) "page cache when the first byte is copied (kB)"
exec 5>&-
wait
dd if=$FOLD/b of=/tmp/got bs=132M count=1 status=none
assert_same /tmp/got /tmp/want
