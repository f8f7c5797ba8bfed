# shows: where docs/compatibility.md says that foldfs differs from XFS, it differs as it says:
#        EROFS from a file, names in core dumps, device numbers after a remount, copies from
#        one mount to another, hints, polled I/O, and overlays on overlays; most of it is so
#        on overlayfs as well
# kernels: stock
. /tests/lib.sh

need_module overlay
need_module erofs
fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked /mnt/second /mnt/overlay /mnt/on /mnt/empty
for tree in $LOWER/native $LOWER/stacked; do
	random_file $tree/file 1
	cp --reflink=always $tree/file $tree/clone
	mkdir $tree/dir
	cp /bin/true $tree/dir
done
fold_mount $LOWER/stacked
fold_mount $LOWER/stacked /mnt/second
mkdir $LOWER/upper $LOWER/work
mount -t overlay -o lowerdir=$LOWER/native,upperdir=$LOWER/upper,workdir=$LOWER/work overlay /mnt/overlay

# ---- EROFS reads the page cache of the file that it is given
assert_eq "$(limits mount erofs $LOWER/native/file /mnt/on)" EINVAL "EROFS on what is none, on XFS"
for tree in $FOLD /mnt/overlay; do
	assert_eq "$(limits mount erofs $tree/file /mnt/on)" ENOTBLK "EROFS from a file in $tree"
done
# By a loop device it is what it is elsewhere: asked for its first block, and none.
need_module loop
loop=$(losetup -f --show -r $FOLD/file)
assert_eq "$(limits mount erofs "$loop" /mnt/on)" EINVAL "EROFS from a loop device over foldfs"
losetup -d "$loop"

# ---- names in core dumps: those below the mount, without its path
echo /run/core.%e >/proc/sys/kernel/core_pattern
ulimit -c unlimited
named() {	# TREE: the name that a core has for its file
	limits core "$1/file" 2>/dev/null || true
	grep -a -o '/[a-z/]*/*file' /run/core.limits | sort -u | tr '\n' ' '
	rm -f /run/core.limits
}
case " $(named $LOWER/native)" in
*" $LOWER/native/file "*) ;;
*) fail "the core of a program on XFS does not name its file" ;;
esac
for tree in $FOLD /mnt/overlay; do
	names=" $(named $tree)"
	case $names in
	*" /file "*) ;;
	*) fail "names in the core of a program in $tree: $names" ;;
	esac
done
echo core >/proc/sys/kernel/core_pattern

# ---- device numbers are those of the mount, another one each time
mkdir /run/gap
tar -c -f /run/full.tar -g /run/list -C $FOLD .
umount $FOLD
# Somebody else takes the number.
mount -t tmpfs none /run/gap
fold_mount $LOWER/stacked
tar -c -v -f /run/next.tar -g /run/list --no-check-device -C $FOLD . >/run/new
assert_eq "$(grep -c true /run/new)" 0 "files that tar finds new, without a look at device numbers"
umount /run/gap

# ---- from one mount to another
for pair in "$FOLD/file $LOWER/native/new" "$LOWER/native/file $FOLD/new" \
	    "$FOLD/file /mnt/second/new" "$LOWER/native/file /mnt/overlay/new"; do
	read -r from to <<<"$pair"
	assert_eq "$(limits copy "$from" "$to")" EXDEV "copy_file_range from $from to $to"
	cp "$from" "$to"
	assert_same "$from" "$to"
	rm "$to"
done
assert_eq "$(limits copy $FOLD/file $FOLD/new)" 4096 "copy_file_range within the mount"
rm $FOLD/new

# ---- hints are kept, and stay where they are
assert_eq "$(limits hint $FOLD/file $FOLD/file)" "3 3" "a hint"
assert_eq "$(limits hint $FOLD/clone $LOWER/stacked/clone)" "3 0" "a hint, below"

# ---- polled I/O
for tree in $FOLD /mnt/overlay; do
	assert_eq "$(limits iopoll $tree/file)" EOPNOTSUPP "a polled read in $tree"
done

# ---- one overlay fits on top, where XFS takes two
umount /mnt/overlay
mount -t overlay -o lowerdir=$LOWER/native:/mnt/empty overlay /mnt/overlay
mount -t overlay -o lowerdir=/mnt/overlay:/mnt/empty overlay /mnt/on
umount /mnt/on
umount /mnt/overlay
mount -t overlay -o lowerdir=$FOLD:/mnt/empty overlay /mnt/overlay
assert_same /mnt/overlay/file $LOWER/stacked/file
assert_fails "" mount -t overlay -o lowerdir=/mnt/overlay:/mnt/empty overlay /mnt/on
dmesg | tail -n 20 | grep -q 'maximum fs stacking depth exceeded' || fail "refused for another reason"
