# shows: ranges cloned to other offsets, and files made of pieces of three others,
#        share exactly the blocks that the disk shares, and cost them once
. /tests/lib.sh

fresh_xfs
pieces make $LOWER
mapfile -t names < <(pieces list)

for how in read map; do
	fold_mount
	drop_caches
	grown=$(pieces $how $FOLD) || fail "pieces $how"
	out=$(mapcheck $LOWER $FOLD "${names[@]}") || fail "mapcheck after pieces $how"
	read -r shared different <<<"$out"
	note "$how: $shared of the files' pages are shared; $different different ones cost $grown kB"
	assert_ge "$shared" 1000 "shared pages"
	assert_le "$grown" $(( different * 4 * 105 / 100 )) "page cache of all files (kB)"
	assert_ge "$grown" $(( different * 4 * 95 / 100 )) "page cache of all files (kB)"
	saved=$(counter $FOLD pages_saved)
	assert_ge "$saved" 500 "pages_saved"
	umount $FOLD
done

# The tool says the same as the ioctl.
fold_mount
cat $FOLD/three $FOLD/A >/dev/null
foldctl map --json $FOLD/three >/tmp/map || fail "foldctl map"
[ "$(grep -c '"offset"' /tmp/map)" -ge 4 ] || fail "foldctl map --json: $(cat /tmp/map)"
