# shows: foldtmp answers to names, attributes, data and limits as tmpfs does: the same
#        script says the same on both
# timeout: 240
. /tests/lib.sh
. /tests/tmp-script.inc

load_foldfs
grep -qw foldtmp /proc/filesystems || skip "this kernel has no MMU notifiers, and so no foldtmp"
mkdir -p /mnt/a /mnt/b
options=size=8M,nr_inodes=200,mode=1755,uid=7,gid=8
mount -t tmpfs -o $options none /mnt/a
mount -t foldtmp -o $options none /mnt/b
for dir in /mnt/a /mnt/b; do
	( cd $dir && tmp_script ) >/tmp/says.${dir##*/} 2>&1
done
# That there was something to compare.
assert_ge "$(wc -l </tmp/says.a)" 150 "lines"
if ! diff -u /tmp/says.a /tmp/says.b >/tmp/diff; then
	cat /tmp/diff
	fail "foldtmp differs from tmpfs: $(grep -m 1 '^+[^+]' /tmp/diff)"
fi
for dir in /mnt/a /mnt/b; do
	mount -o remount,size=16M,nr_inodes=300 $dir
	df --output=size,used,avail,itotal $dir | tail -n 1
	umount $dir
done >/tmp/says
assert_eq "$(sort -u /tmp/says | wc -l)" 1 "df after remount, and both can be unmounted"

# What is not supported is refused with a reason, and what tmpfs refuses, too.
assert_fails "/mnt/b" mount -t foldtmp -o huge=always none /mnt/b
assert_fails "/mnt/b" mount -t foldtmp -o size=12q none /mnt/b
mount -t foldtmp -o size=1M none /mnt/b
random_file /mnt/b/f 1 || true
if mount -o remount,size=64k /mnt/b 2>/tmp/why; then
	fail "made smaller than what is there"
fi
umount /mnt/b
