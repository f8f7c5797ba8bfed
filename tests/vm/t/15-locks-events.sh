# shows: record locks, flock, leases, and what inotify and fanotify report and forbid are
# on foldfs what they are on XFS, through all names of a file
. /tests/lib.sh
. /tests/cases.inc

fresh_xfs
same_cases processes locks
same_cases processes locks nofold
same_cases processes events
same_cases watch fanotify

# A lock and who waits for it.
fold_mount $LOWER/stacked
touch $FOLD/file
ln $FOLD/file $FOLD/other
flock -o $FOLD/file sleep 1000 &
holder=$!
until_true 10 grep -q ":$(stat -c %i $FOLD/file) " /proc/locks
assert_fails "" flock -n $FOLD/other true
flock $FOLD/other true &
waiter=$!
until_true 20 grep -q -e "-> FLOCK .*:$(stat -c %i $FOLD/file) " /proc/locks
kill $holder
wait $waiter || fail "the lock was not handed on"
