# shows: where the disk cannot be read, those who ask get EIO or SIGBUS, nobody keeps
#        a page of it, and a later good read works; the same with a disk that fails
#        now and then, with a page of memory that fails, and with a full disk
# allows: I/O error|Memory failure|[Ii]njecting memory failure|hwpoison|Corrupt page|recovery action
. /tests/lib.sh

need_module dm_mod
sectors=$(blockdev --getsz $DISK)
dm() {	# TABLE
	dmsetup suspend --noflush --nolockfs bad
	dmsetup load bad --table "$1"
	dmsetup resume bad
}
dmsetup create bad --table "0 $sectors linear $DISK 0"
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor bad)
fresh_xfs $dev
random_file $LOWER/a 4
cp --reflink=always $LOWER/a $LOWER/b
random_file $LOWER/c 1 2
cp --reflink=always $LOWER/c $LOWER/d
cp $LOWER/a /tmp/a
cp $LOWER/c /tmp/c
at=$(filefrag -v -b512 $LOWER/a | awk '$1 == "0:" { sub("\\.\\.", "", $4); print $4 }')
[ "$at" -gt 0 ] || fail "where is it? $(filefrag -v $LOWER/a)"
drop_caches

# ---- the second MiB of a and b cannot be read -----------------------------------
bad=$(( at + 2048 ))
fold_mount
head -c 4096 $FOLD/a | cmp - <(head -c 4096 /tmp/a) || fail "a, at first"
head -c 4096 $FOLD/b | cmp - <(head -c 4096 /tmp/a) || fail "b, at first"
drop_caches 1
dm "0 $bad linear $DISK 0
$bad 2048 error
$(( bad + 2048 )) $(( sectors - bad - 2048 )) linear $DISK $(( bad + 2048 ))"
for f in a b a; do
	assert_fails "Input/output error" dd if=$FOLD/$f of=/dev/null bs=4k skip=300 count=1
	assert_fails "Input/output error" dd if=$FOLD/$f of=/dev/null bs=1M skip=1 count=1
	assert_eq "$(mapped-byte $FOLD/$f 1300000)" SIGBUS "a mapped byte of $f that cannot be read"
	# What lies before and behind it can be.
	dd if=$FOLD/$f bs=1M count=1 status=none | cmp - <(head -c 1M /tmp/a) || fail "$f, the MiB before"
	dd if=$FOLD/$f bs=1M skip=2 status=none | cmp - <(tail -c 2M /tmp/a) || fail "$f, the MiB behind"
done
for f in c d; do
	assert_same $FOLD/$f /tmp/c
done
dm "0 $sectors linear $DISK 0"
assert_same $FOLD/a /tmp/a
assert_same $FOLD/b /tmp/a
assert_ge "$(counter $FOLD pages_saved)" 1000 "pages saved when the disk is well again"
assert_eq "$(mapped-byte $FOLD/b 1300000)" "$(od -An -tu1 -j1300000 -N1 /tmp/a | tr -d ' ')" "a mapped byte, at last"

# ---- now and then ------------------------------------------------------------------
need_module dm_flakey
dm "0 $sectors flakey $DISK 0 1 1 1 error_reads"
errors=0 good=0
while [ $errors -lt 4 ] || [ $good -lt 4 ]; do
	for f in a b; do
		echo 1 >/proc/sys/vm/drop_caches
		if cat $FOLD/$f >/tmp/got 2>/dev/null; then
			cmp /tmp/got /tmp/a || fail "$f, read from a disk that fails now and then"
			good=$(( good + 1 ))
		else
			cmp -n "$(stat -c %s /tmp/got)" /tmp/got /tmp/a || fail "$f, as far as it could be read"
			errors=$(( errors + 1 ))
		fi
	done
done
note "a disk that fails now and then: $good good reads, $errors errors"
dm "0 $sectors linear $DISK 0"
for f in a b; do
	assert_same $FOLD/$f /tmp/a
done

# ---- memory ------------------------------------------------------------------------
poison $FOLD/a $FOLD/b /tmp/a

# ---- a full disk: below as above -----------------------------------------------------
for tree in $LOWER $FOLD; do
	cp --reflink=always $tree/a $tree/full
	sync -f $tree
	fallocate -l "$(( $(df --output=avail -B1 $LOWER | tail -n 1) - 16384 ))" $LOWER/fill 2>/dev/null ||
		fallocate -l "$(( $(df --output=avail -B1 $LOWER | tail -n 1) * 98 / 100 ))" $LOWER/fill
	while dd if=/dev/zero of=$LOWER/more bs=4k count=1000 oflag=append conv=notrunc,fsync status=none 2>/dev/null; do :; done
	assert_fails "No space left" dd if=/dev/zero of=$tree/full bs=1M count=4 conv=notrunc,fsync
	mapped-byte store $tree/full 2000000 >"/tmp/stored.$(basename $tree)"
	assert_same $tree/b /tmp/a
	rm -f $LOWER/fill $LOWER/more
	rm -f $tree/full
	sync -f $tree
done
note "stores when the disk is full: $(cat /tmp/stored.lower) below, $(cat /tmp/stored.fold) above"
umount $FOLD
umount $LOWER
xfs_repair -n $dev >/dev/null 2>&1 || fail "xfs_repair finds damage"
dmsetup remove bad
