# shows: a memory cgroup at its limit gets back the shared pages that its processes
#        have mapped: no OOM kill inside, no wrong byte
# timeout: 180
. /tests/lib.sh

fresh_xfs
pressure make 64 $LOWER/p1
cp --reflink=always $LOWER/p1 $LOWER/p2
fold_mount
drop_caches
path=$(cgroup small 48M)
out=$(in_cgroup small pressure 64 12 $FOLD/p1 $FOLD/p2) || fail "pressure"
read -r _ all <<<"$out"
peak=$(cat "$path/memory.peak")
note "64 MB mapped twice below a limit of 48 MB: peak $(( peak >> 20 )) MB, $all pages looked at, shot down: $(counter $FOLD shootdowns)"
assert_eq "$(awk '$1 == "oom_kill" { print $2 }' "$path/memory.events")" 0 "OOM kills in the cgroup"
assert_le "$peak" $(( 48 << 20 )) "memory of the cgroup (bytes)"
assert_ge "$(counter $FOLD shootdowns)" 1000 "shootdowns"
