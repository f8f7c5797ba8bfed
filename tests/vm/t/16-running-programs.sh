# shows: a program that runs through the mount cannot be opened for writing or truncated,
#        through that mount, another one or below, and one that is open for writing by any of
#        these ways does not run
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/tree /mnt/second
fold_mount $LOWER/tree
fold_mount $LOWER/tree /mnt/second
ways="$FOLD /mnt/second $LOWER/tree"

cp /bin/sleep $FOLD/sleep
cp /bin/true $FOLD/true
for from in $ways; do
	$from/sleep 1000 &
	program=$!
	until_true 30 grep -q /sleep /proc/$program/maps
	# What it runs is what lies there: its child, and who forks it, hold it as well.
	for tree in $ways; do
		assert_fails "Text file busy" truncate -s 0 $tree/sleep
		assert_fails "Text file busy" dd if=/dev/zero of=$tree/sleep bs=1 count=1 conv=notrunc
	done
	kill $program
	wait $program || true
	for tree in $ways; do
		dd if=/bin/sleep of=$tree/sleep bs=1 count=1 conv=notrunc status=none
	done

	exec 5>>$from/true
	for tree in $ways; do
		assert_fails "Text file busy" $tree/true
	done
	exec 5>&-
	for tree in $ways; do
		$tree/true
	done
done

# A script does not keep its own file busy, nor an interpreter's once that runs.
printf '#!/bin/bash\nread -r _ <&6\n' >$FOLD/script
chmod +x $FOLD/script
mkfifo /run/go
$FOLD/script 6<>/run/go &
until_true 30 grep -q script /proc/$!/cmdline
for tree in $ways; do
	echo >>$tree/script
done
kill $!
wait $! || true
