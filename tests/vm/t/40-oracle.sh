# shows: processes that read and change reflinked files in all ways at once, around
#        the mount and through a second one as well, never see a word that it cannot
#        be at that moment
# timeout: 240
. /tests/lib.sh

# run SEED SECONDS PROCESSES [-o] [-m MOUNT]: again with another seed until there was
# something to judge, however slow the machine
run() {
	local seed=$1 joins breaks fills more=("${@:4}")
	joins=$(counter $FOLD joins) breaks=$(counter $FOLD breaks) fills=$(counter $FOLD fills)
	until [ $(( $(counter $FOLD joins) - joins )) -ge 100 ] &&
	      [ $(( $(counter $FOLD breaks) - breaks )) -ge 100 ] &&
	      [ $(( $(counter $FOLD fills) - fills )) -ge 200 ]; do
		[ "$seed" -lt $(( $1 + 100 )) ] || fail "nothing is shared: seeds $1 to $seed"
		mkdir $FOLD/seed$seed
		[ -z "${5:-}" ] || more=(-m "$5/seed$seed")
		oracle -s $seed -t "$2" -p "$3" "${more[@]}" $FOLD/seed$seed $LOWER/seed$seed >/tmp/done ||
			fail "seed $seed"
		note "seed $seed: $(cat /tmp/done)"
		seed=$(( seed + 10 ))
	done
	joins=$(( $(counter $FOLD joins) - joins ))
	breaks=$(( $(counter $FOLD breaks) - breaks ))
	fills=$(( $(counter $FOLD fills) - fills ))
	note "seed $1: joins $joins, breaks $breaks, fills $fills"
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
run 3 25 4 -m /mnt/second
assert_ge "$(counter /mnt/second joins)" 30 "joins of the second mount"
