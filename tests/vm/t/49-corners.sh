# shows: what the corners of docs/compatibility.md say of quotas, device times, writes from a
#        mapping of the same bytes, pages that a pipe holds, uprobes, sandboxes and realtime
#        files
# disk2: 1G
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/native $LOWER/stacked
fold_mount $LOWER/stacked

# pair MIB: files a and b that share their blocks, at rest and read
pair() {
	rm -rf $FOLD/a $FOLD/b
	random_file $FOLD/a "$1" 7
	cp --reflink=always $FOLD/a $FOLD/b
	sync
	drop_caches
	cat $FOLD/a $FOLD/b >/dev/null
}
# shares: the mount has something cached that two files share
shares() {
	assert_ge "$(counter $FOLD pages_saved)" "${1:-64}" "pages saved"
}

# ---- quotas belong to the filesystem below
random_file $LOWER/native/file 1
assert_eq "$(corners quota $FOLD/.)" ENOSYS "quotactl_fd on the mount"
! xfs_quota -x -c 'report -u' $FOLD 2>&1 | grep -q Blocks || fail "xfs_quota reports on the mount"

# ---- a driver that stamps the inode it was opened by: here the upper one
tty=4:64
[ -e /sys/dev/char/$tty ] || fail "there is no terminal to write to"
for tree in $LOWER/native $FOLD; do
	mknod $tree/tty c 4 64
	touch -d 2001-01-01 $tree/tty
	stty -F $tree/tty raw -echo clocal 2>/dev/null || true
	echo >$tree/tty
done
assert_ne "$(stat -c %Y $LOWER/native/tty)" "$(date -d 2001-01-01 +%s)" "time of a terminal on XFS"
assert_eq "$(stat -c %Y $FOLD/tty)" "$(date -d 2001-01-01 +%s)" "time of a terminal on foldfs"

# ---- a write whose source is a mapping of what it changes
pair 1
shares
corners overlap $FOLD/b
assert_same $FOLD/a $LOWER/stacked/a

# ---- pages of a mapping that a pipe has got by vmsplice
pair 1
shares
corners pin $FOLD/a $FOLD/a
[ "$(dd if=$FOLD/a bs=4096 skip=2 count=1 status=none | head -c 9)" = "new bytes" ] || fail "no new bytes"
! cmp -s $FOLD/a $FOLD/b || fail "the clone has changed as well"

# ---- uprobes: a program on the mount whose text is shared, while it runs and before
rm $FOLD/a $FOLD/b
cp /usr/bin/bigexec $FOLD/a
cp --reflink=always $FOLD/a $FOLD/b
cp --reflink=always $FOLD/a $FOLD/c
sync
drop_caches
for file in a b c; do $FOLD/$file </dev/null >/dev/null; done
shares 16
entry=$(od -An -t u8 -j 24 -N 8 $FOLD/a | tr -d ' ')
tracing=/sys/kernel/tracing
echo "p:corners/start $FOLD/b:$entry" >$tracing/uprobe_events
echo 1 >$tracing/events/corners/start/enable
for _ in 1 2 3; do $FOLD/a </dev/null; $FOLD/b </dev/null; $FOLD/c </dev/null; done >/dev/null
hits=$(awk '$2 == "start" { print $3 }' $tracing/uprobe_profile)
echo 0 >$tracing/events/corners/start/enable
echo >$tracing/uprobe_events
assert_eq "$hits" 3 "hits of a probe in one of three programs that share their text"
assert_same $FOLD/a $FOLD/b
$FOLD/b </dev/null >/dev/null
shares 16

# ---- a sandbox is asked about paths on the mount, and fills in it read through any file
mkdir $FOLD/yes $FOLD/no
random_file $FOLD/no/file 1 9
cp --reflink=always $FOLD/no/file $FOLD/yes/file
sync
drop_caches
head -c 100 $FOLD/no/file >/dev/null
corners landlock $FOLD/yes $FOLD/no
shares

# ---- realtime files, which no reflinked filesystem can have beside others: nothing is shared
umount $FOLD
umount $LOWER
mkfs.xfs -q -f -m reflink=0,rmapbt=0 -r rtdev=$DISK2 $DISK
mount -t xfs -o rtdev=$DISK2 $DISK $LOWER
fold_mount
xfs_io -f -c 'chattr +r' -c 'pwrite -S 7 0 1m' -c fsync $FOLD/rt >/dev/null
xfs_io -c lsattr $FOLD/rt | grep -q '^r' || fail "not a realtime file"
drop_caches
assert_same $FOLD/rt <(head -c 1048576 /dev/zero | tr '\0' '\7')
assert_eq "$(counter $FOLD references)" 0 "references to realtime blocks"
