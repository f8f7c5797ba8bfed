# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: the files that bench/ratios compares, on XFS and below foldfs.

export LC_ALL=C
fresh_xfs
for side in xfs fold; do
	mkdir $LOWER/$side
	head -c 64M /dev/urandom >$LOWER/$side/shared
	head -c 64M /dev/urandom >$LOWER/$side/private
	head -c 512M /dev/zero | tr '\0' 'f' >$LOWER/$side/big
	for file in shared big; do
		cp --reflink=always $LOWER/$side/$file $LOWER/$side/$file.clone
	done
done
sync
drop_caches
fold_mount $LOWER/fold $FOLD
for dir in $LOWER/xfs $FOLD; do
	cat $dir/shared $dir/shared.clone $dir/private $dir/big >/dev/null
done
foldctl map -s $FOLD/shared $FOLD/private $FOLD/big
before=$(counter $FOLD pages_cached)
/bench/ratios $LOWER/xfs $FOLD "${RUNS:-7}"
echo "RESULT pages-cached-before-and-after pages $before $(counter $FOLD pages_cached)"
echo "RESULT kernel $(uname -r)"
echo "RESULT finished"
