# shows: reads, writes, direct and asynchronous I/O, io_uring, splices, holes, limits, bad
# buffers, statx and ioctls give on foldfs what they give on XFS; a filesystem on a file
# of it is sound
# timeout: 180
. /tests/lib.sh
. /tests/cases.inc

fresh_xfs
same_cases data data
same_cases data data nofold
same_cases calls calls
same_cases calls calls nofold

need_module loop

# A loop device writes from the kernel's own pages, directly and through the cache.
for direct in on off; do
	fold_mount $LOWER/stacked
	truncate -s 400M $FOLD/image
	loop=$(losetup -f --show --direct-io=$direct $FOLD/image)
	fresh_xfs "$loop" /mnt/inner
	random_file /mnt/inner/a 4
	cp --reflink=always /mnt/inner/a /mnt/inner/b
	for i in 1 2 3 4 5; do
		mkdir "/mnt/inner/$i"
		cp /usr/bin/c* "/mnt/inner/$i"
	done
	rm -r /mnt/inner/2 /mnt/inner/4
	sum=$(cd /mnt/inner && find . -type f -print0 | sort -z | xargs -0 cat | sha256sum)
	umount /mnt/inner
	losetup -d "$loop"
	umount $FOLD
	drop_caches
	xfs_repair -n $LOWER/stacked/image >/tmp/repair 2>&1 ||
		fail "the filesystem on the file (direct I/O $direct): $(tail -n 3 /tmp/repair)"
	mount -o loop,ro $LOWER/stacked/image /mnt/inner
	assert_eq "$(cd /mnt/inner && find . -type f -print0 | sort -z | xargs -0 cat | sha256sum)" \
		"$sum" "what the files hold below"
	umount /mnt/inner
	rm $LOWER/stacked/image
done
