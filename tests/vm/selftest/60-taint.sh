# shows: what a test leaves behind in the kernel fails it, and ends the boot
# expect: ^fail: left behind: the kernel is tainted: 2048$
. /tests/lib.sh
echo 2048 >/proc/sys/kernel/tainted
