# shows: a process that is stopped inside a read, a write or another call, by its
#        memory, a pipe, a lease or a name, or that holds pins, leases or mappings
#        for ever, stops nobody else, no reclaim and no kill
# timeout: 300
. /tests/lib.sh

fresh_xfs
fold_mount
stall $FOLD $LOWER
