# shows: long writes: appended from memory they are whole among one another, from
#        a cold mapping none loses a byte, and up to bad memory they are as long as
#        on XFS; what is spliced in pieces from a slow pipe is complete
# timeout: 200
. /tests/lib.sh

fresh_xfs
fold_mount
writers $FOLD $LOWER
