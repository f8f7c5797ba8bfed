# shows: a user makes system calls of all kinds with arguments of all kinds on files, directories
#        and descriptors of the mount; others stat, list, rename, read and execute there meanwhile,
#        and nobody hangs; those of his processes that wait for something can be killed. How long
#        the others waited at most is noted, on XFS as well
# timeout: 300
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked
for tree in $LOWER/native $LOWER/stacked; do
	mkdir $tree/d
	random_file $tree/a 1
	for file in b c d/a d/b moving; do
		cp --reflink=always $tree/a $tree/$file
	done
	ln -s a $tree/link
	cp "$(type -P env)" $tree/program
	cp --reflink=always $tree/program $tree/twin
	chmod -R a+rwX $tree
	chmod 755 $tree/program
	# What others use stays there.
	chmod 1777 $tree $tree/d
done
fold_mount $LOWER/stacked
drop_caches
joined() {
	cat $FOLD/a $FOLD/b $FOLD/program $FOLD/twin >/dev/null
	[ "$(shared-pages $FOLD/program)" -gt 0 ]
}
until_true 20 joined

for seed in 1 2; do
	for tree in $LOWER/native $FOLD; do
		out=$(fuzz $seed 20000 $tree) || fail "$tree: $out"
		note "$tree: $out"
	done
done
# He could not write to it, whatever he did.
cmp $FOLD/program "$(type -P env)" || fail "the program has changed"
