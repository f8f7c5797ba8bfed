# shows: who watches the lower filesystem hears of no open of foldfs's own, and is
#        asked about none: neither an open nor a join waits for him
. /tests/lib.sh

fresh_xfs
random_file $LOWER/a 1
cp --reflink=always $LOWER/a $LOWER/b
fold_mount
quiet $FOLD/b $LOWER/a || fail "quiet"
