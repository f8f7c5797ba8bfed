# shows: writers around the mount while leases are slow to break, cannot be had, or
#        are thousands; what shares then, and that no byte is old
# timeout: 180
. /tests/lib.sh

# ---- lease-break-time as short as can be: openers wait for foldfs, not for that --------
need_module dm_mod
need_module dm_delay
sectors=$(blockdev --getsz $DISK)
dmsetup create slow --table "0 $sectors delay $DISK 0 0"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
fresh_xfs $dev
fold_mount
sysctl_set fs.lease-break-time 0
for way in write O_NONBLOCK; do
	outside $FOLD $LOWER "$way" >/dev/null || fail "$way with lease-break-time 0"
done
sysctl_set fs.lease-break-time 1

# A read of the shared file waits for the disk for longer than lease-break-time, and
# breaking the lease waits for the read.
random_file $LOWER/a 1
truncate -s 256k $LOWER/a
cp --reflink=always $LOWER/a $LOWER/b
cp $LOWER/a /tmp/a
drop_caches
head -c 1 $FOLD/a >/dev/null
shared() {	# FILE PAGES
	[ "$(shared-pages "$1")" = "$2" ]
}
until_true 20 shared $FOLD/a 64
head -c 1 $FOLD/b >/dev/null
dmsetup suspend --noflush --nolockfs slow
dmsetup load slow --table "0 $sectors delay $DISK 0 2000 $DISK 0 0"
dmsetup resume slow
dd if=$FOLD/a of=/tmp/read bs=64k skip=2 count=1 status=none &
reader=$!
reads_or_ended() {
	! kill -0 $reader 2>/dev/null || grep -q folio_wait /proc/$reader/stack
}
until_true 20 reads_or_ended
# shellcheck disable=SC2094
printf new | dd of=$LOWER/a conv=notrunc bs=3 seek=200000 status=none
printf new | dd of=/tmp/a conv=notrunc bs=3 seek=200000 status=none
assert_same $FOLD/a /tmp/a
wait $reader
dmsetup suspend --noflush --nolockfs slow
dmsetup load slow --table "0 $sectors linear $DISK 0"
dmsetup resume slow
assert_same $FOLD/a /tmp/a
sysctl_set fs.lease-break-time 45

# ---- no leases: who shares goes on and is found out, nobody new joins --------------------
random_file $LOWER/c 1 3
cp --reflink=always $LOWER/c $LOWER/d
cp --reflink=always $LOWER/c $LOWER/e
sync
cat $FOLD/c >/dev/null
until_true 20 shared $FOLD/c 256
sysctl_set fs.leases-enable 0
cp $LOWER/c /tmp/c
for f in d e; do
	assert_same $FOLD/$f /tmp/c
	assert_eq "$(shared-pages $FOLD/$f)" 0 "pages of $f that are shared without a lease"
done
printf outside | dd of=$LOWER/c conv=notrunc bs=1 seek=5000 status=none
cp /tmp/c /tmp/c2
printf outside | dd of=/tmp/c2 conv=notrunc bs=1 seek=5000 status=none
assert_same $FOLD/c /tmp/c2
assert_eq "$(shared-pages $FOLD/c)" 0 "shared pages once somebody has written"
for f in d e; do
	assert_same $FOLD/$f /tmp/c
done
sysctl_set fs.leases-enable 1
joins_again() {
	cat $FOLD/d >/dev/null
	[ "$(shared-pages $FOLD/d)" = 256 ]
}
until_true 60 joins_again

# ---- thousands ------------------------------------------------------------------------------
mkdir $LOWER/many
echo "a small file that thousands are clones of" >$LOWER/many/0
sync
manyclones $LOWER/many 0 1500
sync
find $FOLD/many -type f -exec cat {} + >/tmp/all
assert_eq "$(grep -c 'a small file' /tmp/all)" 1501 "files"
refs=$(counter $FOLD references)
note "$refs references, each file with a lease"
assert_ge "$refs" 1400 "references"
assert_le "$(wc -l </proc/locks)" 100 "lines of /proc/locks"
for i in 17 700 1499; do
	echo "changed below" >$LOWER/many/$i
	assert_eq "$(cat $FOLD/many/$i)" "changed below" "file $i"
done
mv $LOWER/many/5 $LOWER/many/x5
rm $LOWER/many/6
chmod 600 $LOWER/many/7
ln $LOWER/many/8 $LOWER/many/x8
assert_eq "$(cat $FOLD/many/x5 $FOLD/many/x8 | grep -c 'a small file')" 2 "files with new names"
assert_ge "$(counter $FOLD references)" $(( refs - 10 )) "references afterwards"
umount $FOLD
umount $LOWER
dmsetup remove slow
