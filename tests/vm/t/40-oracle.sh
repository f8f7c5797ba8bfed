# shows: processes that read and change reflinked files in all ways at once, around
#        the mount and through a second one as well, never see a word that it cannot
#        be at that moment
# timeout: 240
. /tests/lib.sh

# run SEED SECONDS PROCESSES [-o] [-m DIR2]
run() {
	local joins breaks fills
	mkdir $FOLD/seed$1
	joins=$(counter $FOLD joins) breaks=$(counter $FOLD breaks) fills=$(counter $FOLD fills)
	oracle -s "$1" -t "$2" -p "$3" "${@:4}" $FOLD/seed$1 $LOWER/seed$1 >/tmp/done ||
		fail "seed $1"
	note "seed $1: $(cat /tmp/done)"
	joins=$(( $(counter $FOLD joins) - joins ))
	breaks=$(( $(counter $FOLD breaks) - breaks ))
	fills=$(( $(counter $FOLD fills) - fills ))
	note "seed $1: joins $joins, breaks $breaks, fills $fills"
	# Without sharing there is nothing to judge.
	assert_ge "$joins" 100 "joins"
	assert_ge "$breaks" 100 "breaks"
	assert_ge "$fills" 200 "fills"
}

fresh_xfs
# The oracle itself, on what is known to be right.
mkdir $LOWER/native
oracle -s 1 -t 8 -p 5 $LOWER/native $LOWER/native >/tmp/done || fail "the oracle rejects plain XFS"

fold_mount
run 1 30 5
run 2 20 3 -o
# The second mount is over the same files, and has the same cache.
fold_mount $LOWER /mnt/second
run 3 25 4 -m /mnt/second/seed3
assert_ge "$(counter /mnt/second joins)" 100 "joins of the second mount"
