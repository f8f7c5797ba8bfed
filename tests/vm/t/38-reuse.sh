# shows: a read that was overtaken by the freeing and reuse of a shared file's blocks
#        never gives the bytes of the file that has them now (a test build of the
#        module holds the read up)
# module: test
. /tests/lib.sh

fresh_xfs
fold_mount
reuse $FOLD $LOWER
