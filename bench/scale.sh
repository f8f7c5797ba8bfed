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

fresh() {
	fresh_xfs
	mkdir $LOWER/t
}

# No process has a file open: their inodes are examined, and their references end.
end_unused() {	# REFERENCES
	echo 1 >/proc/sys/vm/drop_caches
	until [ "$(counter $FOLD references)" -lt $(( $1 / 2 + 1 )) ]; do
		echo 2 >/proc/sys/vm/drop_caches
		sleep 0.01
	done
}

# evicted REFERENCES: the same, until so many are left
evicted() {
	until [ "$(counter $FOLD references)" -le "$1" ]; do
		echo 2 >/proc/sys/vm/drop_caches
	done
}

# joined REFERENCES: wait until there are so many
joined() {
	until [ "$(counter $FOLD references)" -ge "$1" ]; do
		sleep 0.01
	done
}

join_one() {	# FILE REFERENCES
	head -c 4096 "$1" >/dev/null
	joined $2
}

join_all() {	# REFERENCES FILE...
	local references=$1
	shift
	atonce read "$@"
	joined $references
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
for extents in ${EXTENTS:-100 1000 10000 100000 1000000}; do
	echo "  a file of $extents extents"
	fresh
	/bench/scale pieces $LOWER $extents
	sync
	fold_mount
	drop_caches
	head -c 4096 $FOLD/whole >/dev/null
	joined 1
	had=$(counter $FOLD references)
	timed extents $extents join $extents join_one $FOLD/pieces $(( had + extents ))
	result extents $extents references "$(counter $FOLD references)"
	result extents $extents fragments "$(counter $FOLD fragments)"
	/bench/scale random $FOLD/pieces 2000 >/dev/null
	result extents $extents read "$(/bench/scale random $FOLD/pieces 2000)"
	timed extents $extents drop-caches $extents end_unused "$(counter $FOLD references)"
	mkdir $FOLD/t/c0
	mv $FOLD/pieces $FOLD/t/c0/f0
	join_one $FOLD/t/c0/f0 $extents
	result extents $extents break "$(/bench/scale write $FOLD/t 1 1 1)"
	end extents $extents $extents
	mount -t xfs $DISK $LOWER
	/bench/scale random $LOWER/t/c0/f0 2000 >/dev/null
	result extents $extents xfs-read "$(/bench/scale random $LOWER/t/c0/f0 2000)"
	result extents $extents xfs-write "$(/bench/scale write $LOWER/t 1 1 1)"
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
# ---- one more clone, beside clones that each have changed a block of their own
for clones in ${APART:-10 100 1000}; do
	echo "  a clone beside $clones that have drifted apart"
	fresh
	randfile $LOWER/t/image 32 1
	for (( i = 0; i < clones + 5; i++ )); do
		cp --reflink=always $LOWER/t/image $LOWER/t/c$i
		dd if=/dev/urandom of=$LOWER/t/c$i bs=4k seek=$(( i * 7 % 8000 + 1 )) count=1 conv=notrunc status=none
	done
	sync
	fold_mount
	for (( i = 0; i < clones; i++ )); do
		head -c 4096 $FOLD/t/c$i >/dev/null
	done
	joined $(( 2 * clones ))
	for (( i = clones; i < clones + 5; i++ )); do
		timed apart $clones join 1 join_one $FOLD/t/c$i $(( 2 * i + 2 ))
	done
	end apart $clones $clones
done

# ---- clones of 1,500 extents that are read for the first time at once
for clones in ${TOGETHER:-2 8 16 64}; do
	echo "  $clones clones that begin together"
	fresh
	randfile $LOWER/image 6 1
	atonce reversed $LOWER/image $LOWER/t/1 1500
	for (( i = 2; i <= clones; i++ )); do
		cp --reflink=always $LOWER/t/1 $LOWER/t/$i
	done
	sync
	fold_mount
	drop_caches 1
	timed together $clones join $clones join_all $(( clones * 1500 )) $FOLD/t/*
	result together $clones references "$(counter $FOLD references)"
	end together $clones $clones
done

# ---- the end of a clone of 256 MB of which nothing, or all, is cached
fresh
randfile $LOWER/t/image 256 1
for (( i = 1; i <= 20; i++ )); do
	cp --reflink=always $LOWER/t/image $LOWER/t/c$i
done
sync
for cached in 0 256; do
	echo "  the end of a clone of $cached MB cached"
	fold_mount
	drop_caches
	head -c 4096 $FOLD/t/image >/dev/null
	[ $cached = 0 ] || cat $FOLD/t/image >/dev/null
	exec 9<$FOLD/t/image
	for i in 1 2 3 4 5; do
		n=$(( cached ? i + 10 : i ))
		had=$(counter $FOLD references)
		join_one $FOLD/t/c$n $(( had + 1 ))
		timed end $cached rm 1 rm $FOLD/t/c$n
		join_one $FOLD/t/c$(( n + 5 )) $(( had + 1 ))
		timed end $cached evict 1 evicted $had
	done
	exec 9<&-
	umount $FOLD
done
umount $LOWER

# ---- shooting down a page that one of very many clones maps
for clones in ${UNMAPPED:-10 1000 10000}; do
	echo "  a page that one of $clones clones maps"
	fresh
	/bench/scale tree $LOWER/t $clones 1 1024
	sync
	fold_mount
	/bench/scale read $FOLD/t $clones 1 >/dev/null
	atonce map $FOLD/t/c0/f0 >/tmp/mapped &
	mapper=$!
	until [ -s /tmp/mapped ]; do sleep 0.01; done
	shoot() { echo 1 >"/sys/fs/foldfs/$(devno $FOLD)/drop"; }
	timed unmapped $clones shoot-down 1024 shoot
	kill $mapper
	wait $mapper 2>/dev/null || true
	rm /tmp/mapped
	end unmapped $clones $clones
done
echo "RESULT all finished yes"
