# shows: a fault that is on its way to the lower file while a join is committed
#        leaves no copy of shared pages behind (a test build of the module makes
#        every first fault that slow)
# module: test
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/trees
tree make 4096 1 $LOWER/trees/c1 >/dev/null
for i in 2 3 4 5 6; do
	cp -r --reflink=always $LOWER/trees/c1 $LOWER/trees/c$i
done
sync
fold_mount
echo 30 >/sys/module/foldfs/parameters/fault_delay_ms
for way in private shared; do
	drop_caches
	out=$(tree $way 4096 1 $FOLD/trees/c*) || fail "tree $way"
	read -r unique growth <<<"$out"
	note "6 clones of $unique kB, mapped ($way), late faults: $growth kB"
	assert_le "$growth" $(( unique * 105 / 100 )) "page cache of mapped clones (kB)"
	umount $FOLD
	mount -t foldfs $LOWER $FOLD
done
