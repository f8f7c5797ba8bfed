# shows: what is done to the lower tree around the mount is seen at the next look,
# open files and directories survive it, and file handles are those of the lower tree
# timeout: 150
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/stacked $LOWER/native
B=$LOWER/stacked	# below

# Random calls, many of them around the mount.
for option in rw nofold; do
	fold_mount $B $FOLD -o $option
	twins -s 11 -n 4000 -b 40 $FOLD $LOWER/native $B >/tmp/twins ||
		fail "$option: $(head -c 600 /tmp/twins)"
	note "$option: $(cat /tmp/twins)"
	umount $FOLD
	rm -rf ${B:?}/* $LOWER/native/*
done

# Names that were looked up and found, and looked up in vain.
fold_mount $B
echo one >$FOLD/a
assert_eq "$(cat $FOLD/a)" one "a file"
[ ! -e $FOLD/b ]
mv $B/a $B/b
assert_eq "$(cat $FOLD/b)" one "a file renamed below"
assert_fails "No such file" cat $FOLD/a
echo two >$B/new
mv $B/new $B/b
assert_eq "$(cat $FOLD/b)" two "a file replaced below"
chmod 600 $B/b
chown 5:6 $B/b
assert_eq "$(stat -c '%a %u %g' $FOLD/b)" "600 5 6" "attributes changed below"
assert_fails "Permission denied" setpriv --reuid=7 --regid=7 --clear-groups cat $FOLD/b
rm $B/b
assert_fails "No such file" cat $FOLD/b
mkdir $B/b
[ -d $FOLD/b ] || fail "a directory in the place of a file is not seen"
rmdir $B/b
ln -s elsewhere $B/b
assert_eq "$(readlink $FOLD/b)" elsewhere "a link in the place of a directory"
rm $B/b
[ ! -L $FOLD/b ]
echo three >$FOLD/b
assert_eq "$(cat $B/b)" three "a file made where others were"

# Directories that somebody is in.
mkdir -p $FOLD/dir/sub
echo text >$FOLD/dir/sub/file
cd $FOLD/dir/sub || fail "no directory"
exec 5<>file
mkdir $B/other
mv $B/dir $B/other/moved
assert_eq "$(cat file)" text "a file below a directory that was moved"
assert_eq "$(cat $FOLD/other/moved/sub/file)" text "the same by its new name"
assert_eq "$(pwd -P)" "$FOLD/other/moved/sub" "where we are"
assert_fails "No such file" ls $FOLD/dir
touch made
[ -e $B/other/moved/sub/made ] || fail "a file is made in the wrong place"
rm -r $B/other
assert_fails "No such file" touch again
assert_fails "No such file" cat $FOLD/other/moved/sub/file
assert_eq "$(cat <&5)" text "an open file that was removed below"
assert_eq "$(stat -L -c %h /proc/self/fd/5)" 0 "its links"
cd /
exec 5<&-

# What is mounted above stays when it is renamed above; what is mounted below is
# not seen.
mkdir -p $FOLD/x/mnt
mount -t tmpfs tmpfs $FOLD/x/mnt
touch $FOLD/x/mnt/inside
mv $FOLD/x $FOLD/y
[ -e $FOLD/y/mnt/inside ] || fail "a mount has gone with a rename"
assert_fails "busy" rmdir $FOLD/y/mnt
mount -t tmpfs tmpfs $B/y/mnt
touch $B/y/mnt/hidden
umount $FOLD/y/mnt
assert_eq "$(ls $FOLD/y/mnt)" "" "what is mounted below"
umount $B/y/mnt
mount -t tmpfs tmpfs $FOLD/y/mnt
mv $B/y $B/z
assert_fails "No such file" ls $FOLD/y/mnt
[ -d $FOLD/z/mnt ] || fail "a directory renamed below is not seen"

# Space comes back.
drop_caches
free() { stat -f -c %f $B; }
dd if=/dev/zero of=$FOLD/big bs=1M count=200 conv=fsync status=none
exec 5<$FOLD/big
full=$(free)
rm $B/big
ls $FOLD/big 2>/dev/null && fail "a removed file is still there"
assert_le "$(free)" $(( full + 1000 )) "free blocks while the file is open"
exec 5<&-
space_is_back() {
	[ "$(free)" -gt $(( full + 40000 )) ]
}
until_true 10 space_is_back

# Frozen: who writes waits, who reads does not. (Frozen from below, who writes waits
# with the file or directory locked.)
mkdir $FOLD/frozen
waits_or_ended() {
	! kill -0 "$1" 2>/dev/null || grep -q percpu_ "/proc/$1/stack"
}
for dir in $FOLD $LOWER; do
	echo text >$FOLD/cold
	fsfreeze -f $dir
	echo warm >$FOLD/cold &
	writer=$!
	touch $FOLD/frozen/new &
	maker=$!
	until_true 20 waits_or_ended $writer
	until_true 20 waits_or_ended $maker
	kill -0 $writer || fail "a write came through to a frozen filesystem"
	kill -0 $maker || fail "a file was made on a frozen filesystem"
	cat $FOLD/cold >/dev/null || fail "cannot read from a frozen filesystem"
	ls -l $FOLD >/dev/null || fail "cannot list a frozen filesystem"
	[ $dir = $LOWER ] || ls $FOLD/frozen >/dev/null ||
		fail "cannot list a directory that somebody wants to write to"
	fsfreeze -u $dir
	wait $writer || fail "the write failed"
	wait $maker || fail "the file could not be made"
	rm $FOLD/frozen/new
done

# Who thaws the mount does not thaw what somebody else froze below.
fsfreeze -f $LOWER
assert_fails "" fsfreeze -u $FOLD
assert_fails "" fsfreeze -f $LOWER
fsfreeze -u $LOWER

# Handles.
mkdir -p $B/h/dir/deep
echo handle >$B/h/dir/deep/file
for name in h h/dir h/dir/deep h/dir/deep/file; do
	assert_eq "$(handles get $FOLD/$name)" "$(handles get $B/$name)" "handle of $name"
done
file=$(handles get $FOLD/h/dir/deep/file)
deep=$(handles get $FOLD/h/dir/deep)
umount $FOLD
umount $LOWER
mount -t xfs $DISK $LOWER
fold_mount $B
assert_eq "$(handles cat $FOLD "$file")" handle "a file by its handle"
assert_eq "$(handles stat $FOLD "$deep")" \
	"$(stat -c %i $B/h/dir/deep) 0 $FOLD/h/dir/deep" "a directory by its handle"
assert_eq "$(handles stat $FOLD "$file")" "$(stat -c '%i %s' $B/h/dir/deep/file)" "a file by its handle"
assert_eq "$(cat $FOLD/h/dir/deep/file)" handle "the same file by its name"
mkdir $LOWER/outside
assert_fails "Stale" handles stat $FOLD "$(handles get $LOWER/outside)"
rm -r $B/h
drop_caches
assert_fails "Stale" handles stat $FOLD "$deep"
assert_fails "Stale" handles cat $FOLD "$file"
