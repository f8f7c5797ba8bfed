# shows: pages that reclaim failed to free at the last moment, as a reference held for a
#        moment makes it do, can be reclaimed again, mapped ones as well
# module: test
# timeout: 180
. /tests/lib.sh

vain=/sys/module/foldfs/parameters/release_in_vain
fresh_xfs
randfile $LOWER/a 64
cp --reflink=always $LOWER/a $LOWER/b
randfile $LOWER/c 1 2
cp --reflink=always $LOWER/c $LOWER/d
sync
fold_mount
cat $FOLD/a >/dev/null
cached=$(counter $FOLD pages_cached)
assert_ge "$cached" 16384 "pages cached"

# Reclaim gets each page ready to be freed, and then it stays.
echo 1 >$vain
echo 1 >/proc/sys/vm/drop_caches
assert_ge "$(counter $FOLD pages_cached)" "$cached" "pages that stayed in the cache"
echo 0 >$vain

# A fill, of whatever, and the pages are as before: mapped ones, too.
cat $FOLD/c >/dev/null
aging hold 64 $FOLD/b &
until_true 60 test -e /tmp/held
gone() {
	echo 16M >/sys/fs/cgroup/memory.reclaim 2>/dev/null
	[ "$(counter $FOLD pages_cached)" -le $(( cached / 4 )) ]
}
until_true 60 gone
note "of $cached pages $(counter $FOLD pages_cached) are left, $(counter $FOLD shootdowns) were shot down"
