# shows: a memory cgroup whose limit is three quarters, or one quarter, of what its
#        processes have mapped gets back shared pages: no OOM kill inside, no wrong byte
# timeout: 180
. /tests/lib.sh

fresh_xfs
pressure make 64 $LOWER/p1
cp --reflink=always $LOWER/p1 $LOWER/p2
fold_mount
for limit in 48 16; do
	drop_caches
	before=$(counter $FOLD shootdowns)
	path=$(cgroup "small$limit" ${limit}M)
	out=$(in_cgroup "small$limit" pressure 64 4 $FOLD/p1 $FOLD/p2) || fail "pressure"
	read -r _ all <<<"$out"
	peak=$(cat "$path/memory.peak")
	note "64 MB mapped twice below a limit of $limit MB: peak $(( peak >> 20 )) MB, $all pages looked at, shot down: $(( $(counter $FOLD shootdowns) - before ))"
	assert_eq "$(awk '$1 == "oom_kill" { print $2 }' "$path/memory.events")" 0 "OOM kills in the cgroup"
	assert_le "$peak" $(( limit << 20 )) "memory of the cgroup (bytes)"
	assert_ge "$(( $(counter $FOLD shootdowns) - before ))" 1000 "shootdowns"
done
