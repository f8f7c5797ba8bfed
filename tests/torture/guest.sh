# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One seed of `make torture`, in the VM. SEED, SECONDS_EACH, LEFT, OPTIONS, SECOND
# and VERIFY are set in front of it.
# shellcheck disable=SC2086	# names without blanks, as in tests/vm
set -u
fresh_xfs
fold_mount
echo "$VERIFY" >/sys/module/foldfs/parameters/verify
if [ "$SECOND" = 1 ]; then
	fold_mount $LOWER /mnt/second
	OPTIONS="$OPTIONS -m /mnt/second/torture"
fi
[ "$LEFT" = 0 ] || OPTIONS="$OPTIONS -n $LEFT"
mkdir $FOLD/torture
oracle -s "$SEED" -p $(( $(nproc) + 3 )) -t "$SECONDS_EACH" $OPTIONS \
	$FOLD/torture $LOWER/torture || exit 1
for name in joins breaks fills refills shootdowns fallbacks outside_writers; do
	echo -n "$name $(counter $FOLD $name), "
done | sed 's/^/note: /; s/, $/\n/'
# Without sharing there is nothing to judge.
[ "$(counter $FOLD joins)" -ge 100 ] && [ "$(counter $FOLD breaks)" -ge 100 ] || exit 1
umount $FOLD
[ "$SECOND" = 0 ] || umount /mnt/second
umount $LOWER
xfs_repair -n $DISK >/dev/null 2>/tmp/repair || { cat /tmp/repair; exit 1; }
