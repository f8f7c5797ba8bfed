# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In a VM of its own: a mapped file twice as large as the memory that is left for
# it, used by two processes with a skewed choice of pages. Once natively, both
# processes on one XFS file; once through foldfs, each on its own clone, mapped as
# foldfs maps shared pages. Once for each of the kernel's two ways of ageing pages,
# and once where all of the machine is short of memory and once where a memory cgroup
# is, with a file half as large.
#
# The disk is one in memory that answers after LATENCY microseconds, as flash does (80
# unless given): an emulator serves others in real time, whatever the processor's clock
# counts. It reads nothing ahead, so that what is brought in is what was asked for. (With
# MADV_RANDOM the kernel would not look whether pages are used.)

export LC_ALL=C
lru=/sys/kernel/mm/lru_gen/enabled

# A file whose pages begin with their own number.
numbered() {	# FILE PAGES
	/bench/numbered "$2" >"$1"
}

modprobe null_blk nr_devices=1 memory_backed=1 gb=4 bs=4096 irqmode=2 \
	completion_nsec=$(( ${LATENCY:-80} * 1000 ))
echo 0 >/sys/block/nullb0/queue/read_ahead_kb
fresh_xfs /dev/nullb0
drop_caches
available=$(meminfo MemAvailable)
# What the processes, the page tables and the kernel take besides; and the files, which
# are three of the size of the first, lie in memory as well.
memory=$(( (available - 24576) / 7 ))
pages=$(( memory * 2 / 4 ))
echo "Memory left for the cache: $(( memory / 1024 )) MB; the file has $(( pages / 256 )) MB"
for part in machine cgroup; do
	[ $part = machine ] && size=$pages || size=$(( pages / 2 ))
	numbered $LOWER/native.$part $size
	numbered $LOWER/one.$part $size
	cp --reflink=always $LOWER/one.$part $LOWER/two.$part
done
sync
fold_mount
echo "RESULT all memory_kb $memory"
echo "RESULT all file_kb $(( pages * 4 ))"
echo "RESULT all kernel $(uname -r)"

# measure LABEL PART native|foldfs
measure() {
	local kills
	drop_caches
	sleep 1
	echo "  $1"
	if [ $3 = native ]; then
		set -- $1 $2 $LOWER/native.$2 $LOWER/native.$2
	else
		set -- $1 $2 $FOLD/one.$2 $FOLD/two.$2
	fi
	if [ $2 = cgroup ]; then
		cgroup $1 $(( memory / 2 ))K >/dev/null
	else
		cgroup $1 >/dev/null
	fi
	kills=$(vmstat oom_kill)
	in_cgroup $1 /bench/zipf $1 "$ACCESSES" $3 $4
	echo "RESULT $1 status $?"
	echo "RESULT $1 oom_kills $(( $(vmstat oom_kill) - kills ))"
	case $3 in
	$FOLD/*)
		foldctl map -s $3 $4
		foldctl status -o +refills $FOLD ;;
	esac
}

for ageing in ${AGEING:-mglru classic}; do
	if [ -w $lru ]; then
		case $ageing in
		mglru) echo 7 >$lru ;;
		classic) echo 0 >$lru ;;
		esac
	elif [ $ageing = mglru ]; then
		continue
	fi
	for part in machine cgroup; do
		for way in native foldfs; do
			measure $way.$ageing.$part $part $way
		done
	done
done
echo "RESULT all finished yes"
