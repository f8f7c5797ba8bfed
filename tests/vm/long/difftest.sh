# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make difftest` runs in the VM: CALLS random calls for each of SEEDS, on
# foldfs and on the XFS below it. Every other round of four seeds runs while memory
# is taken away all the time; in two of three rounds files join as eagerly as can be.
set -u
fresh_xfs
mkdir $LOWER/stacked $LOWER/native
fold_mount $LOWER/stacked
failed=0
round=0
for seed in $SEEDS; do
	echo $(( round / 4 % 3 > 0 )) >/sys/module/foldfs/parameters/join_eagerly
	squeezer=
	if [ $(( round / 4 % 2 )) = 1 ]; then
		while sleep 0.3; do echo 3 >/proc/sys/vm/drop_caches; done 2>/dev/null &
		squeezer=$!
	fi
	difftest -s "$seed" -n "$CALLS" $FOLD $LOWER/native || failed=$(( failed + 1 ))
	[ -z "$squeezer" ] || { kill $squeezer; wait $squeezer 2>/dev/null; }
	round=$(( round + 1 ))
	for name in joins breaks fills shootdowns; do
		echo -n "  $name $(counter $FOLD $name)"
	done
	echo
done
echo "$round seeds, $failed with a difference"
[ $failed = 0 ]
