# shows: clones (8, then 64) that are mapped and never read share as well, private and
#        shared mappings alike; what programs do with mappings does what it always did
# mem: 1500M
# timeout: 240
. /tests/lib.sh
. /tests/settled.inc

# run WAY KIB DIR...: map the clones, touch them thrice; sets $unique, $growth (kB)
run() {
	local out
	out=$(tree "$1" "$2" 1 "${@:3}") || fail "tree $1 of $(( $# - 2 )) clones"
	read -r unique growth <<<"$out"
}

# compare N KIB: plain XFS beside foldfs
compare() {
	local n=$1 kib=$2 i way
	rm -rf "${LOWER:?}"/trees
	mkdir $LOWER/trees
	tree make "$kib" 1 $LOWER/trees/c1 >/dev/null
	for (( i = 2; i <= n; i++ )); do
		cp -r --reflink=always $LOWER/trees/c1 $LOWER/trees/c$i
	done
	for way in private shared; do
		drop_caches
		run $way "$kib" $LOWER/trees/c*
		note "$n clones of $unique kB, mapped ($way): plain XFS caches $growth kB"
		assert_ge "$growth" $(( unique * n * 95 / 100 )) "page cache on plain XFS (kB)"

		fold_mount		# nothing is known of any file
		drop_caches
		settled $(( unique * 105 / 100 )) "the page cache of $n mapped clones" \
			run $way "$kib" $FOLD/trees/c*
		note "$n clones of $unique kB, mapped ($way): foldfs caches $growth kB"
		assert_ge "$(counter $FOLD pages_saved)" $(( unique * (n - 1) * 95 / 400 )) \
			"pages_saved"
		umount $FOLD
	done
}

fresh_xfs
compare 8 20480
compare 64 12288

mkdir $LOWER/ops
mapops $LOWER/ops $LOWER/out
fold_mount
mapops $FOLD/ops $FOLD/out
mapops $FOLD/ops $LOWER/out
