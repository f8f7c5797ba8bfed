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
until_true 10 joined
echo Y >/sys/module/foldfs/parameters/race
for reader in 1 2 3 4; do
	while ! dmesg | grep -q 'KCSAN: data-race in fold_test_race'; do
		for i in 1 2 3 4 5; do
			dd if=$FOLD/a of=/dev/null bs=4k status=none
		done
	done &
done
wait
