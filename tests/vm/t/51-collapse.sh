# shows: MADV_COLLAPSE by any user, of a mapping of the mount's or of the lower file,
#        throws no page table away that shows shared pages
# mem: 1500M
# timeout: 300
. /tests/lib.sh

fresh_xfs
fold_mount
chmod 755 $LOWER
collapse $FOLD $LOWER >/tmp/collapsed || fail "collapse"
read -r own others later < <(awk '{ a += $1; b += $2; c += $3 } END { print a, b, c }' /tmp/collapsed)
note "collapsed: $own mappings of the mount, $others of the lower file, $later later ones"
# Older kernels collapse no file of XFS.
if [ "$(uname -r | cut -d. -f1)" -ge 7 ]; then
	assert_ge $(( own + others + later )) 1 "collapsed mappings"
fi
# Whatever is mapped or counted wrongly shows when the pages go.
drop_caches
umount $FOLD
umount $LOWER
