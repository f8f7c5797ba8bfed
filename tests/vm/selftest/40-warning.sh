# shows: a complaint of the kernel fails a test that passed, and ends the boot
# expect: ^fail: kernel: WARNING: CPU: 0 PID: 1 at nowhere
. /tests/lib.sh
echo "<4>WARNING: CPU: 0 PID: 1 at nowhere.c:1 no_function" >/dev/kmsg
