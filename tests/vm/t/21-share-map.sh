# shows: clones that are mapped and never read share as well, private and shared
#        mappings alike; what programs do with mappings does what it always did
# timeout: 180
. /tests/lib.sh

# run WAY DIR...: map 8 clones, touch them thrice; sets $unique and $growth (kB)
run() {
	local out
	out=$(tree "$1" 20480 1 "${@:2}") || fail "tree $1"
	read -r unique growth <<<"$out"
}

fresh_xfs
mkdir $LOWER/trees $LOWER/ops
tree make 20480 1 $LOWER/trees/c1 >/dev/null
for i in 2 3 4 5 6 7 8; do
	cp -r --reflink=always $LOWER/trees/c1 $LOWER/trees/c$i
done
for way in private shared; do
	drop_caches
	run $way $LOWER/trees/c*
	note "8 clones of $unique kB, mapped ($way): plain XFS caches $growth kB"
	assert_ge "$growth" $(( unique * 8 * 95 / 100 )) "page cache on plain XFS (kB)"
done
for way in private shared; do
	fold_mount		# nothing is known of any file
	drop_caches
	run $way $FOLD/trees/c*
	note "8 clones of $unique kB, mapped ($way): foldfs caches $growth kB"
	assert_le "$growth" $(( unique * 105 / 100 )) "page cache of mapped clones (kB)"
	assert_ge "$(counter $FOLD pages_saved)" $(( unique / 4 * 7 * 95 / 100 )) "pages_saved"
	umount $FOLD
done

mapops $LOWER/ops $LOWER/out
fold_mount
mapops $FOLD/ops $FOLD/out
mapops $FOLD/ops $LOWER/out
