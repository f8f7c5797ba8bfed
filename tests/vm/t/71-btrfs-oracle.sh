# shows: on Btrfs, plain and compressed, processes that read and change reflinked files in
#        all ways at once never see a word that it cannot be at that moment
# mem: 1500M
# timeout: 400
. /tests/lib.sh

# run SEED SECONDS PROCESSES [-o]: again with another seed until there was something to judge
run() {
	local seed=$1 joins breaks fills
	joins=$(counter $FOLD joins) breaks=$(counter $FOLD breaks) fills=$(counter $FOLD fills)
	until [ $(( $(counter $FOLD joins) - joins )) -ge 100 ] &&
	      [ $(( $(counter $FOLD breaks) - breaks )) -ge 100 ] &&
	      [ $(( $(counter $FOLD fills) - fills )) -ge 100 ]; do
		[ "$seed" -lt $(( $1 + 1000 )) ] || fail "nothing is shared: seeds $1 to $seed"
		mkdir $FOLD/seed$seed
		oracle -s $seed -t "$2" -p "$3" "${@:4}" $FOLD/seed$seed $LOWER/seed$seed >/tmp/done ||
			fail "seed $seed"
		note "$how, seed $seed: $(cat /tmp/done)"
		seed=$(( seed + 10 ))
	done
	note "$how, seed $1: joins $(( $(counter $FOLD joins) - joins )), breaks $(( $(counter $FOLD breaks) - breaks )), fills $(( $(counter $FOLD fills) - fills ))"
}

how=plain
fresh_btrfs
# The oracle itself, on what is known to be right.
mkdir $LOWER/native
oracle -s 1 -t 5 -p 4 $LOWER/native $LOWER/native >/tmp/done || fail "the oracle rejects plain Btrfs"
note "without foldfs: $(cat /tmp/done)"
fold_mount
run 1 "${SECONDS_EACH:-20}" 4
run 2 "${SECONDS_EACH:-15}" 3 -o
umount $FOLD
umount $LOWER

how=compressed
fresh_btrfs
mount -o remount,compress-force=zstd $LOWER
fold_mount
run 3 "${SECONDS_EACH:-20}" 4
