# shows: umount and rmmod are clean with everything warm, refused while files are
#        open or mapped, and clean after processes were killed at any moment
# timeout: 240
. /tests/lib.sh

# gone: foldfs can be unmounted and unloaded, and the disk is free again
gone() {
	umount $FOLD || fail "umount $1"
	until_true 10 rmmod foldfs
	umount $LOWER || fail "umount of XFS $1"
	mount -t xfs $DISK $LOWER || fail "mount of XFS $1"
}

fresh_xfs
tree make 8192 1 $LOWER/c1 >/dev/null
for i in 2 3 4; do
	cp -r --reflink=always $LOWER/c1 $LOWER/c$i
done

fold_mount
tree read 8192 1 $FOLD/c? >/dev/null
tree private 8192 1 $FOLD/c? >/dev/null
assert_ge "$(counter $FOLD pages_saved)" 5000 "pages_saved"
gone "with a warm cache"

# In use.
fold_mount
tree read 8192 1 $FOLD/c? >/dev/null
exec 7<$FOLD/c1/d0/f12
assert_fails busy umount $FOLD
assert_fails "temporarily unavailable" rmmod foldfs
exec 7<&-
cp /usr/bin/bigexec $FOLD/bigexec
mkfifo /tmp/hold
$FOLD/bigexec </tmp/hold &
exec 7>/tmp/hold
assert_fails busy umount $FOLD
exec 7>&-
wait
rm $FOLD/bigexec
gone "after it was in use"

# Again and again.
for (( i = 1; i <= 30; i++ )); do
	fold_mount
	cat $FOLD/c$(( i % 4 + 1 ))/d*/f? | md5sum >/tmp/sum
	[ -e /tmp/first ] || cp /tmp/sum /tmp/first
	assert_same /tmp/sum /tmp/first
	[ $(( i % 5 )) = 0 ] && drop_caches
	umount $FOLD || fail "umount, round $i"
done

# Killed at any moment.
fold_mount
kills=0 round=0
# A slow machine needs some rounds for that much to happen.
until [ $kills -ge 20 ] && [ "$(counter $FOLD joins)" -ge 50 ] && [ "$(counter $FOLD breaks)" -ge 50 ]; do
	round=$(( round + 1 ))
	[ $round -le 8 ] || fail "in $round rounds only $kills were killed, joins $(counter $FOLD joins), breaks $(counter $FOLD breaks)"
	mkdir $FOLD/chaos
	killed=$(chaos 15 $round $FOLD/chaos) || fail "chaos"
	kills=$(( kills + killed ))
	rm -r $FOLD/chaos
done
note "processes killed at random moments: $kills; joins $(counter $FOLD joins), breaks $(counter $FOLD breaks)"
gone "after processes were killed"
