# shows: programs executed from clones (8, then 64), with the libraries of the clones,
#        share their pages; /proc names the clone; a running program cannot be written
. /tests/lib.sh

lines_in() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# start DIR N [LIMIT]: execute the program from N clones and let each add up its table
# three times, and again until the page cache has grown by no more than LIMIT kB: what was
# mapped before it had joined shares when it is touched next. Sets $growth (kB), $pids
start() {
	local i before fd sum want="" n=$2 limit=${3:-} round waiting=$T/waiting.exec
	before=$(cached_kb)
	pids=() ends=()
	for (( i = 1; i <= n; i++ )); do
		mkfifo "/tmp/in$i"
		LD_LIBRARY_PATH="$1/c$i" "$1/c$i/bigexec" <"/tmp/in$i" >"/tmp/out$i" &
		pids+=($!)
		exec {fd}>"/tmp/in$i"
		ends+=("$fd")
	done
	[ -z "$limit" ] || echo "the page cache of $n programs to be at most $limit kB" >$waiting
	growth=$(( ${limit:-0} + 1 ))
	for (( round = 1; round <= 3 || growth > ${limit:-growth}; round++ )); do
		for fd in "${ends[@]}"; do
			echo x >&"$fd"
		done
		for (( i = 1; i <= n; i++ )); do
			until_true 30 lines_in "/tmp/out$i" $round
		done
		growth=$(( $(cached_kb) - before ))
	done
	rm -f $waiting
	for (( i = 1; i <= n; i++ )); do
		sum=$(sort -u "/tmp/out$i")
		assert_eq "$sum" "${want:=$sum}" "what the program in clone $i adds up"
	done
}

stop() {
	local i
	for i in "${ends[@]}"; do
		exec {i}>&-
	done
	wait "${pids[@]}"
	rm -f /tmp/in* /tmp/out*
}

fresh_xfs
mkdir $LOWER/c1
cp /usr/bin/bigexec $LOWER/c1/
for lib in $(/lib64/ld-linux-x86-64.so.2 --list /usr/bin/bigexec | awk '$2 == "=>" { print $3 }'); do
	cp -L "$lib" $LOWER/c1/
done
for (( i = 2; i <= 64; i++ )); do
	cp -r --reflink=always $LOWER/c1 $LOWER/c$i
done
unique=$(du -sk $LOWER/c1 | cut -f1)

drop_caches
start $LOWER 8
stop
note "8 running clones of a program of $unique kB: plain XFS caches $growth kB"
assert_ge "$growth" $(( unique * 5 )) "page cache of running clones on plain XFS (kB)"

fold_mount
drop_caches
start $FOLD 8 $(( unique * 105 / 100 ))
note "8 running clones of a program of $unique kB: foldfs caches $growth kB"

# What /proc says of the third one.
pid=${pids[2]}
exe=$FOLD/c3/bigexec
assert_eq "$(readlink "/proc/$pid/exe")" "$exe" "/proc/PID/exe"
assert_eq "$(stat -L -c %d:%i "/proc/$pid/exe")" "$(stat -c %d:%i "$exe")" "inode of /proc/PID/exe"
assert_same "/proc/$pid/exe" $LOWER/c3/bigexec
for file in "$exe" $FOLD/c3/libc.so.6; do
	line=$(grep -m 1 " $file\$" "/proc/$pid/maps") || fail "$file is not in /proc/PID/maps"
	read -r range _ _ dev ino _ <<<"$line"
	assert_eq "$ino" "$(stat -c %i "$file")" "inode of $file in /proc/PID/maps"
	assert_eq "$(( 0x${dev%:*} )):$(( 0x${dev#*:} ))" "$(stat -c %Hd:%Ld "$file")" \
		"device of $file in /proc/PID/maps"
	assert_eq "$(readlink "/proc/$pid/map_files/$range")" "$file" "/proc/PID/map_files"
	assert_eq "$(stat -L -c %d:%i "/proc/$pid/map_files/$range")" "$(stat -c %d:%i "$file")" \
		"inode of $file in /proc/PID/map_files"
done
if grep -q "$LOWER" "/proc/$pid/maps"; then
	fail "/proc/PID/maps names lower files"
fi

assert_fails "Text file busy" dd if=/dev/zero of="$exe" bs=1 count=1 conv=notrunc
stop
: >>"$exe"
exec 7>>"$exe"
assert_fails "Text file busy" "$exe"
exec 7>&-

umount $FOLD
fold_mount
drop_caches
start $FOLD 64 $(( unique * 105 / 100 ))
note "64 running clones of a program of $unique kB: foldfs caches $growth kB"
stop
