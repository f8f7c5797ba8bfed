# shows: a write to shared blocks whose source is a mapping of these blocks, which
#        the write itself unmaps, writes what was there before
. /tests/lib.sh

fresh_xfs
fold_mount
itself $FOLD
assert_ge "$(counter $FOLD breaks)" 3 "references that the writes ended"
