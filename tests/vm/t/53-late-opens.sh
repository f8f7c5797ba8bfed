# shows: who opens a file that shares for reading opens no lower file until something goes
#        there; locks, mappings, leases below, removal and a filesystem that was shut down
#        show no difference
# kernels: stock
# allows: XFS \(vda\): (User initiated shutdown|Log I/O Error|Metadata I/O Error|.*[Ss]hut)|shutdown
. /tests/lib.sh

fresh_xfs
fold_mount
late $FOLD $LOWER

# ---- opens below ---------------------------------------------------------------
random_file $FOLD/x 8
cp --reflink=always $FOLD/x $FOLD/y
sync
drop_caches
cat $FOLD/x $FOLD/y >/dev/null
mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
TRACE=/sys/kernel/tracing/instances/late
mkdir $TRACE
echo 64 >$TRACE/buffer_size_kb
echo backing_file_open >$TRACE/set_ftrace_filter
echo function >$TRACE/current_tracer
late opens $FOLD
opened=$(awk '$1 == "entries:" || $1 == "overrun:" { sum += $2 } END { print sum }' \
	$TRACE/per_cpu/cpu*/stats)
echo nop >$TRACE/current_tracer
rmdir $TRACE
# Two while it is waited for that the file shares, at most.
assert_le "$opened" 2 "lower files that were opened for 100 opens"

# ---- a filesystem that was shut down -------------------------------------------
xfs_io -x -c 'shutdown' $LOWER
assert_fails "Input/output error" cat $FOLD/x
