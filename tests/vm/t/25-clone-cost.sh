# shows: a clone of a fully cached file of 512 MB made through the mount costs what one costs
#        of which nothing is cached: as many calls of functions, foldfs's own and those that
#        walk pages; and neither moves nor fills a page
# mem: 1500M
. /tests/lib.sh

TRACING=/sys/kernel/tracing

# calls FILE: how many calls of foldfs's functions, and of the kernel's that take pages out of
# a mapping or lock them, a clone of FILE makes
calls() {
	: >$TRACING/trace
	rm -f $FOLD/traced
	sync
	# In a process of its own: others use pages, too.
	bash -c 'echo $$ >'$TRACING'/set_ftrace_pid
		 echo 1 >'$TRACING'/tracing_on
		 exec cp --reflink=always "$1" "$2"' - "$FOLD/$1" $FOLD/traced
	echo 0 >$TRACING/tracing_on
	grep -q 'fold_remap_file_range' $TRACING/trace || fail "the clone of $1 was not traced"
	grep -c -v '^#' $TRACING/trace
}

fresh_xfs
dd if=/dev/urandom of=$LOWER/block bs=1M count=16 status=none
for (( i = 0; i < 32; i++ )); do
	dd if=$LOWER/block bs=1M status=none
done >$LOWER/big
cp --reflink=always $LOWER/big $LOWER/clone
sync
fold_mount
drop_caches
all_cached() {
	cat $FOLD/big >/dev/null
	[ "$(counter $FOLD pages_cached)" -ge $(( 512 * 256 )) ]
}
until_true 60 all_cached
pages=$(counter $FOLD pages_cached)
fills=$(counter $FOLD fills)
assert_le "$fills" $(( pages * 11 / 10 )) "fills"

cached=$(cached_kb)
cp --reflink=always $FOLD/big $FOLD/another
assert_eq "$(counter $FOLD pages_cached)" "$pages" "pages_cached after a clone"
assert_eq "$(counter $FOLD fills)" "$fills" "fills after a clone"
grown=$(( $(cached_kb) - cached ))
assert_le "${grown#-}" 1024 "change of the page cache by a clone (kB)"

echo 0 >$TRACING/tracing_on
echo 8192 >$TRACING/buffer_size_kb
# Names one by one are each compared with all that the kernel has: minutes.
echo '*:mod:foldfs' >$TRACING/set_ftrace_filter
for name in 'filemap_get_folios*' find_get_entries find_lock_entries folio_lock __folio_lock \
	unmap_mapping_pages unmap_mapping_folio invalidate_inode_pages2_range \
	truncate_inode_pages_range; do
	# Not every kernel has each.
	echo "$name" >>$TRACING/set_ftrace_filter || true
done 2>/dev/null
echo function >$TRACING/current_tracer
warm=$(calls big)
assert_eq "$(counter $FOLD pages_cached)" "$pages" "pages_cached after a clone that was traced"
again=$(calls big)
dropped() {
	foldctl drop $FOLD >/dev/null
	[ "$(counter $FOLD pages_cached)" -le $(( pages / 100 )) ]
}
until_true 60 dropped
cold=$(calls big)
echo nop >$TRACING/current_tracer
: >$TRACING/set_ftrace_filter
: >$TRACING/set_ftrace_pid
echo 1 >$TRACING/tracing_on
note "calls for a clone of 512 MB: $warm and $again with $pages pages cached, $cold with next to none"
assert_le "$again" $(( cold + 50 )) "calls for a clone, everything cached"
assert_le "$again" 2000 "calls for a clone"

# How long that takes is for people to look at.
read -r above below ratio <<<"$(clonecost $FOLD $LOWER big 100)"
note "FICLONE of 512 MB: $(( above / 1000 )) us through foldfs, $(( below / 1000 )) us on XFS, ratio 0.001 * $ratio"

# The clone is served by the pages that are there.
until_true 60 all_cached
fills=$(counter $FOLD fills)
cmp $FOLD/big $FOLD/another
assert_eq "$(counter $FOLD fills)" "$fills" "fills after the clone was read"
