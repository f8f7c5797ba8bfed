# shows: once a call that changes a lower file around the mount has returned, the
#        mount shows the new bytes; renames and modes do not end the sharing, and
#        foldfs's own writers do not count as outsiders
. /tests/lib.sh

fresh_xfs
fold_mount
sysctl_set fs.lease-break-time 10
outside $FOLD $LOWER

# coreutils' truncate opens with O_NONBLOCK: below, and through one mount while
# another one shares the file
fold_mount $LOWER /mnt/other
for round in 1 2 3 4 5; do
	random_file $LOWER/f 1 $round
	cp --reflink=always $LOWER/f $LOWER/g
	sync
	joined() {
		cat $FOLD/f $FOLD/g /mnt/other/f /mnt/other/g >/dev/null
		[ "$(shared-pages $FOLD/f)" = 256 ] && [ "$(shared-pages /mnt/other/f)" = 256 ] &&
			other_shares
	}
	other_shares() {
		[ "$(shared-pages /mnt/other/g)" = 256 ]
	}
	until_true 60 joined
	truncate -s 5000 $LOWER/f
	assert_eq "$(stat -c %s $FOLD/f)" 5000 "size"
	until_true 60 other_shares
	truncate -s 6000 $FOLD/g
	assert_eq "$(stat -c %s /mnt/other/g)" 6000 "size through the other mount"
	assert_same $FOLD/g /mnt/other/g
done
