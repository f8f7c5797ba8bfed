# shows: on the KCSAN kernel, a data race that is planted in foldfs is found
# expect: ^fail: kernel: BUG: KCSAN: data-race in fold_test_race.*$
# kernels: kcsan
# module: test
# timeout: 60
. /tests/lib.sh

fresh_xfs
random_file $LOWER/a 4
cp --reflink=always $LOWER/a $LOWER/b
fold_mount
cat $FOLD/a $FOLD/b >/dev/null
joined() { [ "$(counter $FOLD joins)" -ge 2 ]; }
until_true 60 joined
# To its end: a grep that stops early fails the pipe.
reported() { dmesg | grep 'KCSAN: data-race in fold_test_race' >/dev/null; }
echo Y >/sys/module/foldfs/parameters/race
for _ in 1 2 3 4; do
	until reported; do
		for _ in 1 2 3 4 5; do
			dd if=$FOLD/a of=/dev/null bs=4k status=none
		done
	done &
done
wait
