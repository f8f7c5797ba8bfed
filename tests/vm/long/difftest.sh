# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make difftest` runs in the VM: CALLS random calls for each of SEEDS, on
# foldfs and on the XFS below it. Every other round of four seeds runs while memory
# is taken away all the time; in two of three rounds files join as eagerly as can be.
# In every other round some calls come through a second mount of the same tree, in one the
# users' IDs are mapped instead. Each seed has trees of its own, so that one in which a
# process hangs for ever leaves the others alone.
set -u
fresh_xfs
mkdir $LOWER/stacked $LOWER/native /mnt/second /mnt/mapped /mnt/native-mapped
fold_mount $LOWER/stacked
fold_mount $LOWER/stacked /mnt/second
idmap 100000 0 100000 $FOLD /mnt/mapped
idmap 100000 0 100000 $LOWER/native /mnt/native-mapped
failed=0
round=0
for seed in $SEEDS; do
	echo $(( round / 4 % 3 > 0 )) >/sys/module/foldfs/parameters/join_eagerly
	squeezer=
	if [ $(( round / 4 % 2 )) = 1 ]; then
		while sleep 0.3; do echo 3 >/proc/sys/vm/drop_caches; done 2>/dev/null &
		squeezer=$!
	fi
	mkdir "$LOWER/stacked/$seed" "$LOWER/native/$seed"
	roots=("$FOLD/$seed" "$LOWER/native/$seed")
	ways=()
	case $(( round / 4 )) in
	2)
		chown 100000:100000 "$LOWER/stacked/$seed" "$LOWER/native/$seed"
		roots=("/mnt/mapped/$seed" "/mnt/native-mapped/$seed")
		;;
	*[02468])
		ways=(-b "/mnt/second/$seed,$LOWER/native/$seed")
		;;
	esac
	difftest -s "$seed" -n "$CALLS" "${ways[@]}" "${roots[@]}" || failed=$(( failed + 1 ))
	[ -z "$squeezer" ] || { kill $squeezer; wait $squeezer 2>/dev/null; }
	round=$(( round + 1 ))
	for name in joins breaks fills shootdowns; do
		echo -n "  $name $(counter $FOLD $name)"
	done
	echo
done
echo "$round seeds, $failed with a difference"
[ $failed = 0 ]
