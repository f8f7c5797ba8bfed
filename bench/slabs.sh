# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Stands before each benchmark's script in the VM.

# Bytes in the slab caches of foldfs.
slabs() {
	local s sum=0 objects size
	for s in /sys/kernel/slab/foldfs_*; do
		read -r objects _ <"$s/objects"
		read -r size <"$s/slab_size"
		sum=$(( sum + objects * size ))
	done
	echo $sum
}
