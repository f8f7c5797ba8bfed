# shows: allocations that fail under foldfs, again and again, cost sharing or give
#        ENOMEM, but never a wrong byte, and nothing stays behind
# kernels: debug
# mem: 2G
# timeout: 150
# allows: fault_injection|FAULT_INJECTION|page allocation failure
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/tree
starve make $LOWER/tree
drop_caches

MANY=1000000

# inject WHAT PROBABILITY: allocations fail where a function of foldfs is on the stack
inject() {
	local d=/sys/kernel/debug/$1 text
	text=$(cat /sys/module/foldfs/sections/.text)
	echo "$text" >$d/require-start
	# In hexadecimal: for the shell an address of the kernel's is negative.
	printf '%#x\n' $(( text + 0x100000 )) >$d/require-end
	echo 32 >$d/stacktrace-depth
	echo 0 >$d/verbose
	echo N >$d/ignore-gfp-wait
	[ ! -e $d/min-order ] || echo 0 >$d/min-order
	[ ! -e $d/ignore-gfp-highmem ] || echo N >$d/ignore-gfp-highmem
	echo $MANY >$d/times
	echo 7 >$d/interval
	echo "$2" >$d/probability
}
calm() {
	echo 0 >/sys/kernel/debug/failslab/probability
	echo 0 >/sys/kernel/debug/fail_page_alloc/probability
}
trap calm EXIT
# failed WHAT: how many allocations have failed since inject
failed() { echo $(( MANY - $(cat /sys/kernel/debug/$1/times) )); }

mount | grep -q debugfs || mount -t debugfs none /sys/kernel/debug
fold_mount $LOWER/tree
for what in failslab fail_page_alloc; do
	inject $what 30
	until [ "$(failed $what)" -ge 20 ]; do
		starve run $FOLD 20 >/tmp/out || { calm; fail "$what: $(cat /tmp/out)"; }
	done
	calm
	note "$what failed $(failed $what) times: $(cat /tmp/out)"
done
# And when memory is there again, it shares.
starve run $FOLD 3 >/tmp/out || fail "afterwards: $(cat /tmp/out)"
assert_ge "$(counter $FOLD joins)" 4 "joins"
sync
shares() {
	cat $FOLD/c* >/dev/null
	[ "$(counter $FOLD pages_saved)" -ge 1 ]
}
until_true 30 shares
for try in 1 2 3 4 5; do
	inject failslab 50
	mount -t foldfs $LOWER/tree /mnt/second 2>/dev/null && umount /mnt/second
	calm
	: $try
done
starve check $FOLD || fail "in the end"
umount $FOLD
starve check $LOWER/tree || fail "below"
