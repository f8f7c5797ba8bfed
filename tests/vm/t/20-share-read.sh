# shows: a tree read through N clones (8, then 64) costs the page cache of one,
#        whichever way it is read; plain XFS pays N times
# timeout: 180
. /tests/lib.sh
. /tests/settled.inc

# look WAY KIB DIR...: compare the clones with what they must hold; sets
# $unique (kB of one tree in the page cache) and $growth (kB)
look() {
	local out
	out=$(tree "$1" "$2" 1 "${@:3}") || fail "tree $1 of $(( $# - 2 )) clones"
	read -r unique growth <<<"$out"
}

# clones N KIB: so many clones of a tree, below
clones() {
	local i
	rm -rf "${LOWER:?}"/*
	tree make "$2" 1 $LOWER/c1 >/dev/null
	for (( i = 2; i <= $1; i++ )); do
		cp -r --reflink=always $LOWER/c1 $LOWER/c$i
	done
}

# compare N KIB: plain XFS beside foldfs
compare() {
	local n=$1 kib=$2 cached saved
	clones "$n" "$kib"
	drop_caches
	look read "$kib" $LOWER/c*
	note "$n clones of $unique kB, read: plain XFS caches $growth kB"
	assert_ge "$growth" $(( unique * n * 95 / 100 )) "page cache of $n clones on plain XFS (kB)"

	fold_mount
	drop_caches
	settled $(( unique * 105 / 100 )) "the page cache of $n clones" look read "$kib" $FOLD/c*
	note "$n clones of $unique kB, read: foldfs caches $growth kB"
	cached=$(counter $FOLD pages_cached)
	saved=$(counter $FOLD pages_saved)
	assert_le "$cached" $(( unique * 105 / 400 )) "pages_cached"
	assert_ge "$cached" $(( unique * 95 / 400 )) "pages_cached"
	assert_le "$saved" $(( cached * (n - 1) )) "pages_saved"
	assert_ge "$saved" $(( cached * (n - 1) * 95 / 100 )) "pages_saved"
}

fresh_xfs
compare 8 40960

# Every other way to read finds the same pages.
for way in odd splice sendfile read; do
	settled $(( unique / 100 )) "growth by reading cached clones by $way" look $way 40960 $FOLD/c*
done
# A cold start by splice shares as well; a direct read caches nothing.
umount $FOLD
drop_caches
fold_mount
settled $(( unique * 105 / 100 )) "the page cache after splicing 8 clones" look splice 40960 $FOLD/c*
look direct 40960 $FOLD/c*
assert_le "$growth" 0 "growth by direct reads (kB)"
umount $FOLD

compare 64 8192
