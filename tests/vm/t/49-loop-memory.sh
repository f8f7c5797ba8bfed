# shows: while a loop device is over a file, no memory that pages are written out for is
#        allocated for the file's page cache, by whatever program reads, maps or changes it:
#        through foldfs as on XFS, for shared pages too. Who allocates so holds locks that the
#        loop device waits for, and the pages may be its own, or swap behind it
# kernels: stock
. /tests/lib.sh

tracing=/sys/kernel/tracing/instances/test

# use TREE: all ways in which its file gets pages
use() {
	local tree=$1
	sync
	drop_caches 1
	cat $tree/image >/dev/null
	drop_caches 1
	mapped-byte $tree/image 1300000 >/dev/null
	mapped-byte store $tree/image 1500000 >/dev/null
	dd if=$tree/image of=/dev/null bs=64k skip=100 status=none
	xfs_io -c "fadvise -w 0 4m" $tree/image
	dd if=/dev/urandom of=$tree/image bs=100k seek=41 count=3 conv=notrunc status=none
	xfs_io -c "fzero 5000001 4096" -c "fpunch 6000001 4096" $tree/image
	sync
	drop_caches 1
	xfs_io -c "truncate 8000001" -c "truncate 8m" $tree/image
	sync
	drop_caches 1
}

# traced TREE: counts the pages that came into its file's cache, or into the shared one,
# while it was used, and those of them for which pages could be written out
traced() {
	local ino dev
	ino=$(printf '%x' "$(stat -c %i "$1/image")")
	dev=$(mountpoint -d $LOWER)
	: >$tracing/trace
	echo 1 >$tracing/tracing_on
	use "$1"
	echo 0 >$tracing/tracing_on
	grep -q 'LOST' $tracing/trace && fail "the trace is too small"
	awk -v "file= dev $dev ino $ino " -v cache="$2" '
		/ mm_page_alloc: / {
			match($0, /pfn=0x[0-9a-f]*/)
			how[substr($0, RSTART + 6, RLENGTH - 6)] = $0
		}
		/ mm_filemap_add_to_page_cache: / {
			match($0, /dev [0-9:]*/)
			of = substr($0, RSTART + 4, RLENGTH - 4)
			if (!index($0, file) && of != cache)
				next
			match($0, /pfn=0x[0-9a-f]*/)
			flags = how[substr($0, RSTART + 6, RLENGTH - 6)]
			if (flags == "") { unknown++; next }
			all++
			if (of == cache) shared++
			if (flags ~ /GFP_KERNEL|GFP_NOFS|GFP_USER|GFP_HIGHUSER|__GFP_IO|GFP_TRANSHUGE/)
				bad++
		}
		END { print all + 0, shared + 0, bad + 0, unknown + 0 }' $tracing/trace
}

need_module loop
fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked $tracing
for tree in $LOWER/native $LOWER/stacked; do
	random_file $tree/image 8
	# Half of it is shared.
	xfs_io -f -c "reflink $tree/image 0 0 4m" $tree/other
done
fold_mount $LOWER/stacked
drop_caches
joined() {
	cat $FOLD/image $FOLD/other >/dev/null
	[ "$(shared-pages $FOLD/image)" = 1024 ]
}
until_true 20 joined

echo 0 >$tracing/tracing_on
echo 16384 >$tracing/buffer_size_kb
echo 1 >$tracing/events/kmem/mm_page_alloc/enable
echo 1 >$tracing/events/filemap/mm_filemap_add_to_page_cache/enable

# The shared cache's device: the one that pages of the range get that is shared.
drop_caches 1
echo 1 >$tracing/tracing_on
head -c 4096 $FOLD/image >/dev/null
echo 0 >$tracing/tracing_on
cache=$(sed -n 's/.* mm_filemap_add_to_page_cache: dev \(0:[0-9]*\) .*/\1/p' $tracing/trace | sort | uniq -c |
	sort -n | awk 'END { print $2 }')
[ -n "$cache" ] || fail "which device is the shared cache's? $(grep -c . $tracing/trace) lines"

# Without a loop device, as a control: there are such allocations.
read -r all shared bad unknown <<<"$(traced $LOWER/native none)"
note "XFS alone: $bad of $all allocations may write pages out, $unknown not seen"
assert_ge "$bad" 100 "allocations that may write pages out, without a loop device"

for tree in $LOWER/native $FOLD; do
	loop=$(losetup -f --show $tree/image)
	read -r all shared bad unknown <<<"$(traced $tree "$cache")"
	note "$tree under a loop device: $all allocations, $shared of them shared pages', $unknown not seen"
	assert_ge "$all" 100 "allocations in $tree"
	[ $tree != $FOLD ] || assert_ge "$shared" 64 "shared pages that were brought in"
	assert_eq "$bad" 0 "allocations in $tree that may write pages out"
	losetup -d "$loop"
done
rmdir $tracing
