# shows: a mount that is frozen and then unmounted goes when the filesystem below is thawed,
#        and the module can be removed; until then it stays frozen, and so does what is below
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/tree
random_file $LOWER/tree/a 1
cp --reflink=always $LOWER/tree/a $LOWER/tree/b
held() {	# whether somebody still holds the module
	[ "$(cat /sys/module/foldfs/refcnt)" != 0 ]
}
for how in "" -l; do
	fold_mount $LOWER/tree
	cat $FOLD/a $FOLD/b >/dev/null
	fsfreeze -f $FOLD
	umount $how $FOLD
	held || fail "the mount went while it was frozen"
	touch $LOWER/new &
	maker=$!
	# Longer than foldfs waits before it looks at what is left.
	sleep 3
	held || fail "the mount went while the filesystem below was frozen"
	kill -0 $maker || fail "the filesystem below is not frozen"
	fsfreeze -u $LOWER
	wait $maker || fail "the file was not made"
	until_true 60 eval '! held'
	rmmod foldfs
	[ ! -e /sys/fs/foldfs ] || fail "something is left"
	rm $LOWER/new
done

# In another order, and with a file that is open: nobody else has to be waited for.
fold_mount $LOWER/tree
exec 5<$FOLD/a
fsfreeze -f $FOLD
umount -l $FOLD
fsfreeze -u $LOWER
sleep 3
held || fail "the mount went with a file open"
exec 5<&-
until_true 60 eval '! held'

# Thawed as it should be: nothing is thawed twice.
fold_mount $LOWER/tree
fsfreeze -f $FOLD
fsfreeze -u $FOLD
fsfreeze -f $FOLD
fsfreeze -u $LOWER
sleep 3
touch $FOLD/new &
maker=$!
sleep 1
kill -0 $maker || fail "the mount was thawed by what is below"
fsfreeze -u $FOLD
wait $maker || fail "the file was not made"
umount $FOLD
rmmod foldfs
