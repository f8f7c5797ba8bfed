# shows: processes that create, rename, replace and remove the same names through the
# mount and around it at the same time leave one tree, the same above and below
# timeout: 120
. /tests/lib.sh

look() {	# DIRECTORY
	(cd "$1" && find . -printf '%p %y %m %n %s %l\n' 2>&1 | sed 's/ d\(.*\) [0-9]* $/ d\1/' | sort)
}

fresh_xfs
mkdir $LOWER/stacked
for ways in one two; do
	fold_mount $LOWER/stacked
	if [ $ways = one ]; then
		hammer -p 4 -n 6000 -s 1 $FOLD >/tmp/hammer || fail "through the mount"
	else
		hammer -p 4 -n 8000 -s 2 $FOLD $LOWER/stacked >/tmp/hammer || fail "both ways"
	fi
	[ ! -s /tmp/hammer ] || note "$(head -n 1 /tmp/hammer)"
	look $FOLD >/tmp/above
	look $LOWER/stacked >/tmp/below
	[ "$(wc -l </tmp/below)" -gt 10 ] || fail "hardly anything is left"
	diff /tmp/above /tmp/below >/tmp/diff ||
		fail "above (<) and below (>): $(head -c 500 /tmp/diff)"
	umount $FOLD
done
umount $LOWER
xfs_repair -n $DISK >/tmp/repair 2>&1 || fail "xfs_repair: $(tail -n 3 /tmp/repair)"
