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

# The two clones read as they should; $saved: how many pages that saves.
read_both() {
	assert_same $LOWER/a $FOLD/a
	assert_same $LOWER/a $FOLD/b
	saved=$(counter $FOLD pages_saved)
}

umount -l /proc
mount_plain
mount -t proc proc /proc
read_both
assert_ge "$saved" 200 "pages saved by a mount without /proc"
umount $FOLD
! grep -l '^foldfs-query' /proc/[0-9]*/comm || fail "threads stay behind after umount"

drop_caches
before=$(meminfo MemFree)
for i in $(seq 40); do
	mount_plain
	umount $FOLD
done
# What one mount borrows is close to 1 MiB; some of it comes back a little later.
given_back() {
	drop_caches
	[ "$(meminfo MemFree)" -ge $(( before - 16000 )) ]
}
until_true 60 given_back

for i in $(seq 10); do
	mount_plain
	umount $FOLD
	rmmod foldfs || fail "cannot be unloaded right after umount $i"
	load_foldfs
done

hits() {
	wc -l </tmp/hits
}

hunt foldfs-lender 9 >/tmp/hits &
hunter=$!
shared=0 mounts=0
while [ "$mounts" -lt 10 ] || [ "$(hits)" -lt 3 ]; do
	mounts=$(( mounts + 1 ))
	[ "$mounts" -le 100 ] || fail "only $(hits) lenders were hit in 100 mounts"
	mount_plain || fail "a killed lender fails mount $mounts"
	read_both
	[ "$saved" -lt 200 ] || shared=$(( shared + 1 ))
	umount $FOLD
done
kill $hunter
note "$(hits) lenders killed in $mounts mounts, of which $shared share"
mount_plain
read_both
assert_ge "$saved" 200 "pages saved after the hunt"
