# shows: whatever the kernel decides about a file, it decides by what the file is now: modes,
#        owners, sticky bits, append-only and immutable flags that were changed below or through
#        another mount count at once, for descriptors, working directories and mount points
#        that nobody looks up again
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked /mnt/second
sysctl_set fs.protected_hardlinks 1
sysctl_set fs.protected_regular 1

stale $LOWER/native $LOWER/native >/tmp/native
assert_ge "$(wc -l </tmp/native)" 100 "answers"
look() {	# ABOVE BELOW WHERE
	stale "$1" "$2" >/tmp/stacked
	diff /tmp/native /tmp/stacked >/tmp/diff ||
		fail "on XFS (<) and on foldfs, changed $3 (>): $(head -c 800 /tmp/diff)"
	rm -rf $LOWER/stacked/*
}

fold_mount $LOWER/stacked
look $FOLD $LOWER/stacked below
fold_mount $LOWER/stacked /mnt/second
look $FOLD /mnt/second "through another mount"
umount /mnt/second
fold_mount $LOWER/stacked /mnt/second -o nofold
look /mnt/second $FOLD "through another mount, without sharing"

# Sizes: what reads goes by the file's, what the kernel answers for a descriptor may be older.
umount /mnt/second
printf 12345 >$LOWER/native/size
printf 12345 >$LOWER/stacked/size
assert_eq "$(limits grown $LOWER/native/size $LOWER/native/size)" "10 10 10" "sizes on XFS"
assert_eq "$(limits grown $FOLD/size $LOWER/stacked/size)" "5 5 10" "sizes of what has grown below"
exec 5<$FOLD/size
printf 12345 >>$LOWER/stacked/size
assert_eq "$(cat <&5 | wc -c)" 15 "bytes read"
