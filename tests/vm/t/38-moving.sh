# shows: memory that shared pages lie in can be taken offline: those that are not mapped
#        are moved, and not read again; mapped ones stay, and whoever takes the memory
#        away waits until he is interrupted or the pages are dropped. No byte is wrong
# mem: 2G
# args: movablecore=512M
# timeout: 240
# kernels: stock
. /tests/lib.sh

MEMORY=/sys/devices/system/memory

block_size=$(( 0x$(cat $MEMORY/block_size_bytes) ))

# offline BLOCK: 0 if it went, 124 if the kernel goes on trying: when it has failed to move
# pages three times as often as there are in a block. (Or has tried for two minutes, with what
# it does not count.)
offline() {
	local status=0 pid failed late=$(( SECONDS + 120 ))
	failed=$(vmstat pgmigrate_fail)
	sh -c "echo offline >$MEMORY/memory$1/state" 2>/dev/null &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		if [ $(( $(vmstat pgmigrate_fail) - failed )) -gt $(( block_size * 3 / 4096 )) ] ||
		   [ $SECONDS -gt $late ]; then
			kill $pid 2>/dev/null || break
			wait $pid || true
			return 124
		fi
		sleep 0.1
	done
	wait $pid || status=$?
	return $status
}

# in_block BLOCK: how many of the file's pages lie there
in_block() {
	census -b $block_size $FOLD/a | awk -v nr="$1" '$1 == nr { n = $2 } END { print n + 0 }'
}

fresh_xfs
random_file $LOWER/a 500
cp --reflink=always $LOWER/a $LOWER/b
fold_mount
# A block that can go at all, and has the most of them. Shared pages do not lie in
# ZONE_MOVABLE before they are moved there, so each block may also have something of the
# kernel's that cannot be moved.
gone=
for try in 1 2 3 4; do
	drop_caches
	cmp $FOLD/a $FOLD/b
	pages=$(counter $FOLD pages_cached)
	assert_eq "$pages" 128000 "pages_cached"
	fills=$(counter $FOLD fills)
	while read -r nr count <&5; do
		offline "$nr" || continue
		gone=$nr
		break 2
	done 5< <(census -b $block_size $FOLD/a)
	note "after reading $try times: nothing but blocks with something of the kernel's"
done
[ -n "$gone" ] || fail "no memory with shared pages in it could be taken offline"
note "memory$gone had $count shared pages and went"
assert_ge "$count" 1000 "shared pages in it"
assert_eq "$(in_block "$gone")" 0 "shared pages in it, afterwards"
assert_eq "$(counter $FOLD pages_cached)" "$pages" "pages_cached afterwards"
assert_eq "$(counter $FOLD fills)" "$fills" "fills afterwards"
cmp $FOLD/b $LOWER/a || fail "wrong bytes"
echo online >$MEMORY/memory"$gone"/state

# Mapped they are in the way.
aging hold 500 $FOLD/b &
holder=$!
until_true 60 test -e /tmp/held
stuck=
while read -r nr count <&5; do
	status=0
	offline "$nr" || status=$?
	assert_ne $status 0 "memory$nr went with $count mapped pages: status"
	[ $status = 124 ] || continue
	stuck=$nr
	break
done 5< <(census -b $block_size $FOLD/a)
[ -n "$stuck" ] || fail "nobody had to wait for mapped pages"
note "memory$stuck had $count shared pages, mapped, and stayed"
assert_eq "$(cat $MEMORY/memory"$stuck"/state)" online "memory$stuck"
foldctl drop $FOLD
offline "$stuck" || fail "memory$stuck does not go after the pages were dropped"
kill $holder
wait $holder || true
cmp $FOLD/a $LOWER/a || fail "wrong bytes"
echo online >$MEMORY/memory"$stuck"/state
