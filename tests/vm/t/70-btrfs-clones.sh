# shows: what Btrfs alone forgets now and then, that a block has been replaced by a clone
#        while a page beside it was read, never happens through the mount
# timeout: 300
. /tests/lib.sh

fresh_btrfs
mkdir $LOWER/alone $LOWER/fold
read -r rounds old <<<"$(cloneread $LOWER/alone 4000 5)"
note "Btrfs alone: of $rounds blocks $old are the old ones after a clone"
[ "$old" = 5 ] || skip "this kernel's Btrfs forgets nothing"
fold_mount $LOWER $FOLD -o nofold
read -r rounds old <<<"$(cloneread $FOLD/fold $(( rounds * 3 )))"
note "through the mount: of $rounds blocks $old"
assert_eq "$old" 0 "old blocks after a clone through the mount"
