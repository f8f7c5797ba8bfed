# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In a VM of its own: an XFS that holds 1,000 clones of a tree of 10,000 files, ten
# million inodes, made before. So many files are read of it: a few of each clone, all
# of a few clones, and more than the VM's memory has room for.
#
#	RESULT CASE COUNT OPERATION MICROSECONDS

export LC_ALL=C

result() {	# COUNT OPERATION VALUE
	echo "RESULT vast $1 $2 $3"
}

mkdir -p $LOWER
mount -t xfs $DISK2 $LOWER
for shape in ${SHAPES:-1000:100 100:1000 10:10000 100:10000}; do
	clones=${shape%:*} files=${shape#*:}
	count=${clones}x$files
	echo "  $files files in each of $clones clones"
	drop_caches
	result $count xfs-read-cold "$(/bench/scale read $LOWER/t $clones $files)"
	drop_caches
	fold_mount
	before=$(slabs)
	result $count join "$(/bench/scale read $FOLD/t $clones $files)"
	result $count references "$(counter $FOLD references)"
	result $count pages-cached "$(counter $FOLD pages_cached)"
	result $count pages-saved "$(counter $FOLD pages_saved)"
	result $count slab-bytes $(( $(slabs) - before ))
	result $count break "$(/bench/scale write $FOLD/t $clones 100 10)"
	start=$(now_us)
	umount $FOLD
	result $count umount-all $(( $(now_us) - start ))
done
umount $LOWER
echo "RESULT all finished yes"
