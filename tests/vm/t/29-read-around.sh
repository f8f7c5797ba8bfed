# shows: a fault in a mapping reads around its page as far as the disk's readahead
#        setting says and no further, and finds its page with the smallest
. /tests/lib.sh

setting=/sys/block/${DISK##*/}/queue/read_ahead_kb
was=$(cat $setting)
fresh_xfs
umount $LOWER
refers() { [ "$(counter $FOLD references)" -gt 0 ]; }

for kib in 4 16 64 128 1024; do
	echo $kib >$setting
	# Made anew, since the mount remembers the readahead of its disk.
	fresh_xfs
	randfile $LOWER/a 8
	cp --reflink=always $LOWER/a $LOWER/b
	fold_mount
	head -c 1 $FOLD/a >/dev/null
	until_true 10 refers
	for page in 1000 1007 1008 1015 1016; do
		drop_caches 1
		assert_eq "$(counter $FOLD pages_cached)" 0 "pages cached at first"
		want=$(od -An -tu1 -j$(( page * 4096 )) -N1 $LOWER/b | tr -d ' ')
		assert_eq "$(mapped-byte $FOLD/a $(( page * 4096 )))" "$want" "a mapped byte"
		got=$(counter $FOLD pages_cached)
		assert_ge "$got" 1 "pages cached by a fault, readahead $kib KiB"
		assert_le "$got" $(( kib / 4 )) "pages cached by a fault, readahead $kib KiB"
	done
	note "readahead $kib KiB: $got pages come with a fault"
	assert_eq "$(counter $FOLD fallbacks)" 0 "faults that the lower file had to serve"
	umount $FOLD
	umount $LOWER
done
echo "$was" >$setting
