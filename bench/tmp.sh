# shellcheck shell=bash disable=SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: the same file on tmpfs and on foldtmp, there once as a file of its own and
# once as a clone of another; and what a clone of a large file costs.

export LC_ALL=C
mib=${CACHED_MIB:-32}
load_foldfs
mkdir -p /mnt/tmpfs /mnt/foldtmp
mount -t tmpfs -o size=80% none /mnt/tmpfs
mount -t foldtmp -o size=80% none /mnt/foldtmp
for dir in /mnt/tmpfs /mnt/foldtmp; do
	mkdir $dir/entries
	head -c "${mib}M" /dev/urandom >$dir/file
	(cd $dir/entries && touch $(seq 400))
done
cp --reflink=always /mnt/foldtmp/file /mnt/foldtmp/clone
/bench/cached tmp "${RUNS:-5}" tmpfs:/mnt/tmpfs:file foldtmp:/mnt/foldtmp:file \
	clone:/mnt/foldtmp:clone
echo "RESULT kernel $(uname -r)"
echo "RESULT finished"
