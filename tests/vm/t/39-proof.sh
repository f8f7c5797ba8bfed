# shows: blocks that move to other files behind the mount (dedupe, swapped extents,
#        rewriting, unsharing) never let two files meet on one page, and a file that is
#        truncated behind the mount gives its end to nobody else
. /tests/lib.sh

for way in dedupe swapext rewrite unshare; do
	fresh_xfs
	fold_mount
	moved $FOLD $LOWER $way
	umount $FOLD
	umount $LOWER
done

# A file that is being cut off below is no source for others.
fresh_xfs
fold_mount
cutoff $FOLD $LOWER
note "joins $(counter $FOLD joins), refills $(counter $FOLD refills)"
