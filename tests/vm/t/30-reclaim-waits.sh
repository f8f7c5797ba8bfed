# shows: while a disk answers nothing, so that pages of files that share are being read
#        and stay locked, whoever wants memory back is not held up: unused inodes that
#        refer to those pages are examined and given up by workers, by order and in a
#        cgroup that reclaims, and a removed file's inode whose dentry is pruned as well
# module: test
. /tests/lib.sh

need_module dm_mod
sectors=$(blockdev --getsz $DISK)
dmsetup create slow --table "0 $sectors linear $DISK 0"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor slow)
fresh_xfs $dev
randfile $LOWER/image 8 5
for i in $(seq 40); do
	cp --reflink=always $LOWER/image $LOWER/clone$i
done
sync
drop_caches
fold_mount
for i in $(seq 40); do
	head -c 4096 $FOLD/clone$i >/dev/null
done
joined() {
	[ "$(counter $FOLD references)" -ge 40 ]
}
until_true 30 joined

# Two are removed around the mount, which has their dentries still.
rm $LOWER/clone2 $LOWER/clone3
sync -f $LOWER

# The others of the pages are not cached: they are asked for now, and never come.
dmsetup suspend --noflush --nolockfs slow
cat $FOLD/clone1 >/dev/null &
reader=$!
reading() {
	grep -q -E 'folio_wait|filemap|fold_pages' /proc/$reader/stack
}
until_true 30 reading
was=$(counter $FOLD references)

# Two ways to want memory; each has an end while the disk stands still.
wants() {	# COMMAND...
	"$@" &
	until_true 60 gone $!
	kill -0 $reader || fail "the reader has read from a disk that stands still"
}
gone() {
	! kill -0 "$1" 2>/dev/null
}
by_order() {
	for _ in 1 2 3 4 5; do
		echo 2 >/proc/sys/vm/drop_caches
	done
}
group=$(cgroup all)
in_group() {
	echo 64M >"$group"/memory.reclaim || true
}
wants by_order
wants in_group 2>/dev/null

# With the disk it goes on, and all but the open one are given up.
dmsetup resume slow
wait $reader
fewer() {
	echo 2 >/proc/sys/vm/drop_caches
	[ "$(counter $FOLD references)" -lt $(( was / 2 )) ]
}
until_true 60 fewer
assert_same $FOLD/clone9 $LOWER/image
umount $FOLD
umount $LOWER
dmsetup remove slow
