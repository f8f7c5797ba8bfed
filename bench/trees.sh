# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: clones of a tree on XFS, mounts of overlayfs over one tree, and clones
# through foldfs. What it takes to read the first one and the last one from cold, what
# lies in memory then, and what walks, copies and removals cost.

export LC_ALL=C
modprobe overlay
modprobe null_blk nr_devices=1 memory_backed=1 gb=4 bs=4096 irqmode=2 \
	completion_nsec=$(( ${LATENCY:-80} * 1000 ))
fresh_xfs /dev/nullb0
clones=${TREES_CLONES:-8}
rounds=${ROUNDS:-3}

# make NAME FILES PAGES: for each side a tree and its clones
make() {
	local side i
	for side in xfs under fold; do
		mkdir -p $LOWER/$1/$side
		[ $side = under ] && i=1 || i=$clones
		/bench/scale tree $LOWER/$1/$side $i $2 $3
	done
}

# overlays NAME: as many mounts over one tree
overlays() {
	local i
	for (( i = 0; i < clones; i++ )); do
		mkdir -p $LOWER/$1/upper/c$i $LOWER/$1/work/c$i /mnt/$1/c$i
		mount -t overlay overlay \
			-o lowerdir=$LOWER/$1/under/c0,upperdir=$LOWER/$1/upper/c$i,workdir=$LOWER/$1/work/c$i \
			/mnt/$1/c$i
	done
}

# result KEY UNIT SIDE VALUE: one more for the median
result() {
	echo "$2 $4" >>"/tmp/$1 $3"
}

# What was kept of all rounds: median, lowest, highest.
results() {
	local file key side
	for file in /tmp/*" "*; do
		read -r key side <<<"${file#/tmp/}"
		sort -g -k 2 "$file" | awk -v key="$key" -v side="$side" '
			{ unit = $1; value[NR] = $2 }
			END { print "RESULT trees", key, unit, side, value[int((NR + 1) / 2)], value[1], value[NR] }'
	done
}

seconds() {	# COMMAND...: sets took
	local from=$EPOCHREALTIME to
	"$@" >/dev/null
	to=$EPOCHREALTIME
	took=$(awk -v a="$from" -v b="$to" 'BEGIN { printf "%.6f", b - a }')
}

all_of() {	# DIRECTORY
	find "$1" -type f -exec cat {} +
}

used() {	# sets cached and slab, in kB
	cached=$(meminfo Cached)
	slab=$(meminfo Slab)
}

# measure NAME SIDE DIRECTORY FILES
measure() {
	local i c s
	drop_caches
	# Inodes that were kept for their pages go after them.
	drop_caches
	used
	c=$cached
	s=$slab
	for (( i = 0; i < clones; i++ )); do
		seconds all_of $3/c$i
		[ $i != 0 ] || result $1-first s $2 $took
	done
	result $1-last s $2 $took
	used
	result $1-cached MB $2 $(( (cached - c) >> 10 ))
	result $1-slab MB $2 $(( (slab - s) >> 10 ))
	result $1-slab-per-file bytes $2 $(( (slab - s) * 1024 / (clones * $4) ))
	seconds find $3/c0 -type f -size +0
	result $1-find s $2 $took
	if [ $2 != overlayfs ]; then
		seconds cp -a --reflink=always $3/c1 $3/copy
		result $1-cp-reflink s $2 $took
		seconds rm -r $3/copy
		result $1-rm s $2 $took
	fi
}

large=${TREES_LARGE:-200} small=${TREES_SMALL:-1000}
make large $large 24
make small $small 1
# Nothing is left to be done in the background for having made them.
umount $LOWER
mount /dev/nullb0 $LOWER
overlays large
overlays small
for (( round = 0; round < rounds; round++ )); do
	for name in large small; do
		[ $name = large ] && files=$large || files=$small
		# Each goes first in turn.
		sides=(xfs overlayfs foldfs xfs overlayfs)
		for side in "${sides[@]:round % 3:3}"; do
			case $side in
			xfs) measure $name xfs $LOWER/$name/xfs $files ;;
			overlayfs) measure $name overlayfs /mnt/$name $files ;;
			foldfs)
				fold_mount $LOWER/$name/fold $FOLD
				measure $name foldfs $FOLD $files
				umount $FOLD ;;
			esac
		done
	done
done
umount /mnt/large/c* /mnt/small/c*
results
echo "RESULT of trees $clones clones; large: $large files of 96 KiB, small: $small of 4 KiB"
echo "RESULT kernel $(uname -r)"
echo "RESULT finished"
