# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: the files that bench/ratios compares, on XFS and below foldfs.

export LC_ALL=C
# The big file takes most of the time, and is there to be cloned.
BIG=1M
# shellcheck disable=SC2053
if [[ clone-512m-cached == ${KEYS:-*} ]]; then
	BIG=512M
fi

fresh_xfs
for side in xfs fold; do
	mkdir $LOWER/$side
	head -c 64M /dev/urandom >$LOWER/$side/shared
	head -c 64M /dev/urandom >$LOWER/$side/private
	head -c $BIG /dev/zero | tr '\0' 'f' >$LOWER/$side/big
	head -c 16M /dev/urandom >$LOWER/$side/written
	head -c 16M /dev/urandom >$LOWER/$side/streamed
	head -c 16M /dev/urandom >$LOWER/$side/own
	mkdir $LOWER/$side/many
	(cd $LOWER/$side/many && seq -f "a-name-of-usual-length-%04.0f" 1000 | xargs touch)
	for file in shared big written streamed; do
		cp --reflink=always $LOWER/$side/$file $LOWER/$side/$file.clone
	done
done
sync
drop_caches
fold_mount $LOWER/fold $FOLD
for dir in $LOWER/xfs $FOLD; do
	cat $dir/shared $dir/shared.clone $dir/private $dir/big \
		$dir/written $dir/written.clone \
		$dir/streamed $dir/streamed.clone $dir/own >/dev/null
done
foldctl map -s $FOLD/shared $FOLD/private $FOLD/big
before=$(counter $FOLD pages_cached)
/bench/ratios $LOWER/xfs $FOLD "${RUNS:-7}" ${KEYS:+"$KEYS"}
echo "RESULT pages-cached-before-and-after pages $before $(counter $FOLD pages_cached)"
echo "RESULT kernel $(uname -r)"
echo "RESULT finished"
