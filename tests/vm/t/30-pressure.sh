# shows: 300 MB of shared pages that 8 processes map, and 300 MB of anonymous memory
#        wanted beside them, fit into 512 MB: no OOM kill, no wrong byte, and every
#        page comes back
# mem: 512M
# timeout: 240
. /tests/lib.sh

# A debug kernel leaves less of the memory, and refuses to promise more than it has.
total=$(( $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) >> 10 ))
want=$(( total - 150 < 300 ? total - 150 : 300 ))
fresh_xfs
pressure make 300 $LOWER/p1
for i in 2 3 4 5 6 7 8; do
	cp --reflink=always $LOWER/p1 $LOWER/p$i
done
fold_mount
drop_caches
kills=$(vmstat oom_kill)
out=$(pressure 300 "$want" $FOLD/p*) || fail "pressure"
read -r during all <<<"$out"
note "$want of $total MB wanted beside: of $all pages looked at, $during while anonymous memory was wanted; shot down: $(counter $FOLD shootdowns)"
assert_eq "$(vmstat oom_kill)" "$kills" "OOM kills"
assert_ge "$(counter $FOLD shootdowns)" 1000 "shootdowns"
assert_ge "$(counter $FOLD fills)" $(( 300 * 256 )) "fills"
assert_le "$(counter $FOLD pages_cached)" $(( 300 * 256 )) "pages_cached"
