# shows: the VM boots, its XFS disk shares blocks between reflink clones, the
#        page cache does not, and foldfs (where it is built) loads and unloads
. /tests/lib.sh

fresh_xfs
random_file $LOWER/a 8
sync
cp --reflink=always $LOWER/a $LOWER/b
assert_same $LOWER/a $LOWER/b

# One set of blocks ...
filefrag -v $LOWER/a | awk '/shared/ { print $2, $3, $4, $5 }' >/tmp/a
filefrag -v $LOWER/b | awk '/shared/ { print $2, $3, $4, $5 }' >/tmp/b
[ -s /tmp/a ] || fail "the clone's blocks are not reported as shared"
assert_same /tmp/a /tmp/b

# ... in two sets of pages.
drop_caches
before=$(cached_kb)
cat $LOWER/a >/dev/null
one=$(( $(cached_kb) - before ))
cat $LOWER/b >/dev/null
two=$(( $(cached_kb) - before ))
note "page cache of one 8 MiB file: $one kB, with its clone: $two kB"
assert_ge "$one" 8000 "page cache after one file (kB)"
assert_ge "$two" 16000 "page cache after both files (kB)"

if have_foldfs; then
	load_foldfs
	grep -qw foldfs /proc/filesystems || fail "foldfs is loaded but not registered"
	rmmod foldfs
	[ ! -d /sys/module/foldfs ] || fail "rmmod left foldfs loaded"
fi
