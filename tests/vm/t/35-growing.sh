# shows: a mapping that grows and shrinks all the time shows each byte that is written to
#        its file at once
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/native
growing $LOWER/native
fold_mount
note "$(growing $FOLD)"
assert_ge "$(counter $FOLD breaks)" 2048 "breaks"
umount $FOLD
fold_mount
cmp $FOLD/a $FOLD/b >/dev/null && fail "nothing was written"
cmp $FOLD/b $LOWER/b || fail "wrong bytes"
