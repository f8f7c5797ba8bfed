# shows: thousands of random system calls answer on foldfs as they do on XFS, and
# leave the same tree behind; directories are read and sought alike
# timeout: 200
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/stacked $LOWER/native

both() {	# OPTION SEED CALLS
	rm -rf $LOWER/stacked/* $LOWER/native/*
	fold_mount $LOWER/stacked $FOLD -o "$1"
	twins -s "$2" -n "$3" $FOLD $LOWER/native >/tmp/twins ||
		fail "$1, seed $2: $(head -c 600 /tmp/twins)"
	note "$1: $(tail -n 1 /tmp/twins)"
	umount $FOLD
}
both rw 1 6000
both rw 2 6000
both nofold 3 4000

# One upper inode for all names of a file, also after it was forgotten.
rm -rf $LOWER/stacked/*
fold_mount $LOWER/stacked
mkdir $FOLD/dir
echo one >$FOLD/dir/a
ln $FOLD/dir/a $FOLD/b
ln $LOWER/stacked/b $LOWER/stacked/below
for _ in 1 2; do
	assert_eq "$(stat -c '%i %h' $FOLD/dir/a)" "$(stat -c '%i %h' $FOLD/b)" "link"
	assert_eq "$(stat -c '%i %h' $FOLD/below)" "$(stat -c '%i %h' $FOLD/b)" "link"
	drop_caches
done
exec 5<$FOLD/dir/a
rm $FOLD/dir/a $FOLD/b $FOLD/below
assert_eq "$(cat <&5)" one "a file without a name"
assert_eq "$(stat -L -c %h /proc/self/fd/5)" 0 "its links"
exec 5<&-

# What is special about special files is on this side.
mkfifo $FOLD/fifo
echo through >$FOLD/fifo &
assert_eq "$(cat $FOLD/fifo)" through "what came through a FIFO"
mknod $FOLD/null c 1 3
echo gone >$FOLD/null
assert_eq "$(stat -c '%t %T %s' $FOLD/null)" "1 3 0" "a device"

# Entries and positions of a directory of several blocks.
mkdir $FOLD/many
(cd $FOLD/many && seq -f 'a-name-of-some-length-%g' 3000 | xargs touch)
for dir in $FOLD/many $LOWER/stacked/many; do
	dirpos $dir >"/tmp/dirpos.$(stat -f -c %T $dir)$(basename "$(dirname $dir)")" ||
		fail "$dir cannot be sought"
done
assert_same /tmp/dirpos.*fold /tmp/dirpos.*stacked
assert_eq "$(wc -l </tmp/dirpos.*fold)" 3002 "entries"
rm -r $FOLD/many
assert_eq "$(echo $LOWER/stacked/*)" "$(echo $FOLD/* | sed "s,$FOLD,$LOWER/stacked,g")" "names"
