# shows: pages_saved is right where very many ranges of files overlap, and while somebody
#        counts it nobody waits: files join, are written and removed meanwhile
# module: test
. /tests/lib.sh

PARAMETERS=/sys/module/foldfs/parameters

fresh_xfs
randfile $LOWER/image 16 5
mkdir $LOWER/apart
for (( i = 0; i < 300; i++ )); do
	cp --reflink=always $LOWER/image $LOWER/apart/$i
	dd if=/dev/urandom of=$LOWER/apart/$i bs=4k seek=$(( i * 13 + 5 )) count=1 conv=notrunc status=none
done
sync
fold_mount
for (( i = 0; i < 300; i++ )); do
	head -c 4096 $FOLD/apart/$i >/dev/null
done
joined() {
	[ "$(counter $FOLD references)" = "$1" ]
}
until_true 60 joined 600
cat $FOLD/image >/dev/null
until_true 60 joined 601
# All pages are cached once: the image shows all, each clone all but one.
assert_eq "$(counter $FOLD pages_cached)" 4096 "pages_cached"
assert_eq "$(counter $FOLD pages_saved)" $(( 300 * 4095 )) "pages_saved"

# Somebody counts, and takes his time.
echo 2000 >$PARAMETERS/count_delay_ms
cat "/sys/fs/foldfs/$(devno $FOLD)/pages_saved" >/dev/null &
counting=$!
sleeps() {
	grep -q msleep /proc/$counting/stack
}
until_true 30 sleeps
printf x | dd of=$FOLD/apart/0 bs=1 conv=notrunc status=none
rm $FOLD/apart/1
cp --reflink=always $FOLD/image $FOLD/another
head -c 4096 $FOLD/another >/dev/null
kill -0 $counting || fail "it has been counted before anything else was done"
echo 0 >$PARAMETERS/count_delay_ms
kill $counting
wait $counting || true
until_true 30 joined 600
# Of 0 one more page is its own; 1 has gone; another one shows all.
assert_eq "$(counter $FOLD pages_saved)" $(( 300 * 4095 - 1 - 4095 + 4096 )) "pages_saved"
