# shows: the figures that people read tell the truth, exactly while nothing moves:
#        pages_cached is the number of physical pages that the clones show, and what the
#        kernel's count of file pages falls by when they go; pages_saved is what the
#        other clones would hold; Rss is the same as on XFS, Pss divides a page among
#        those who map it; memory.stat shows the pages where the first reader is charged
# mem: 700M
. /tests/lib.sh

PAGES=1024	# of one file

# Newer kernels collapse what is mapped of XFS files, and unmap it for that.
echo never >/sys/kernel/mm/transparent_hugepage/enabled

# file_kb NAME KEY: from the cgroup's memory.stat, in kB
stat_kb() {
	awk -v key="$2" '$1 == key { print $2 / 1024 }' "/sys/fs/cgroup/$1/memory.stat"
}

file_pages() {
	echo 1 >/proc/sys/vm/stat_refresh
	vmstat nr_file_pages
}

near() {	# ACTUAL EXPECTED WHAT: but for what else goes on
	assert_ge "$1" $(( $2 - 64 )) "$3"
	assert_le "$1" $(( $2 + 64 )) "$3"
}

# readers DIR PREFIX: the first clone is read in one cgroup, the others in another
readers() {
	local name
	for name in first others; do
		cgroup "$2$name" >/dev/null
	done
	in_cgroup "$2first" cat "$1/c1" >/dev/null
	in_cgroup "$2others" cat "$1/c2" "$1/c3" "$1/c4" >/dev/null
}

fresh_xfs
random_file $LOWER/c1 4
for i in 2 3 4; do
	cp --reflink=always $LOWER/c1 $LOWER/c$i
done
drop_caches

# XFS, for comparison: four copies
readers $LOWER xfs-
near "$(stat_kb xfs-first file)" 4096 "XFS: file pages of the first reader (kB)"
near "$(stat_kb xfs-others file)" 12288 "XFS: file pages of the others (kB)"
read -r distinct mappings rss pss <<<"$(census $LOWER/c[1-4])"
assert_eq "$distinct $mappings $rss $pss" "$(( 4 * PAGES )) $(( 4 * PAGES )) 16384 16384" \
	"XFS: pages, mappings, Rss and Pss (kB)"
drop_caches

fold_mount
drop_caches
readers $FOLD fold-
assert_eq "$(counter $FOLD pages_cached)" $PAGES "pages_cached"
assert_eq "$(counter $FOLD pages_saved)" $(( 3 * PAGES )) "pages_saved"
near "$(stat_kb fold-first file)" 4096 "file pages of the first reader (kB)"
near "$(stat_kb fold-others file)" 0 "file pages of the others (kB)"

read -r distinct mappings rss pss <<<"$(census $FOLD/c[1-4])"
note "4 clones of $PAGES pages mapped: $distinct physical pages, $mappings mappings, Rss $rss kB, Pss $pss kB"
assert_eq "$distinct $mappings $rss $pss" "$PAGES $(( 4 * PAGES )) 16384 4096" \
	"pages, mappings, Rss and Pss (kB)"
assert_eq "$(counter $FOLD pages_cached)" $PAGES "pages_cached after they were mapped"

# Mapped by whomever, it counts where it is charged.
aging hold 4 $FOLD/c3 &
until_true 20 test -e /tmp/held
near "$(stat_kb fold-first file_mapped)" 4096 "mapped file pages of the first reader (kB)"
kill $!
wait $! || true

# One page of one clone becomes its own.
printf x | dd of=$FOLD/c4 bs=1 seek=1M conv=notrunc status=none
assert_eq "$(counter $FOLD pages_cached)" $PAGES "pages_cached after a break"
assert_eq "$(counter $FOLD pages_saved)" $(( 3 * PAGES - 1 )) "pages_saved after a break"
rm $FOLD/c4
assert_eq "$(counter $FOLD pages_saved)" $(( 2 * PAGES )) "pages_saved without the fourth"

# Some of them go, then the rest: what the counter says is what the kernel counts.
echo 2M >/sys/fs/cgroup/fold-first/memory.reclaim || true
cached=$(counter $FOLD pages_cached)
assert_le "$cached" $(( PAGES - 256 )) "pages_cached after 2 MiB were reclaimed"
assert_ge "$cached" 64 "pages_cached after 2 MiB were reclaimed"
assert_eq "$(counter $FOLD pages_saved)" $(( 2 * cached )) "pages_saved then"
sync
before=$(file_pages)
foldctl drop $FOLD
assert_eq "$(counter $FOLD pages_cached)" 0 "pages_cached after drop"
assert_eq $(( before - $(file_pages) )) "$cached" "file pages that the kernel counts less"
