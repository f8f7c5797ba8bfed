# shows: a file with the attribute user.foldfs.nofold, or below a directory with it,
#        shares no page; what shared before stops when the file gets it
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/plain $LOWER/tenant/deep/er
random_file $LOWER/plain/a 2
for f in plain/b tenant/c tenant/deep/er/d plain/e; do
	cp --reflink=always $LOWER/plain/a $LOWER/$f
done
setfattr -n user.foldfs.nofold -v 1 $LOWER/tenant
setfattr -n user.foldfs.nofold $LOWER/plain/e
drop_caches
fold_mount

extents() {
	cat "$FOLD/$1" >/dev/null
	shared-pages "$FOLD/$1"
}
assert_eq "$(extents plain/a)" 512 "shared pages of a file"
assert_eq "$(extents plain/b)" 512 "shared pages of its clone"
assert_eq "$(extents tenant/c)" 0 "shared pages of a file in a directory with the attribute"
assert_eq "$(extents tenant/deep/er/d)" 0 "shared pages of a file further below"
assert_eq "$(extents plain/e)" 0 "shared pages of a file with the attribute"
for f in plain/b tenant/c tenant/deep/er/d plain/e; do
	assert_same $FOLD/$f $LOWER/plain/a
done

# Set while the file shares: at once. Its owner may, others may not.
chown 1000 $FOLD/plain/b
assert_fails "ermi" setpriv --reuid=1001 --regid=1001 --clear-groups \
	setfattr -n user.foldfs.nofold -v 1 $FOLD/plain/b
assert_eq "$(shared-pages $FOLD/plain/b)" 512 "shared pages before"
setpriv --reuid=1000 --regid=1000 --clear-groups setfattr -n user.foldfs.nofold -v 1 $FOLD/plain/b
assert_eq "$(shared-pages $FOLD/plain/b)" 0 "shared pages once it has the attribute"
assert_eq "$(extents plain/b)" 0 "shared pages when it is read again"
assert_same $FOLD/plain/b $LOWER/plain/a

# Taken away: the answer is asked for again some seconds later.
setfattr -x user.foldfs.nofold $FOLD/plain/b
shares_again() {
	[ "$(extents plain/b)" = 512 ]
}
until_true 60 shares_again
