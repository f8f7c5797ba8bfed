# shows: on an ID-mapped mount, set-ID bits are kept and taken away, and deduplication allowed
#        and refused, as on an ID-mapped XFS: by the IDs that the caller is seen with
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked /mnt/mapped
fold_mount $LOWER/stacked

prepare() {	# DIRECTORY, below
	for file in write direct splice falloc punch clone truncate plain; do
		random_file "$1/$file" 1
		chown 1000:1000 "$1/$file"
		chmod 06666 "$1/$file"
	done
	chmod 01777 "$1"
	for file in one two three; do
		random_file "$1/$file" 1
		chown 1000:1000 "$1/$file"
		chmod 0444 "$1/$file"
	done
	chmod 06777 "$1/plain"
	sync
}

act() {	# UID GID, in /mnt/mapped
	local as="setpriv --reuid=$1 --regid=$2 --clear-groups"
	echo "as $1:$2"
	$as xfs_io -c 'pwrite -q 0 10' write
	$as xfs_io -d -c 'pwrite -q 0 4096' direct
	$as sh -c 'xfs_io -c "sendfile -q -i plain 0 4096" splice' >/dev/null
	$as xfs_io -c 'falloc 0 2m' falloc
	$as xfs_io -c 'fpunch 0 4096' punch
	$as xfs_io -c 'reflink -q plain' clone
	$as truncate -s 5 truncate
	stat -c '%n %a %u %g' write direct splice falloc punch clone truncate plain
	$as xfs_io -r -c 'dedupe -q one 0 0 4096' two 2>&1
	$as xfs_io -r -c 'dedupe one 0 0 4096' three 2>&1 | sed 's/ in .*//; s/[0-9.]* sec.*//' | head -n 1
	stat -c '%n %a %u %g' one two three
}

for who in "2001 2000" "2001 2001" "2001 1000" "1000 1000" "2000 2005" "0 0"; do
	read -r uid gid <<<"$who"
	for tree in native stacked; do
		prepare $LOWER/$tree
		if [ $tree = native ]; then
			idmap 1000 2000 10 $LOWER/native /mnt/mapped
		else
			idmap 1000 2000 10 $FOLD /mnt/mapped
		fi
		(cd /mnt/mapped && act "$uid" "$gid") >/tmp/$tree 2>&1
		umount /mnt/mapped
	done
	diff /tmp/native /tmp/stacked >/tmp/diff ||
		fail "as $who on XFS (<) and on foldfs (>): $(head -c 700 /tmp/diff)"
	cat /tmp/native
done
