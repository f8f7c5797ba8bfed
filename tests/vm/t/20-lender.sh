# shows: mount(2) alone, without a helper program and without /proc, makes a
#        mount that shares; lenders that are killed cost sharing at most; what a
#        mount borrows is given back
# timeout: 300
. /tests/lib.sh

fresh_xfs
randfile $LOWER/a 1
cp --reflink=always $LOWER/a $LOWER/b
sync
load_foldfs
mkdir -p $FOLD

mount_plain() {
	mount -i -n -t foldfs $LOWER $FOLD
}

# The two clones read as they should; prints how many pages that saves.
saved() {
	cmp $LOWER/a $FOLD/a && cmp $LOWER/a $FOLD/b || fail "wrong bytes"
	counter $FOLD pages_saved
}

umount -l /proc
mount_plain
mount -t proc proc /proc
assert_ge "$(saved)" 200 "pages saved by a mount without /proc"
umount $FOLD
! grep -l '^foldfs-query' /proc/[0-9]*/comm || fail "threads stay behind after umount"

drop_caches
before=$(meminfo MemFree)
for i in $(seq 40); do
	mount_plain
	umount $FOLD
done
drop_caches
# What one mount borrows is close to 1 MiB.
assert_ge "$(meminfo MemFree)" $(( before - 12000 )) "free kB after 40 mounts"

for i in $(seq 10); do
	mount_plain
	umount $FOLD
	rmmod foldfs || fail "cannot be unloaded right after umount $i"
	load_foldfs
done

hunt foldfs-lender 9 >/tmp/hits &
hunter=$!
shared=0
for i in $(seq 20); do
	mount_plain || fail "a killed lender fails mount $i"
	[ "$(saved)" -lt 200 ] || shared=$(( shared + 1 ))
	umount $FOLD
done
kill $hunter
wait $hunter
assert_ge "$(cat /tmp/hits)" 1 "lenders hit"
note "$(cat /tmp/hits) lenders killed in 20 mounts, of which $shared share"
mount_plain
assert_ge "$(saved)" 200 "pages saved after the hunt"
