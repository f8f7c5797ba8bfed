# shows: a file that could not join when it was mapped whole joins when it can, without
#        being touched again, and what was mapped meanwhile is replaced; a file that
#        nobody has open or mapped any more is let go
. /tests/lib.sh

fresh_xfs
together make 1 8192 0 $LOWER/image
for i in 1 2 3 4; do
	cp --reflink=always $LOWER/image $LOWER/c$i
done
fold_mount
drop_caches

before=$(cached_kb)
# Open for writing somewhere: nothing of it is shared, now.
exec 5<>$LOWER/c1 6<>$LOWER/c2 7<>$LOWER/c3 8<>$LOWER/c4
together private 0 1 8192 $FOLD/c1 $FOLD/c2 $FOLD/c3 $FOLD/c4 >/tmp/out 5<&- 6<&- 7<&- 8<&- &
mappers=$!
all_copied() {
	[ "$(cached_kb)" -ge $(( before + 4 * 8192 - 512 )) ]
}
until_true 60 all_copied
assert_eq "$(counter $FOLD joins)" 0 "joins while all are open for writing"
exec 5<&- 6<&- 7<&- 8<&-
# It waits for the page cache to become small, and looks at every byte again.
wait $mappers || fail "what was mapped has not been replaced, or is wrong"
read -r grown ms </tmp/out
assert_ge "$grown" $(( 3 * 8192 )) "page cache before (kB)"
note "4 mapped clones of 8 MiB: $grown kB, then one copy $ms ms after that"

# Nothing holds what is removed while it waits for another try.
free() {
	df --output=avail -k $LOWER | tail -1
}
dd if=/dev/urandom of=$FOLD/alone bs=1M count=64 status=none conv=fsync
cp --reflink=always $FOLD/alone $FOLD/twin
exec 5<>$LOWER/alone
had=$(free)
xfs_io -r -c 'mmap -r 0 4k' -c 'mread 0 4k' $FOLD/alone >/dev/null
exec 5<&-
rm $FOLD/alone $FOLD/twin
given_back() {
	[ "$(free)" -ge $(( had + 60 * 1024 )) ]
}
until_true 60 given_back
