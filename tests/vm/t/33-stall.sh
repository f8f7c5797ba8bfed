# shows: a process that is stopped inside a read or a write, or that holds pins,
#        leases or mappings for ever, stops nobody else, no reclaim and no kill
. /tests/lib.sh

fresh_xfs
fold_mount
stall $FOLD $LOWER
