# shows: times, modes, owners, ACLs, capabilities and flags change on foldfs when
# and how they change on XFS; ID-mapped mounts of it work as those of XFS
. /tests/lib.sh
. /tests/cases.inc

fresh_xfs
same_cases attributes times
same_cases attributes times nofold
same_cases attributes modes
same_cases attributes modes nofold

# The atime rules are those of this mount.
fold_mount $LOWER/stacked
atime() { stat -c %x "$1"; }
mount -o remount,noatime $LOWER
echo text >$FOLD/file
touch -a -d 2001-01-01 $FOLD/file
cat $FOLD/file >/dev/null
assert_ne "$(atime $FOLD/file | cut -c 1-4)" 2001 "year of last access (relatime)"
assert_eq "$(atime $FOLD/file)" "$(atime $LOWER/stacked/file)" "access time"
mount -o remount,noatime $FOLD
touch -a -d 2001-01-01 $FOLD/file
cat $FOLD/file >/dev/null
ls $FOLD >/dev/null
assert_eq "$(atime $FOLD/file | cut -c 1-4)" 2001 "year of last access (noatime)"
mount -o remount,strictatime $FOLD
one=$(atime $FOLD/file)
sleep 0.05
cat $FOLD/file >/dev/null
two=$(atime $FOLD/file)
sleep 0.05
cat $FOLD/file >/dev/null
assert_ne "$one" "$two" "access time (strictatime)"
assert_ne "$two" "$(atime $FOLD/file)" "access time (strictatime)"
chattr +A $FOLD/file
one=$(atime $FOLD/file)
sleep 0.05
cat $FOLD/file >/dev/null
assert_eq "$(atime $FOLD/file)" "$one" "access time (chattr +A)"
lsattr $LOWER/stacked/file | grep -q '^[^ ]*A' || fail "the flag is not on the lower file"

# Project and other extended flags.
xfs_io -c "chproj 77" -c "extsize 65536" $FOLD/file 2>/dev/null || true
assert_eq "$(xfs_io -r -c lsproj $FOLD/file)" "$(xfs_io -r -c lsproj $LOWER/stacked/file)" "project"
assert_eq "$(xfs_io -r -c lsproj $FOLD/file)" "projid = 77" "project"
assert_eq "$(xfs_io -r -c "statx -r" $FOLD/file | grep -v -e dev_ -e mnt_id -e attributes)" \
	"$(xfs_io -r -c "statx -r" $LOWER/stacked/file | grep -v -e dev_ -e mnt_id -e attributes)" "statx"
umount $FOLD

# A mount that maps IDs: what users 0 and 5 make belongs to 100000 and 100005 ...
fold_mount $LOWER/stacked
idmapped() { idmap 0 100000 65536 "$1" "$2"; }
for tree in native stacked; do
	mkdir -p /mnt/$tree.map $LOWER/$tree/mapped
	chown 0:0 $LOWER/$tree/mapped
	chmod 777 $LOWER/$tree/mapped
done
idmapped $LOWER/native /mnt/native.map
idmapped $FOLD /mnt/stacked.map
for tree in native stacked; do
	(
		cd /mnt/$tree.map/mapped || exit
		as() { local u=$1; shift; setpriv --reuid="$u" --regid="$u" --clear-groups "$@"; }
		set +e
		exec 2>&1
		as 100005 touch file
		as 100005 mkdir dir
		as 100005 touch dir/file
		as 100005 ln dir/file dir/link
		as 100005 mv dir/link dir/moved
		as 100005 ln -s file symlink
		as 100005 setfacl -m u:100007:rw,g:100008:r file
		as 100005 setfacl -d -m u:100007:rwx dir
		as 100005 touch dir/inherits
		as 100005 setfattr -n user.a -v b file
		as 100005 chmod 640 file
		as 100007 dd if=/dev/zero of=file bs=10 count=1 status=none
		as 100009 cat file
		as 100009 rm dir/file
		as 100005 rm dir/file
		as 100005 rmdir dir
		as 5 touch unmapped
		chown 100006:100006 symlink -h
		chown 5 file
		getfacl -n file dir/inherits
		stat -c '%n %u %g %a %s' file dir dir/* symlink
		cd $LOWER/$tree/mapped || exit
		getfacl -n file dir/inherits
		stat -c '%n %u %g %a %s' file dir dir/* symlink
	) >/tmp/mapped.$tree
done
diff /tmp/mapped.native /tmp/mapped.stacked >/tmp/diff ||
	fail "ID-mapped XFS (<) and foldfs (>): $(cat /tmp/diff)"
grep -q 'file 5 5' /tmp/mapped.native || fail "nothing was mapped"
note "ID-mapped mounts: $(wc -l </tmp/mapped.stacked) answers"

# ... but the lower mount must not map, because two maps cannot be joined.
mkdir /mnt/none
assert_fails "ID-mapped" mount -t foldfs /mnt/native.map /mnt/none
