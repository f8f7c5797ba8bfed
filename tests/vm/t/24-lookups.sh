# shows: a file's share map is looked up by readers and faults while it is changed under
#        them, and KCSAN finds no race in that
# kernels: kcsan
# module: test
# timeout: 60
. /tests/lib.sh

fresh_xfs
randfile $LOWER/source 1 5
cp --reflink=always $LOWER/source $LOWER/file
sync
fold_mount
echo Y >/sys/module/foldfs/parameters/join_eagerly
cat $FOLD/source >/dev/null
lookups $FOLD/source $FOLD/file "/sys/fs/foldfs/$(devno $FOLD)/joins" 4
note "$(counter $FOLD joins) joins, $(counter $FOLD breaks) breaks"
assert_ge "$(counter $FOLD breaks)" 512 "breaks"
