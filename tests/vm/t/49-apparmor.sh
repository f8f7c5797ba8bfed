# shows: AppArmor: who runs under a profile that forbids to map files for execution cannot do so
#        through foldfs, nor by another name of the file, and can where the profile allows it.
#        mprotect(2) is not asked about, as on overlayfs: it knows the file below, under the
#        mounter's label
# kernels: stock
. /tests/lib.sh

grep -qw apparmor /sys/kernel/security/lsm 2>/dev/null || mount -t securityfs none /sys/kernel/security
grep -qw apparmor /sys/kernel/security/lsm || skip "this kernel has no AppArmor, or not enabled"
need_module overlay
fresh_xfs
mkdir -p $LOWER/native/allowed $LOWER/stacked/allowed $LOWER/upper $LOWER/work /mnt/overlay
for tree in $LOWER/native $LOWER/stacked; do
	random_file $tree/file 1
	cp --reflink=always $tree/file $tree/clone
	cp --reflink=always $tree/file $tree/allowed/file
done
fold_mount $LOWER/stacked
mount -t overlay -o lowerdir=$LOWER/native,upperdir=$LOWER/upper,workdir=$LOWER/work overlay /mnt/overlay
cat $FOLD/file $FOLD/clone $FOLD/allowed/file >/dev/null

apparmor_parser --skip-cache -r <<'END'
profile confined {
	/ r,
	/[^m]* mrwix,
	/[^m]*/** mrwix,
	/mnt/** rw,
	/mnt/fold/allowed/* mr,
	/mnt/lower/native/allowed/* mr,
	/mnt/overlay/allowed/* mr,
	deny /mnt/fold/secret rw,
	deny /mnt/lower/native/secret rw,
}
END

# confined COMMAND...: under the profile
confined() {
	( echo "exec confined" >/proc/self/attr/apparmor/exec && exec "$@" )
}

assert_eq "$(confined cat /proc/self/attr/apparmor/current)" "confined (enforce)" "the profile"
for tree in $LOWER/native $FOLD /mnt/overlay; do
	assert_eq "$(seen protect $tree/file)" "0 0" "$tree, unconfined"
	assert_eq "$(confined seen protect $tree/allowed/file)" "0 0" "$tree, where the profile allows it"
	case $tree in
	"$LOWER"/native) want="EACCES EACCES" ;;
	*) want="EACCES 0" ;;
	esac
	assert_eq "$(confined seen protect $tree/file)" "$want" "$tree, where the profile forbids it"
	assert_eq "$(confined seen protect $tree/../"$(basename $tree)"/clone)" "$want" "$tree, another file"
done
# Names are those of the mount.
for tree in $LOWER/native $FOLD; do
	cp $tree/file $tree/secret
	assert_fails "Permission denied" confined cat $tree/secret
	assert_fails "Permission denied" confined dd if=/dev/zero of=$tree/secret count=1 conv=notrunc status=none
	confined cmp $tree/file $tree/clone
done
echo -n confined >/sys/kernel/security/apparmor/.remove
