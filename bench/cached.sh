# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: the files that bench/cached works on, on XFS, through an overlayfs over
# XFS and through foldfs. Through foldfs there is one that shares all its blocks and
# one that shares none; the others are clones below, as they are there.

export LC_ALL=C
fresh_xfs
modprobe overlay
head -c "${CACHED_MIB:-32}M" /dev/urandom >$LOWER/image
for side in xfs under fold; do
	mkdir -p $LOWER/$side/entries
	cp --reflink=always $LOWER/image $LOWER/$side/file
	(cd $LOWER/$side/entries && touch $(seq 400))
done
cp --reflink=never $LOWER/image $LOWER/fold/alone
mkdir $LOWER/upper $LOWER/work /mnt/merged
mount -t overlay overlay -o lowerdir=$LOWER/under,upperdir=$LOWER/upper,workdir=$LOWER/work \
	/mnt/merged
sync
drop_caches
fold_mount $LOWER/fold $FOLD
cat $LOWER/xfs/file /mnt/merged/file $FOLD/file $FOLD/alone >/dev/null
foldctl map -s $FOLD/file $FOLD/alone
/bench/cached cached "${RUNS:-5}" xfs:$LOWER/xfs:file overlayfs:/mnt/merged:file \
	clone:$FOLD:file unshared:$FOLD:alone
umount /mnt/merged
echo "RESULT kernel $(uname -r)"
echo "RESULT finished"
