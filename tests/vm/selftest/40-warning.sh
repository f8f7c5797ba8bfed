# shows: what the kernel complains of, and what is left behind in it, fail a test
#        that passed otherwise, and end the boot
# expect: ^fail: kernel: WARNING: CPU: 0 PID: 1 at nowhere.*; left behind: the kernel is tainted: 2048$
. /tests/lib.sh
echo "<4>WARNING: CPU: 0 PID: 1 at nowhere.c:1 no_function" >/dev/kmsg
echo 2048 >/proc/sys/kernel/tainted
