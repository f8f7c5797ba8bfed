# shows: flock, POSIX and OFD record locks exclude, wait, are told of and given back between
#        two mounts of one tree, and between a mount and the tree below, as between two
#        openers on XFS; leases bind those who come through the same mount
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked /mnt/second
fold_mount $LOWER/stacked
fold_mount $LOWER/stacked /mnt/second
for kind in flock posix ofd; do
	lockway $kind $LOWER/native/file $LOWER/native/file >/tmp/native
	assert_ge "$(wc -l </tmp/native)" 10 "answers"
	for pair in "$FOLD $FOLD" "$FOLD /mnt/second" "$FOLD $LOWER/stacked" "$LOWER/stacked $FOLD"; do
		read -r one two <<<"$pair"
		lockway $kind "$one/file" "$two/file" >/tmp/stacked
		diff /tmp/native /tmp/stacked >/tmp/diff ||
			fail "$kind on XFS (<), through $one and $two (>): $(head -c 500 /tmp/diff)"
	done
done

# A directory's lock, and two that wait for one another.
mkdir $FOLD/dir
flock -o $FOLD/dir sleep 1000 &
holder=$!
until_true 30 grep -q ":$(stat -c %i $FOLD/dir) " /proc/locks
assert_fails "" flock -n /mnt/second/dir true
assert_fails "" flock -n $LOWER/stacked/dir true
kill $holder
until_true 30 flock -n /mnt/second/dir true

# Leases are those of a mount: who comes by another way does not break them.
assert_eq "$(limits lease $LOWER/native/file $LOWER/native/file)" EAGAIN "an open under a lease, on XFS"
assert_eq "$(limits lease $FOLD/file $FOLD/file)" EAGAIN "an open under a lease"
for other in /mnt/second $LOWER/stacked; do
	assert_eq "$(limits lease $FOLD/file $other/file)" 0 "an open through $other under a lease"
done

# Nothing is left of any of them.
assert_eq "$(grep -c . /proc/locks)" 0 "locks"
