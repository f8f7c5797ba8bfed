# shows: foldfs can be exported by the kernel's NFS server: a client finds, reads, maps,
# writes, locks, clones and removes there what it does on exported XFS, also after the
# server has forgotten its inodes
# timeout: 300
# kernels: stock
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/stacked $LOWER/native /mnt/nfs
. /tests/nfs.inc

cat >/tmp/story <<'END'
cd /mnt/nfs || exit
exec 2>&1
mkdir -p dir/sub
cp /usr/bin/bash dir/bash
cp dir/bash dir/sub/copy
cp --reflink=always dir/bash dir/clone
cmp dir/bash dir/clone && echo cloned
dir/clone -c 'echo a program that is a clone runs'
printf changed | dd of=dir/clone bs=1 seek=70000 conv=notrunc status=none
cmp dir/bash dir/clone | head -n 1
ln dir/bash name
ln -s dir/bash link
mv dir/sub moved
mkfifo fifo
for i in $(seq 100); do echo $i >dir/file-$i; done
ls dir | wc -l
rm dir/file-1*
ls dir | wc -l
chmod 4755 name
chown 1000:1000 name
setpriv --reuid=2000 --regid=2000 --clear-groups cat name | wc -c
setpriv --reuid=2000 --regid=2000 --clear-groups sh -c 'echo >>name'
stat -c '%n %a %u %g %h %s' name dir/bash
setfattr -n user.a -v b name && getfattr -d name
xfs_io -c 'falloc 0 100000' -c 'fpunch 4096 8192' -c 'seek -a 0' dir/file-2
flock -n dir/file-2 -c 'flock -n dir/file-2 true || echo locked'
exec 5<dir/file-3
rm dir/file-3
cat <&5
exec 5<&-
echo 3 >/proc/sys/vm/drop_caches
md5sum dir/bash dir/clone moved/copy name
xfs_io -c 'mmap 0 8192' -c 'mwrite -S 7 0 6000' -c 'msync -s' dir/clone
echo 3 >/proc/sys/vm/drop_caches
md5sum dir/clone
truncate -s 10000 dir/clone
md5sum dir/clone
mv name dir/bash && echo nothing is left to do
rm -r moved dir/nothing
find . | wc -l
find . -printf '%p %y %m %n\n' | sort | md5sum
cat nowhere
END
fold_mount $LOWER/stacked
for tree in native fold; do
	if [ $tree = native ]; then serve $LOWER/native; else serve $FOLD; fi
	bash /tmp/story >/tmp/nfs.$tree || true
	# An open file whose inode the server forgets.
	exec 5<>/mnt/nfs/dir/file-4
	echo one >&5
	drop_caches
	echo two >&5
	exec 5<&-
	cat /mnt/nfs/dir/file-4 >>/tmp/nfs.$tree
	serve_no_more
done
diff /tmp/nfs.native /tmp/nfs.fold >/tmp/diff ||
	fail "on XFS (<) and foldfs (>): $(head -c 700 /tmp/diff)"
grep -q '^cloned' /tmp/nfs.fold || fail "no clone was made"
grep -q '^locked' /tmp/nfs.fold || fail "no lock held"
assert_ge "$(wc -l </tmp/nfs.fold)" 28 "answers"
note "$(wc -l </tmp/nfs.fold) answers as from exported XFS"
assert_eq "$(find $FOLD | wc -l)" "$(find $LOWER/native | wc -l)" "files"
umount /proc/fs/nfsd
