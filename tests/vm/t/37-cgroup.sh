# shows: a memory cgroup at its limit gets back the shared pages that its processes
#        have mapped: no OOM kill inside, no wrong byte
# timeout: 180
. /tests/lib.sh

fresh_xfs
pressure make 96 $LOWER/p1
cp --reflink=always $LOWER/p1 $LOWER/p2
cp --reflink=always $LOWER/p1 $LOWER/p3
fold_mount
drop_caches
path=$(cgroup small 64M)
out=$(in_cgroup small pressure 96 16 $FOLD/p1 $FOLD/p2 $FOLD/p3) || fail "pressure"
read -r _ all <<<"$out"
peak=$(cat "$path/memory.peak")
note "96 MB mapped three times below a limit of 64 MB: peak $(( peak >> 20 )) MB, $all pages looked at, shot down: $(counter $FOLD shootdowns)"
assert_eq "$(awk '$1 == "oom_kill" { print $2 }' "$path/memory.events")" 0 "OOM kills in the cgroup"
assert_le "$peak" $(( 64 << 20 )) "memory of the cgroup (bytes)"
assert_ge "$(counter $FOLD shootdowns)" 1000 "shootdowns"
