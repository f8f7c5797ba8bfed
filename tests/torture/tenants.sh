# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make tenants` runs in the VM: the same load of tenants, with the oracle beside it,
# in turns on plain XFS and on foldfs over the same XFS, and what a bystander sees of it.
# FIRST (a seed), MINUTES, PHASE (seconds) and FACTOR (of memory limits) are set in front of it.
# shellcheck disable=SC2086	# names without blanks, as in tests/vm
set -u

fresh_xfs
mkdir $LOWER/native $LOWER/stacked
fold_mount $LOWER/stacked
need_module fuse
sysctl_set vm.unprivileged_userfaultfd 1
# Tenants tell why they failed, too.
touch $T/reasons
chmod 666 $T/reasons
joins=0 breaks=0

nothing_left() {
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(counter $FOLD references)" = 0 ] && [ "$(counter $FOLD fragments)" = 0 ] &&
		[ "$(counter $FOLD pages_cached)" = 0 ]
}

phase() {	# native|stacked SEED ORACLE-OPTIONS...
	local side=$1 seed=$2 at=$LOWER/native below=$LOWER/native frozen="-f $LOWER" oracle
	shift 2
	if [ $side = stacked ]; then
		at=$FOLD below=$LOWER/stacked
		frozen="$frozen -f $FOLD"
	fi
	mkdir $at/oracle $at/tenants
	oracle -s $seed -p 2 -t $PHASE "$@" $at/oracle $below/oracle >/tmp/oracle &
	oracle=$!
	tenants -t $PHASE -s $seed -m $FACTOR $frozen /tmp/$side $at/tenants >/tmp/tenants ||
		fail "tenants on $side, seed $seed"
	wait $oracle || fail "oracle on $side, seed $seed"
	echo "$side, seed $seed: $(cat /tmp/tenants)"
	echo "  $(cat /tmp/oracle)"
	echo "  memory limits met: $(awk '$1 == "max" { printf " %s", $2 }' /sys/fs/cgroup/tenant?/memory.events)"
	rm -r $at/oracle $at/tenants
	if [ $side = stacked ]; then
		echo "  joins $(counter $FOLD joins), breaks $(counter $FOLD breaks), fills $(counter $FOLD fills), shootdowns $(counter $FOLD shootdowns), fallbacks $(counter $FOLD fallbacks)"
		until_true 60 nothing_left
		grep -E '^(fold|foldfs)_' /proc/slabinfo | awk '{ printf "  %s %d", $1, $2 } END { print "" }'
	fi
}

round=0
until [ $SECONDS -ge $(( MINUTES * 60 )) ] && [ $round -ge 2 ]; do
	options=
	[ $(( round % 2 )) = 0 ] || options="-o"
	[ $(( round / 2 % 2 )) = 0 ] || options="$options -q"
	# What reclaim takes first are inodes, in every other pair of rounds.
	sysctl_set vm.vfs_cache_pressure $(( round / 4 % 2 ? 100 : 10000 ))
	sides="native stacked"
	[ $(( round % 2 )) = 0 ] || sides="stacked native"
	for side in $sides; do
		phase $side $(( FIRST + round )) $options
	done
	round=$(( round + 1 ))
	echo "after $round rounds, $SECONDS s:"
	tenants report /tmp/native /tmp/stacked
done
joins=$(counter $FOLD joins) breaks=$(counter $FOLD breaks)
# Without sharing there is nothing to judge.
if [ "$joins" -lt 100 ] || [ "$breaks" -lt 100 ]; then
	fail "joins $joins, breaks $breaks"
fi
tenants report /tmp/native /tmp/stacked || fail "the bystander did not get on"
umount $FOLD || exit 1
umount $LOWER || exit 1
xfs_repair -n $DISK >/dev/null 2>/tmp/repair || { cat /tmp/repair; fail "xfs_repair finds something"; }
echo "$round rounds, $SECONDS s, joins $joins, breaks $breaks"
