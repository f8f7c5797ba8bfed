# shows: no OOM kill and no wrong byte where 100 processes use shared pages all the
#        time, and where 8 processes write to their clones, while memory is short
# mem: 300M
# kernels: stock
# timeout: 300
. /tests/lib.sh

# clones MIB NR: $LOWER/p1 ... through $FOLD
clones() {
	local i
	fresh_xfs
	pressure make "$1" $LOWER/p1
	for (( i = 2; i <= $2; i++ )); do
		cp --reflink=always $LOWER/p1 $LOWER/p$i
	done
	fold_mount
	drop_caches
}

kills=$(vmstat oom_kill)
total=$(( $(meminfo MemTotal) >> 10 ))

clones 80 100
out=$(pressure 80 $(( total / 4 )) $FOLD/p*) || fail "100 processes"
read -r _ all <<<"$out"
note "100 processes map 80 of $total MB, $(( total / 4 )) MB are wanted beside: $all pages looked at, shot down: $(counter $FOLD shootdowns)"
assert_eq "$(vmstat oom_kill)" "$kills" "OOM kills with 100 processes"
assert_ge "$(counter $FOLD shootdowns)" 1000 "shootdowns"
umount $FOLD
umount $LOWER

clones 96 16
out=$(pressure -w 96 $(( total / 3 )) $FOLD/p*) || fail "8 writers"
read -r _ all <<<"$out"
note "8 processes map and 8 write 96 of $total MB, $(( total / 3 )) MB are wanted beside: $all pages looked at, shot down: $(counter $FOLD shootdowns), breaks $(counter $FOLD breaks)"
assert_eq "$(vmstat oom_kill)" "$kills" "OOM kills with 8 writers"
assert_ge "$(counter $FOLD breaks)" 1000 "breaks"
# What nobody wrote to: those who map it have looked at its bytes, and below they are
# the same.
cmp $FOLD/p1 $LOWER/p1
