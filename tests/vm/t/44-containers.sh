# shows: bind mounts, propagation, pivot_root and user namespaces work in foldfs as in XFS;
# several mounts over one filesystem live side by side
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/stacked $LOWER/native
fold_mount $LOWER/stacked

# The same story in both trees, and what it prints.
cat >/tmp/story <<'END'
set -u
cd "$1" || exit
exec 2>&1
mkdir -p a b c/d shared slave root/{bin,old,proc,lib,lib64,etc}
echo text >a/file

# Bind mounts: of directories, of files, read-only, moved, recursive.
mount --bind a b && cat b/file
touch c/point
mount --bind a/file c/point && cat c/point
mount -o remount,bind,ro b
echo x >b/file
echo y >>a/file
rm a/file
ls b
echo again >a/file
mv c c2 && cat c2/point
mount --rbind . root/old && cat root/old/b/file root/old/c2/point
umount -R root/old
mount --move b slave && ls b && cat slave/file
umount slave
umount c2/point

mount --bind a b
rm -r a
ls -la b | wc -l
touch b/new
umount b
mkdir a
echo text >a/file

# What is mounted on a shared mount appears in its peers and slaves.
mount --bind shared shared
mount --make-shared shared
mkdir shared/m
mount --bind shared b
mount --bind shared slave
mount --make-slave slave
mount -t tmpfs tmpfs shared/m
touch shared/m/inside
ls b/m slave/m
mount -t tmpfs tmpfs slave/m
touch slave/m/own
ls shared/m slave/m
umount slave/m
umount b/m
ls shared/m slave/m
umount shared slave b
awk -v d="$PWD" 'index($5, d "/") == 1' /proc/self/mountinfo | wc -l

# A root of its own.
cp /bin/busybox root/bin/busybox
cp -a /lib64/. root/lib64 2>/dev/null
mkdir -p root/lib/x86_64-linux-gnu
cp -L /lib/x86_64-linux-gnu/{libc.so.6,libresolv.so.2,libm.so.6} root/lib/x86_64-linux-gnu 2>/dev/null
for name in sh ls cat umount mkdir mount pwd rm chown touch id stat; do
	ln -s busybox root/bin/$name
done
cat >root/inside <<'IN'
cd /
pwd
busybox umount -l /old
ls /
busybox cat /etc/name
echo changed >/etc/name
busybox mount -t proc proc /proc && [ -e /proc/self/exe ] && echo proc
busybox readlink /proc/self/exe
mkdir /dir && touch /dir/file && chown 5:6 /dir/file && stat -c '%n %u %g' /dir/file
IN
echo a root >root/etc/name
# (Nobody pivots away from the initial RAM filesystem, so the root is a bind mount first.)
cat >/tmp/pivot <<'IN'
mount --bind root root
mount --rbind / /run/r
chroot /run/r bash -c 'cd "$1/root" && pivot_root . old && exec /bin/sh /inside' - "$1"
IN
mkdir -p /run/r
unshare -m --propagation private bash /tmp/pivot "$1"
cat root/etc/name
stat -c '%n %u %g' root/dir/file

# The same as root of a user namespace, over files that belong to it.
rm -r root/dir
chown -R 100000:100000 root
setpriv --reuid=100000 --regid=100000 --clear-groups \
	unshare -U -r -m -p -f bash /tmp/pivot "$1"
stat -c '%n %u %g' root/etc/name
find root/dir -printf '%p %m %U %G\n' | sort
setpriv --reuid=100000 --regid=100000 --clear-groups unshare -U -r bash -c '
	touch root/mine && stat -c "%u" root/mine
	chown 1 root/mine
	mknod root/dev c 1 3
	cat a/file; echo >a/file
	mkfifo root/fifo && rm root/fifo'
stat -c '%n %u %g' root/mine
END
for tree in $LOWER/native $FOLD; do
	bash /tmp/story $tree >/tmp/out || true
	sed "s,$tree,,g" /tmp/out >"/tmp/story.$(basename $tree)"
done
diff /tmp/story.native /tmp/story.fold >/tmp/diff ||
	fail "on XFS (<) and foldfs (>): $(head -c 700 /tmp/diff)"
grep -q "^changed" /tmp/story.fold || fail "nobody lived in a root of its own"
assert_ge "$(wc -l </tmp/story.fold)" 60 "lines"
note "namespaces and mounts: $(wc -l </tmp/story.fold) answers as on XFS"
umount $FOLD

# Several mounts over one filesystem: side by side, one in the other's lower tree, and
# over a directory and all of it. Each shares among its own files.
mkdir -p $LOWER/one/sub $LOWER/two
random_file $LOWER/one/sub/a 4
for name in one/b one/sub/b two/a two/b; do
	cp --reflink=always $LOWER/one/sub/a $LOWER/$name
done
sync
fold_mount $LOWER/one /mnt/one
fold_mount $LOWER/one/sub /mnt/sub
fold_mount $LOWER/two /mnt/two
fold_mount $LOWER /mnt/all
for file in /mnt/one/b /mnt/one/sub/b /mnt/sub/a /mnt/sub/b /mnt/two/a /mnt/two/b /mnt/all/two/b \
	/mnt/all/one/b; do
	assert_same $file $LOWER/one/sub/a
done
assert_ge "$(counter /mnt/two pages_saved)" 1000 "pages saved by the mount over two"
assert_ge "$(counter /mnt/sub pages_saved)" 1000 "pages saved by the mount over sub"
# A change through one of them is seen through all.
for mnt in /mnt/one/sub /mnt/sub /mnt/all/one/sub $LOWER/one/sub; do
	date +%N | dd of=$mnt/b bs=1 seek=5000 conv=notrunc status=none
	for other in /mnt/one/sub /mnt/sub /mnt/all/one/sub; do
		assert_same $other/b $LOWER/one/sub/b
	done
done
assert_same /mnt/two/a $LOWER/one/sub/a
