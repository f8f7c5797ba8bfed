# shows: cloning a fully cached file of 512 MB through the mount takes at most
#        1.1 times what XFS takes, and neither moves nor fills a page
# mem: 1500M
. /tests/lib.sh

fresh_xfs
dd if=/dev/urandom of=$LOWER/block bs=1M count=16 status=none
for (( i = 0; i < 32; i++ )); do
	dd if=$LOWER/block bs=1M status=none
done >$LOWER/big
cp --reflink=always $LOWER/big $LOWER/clone
sync
fold_mount
drop_caches
cat $FOLD/big >/dev/null
pages=$(counter $FOLD pages_cached)
assert_ge "$pages" $(( 512 * 256 )) "pages_cached after 512 MB were read"
assert_eq "$(counter $FOLD fills)" "$pages" "fills"

cached=$(cached_kb)
cp --reflink=always $FOLD/big $FOLD/another
assert_eq "$(counter $FOLD pages_cached)" "$pages" "pages_cached after a clone"
assert_eq "$(counter $FOLD fills)" "$pages" "fills after a clone"
grown=$(( $(cached_kb) - cached ))
assert_le "${grown#-}" 1024 "change of the page cache by a clone (kB)"

# A machine that is busy with other things may hit one side more than the other.
for try in 1 2 3 4 5; do
	read -r above below ratio <<<"$(clonecost $FOLD $LOWER big 300)"
	[ "$ratio" -gt 1100 ] || break
done
note "FICLONE of 512 MB: $(( above / 1000 )) us through foldfs, $(( below / 1000 )) us on XFS, ratio 0.001 * $ratio, measured $try times"
assert_le "$ratio" 1100 "time through the mount, in thousandths of XFS's"
assert_eq "$(counter $FOLD pages_cached)" "$pages" "pages_cached after all those clones"
assert_eq "$(counter $FOLD fills)" "$pages" "fills after all those clones"

# The clone is served by the pages that are there.
cmp $FOLD/big $FOLD/another
assert_eq "$(counter $FOLD fills)" "$pages" "fills after the clone was read"
