# shows: an overlayfs whose lower layers are on foldfs reads, maps, runs and copies up
# what is there, and shares its pages
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/layers/one $LOWER/upper $LOWER/work /mnt/over
cp /usr/bin/{bash,cat,sort,find} $LOWER/layers/one
random_file $LOWER/layers/one/data 4
cp -a --reflink=always $LOWER/layers/one $LOWER/layers/two
sync
fold_mount $LOWER/layers
for layer in one two; do
	mount -t overlay overlay -o lowerdir=$FOLD/$layer,upperdir=$LOWER/upper,workdir=$LOWER/work /mnt/over
	assert_same /mnt/over/data $LOWER/layers/one/data
	assert_eq "$(/mnt/over/bash -c '/mnt/over/cat /mnt/over/data | sha256sum')" \
		"$(sha256sum <$LOWER/layers/one/data)" "what programs there read"
	echo changed >>/mnt/over/data
	mv /mnt/over/data /mnt/over/moved
	rm /mnt/over/cat
	assert_eq "$(tail -c 8 /mnt/over/moved)" changed "what was copied up"
	assert_same $FOLD/$layer/data $LOWER/layers/one/data
	[ -e $FOLD/$layer/cat ] || fail "something was removed from the lower layer"
	umount /mnt/over
	rm -rf $LOWER/upper $LOWER/work
	mkdir $LOWER/upper $LOWER/work
done
note "pages saved: $(counter $FOLD pages_saved)"
assert_ge "$(counter $FOLD pages_saved)" 1000 "pages saved"

# A filesystem whose names are looked up anew is none to write through to.
assert_fails "" mount -t overlay overlay -o lowerdir=$FOLD/one,upperdir=$FOLD/two,workdir=$FOLD /mnt/over
