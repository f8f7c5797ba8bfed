# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In a VM of its own: what single operations cost as counts grow. Where a cost is to
# be independent of a count, or to grow with its logarithm, the row says so by staying
# flat.
#
#	RESULT CASE COUNT OPERATION MICROSECONDS

export LC_ALL=C

result() {	# CASE COUNT OPERATION MICROSECONDS
	echo "RESULT $1 $2 $3 $4"
}

# timed CASE COUNT OPERATION DIVISOR COMMAND...: the time of a command, for each of so many
timed() {
	local case=$1 count=$2 operation=$3 divisor=$4 start
	shift 4
	start=$(now_us)
	"$@"
	result $case $count $operation "$(awk -v us=$(( $(now_us) - start )) -v n=$divisor 'BEGIN { printf "%.2f", us / n }')"
}

read_pieces() {
	cat $FOLD/pieces >/dev/null
}

fresh() {
	fresh_xfs
	mkdir $LOWER/t
}

end() {	# CASE COUNT DIVISOR
	timed $1 $2 umount $3 umount $FOLD
	umount $LOWER
}

# ---- one fragment, more and more files that refer to it; and trees of many files
for shape in ${SHAPES:-10:1 100:1 1000:1 10000:1 10:1000 100:1000}; do
	clones=${shape%:*} files=${shape#*:}
	all=$(( clones * files ))
	[ $files = 1 ] && case=sharers count=$clones || case=trees count=${clones}x$files
	echo "  $clones clones of $files files"
	fresh
	/bench/scale tree $LOWER/t $clones $files 2
	sync
	fold_mount
	drop_caches
	before=$(slabs)
	result $case $count join "$(/bench/scale read $FOLD/t $clones $files)"
	result $case $count fragments "$(counter $FOLD fragments)"
	result $case $count references "$(counter $FOLD references)"
	result $case $count bytes $(( ($(slabs) - before) / all ))
	result $case $count read "$(/bench/scale read $FOLD/t $clones $files)"
	result $case $count break "$(/bench/scale write $FOLD/t $clones $files 10)"
	end $case $count $all
	fresh
	/bench/scale tree $LOWER/t $clones $files 2
	sync
	drop_caches
	result $case $count xfs-read-cold "$(/bench/scale read $LOWER/t $clones $files)"
	result $case $count xfs-read "$(/bench/scale read $LOWER/t $clones $files)"
	result $case $count xfs-write "$(/bench/scale write $LOWER/t $clones $files 10)"
	umount $LOWER
done

# ---- one file of more and more extents, each a fragment of its own
for extents in ${EXTENTS:-100 1000 10000 100000}; do
	echo "  a file of $extents extents"
	fresh
	/bench/scale pieces $LOWER $extents
	sync
	fold_mount
	drop_caches
	head -c 4096 $FOLD/whole >/dev/null
	timed extents $extents join $extents read_pieces
	result extents $extents references "$(counter $FOLD references)"
	result extents $extents fragments "$(counter $FOLD fragments)"
	read_pieces
	result extents $extents read "$(/bench/scale random $FOLD/pieces 2000)"
	mkdir $FOLD/t/c0
	mv $FOLD/pieces $FOLD/t/c0/f0
	result extents $extents break "$(/bench/scale write $FOLD/t 1 1 1)"
	end extents $extents $extents
	mount -t xfs $DISK $LOWER
	cat $LOWER/t/c0/f0 >/dev/null
	result extents $extents xfs-read "$(/bench/scale random $LOWER/t/c0/f0 2000)"
	umount $LOWER
done

# ---- 64 MB that more and more processes map, each from a clone of its own
for processes in ${PROCESSES:-2 20 200}; do
	echo "  $processes processes map 64 MB"
	fresh
	/bench/scale tree $LOWER/t $processes 1 16384
	sync
	fold_mount
	drop_caches
	/bench/scale read $FOLD/t $processes 1 >/dev/null
	read -r touch drop <<<"$(/bench/scale map $FOLD/t $processes "/sys/fs/foldfs/$(devno $FOLD)/drop")"
	result processes $processes touch $touch
	result processes $processes shoot-down $drop
	end processes $processes $processes
done
echo "RESULT all finished yes"
