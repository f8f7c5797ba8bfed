# shows: pages that the last file which referred to them has left, and that are still
#        in the cache, are nobody's: a file that joins at that moment does not get them
# module: test
. /tests/lib.sh

PARAM=/sys/module/foldfs/parameters/break_delay_ms

fresh_xfs
random_file $LOWER/a 1
cp --reflink=always $LOWER/a $LOWER/b
cp --reflink=always $LOWER/a $LOWER/c
fold_mount
drop_caches
cat $FOLD/b >/dev/null
assert_eq "$(counter $FOLD pages_cached)" 256 "pages_cached"
assert_eq "$(counter $FOLD references)" 1 "references"

echo 4000 >$PARAM
rm $FOLD/b &
gone() { [ "$(counter $FOLD references)" = 0 ]; }
until_true 20 gone
assert_eq "$(counter $FOLD pages_cached)" 256 "pages that are still cached"
joins=$(counter $FOLD joins)
cmp $FOLD/a $LOWER/c || fail "wrong bytes"
assert_eq "$(counter $FOLD joins)" "$joins" "joins while they were"
assert_eq "$(counter $FOLD references)" 0 "references to them"
wait
assert_eq "$(counter $FOLD pages_cached)" 0 "pages cached in the end"
echo 0 >$PARAM

# The file joins later.
shares() {
	cat $FOLD/a $FOLD/c >/dev/null
	[ "$(counter $FOLD references)" = 2 ]
}
until_true 60 shares
cmp $FOLD/a $FOLD/c || fail "wrong bytes"
