# shows: a kernel that dies fails the running test, and the next one gets a new boot
# expect: ^fail: the VM died: Kernel panic
. /tests/lib.sh
echo c >/proc/sysrq-trigger
sleep 60
