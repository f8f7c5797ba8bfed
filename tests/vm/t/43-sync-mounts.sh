# shows: on a mount with "sync" each change of names, attributes, sizes and blocks survives a
#        shutdown of the filesystem right after the call, as on XFS with "sync"; "dirsync" does
#        it for names; without either they are lost, so the test sees the difference
# allows: XFS \(vda\): (User initiated shutdown|Log I/O Error|Metadata I/O Error|.*[Ss]hut)|shutdown
# timeout: 200
. /tests/lib.sh

names="mkdir create mknod symlink link unlink rmdir rename move"
files="chmod chown utimes truncate setxattr removexattr setacl chattr falloc clone write"

prepare() {	# DIRECTORY
	mkdir "$1/dir" "$1/empty" "$1/other"
	echo twelve bytes >"$1/file"
	random_file "$1/data" 1
	setfattr -n user.old -v x "$1/file"
	sync
}

# One change; what it has to leave is tested by `left`.
change() {	# WHAT
	case $1 in
	mkdir) mkdir new ;;
	create) : >new ;;
	mknod) mkfifo new ;;
	symlink) ln -s file new ;;
	link) ln file new ;;
	unlink) rm file ;;
	rmdir) rmdir empty ;;
	rename) mv file new ;;
	move) mv file other/new ;;
	chmod) chmod 0123 file ;;
	chown) chown 7:8 file ;;
	utimes) touch -d 2001-01-01 file ;;
	truncate) truncate -s 5 file ;;
	setxattr) setfattr -n user.new -v y file ;;
	removexattr) setfattr -x user.old file ;;
	setacl) setfacl -m u:5:r file ;;
	chattr) chattr +a file ;;
	falloc) fallocate -l 1M file ;;
	clone) cp --reflink=always data dir/clone ;;
	write) echo more >>file ;;
	esac
}

left() {	# WHAT
	case $1 in
	mkdir) [ -d new ] ;;
	create | mknod | link | rename) [ -e new ] ;;
	symlink) [ -L new ] ;;
	unlink) [ ! -e file ] ;;
	rmdir) [ ! -e empty ] ;;
	move) [ -e other/new ] ;;
	chmod) [ "$(stat -c %a file)" = 123 ] ;;
	chown) [ "$(stat -c %u:%g file)" = 7:8 ] ;;
	utimes) [ "$(date -r file +%Y)" = 2001 ] ;;
	truncate) [ "$(stat -c %s file)" = 5 ] ;;
	setxattr) getfattr -n user.new file >/dev/null 2>&1 ;;
	removexattr) ! getfattr -n user.old file >/dev/null 2>&1 ;;
	setacl) getfacl file 2>/dev/null | grep -q user:5 ;;
	chattr) lsattr file | grep -q '^[^ ]*a' ;;
	falloc) [ "$(stat -c %s file)" = 1048576 ] ;;
	clone) cmp -s data dir/clone ;;
	write) grep -q more file ;;
	esac
}

# survives OPTIONS WHAT: through a mount with these options, then a shutdown at once
survives() {
	fresh_xfs
	mkdir $LOWER/tree
	prepare $LOWER/tree
	fold_mount $LOWER/tree $FOLD -o "$1"
	cd $FOLD || exit
	change "$2"
	xfs_io -x -c shutdown $LOWER
	cd /
	umount $FOLD
	umount $LOWER
	mount -t xfs $DISK $LOWER
	cd $LOWER/tree || exit
	if left "$2"; then
		cd /
		umount $LOWER
		return 0
	fi
	cd /
	umount $LOWER
	return 1
}

load_foldfs
for what in $names; do
	survives sync "$what" || fail "sync: $what is lost"
	survives dirsync "$what" || fail "dirsync: $what is lost"
done
for what in $files; do
	survives sync "$what" || fail "sync: $what is lost"
done
lost=0
for what in mkdir rename chmod; do
	survives rw "$what" || lost=$((lost + 1))
done
assert_ge $lost 1 "changes that are lost without sync"
# A mount can be told later.
fresh_xfs
mkdir $LOWER/tree
fold_mount $LOWER/tree
mount -o remount,sync $FOLD
mkdir $FOLD/late
xfs_io -x -c shutdown $LOWER
umount $FOLD
umount $LOWER
mount -t xfs $DISK $LOWER
[ -d $LOWER/tree/late ] || fail "sync by a remount: mkdir is lost"
