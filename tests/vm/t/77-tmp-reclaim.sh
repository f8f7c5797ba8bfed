# shows: mapped pages of foldtmp are swapped out and come back, by reclaim, by MADV_PAGEOUT and
#        below a cgroup's limit, with every byte right and no OOM kill; compaction moves them
# mem: 512M
# disk2: 1G
# timeout: 300
# alone
# allows: page allocation failure: order:0, mode:0x\w+\(GFP_KERNEL\|__GFP_HIGH\|__GFP_ZERO\|__GFP_COMP\|__GFP_NOMEMALLOC\)
. /tests/lib.sh

mkswap_on() {
	mkswap "$1" >/dev/null 2>&1 || busybox mkswap "$1" >/dev/null
	swapon "$1" 2>/dev/null || busybox swapon "$1"
}

load_foldfs
grep -qw foldtmp /proc/filesystems || skip "this kernel has no MMU notifiers, and so no foldtmp"
mkdir -p /mnt/t
mount -t foldtmp -o size=400M none /mnt/t
mkswap_on $DISK2
pressure make 120 /mnt/t/p1
for i in 2 3 4; do
	cp --reflink=always /mnt/t/p1 /mnt/t/p$i
done

path=$(cgroup small 48M)
out=$(in_cgroup small pressure 120 4 /mnt/t/p1 /mnt/t/p2) || fail "pressure in a cgroup"
note "in a cgroup of 48 MiB: $out"
assert_eq "$(awk '$1 == "oom_kill" { print $2 }' "$path/memory.events")" 0 "OOM kills in the cgroup"

before=$(vmstat pswpout)
out=$(pressure 120 350 /mnt/t/p1 /mnt/t/p2 /mnt/t/p3 /mnt/t/p4) || fail "pressure"
note "machine-wide: $out, swapped out $(( $(vmstat pswpout) - before )), in $(vmstat pswpin)"
assert_ge "$(( $(vmstat pswpout) - before ))" 10000 "pages swapped out"
assert_eq "$(vmstat oom_kill)" 0 "OOM kills"

# Who writes while memory is short.
out=$(pressure -w 120 250 /mnt/t/p1 /mnt/t/p2 /mnt/t/p3) || fail "writers under pressure"
note "with writers: $out"

# Everything that is mapped can be told to go, and moved.
rm /mnt/t/p[1-4]
random_file /mnt/t/f 16
cp --reflink=always /mnt/t/f /mnt/t/g
md5sum </mnt/t/f >/tmp/f.sum
before=$(vmstat pswpout)
tmpage out /mnt/t/f /mnt/t/g
[ $(( $(vmstat pswpout) - before )) -ge 2000 ] ||
	fail "MADV_PAGEOUT of 4096 mapped pages has swapped out $(( $(vmstat pswpout) - before ))"
assert_eq "$(md5sum </mnt/t/f)" "$(cat /tmp/f.sum)" "f, swapped in again"
tmpage compact /mnt/t/f /mnt/t/g
rm /mnt/t/[fg]
assert_eq "$(df -k --output=used /mnt/t | tail -n 1 | tr -d ' ')" 0 "pages in the end"
