# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In a VM of its own: a mapped file twice as large as the memory that is left for
# it, used by two processes with a skewed choice of pages. Once natively, both
# processes on one XFS file; once through foldfs, each on its own clone, mapped as
# foldfs maps shared pages. Once for each of the kernel's two ways of ageing pages.

export LC_ALL=C
lru=/sys/kernel/mm/lru_gen/enabled

# A file whose pages begin with their own number.
numbered() {	# FILE PAGES
	/bench/numbered "$2" >"$1"
}

fresh_xfs
drop_caches
available=$(meminfo MemAvailable)
# What the processes, the page tables and the kernel take besides.
memory=$(( available - 24576 ))
pages=$(( memory * 2 / 4 ))
echo "Memory left for the cache: $(( memory / 1024 )) MB; the file has $(( pages / 256 )) MB"
numbered $LOWER/native $pages
numbered $LOWER/one $pages
cp --reflink=always $LOWER/one $LOWER/two
sync
fold_mount
echo "RESULT all memory_kb $memory"
echo "RESULT all file_kb $(( pages * 4 ))"
echo "RESULT all kernel $(uname -r)"

for ageing in ${AGEING:-mglru classic}; do
	if [ -w $lru ]; then
		case $ageing in
		mglru) echo 7 >$lru ;;
		classic) echo 0 >$lru ;;
		esac
	elif [ $ageing = mglru ]; then
		continue
	fi
	for way in native foldfs; do
		drop_caches
		sleep 1
		echo "  $ageing, $way"
		if [ $way = native ]; then
			set -- $LOWER/native $LOWER/native
		else
			set -- $FOLD/one $FOLD/two
		fi
		kills=$(vmstat oom_kill)
		/bench/zipf "$way.$ageing" "$ACCESSES" "$@"
		echo "RESULT $way.$ageing status $?"
		echo "RESULT $way.$ageing oom_kills $(( $(vmstat oom_kill) - kills ))"
		if [ $way = foldfs ]; then
			foldctl map -s "$@"
			foldctl status -o +refills $FOLD
		fi
	done
done
echo "RESULT all finished yes"
