# shows: each tracepoint says for which mount it is: two mounts over the same files are
#        told apart; a shoot-down names the lower filesystem
# needs: python3
. /tests/lib.sh

tracing=/sys/kernel/tracing/instances/test

# events NAME: what was traced of it since the last clear
events() {
	grep " $1: " $tracing/trace || true
}

clear_trace() {
	: >$tracing/trace
}

fresh_xfs
random_file $LOWER/a 4
cp --reflink=always $LOWER/a $LOWER/b
sync
inode=$(stat -c %i $LOWER/a)
fold_mount
mkdir -p /mnt/second
fold_mount $LOWER /mnt/second
first="dev=$(devno $FOLD) "
second="dev=$(devno /mnt/second) "
assert_ne "$first" "$second" "devices of two mounts"
mkdir -p $tracing
echo 1 >$tracing/events/foldfs/enable

# ---- join and fill, through one mount and then through the other
cat $FOLD/a $FOLD/b >/dev/null
for name in join fill; do
	[ -n "$(events foldfs_$name)" ] || fail "no foldfs_$name"
	assert_eq "$(events foldfs_$name | grep -cv " foldfs_$name: $first")" 0 "foldfs_$name of another mount"
done
events foldfs_join | grep -q " foldfs_join: ${first}ino=$inode index=0 nr=1024 phys=" ||
	fail "join of a: $(events foldfs_join)"
pages=$(events foldfs_fill | sed -n 's/.* nr=\([0-9]*\) .*/\1/p' | paste -sd+)
assert_eq $(( pages )) 1024 "pages that fills report"
clear_trace
cat /mnt/second/a >/dev/null
[ -n "$(events foldfs_join)" ] || fail "no foldfs_join through the second mount"
assert_eq "$(events foldfs_join | grep -cv " foldfs_join: $second")" 0 "foldfs_join of another mount"

# ---- break: one block here, and all of it in the other mount, which is written around
clear_trace
dd if=/dev/zero of=$FOLD/a bs=4k seek=10 count=1 conv=notrunc status=none
# pages_of_second: how many of a's pages the second mount has lost
pages_of_second() {
	events foldfs_break | sed -n "s/.* foldfs_break: ${second}ino=$inode .* nr=\([0-9]*\) .*/\1/p" |
		awk '{ sum += $1 } END { print sum + 0 }'
}
all_are_lost() {
	[ "$(pages_of_second)" = 1024 ]
}
until_true 20 all_are_lost
events foldfs_break | grep -q " foldfs_break: ${first}ino=$inode index=10 nr=1 phys=" ||
	fail "break of one block: $(events foldfs_break)"
assert_eq "$(events foldfs_break | grep -c " foldfs_break: $first")" 1 "breaks through the first mount"

# ---- shoot-down of what is mapped
cat >/tmp/hold.py <<'P'
import mmap, os, sys, time
m = mmap.mmap(os.open(sys.argv[1], os.O_RDONLY), 0, mmap.MAP_SHARED, mmap.PROT_READ)
sum(m[i] for i in range(0, len(m), 4096))
open("/tmp/ready", "w").close()
time.sleep(1000)
P
python3 /tmp/hold.py $FOLD/b &
until_true 60 test -e /tmp/ready
clear_trace
foldctl drop $FOLD >/dev/null
[ -n "$(events foldfs_shootdown)" ] || fail "no foldfs_shootdown"
assert_eq "$(events foldfs_shootdown | grep -cv " foldfs_shootdown: dev=$(devno $LOWER) phys=")" 0 \
	"shoot-downs of another lower filesystem"
echo 0 >$tracing/events/foldfs/enable
rmdir $tracing
