# shows: what Btrfs alone forgets now and then, that a block has been replaced by a clone
#        while a page beside it was read, never happens through the mount
# timeout: 300
. /tests/lib.sh

fresh_btrfs
mkdir $LOWER/alone $LOWER/fold
read -r rounds old <<<"$(cloneread $LOWER/alone 4000 3)"
note "Btrfs alone: of $rounds blocks $old are the old ones after a clone"
[ "$old" = 3 ] || skip "this kernel's Btrfs forgets nothing"
fold_mount $LOWER $FOLD -o nofold
rounds=$(( rounds > 300 ? rounds * 3 : 1000 ))
read -r rounds old <<<"$(cloneread $FOLD/fold $rounds)"
note "through the mount: of $rounds blocks $old"
assert_eq "$old" 0 "old blocks after a clone through the mount"
