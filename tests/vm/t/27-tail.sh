# shows: what a file ends with inside a page reads as zero behind its end, whatever
#        lies there on the disk, and for files with other ends each has its own
. /tests/lib.sh

fresh_xfs
random_file $LOWER/a 1
truncate -s 10000 $LOWER/a
sync
cp --reflink=always $LOWER/a $LOWER/b
at=$(filefrag -v -b1 $LOWER/a | awk '$1 == "0:" { sub("\\.\\.", "", $4); print $4 }')
[ "$at" -gt 0 ] || fail "where is it? $(filefrag -v $LOWER/a)"
umount $LOWER
# As somebody's tool may have left it: bytes behind the end in the last block.
head -c 2288 /dev/zero | tr '\0' X | dd of=$DISK bs=1 count=2288 seek=$(( at + 10000 )) conv=notrunc,fsync status=none
mount -t xfs $DISK $LOWER

fold_mount
cat $FOLD/a $FOLD/b >/dev/null
assert_eq "$(counter $FOLD pages_saved)" 3 "pages saved"
for f in a b; do
	assert_same $FOLD/$f $LOWER/$f
	assert_eq "$(mapped-tail $FOLD/$f)" 0 "bytes other than zero behind the end of $f, mapped"
done
# Longer: what was behind the end is a part of the file now.
truncate -s 12288 $FOLD/a
assert_eq "$(tail -c 2288 $FOLD/a | tr -d '\0' | wc -c)" 0 "bytes other than zero in a hole"
assert_eq "$(stat -c %s $FOLD/b)" 10000 "size of the clone"
assert_eq "$(mapped-tail $FOLD/b)" 0 "bytes other than zero behind the end of b, mapped again"
