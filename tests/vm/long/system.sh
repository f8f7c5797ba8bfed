# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make check-system` runs in the VM. A Debian system is cloned twice by reflink:
# one clone is lived in on XFS, one through foldfs, while the original is read through the
# same foldfs. Afterwards the two are equal, and the original is what it was.
set -e -u -o pipefail
fresh_xfs
mkdir /mnt/image $LOWER/native $LOWER/stacked
mount -t ext4 -o ro /dev/vdb /mnt/image
cp -a /mnt/image $LOWER/stacked/base
umount /mnt/image
rmdir $LOWER/stacked/base/lost+found
cp /live $LOWER/stacked/base/root/live
# No machine's name in it, and no daemons.
echo 0123456789abcdef0123456789abcdef >$LOWER/stacked/base/etc/machine-id
printf '#!/bin/sh\nexit 101\n' >$LOWER/stacked/base/usr/sbin/policy-rc.d
chmod 755 $LOWER/stacked/base/usr/sbin/policy-rc.d
sync
cp -a --reflink=always $LOWER/stacked/base $LOWER/native/root
cp -a --reflink=always $LOWER/stacked/base $LOWER/stacked/root
sync
since=$(date +%s)
sleep 2
python3 /listing $LOWER/stacked/base 1e11 >/tmp/base.before
drop_caches
fold_mount $LOWER/stacked

live_in() {	# TREE OUTPUT
	local start=$SECONDS
	mount -t proc proc "$1/proc"
	chroot "$1" /bin/bash /root/live >"$2" 2>&1 || {
		tail -n 30 "$2"
		fail "in $1: it ended with an error"
	}
	umount "$1/proc"
	[ "$(tail -n 1 "$2")" = "== end" ] || fail "in $1: it did not come to its end"
	echo "lived in $1 for $(( SECONDS - start )) s"
}
live_in $LOWER/native/root /tmp/native
# Meanwhile somebody reads the original, over and over.
(while [ ! -e /tmp/enough ]; do
	find $FOLD/base -xdev -type f -exec cat {} + >/dev/null
done) &
live_in $FOLD/root /tmp/fold
echo "pages: cached $(counter $FOLD pages_cached), saved $(counter $FOLD pages_saved)"
echo "joins $(counter $FOLD joins), breaks $(counter $FOLD breaks), fills $(counter $FOLD fills)"
assert_ge "$(counter $FOLD pages_saved)" 1000 "pages saved"
touch /tmp/enough
wait

# What they printed.
diff /tmp/native /tmp/fold >/tmp/diff || fail "printed on XFS (<) and on foldfs (>): $(head -n 20 /tmp/diff)"
echo "$(wc -l </tmp/fold) lines of output are the same"

# Differ by nature, because they hold times of the clock or inode numbers: logs, apt's and
# ld.so's caches, the index of a git tree (its contents are compared by git status above).
for tree in $LOWER/native/root $LOWER/stacked/root; do
	rm -rf $tree/var/log/apt $tree/var/log/dpkg.log $tree/var/log/alternatives.log \
		$tree/var/cache/apt/*.bin $tree/var/cache/ldconfig/aux-cache \
		$tree/root/{origin,copy}/.git/index
done
python3 /listing $LOWER/native/root $since >/tmp/native.tree
for where in $FOLD $LOWER/stacked; do
	python3 /listing $where/root $since >/tmp/fold.tree
	diff /tmp/native.tree /tmp/fold.tree >/tmp/diff ||
		fail "the trees on XFS (<) and in $where (>) differ: $(head -n 20 /tmp/diff)"
done
echo "$(wc -l </tmp/native.tree) names are the same: contents, types, modes, owners, links, attributes"
umount $FOLD
python3 /listing $LOWER/stacked/base 1e11 >/tmp/base.after
diff /tmp/base.before /tmp/base.after >/tmp/diff || fail "the original has changed: $(head -n 20 /tmp/diff)"
umount $LOWER
xfs_repair -n $DISK >/dev/null 2>&1 || fail "xfs_repair finds something"
echo "the system lives on foldfs as on XFS"
