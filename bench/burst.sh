# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: processes that begin at once, each with an image of its own: reflink copies
# on XFS, hard links there (which are one file, and so share its pages), and reflink
# copies through foldfs. Cold each time. The disk is one in memory that answers after
# LATENCY microseconds.

export LC_ALL=C
modprobe null_blk nr_devices=1 memory_backed=1 gb=4 bs=4096 irqmode=2 \
	completion_nsec=$(( ${LATENCY:-80} * 1000 ))
fresh_xfs /dev/nullb0
mib=${BURST_MIB:-64}
processes=${BURST_PROCESSES:-25}
for side in xfs links fold; do
	mkdir $LOWER/$side
done
head -c "${mib}M" /dev/urandom >$LOWER/image
for (( i = 0; i < processes; i++ )); do
	cp --reflink=always $LOWER/image $LOWER/xfs/$i
	cp --reflink=always $LOWER/image $LOWER/fold/$i
done
cp --reflink=always $LOWER/image $LOWER/links/0
for (( i = 1; i < processes; i++ )); do
	ln $LOWER/links/0 $LOWER/links/$i
done
sync
fold_mount $LOWER/fold $FOLD

# measure SIDE DIRECTORY WAY
measure() {
	local read cached seconds
	drop_caches
	read=$(vmstat pgpgin)
	cached=$(meminfo Cached)
	seconds=$(/bench/burst $3 $(( mib * 256 * 18 / 100 )) $2/*)
	read=$(( $(vmstat pgpgin) - read ))
	cached=$(( $(meminfo Cached) - cached ))
	echo "  $3, $1: $seconds s, $(( read >> 10 )) MB read, $(( cached >> 10 )) MB cached"
	echo "RESULT burst $3 s $1 $seconds $seconds $seconds"
	echo "RESULT burst $3-read MB $1 $(( read >> 10 )) $(( read >> 10 )) $(( read >> 10 ))"
	echo "RESULT burst $3-cached MB $1 $(( cached >> 10 )) $(( cached >> 10 )) $(( cached >> 10 ))"
}

for way in private shared read; do
	measure xfs $LOWER/xfs $way
	measure hardlinks $LOWER/links $way
	measure foldfs $FOLD $way
done
echo "RESULT of burst $processes processes, images of $mib MiB"
echo "RESULT kernel $(uname -r)"
echo "RESULT finished"
