# shows: a change that comes between a fault's return and its PTE leaves no old page
#        mapped (a test build of the module holds that window open)
# module: test
. /tests/lib.sh

fresh_xfs
fold_mount
# One page a fault, and each through the handler that has the window.
echo 4096 >/sys/kernel/debug/fault_around_bytes
echo 300 >/sys/module/foldfs/parameters/fault_delay_ms
window $FOLD 300
echo 65536 >/sys/kernel/debug/fault_around_bytes
