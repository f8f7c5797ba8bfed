# shows: what an NFS server with "sync" has acknowledged to a client is there after a shutdown
#        of the filesystem right after it, as where XFS itself is exported
# allows: XFS \(vda\): (User initiated shutdown|Log I/O Error|Metadata I/O Error|.*[Ss]hut)|shutdown|NFS
# timeout: 150
# kernels: stock
. /tests/lib.sh

fresh_xfs
. /tests/nfs.inc

# Nothing is closed or synced in the end that would bring it to the disk.
change() {
	mkdir new
	mkfifo fifo
	ln -s file link
	mv file moved
	ln gone kept
	rm gone
	rmdir empty
	mv before other/after
	chmod 0123 attributes
	chown 7:8 attributes
}

# left DIRECTORY: what of it is there
left() {
	(cd "$1" && find . ! -name . -printf '%p %y %m %u:%g %n\n' | sort)
}

for what in native fold; do
	umount $LOWER
	fresh_xfs
	mkdir $LOWER/tree
	(cd $LOWER/tree && mkdir empty other && touch file gone before attributes)
	sync
	if [ $what = native ]; then
		top=$LOWER/tree
	else
		fold_mount $LOWER/tree
		top=$FOLD
	fi
	serve $top
	(cd /mnt/nfs && change)
	left /mnt/nfs >/tmp/acknowledged.$what
	xfs_io -x -c shutdown $LOWER
	umount -f /mnt/nfs 2>/dev/null || umount -l /mnt/nfs
	serve_no_more
	[ $what = native ] || umount $FOLD
	umount $LOWER
	mount -t xfs $DISK $LOWER
	left $LOWER/tree >/tmp/left.$what
	diff /tmp/acknowledged.$what /tmp/left.$what >/tmp/diff ||
		fail "$what: acknowledged (<) and after the shutdown (>): $(head -c 500 /tmp/diff)"
done
assert_same /tmp/left.native /tmp/left.fold
umount /proc/fs/nfsd
