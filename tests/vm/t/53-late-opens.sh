# shows: who opens a file that shares for reading opens no lower file until something goes
#        there; locks, mappings, leases below, removal and a filesystem that was shut down
#        show no difference
# kernels: stock
# allows: XFS \(vda\): (User initiated shutdown|Log I/O Error|Metadata I/O Error|.*[Ss]hut)|shutdown
. /tests/lib.sh
. /tests/calls.inc

fresh_xfs
fold_mount
late $FOLD $LOWER

# ---- opens below ---------------------------------------------------------------
random_file $FOLD/x 8
cp --reflink=always $FOLD/x $FOLD/y
sync
drop_caches
cat $FOLD/x $FOLD/y >/dev/null
count_calls backing_file_open
late opens $FOLD
opened=$(calls backing_file_open)
no_calls
# Two while it is waited for that the file shares, at most. Newer kernels open at once.
[[ $(uname -r) != 6.12.* ]] || assert_le "$opened" 2 "lower files that were opened for 100 opens"

# ---- a filesystem that was shut down -------------------------------------------
xfs_io -x -c 'shutdown' $LOWER
assert_fails "Input/output error" cat $FOLD/x
