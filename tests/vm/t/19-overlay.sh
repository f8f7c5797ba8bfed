# shows: an overlayfs whose lower layers are on foldfs reads, maps, runs and copies up
# what is there, and shares its pages; with its upper layer there it works as with
# one on XFS
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

# As the upper layer, too; what is done above is the same as with one on XFS.
umount $FOLD
mkdir -p $LOWER/uppers /mnt/native
in_overlay() {	# DIRECTORY
	mkdir $1/low $1/up $1/work
	cp /usr/bin/{bash,cat,sort,find} $1/low
	mkdir $1/low/dir
	cp /usr/bin/cat $1/low/dir
	mount -t overlay overlay -o lowerdir=$1/low,upperdir=$1/up,workdir=$1/work /mnt/over
	(
		cd /mnt/over || exit
		exec 2>&1
		head -c 5 dir/cat >>./cat
		./cat dir/cat >out; md5sum out
		mv sort dir/sorted
		ln dir/sorted name
		rm -r dir
		mkdir dir
		echo new >dir/new
		mv dir other
		rm find
		chmod 600 bash
		setfattr -n user.a -v b bash
		getfattr -d --absolute-names bash
		cp name copy
		xfs_io -c 'mmap 0 4096' -c 'mwrite 0 10' -c 'munmap' bash
		truncate -s 10 name
		./copy --version | head -n 1
		find . -printf '%p %y %m %n %s\n' | sort
		find . -type f -print0 | sort -z | xargs -0 md5sum
	)
	umount /mnt/over
	(cd $1/up && find . -printf '%p %y %m %n\n' | sort)
}
fold_mount $LOWER/uppers $FOLD -o upperdir
findmnt -n -o OPTIONS $FOLD | grep -q upperdir || fail "upperdir is not shown"
mkdir $LOWER/native
in_overlay $LOWER/native >/tmp/native
in_overlay $FOLD >/tmp/fold
diff /tmp/native /tmp/fold >/tmp/diff || fail "on XFS (<) and on foldfs (>): $(head -c 600 /tmp/diff)"
assert_ge "$(wc -l </tmp/fold)" 25 "answers"
note "upper layer: $(wc -l </tmp/fold) answers as on XFS"

# Without the option, overlayfs refuses: an operation that uprobes need is in its way.
umount $FOLD
fold_mount $LOWER/uppers
assert_fails "" mount -t overlay overlay -o lowerdir=$FOLD/low,upperdir=$FOLD/up,workdir=$FOLD/work /mnt/over
assert_fails "upperdir cannot be changed" mount -o remount,upperdir $FOLD
