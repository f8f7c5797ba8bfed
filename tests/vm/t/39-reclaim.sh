# shows: a memory cgroup's reclaim, high, low and max mean for mapped shared pages what
#        they mean for XFS's, with both of the kernel's ways of ageing; and a cgroup that
#        is gone does not stay for their sake
# timeout: 240
. /tests/lib.sh

ageing=/sys/kernel/mm/lru_gen/enabled
value() { awk -v name="$2" '$1 == name { print $2 }' "$1"; }
# hold CGROUP MIB FILE: a process maps FILE and touches it; again: it touches it again
hold() {
	rm -f /tmp/held
	in_cgroup "$1" aging hold "$2" "$3" &
	until_true 60 test -e /tmp/held
	read -r held times </tmp/held
}
again() {
	kill -USR1 "$held"
	until_true 60 grep -qx "$held $(( ++times ))" /tmp/held
}
# joined FILE: it refers to shared pages before it is mapped, none of them cached
joined() {
	[ "$1" != $LOWER/native ] || return 0
	head -c 1 "$1" >/dev/null
	until_true 60 refers
	echo 1 >/proc/sys/vm/drop_caches
}
refers() { [ "$(counter $FOLD references)" -gt 0 ]; }
mib() { echo $(( $(cat "$1") >> 20 )); }

fresh_xfs
randfile $LOWER/native 160
randfile $LOWER/one 160 2
cp --reflink=always $LOWER/one $LOWER/two
randfile $LOWER/cold 24 3
cp --reflink=always $LOWER/cold $LOWER/cold2
sync
fold_mount

# ---- at the limit. All pages in use are read in four times at most, as a generous
# bound; docs/performance.md has what is seen.
was=$(cat $ageing)
for way in 7 0; do
	echo $way >$ageing
	for file in $LOWER/native $FOLD/one; do
		drop_caches
		joined "$file"
		path=$(cgroup "age$way${file//\//-}" 40M)
		read -r hot cold <<<"$(in_cgroup "${path##*/}" aging 64 96 "$file")"
		note "$( [ $way = 7 ] && echo MGLRU || echo classic ), $file: $hot major faults on 256 pages in use, $cold on 96 MB used once"
		assert_eq "$(value "$path/memory.events" oom_kill)" 0 "OOM kills"
		assert_le "$hot" 1024 "major faults on 256 pages in use"
	done
done
echo "$was" >$ageing

# ---- reclaim, high, low
for file in $LOWER/native $FOLD/one; do
	name=${file//\//-}
	drop_caches
	joined "$file"
	path=$(cgroup "reclaim$name")
	hold "${path##*/}" 32 "$file"
	before=$(mib "$path/memory.current")
	assert_ge "$before" 30 "MiB charged for a mapping of 32"
	echo 24M >"$path/memory.reclaim" || fail "memory.reclaim: $(mib "$path/memory.current") of $before MiB are left"
	assert_le "$(mib "$path/memory.current")" $(( before - 23 )) "MiB left after memory.reclaim of 24"
	again
	assert_ge "$(mib "$path/memory.current")" 30 "MiB charged when all was touched again"
	echo 16M >"$path/memory.high"
	again
	assert_le "$(mib "$path/memory.current")" 18 "MiB charged above memory.high of 16"
	kill "$held"

	# Two cgroups, one of them protected; reclaim from their parent.
	drop_caches
	parent=$(cgroup "parent$name")
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	echo +memory >"$parent/cgroup.subtree_control"
	echo max >"$parent/memory.max"
	echo 40M >"$parent/memory.low"
	path=$(cgroup "${parent##*/}/low")
	echo 40M >"$path/memory.low"
	hold "${parent##*/}/low" 24 "$file"
	low=$held
	path=$(cgroup "${parent##*/}/other")
	hold "${parent##*/}/other" 24 "${file%/*}/cold"
	echo 16M >"$parent/memory.reclaim" || fail "memory.reclaim of the parent"
	note "$file: of 24 MiB each, $(mib "$parent/low/memory.current") are left where memory.low protects them, $(mib "$parent/other/memory.current") elsewhere"
	assert_ge "$(mib "$parent/low/memory.current")" 24 "MiB left where memory.low protects them"
	assert_le "$(mib "$parent/other/memory.current")" 12 "MiB left where nothing does"
	kill "$low" "$held"
done

# ---- a cgroup that is gone: what it was charged for does not keep it for ever
dying() { value /sys/fs/cgroup/cgroup.stat nr_dying_descendants; }
drop_caches
echo 3 >/proc/sys/vm/drop_caches
# What other groups have left may stay.
for (( try = 0; try < 60; try++ )); do
	[ "$(dying)" != 0 ] || break
	sleep 0.1
done
before=$(dying)
path=$(cgroup gone)
in_cgroup gone cat $FOLD/one >/dev/null
rmdir "$path"
assert_ge "$(dying)" $(( before + 1 )) "dying cgroups while pages are charged to one"
hold . 32 $FOLD/two
none_dying() {
	echo 64M >/sys/fs/cgroup/memory.reclaim 2>/dev/null
	[ "$(dying)" -le "$before" ]
}
until_true 60 none_dying
