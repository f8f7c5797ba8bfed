# shows: once a call that changes a lower file around the mount has returned, the
#        mount shows the new bytes; renames and modes do not end the sharing, and
#        foldfs's own writers do not count as outsiders
. /tests/lib.sh

fresh_xfs
fold_mount
sysctl_set fs.lease-break-time 10
outside $FOLD $LOWER
