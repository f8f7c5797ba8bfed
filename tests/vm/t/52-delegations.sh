# shows: names change through the mount while somebody holds a delegation of the lower
#        directory, which is asked back; leases and delegations of the mount's own
#        files and directories are granted
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/d
fold_mount
status=0
delegation $FOLD/d $LOWER/d || status=$?
[ $status != 77 ] || skip "this kernel delegates no directories"
[ $status = 0 ] || fail "delegation"
