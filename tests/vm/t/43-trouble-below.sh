# shows: quotas of the lower filesystem hold above; what was synced is there after the
# lower filesystem was shut down; errors of one that was shut down or made read-only
# reach the caller, and nothing hangs
# allows: XFS \(vda\): (User initiated shutdown|Log I/O Error|Metadata I/O Error|.*[Ss]hut)|shutdown
. /tests/lib.sh

as_user() {
	setpriv --reuid=1000 --regid=1000 --clear-groups "$@"
}

# ---- quotas ------------------------------------------------------------------
mkfs.xfs -q -f -K -m reflink=1 $DISK
mkdir -p $LOWER
mount -t xfs -o uquota,gquota,pquota $DISK $LOWER
mkdir -m 777 $LOWER/stacked $LOWER/native
xfs_quota -x -c 'limit -u bhard=2m ihard=20 1000' $LOWER
fold_mount $LOWER/stacked
for tree in $LOWER/native $FOLD; do
	# shellcheck disable=SC2016
	as_user bash -c '
		cd "$1" || exit
		exec 2>&1
		fallocate -l 1m a && echo one
		fallocate -l 4m b || echo "two: $?"
		dd if=/dev/zero of=c bs=64k count=100 status=none
		stat -c "%n %s" *
		for i in $(seq 30); do echo >n$i || break; done
		ls | wc -l
		rm -f n*
		cp --reflink=always a d
		cp --reflink=always a e
		ls -l d e | wc -l
		rm -f *
	' - $tree | sed "s,$tree,,g" >"/tmp/quota.$(basename $tree)"
done
diff /tmp/quota.native /tmp/quota.fold || fail "quotas: see the log"
grep -q 'Disk quota exceeded' /tmp/quota.fold || fail "no quota was in the way"

# Usage is the owner's and the project's, whoever's mount it is.
as_user dd if=/dev/zero of=$FOLD/mine bs=1M count=1 conv=fsync status=none
assert_eq "$(xfs_quota -x -c 'quota -N -b -u 1000' $LOWER | awk '{ print $2 }')" 1024 "KiB of the user"
mkdir $FOLD/project
xfs_io -c 'chproj 42' -c 'chattr +P' $FOLD/project
xfs_quota -x -c 'limit -p bhard=1m 42' $LOWER
dd if=/dev/zero of=$FOLD/project/a bs=512k count=1 conv=fsync status=none
assert_fails "No space left" dd if=/dev/zero of=$FOLD/project/b bs=1M count=1 status=none
assert_fails "cross-device link" ln $FOLD/mine $FOLD/project/mine
assert_fails "cross-device link" ln $LOWER/stacked/mine $LOWER/stacked/project/mine
mv $FOLD/mine $FOLD/project/mine 2>/dev/null || true
assert_eq "$(xfs_io -r -c lsproj $FOLD/project/a)" "projid = 42" "project"
umount $FOLD
umount $LOWER

# ---- shut down ---------------------------------------------------------------
fresh_xfs
mkdir $LOWER/stacked
fold_mount $LOWER/stacked
random_file $FOLD/shared 2
cp --reflink=always $FOLD/shared $FOLD/clone
sync -f $FOLD
cat $FOLD/clone >/dev/null
cd $FOLD || fail "no mount"
xfs_io -f -s -c 'pwrite -S 1 0 10000' o_sync >/dev/null
xfs_io -f -c 'pwrite -S 2 0 10000' -c fsync fsync >/dev/null
xfs_io -f -c 'pwrite -S 3 0 10000' -c fdatasync fdatasync >/dev/null
xfs_io -f -c 'pwrite -S 4 0 10000' -c 'mmap 0 8192' -c 'mwrite -S 5 0 5000' -c 'msync -s' mapped >/dev/null
xfs_io -f -d -s -c 'pwrite -S 6 0 8192' direct >/dev/null
dd if=/dev/zero of=o_dsync bs=5000 count=2 oflag=dsync status=none
xfs_io -f -c 'pwrite -S 7 0 10000' syncfs >/dev/null
xfs_io -c 'pwrite -S 8 4096 4096' -c fsync clone >/dev/null
xfs_io -c syncfs . >/dev/null
md5sum o_sync fsync fdatasync mapped direct o_dsync syncfs clone shared >/tmp/sums
mkdir kept
xfs_io -c fsync kept
exec 5<>clone 6<shared
echo lost >lost

# Without the log being written: what was not synced may be gone.
xfs_io -x -c 'shutdown' . || true
for call in 'dd if=/dev/zero of=new bs=4k count=1' 'touch new' 'mkdir new' 'rm clone' \
	'mv clone other' 'chmod 600 clone' 'setfattr -n user.a -v b clone' 'sync -f .' \
	'truncate -s 1 clone' 'cp --reflink=always shared new' 'sync clone' \
	'dd if=/dev/zero of=clone bs=4k count=1 conv=notrunc,fsync'; do
	# shellcheck disable=SC2086
	assert_fails "Input/output error" $call
done
cat clone >/dev/null 2>&1 || true
ls -lR . >/dev/null 2>&1 || true
echo x >&5 2>/dev/null && fail "a write to a filesystem that is shut down succeeded"
xfs_io -r -c 'mmap 0 1m' -c 'mread 0 1m' shared >/dev/null 2>&1 || true
exec 5<&- 6<&-
cd /
umount $FOLD
umount $LOWER
mount -t xfs $DISK $LOWER
fold_mount $LOWER/stacked
(cd $FOLD && md5sum --quiet -c /tmp/sums) || fail "what was synced is not there"
[ -d $FOLD/kept ] || fail "a directory that was synced is not there"

# ---- made read-only ----------------------------------------------------------
exec 5<>$FOLD/fsync
assert_fails "busy" mount -o remount,ro $LOWER
exec 5<&-
sync
mount -o remount,ro $LOWER
cd $FOLD || fail "no mount"
for call in 'touch new' 'mkdir new' 'rm clone' 'mv clone other' 'chmod 600 clone' \
	'chown 1 clone' 'setfattr -n user.a -v b clone' 'truncate -s 1 clone' \
	'ln clone link' 'ln -s clone link' 'mkfifo fifo' 'cp --reflink=always shared new' \
	'dd if=/dev/zero of=clone bs=4k count=1' 'touch clone' 'rmdir kept' 'chattr +i clone'; do
	# shellcheck disable=SC2086
	assert_fails "Read-only file system" $call
done
md5sum --quiet -c /tmp/sums
cd /
mount -o remount,rw $LOWER
touch $FOLD/new
