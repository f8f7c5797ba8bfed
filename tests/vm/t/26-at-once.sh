# shows: clones that are read for the first time at the same moment all join, in one try:
#        2, 4, 8 and 16 of them with 1,500 extents each, and clones that have drifted apart
#        beside; and none of them costs the others more looks than its own, nor do those
#        who ask for the extents hand XFS's buffers to one another for each
# smp: 4
# timeout: 400
# module: test
. /tests/lib.sh

PIECES=$(sized 1500 300)

# One page for each: nothing is merged, on the disk or in the table of fragments.
make_clones() {	# DIRECTORY N
	local i
	mkdir $LOWER/$1
	cp --reflink=always $LOWER/pieces $LOWER/$1/1
	for (( i = 2; i <= $2; i++ )); do
		cp --reflink=always $LOWER/$1/1 $LOWER/$1/$i
	done
}

fresh_xfs
randfile $LOWER/source 6 3
atonce reversed $LOWER/source $LOWER/pieces $PIECES
for n in 2 4 8 16; do
	make_clones d$n $n
done
sync
# How often the threads that ask for extents have waited for something.
waits() {
	local comm
	for comm in /proc/[0-9]*/comm; do
		! grep -qs '^foldfs-query' "$comm" || cat "${comm%comm}status"
	done | awk '$1 == "voluntary_ctxt_switches:" { n += $2 } END { print n + 0 }'
}
# A reader goes on after half a second; the join that it began ends all the same.
all_joined() {	# REFERENCES
	[ "$(counter $FOLD references)" = "$1" ]
}
for n in 2 4 8 16; do
	fold_mount $LOWER/d$n
	echo 1 >/sys/module/foldfs/parameters/turns_last
	drop_caches 1
	before=$(waits)
	atonce read $FOLD/*
	until_true 60 all_joined $(( n * PIECES ))
	waited=$(( ($(waits) - before) / n ))
	echo "of $n each waited $waited times"
	for (( i = 1; i <= n; i++ )); do
		assert_same $FOLD/$i $LOWER/pieces
	done
	umount $FOLD
done
note "of 16 that joined at once each waited $waited times"
assert_le $waited $(( PIECES / 3 )) "waits of a join beside 15 others"
note "of 2, 4, 8 and 16 clones of $PIECES extents that began at once all joined"

# Each has one block of its own, so none has quite the same runs as another.
mkdir $LOWER/apart
for (( i = 0; i < 16; i++ )); do
	cp --reflink=always $LOWER/source $LOWER/apart/$i
	dd if=/dev/urandom of=$LOWER/apart/$i bs=4k seek=$(( i * 80 + 40 )) count=1 conv=notrunc status=none
done
sync
fold_mount $LOWER/apart
drop_caches 1
atonce read $FOLD/*
until_true 60 all_joined 32
for (( i = 0; i < 16; i++ )); do
	assert_same $FOLD/$i $LOWER/apart/$i
done
