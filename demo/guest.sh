# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The part of the demo that runs in the VM, after tests/vm/lib.sh. The tree is a
# tar archive on /dev/vdb, clones are made on /dev/vda, and each filesystem is
# measured in turn, with all caches dropped before.
#
# Lines of output that begin with "RESULT" are for demo/run:
#	RESULT FILESYSTEM KEY VALUE
# All other lines tell people how far it has come.

export LC_ALL=C
CLONES=16
TREES=/mnt/lower/trees
VIEW=/mnt/view		# where overlayfs and foldfs are mounted

result() {
	echo "RESULT $*"
}

mb() {	# kB
	echo "$(( ($1 + 512) / 1024 )) MB"
}

clone() {	# NUMBER: its directory's name
	printf 'clone-%02d' "$1"
}

# disk_kb: how much of the disk is in use
disk_kb() {
	sync -f /mnt/lower
	df -k --output=used /mnt/lower | tail -n 1 | tr -d ' '
}

make_trees() {
	local i
	echo "Making an XFS disk with $CLONES reflink clones of the tree"
	fresh_xfs /dev/vda /mnt/lower || exit 1
	mkdir -p $TREES/golden
	tar -xf /dev/vdb -C $TREES/golden || exit 1
	ln -s usr/lib $TREES/golden/lib
	ln -s usr/lib64 $TREES/golden/lib64
	mkdir $TREES/golden/proc
	sync
	result all tree_kb "$(du -sk --apparent-size $TREES/golden | cut -f 1)"
	result all tree_files "$(find $TREES/golden -type f | wc -l)"
	result all tree_disk_kb "$(disk_kb)"
	for i in $(seq $CLONES); do
		cp -a --reflink=always $TREES/golden "$TREES/$(clone "$i")" || exit 1
	done
	sync
	result all clones_disk_kb "$(disk_kb)"
	python=$(cd $TREES/golden/usr/bin && echo python3*)
	big=$(cd $TREES/golden && find usr/lib -type f -name '*.so*' -printf '%s %p\n' |
		sort -rn | head -n 1 | cut -d ' ' -f 2)
	result all big_kb "$(( $(stat -c %s "$TREES/golden/$big") / 1024 ))"
}

# Each filesystem shows the clones as $VIEW/clone-NN.
show() {	# FILESYSTEM
	local i d
	mkdir -p $VIEW
	case $1 in
	xfs)
		mount --bind $TREES $VIEW
		;;
	foldfs)
		mount -t foldfs $TREES $VIEW
		;;
	overlayfs)
		for i in $(seq $CLONES); do
			d=$(clone "$i")
			mkdir -p "$VIEW/$d" "/mnt/lower/overlay/$d/upper" "/mnt/lower/overlay/$d/work"
			mount -t overlay overlay -o "lowerdir=$TREES/golden,upperdir=/mnt/lower/overlay/$d/upper,workdir=/mnt/lower/overlay/$d/work" \
				"$VIEW/$d" || return 1
		done
		;;
	esac
}

hide() {	# FILESYSTEM
	case $1 in
	overlayfs) umount $VIEW/* ;;
	*) umount $VIEW ;;
	esac
}

read_clones() {	# FILESYSTEM
	local i bytes files seconds
	for i in $(seq $CLONES); do
		read -r bytes files seconds < <(/demo/probe read "$VIEW/$(clone "$i")")
		kb=$(( $(cached_kb) - base ))
		result "$1" "cache_kb.$i" $kb
		result "$1" "seconds.$i" "$seconds"
		echo "  clone $i of $CLONES read: $files files, $(( bytes / 1000000 )) MB, $seconds s; page cache $(mb $kb)"
	done
}

# The sum over all python processes of a line of smaps_rollup, in kB.
sum_kb() {	# KEY
	local i
	for i in $(seq $CLONES); do
		cat "/proc/${pid[$i]}/smaps_rollup"
	done | awk -v key="$1:" '$1 == key { s += $2 } END { print s + 0 }'
}

# Starts one python in each clone, in a mount namespace of its own where it has /proc.
start_pythons() {
	local i dir start
	mkdir -p /run/demo
	start=$(now_us)
	for i in $(seq $CLONES); do
		dir=$VIEW/$(clone "$i")
		rm -f "/run/demo/in.$i" "/run/demo/out.$i"
		mkfifo "/run/demo/in.$i" "/run/demo/out.$i"
		# shellcheck disable=SC1083,SC2093	# these are array elements, and only redirections
		exec {in[i]}<>"/run/demo/in.$i" {out[i]}<>"/run/demo/out.$i"
		# shellcheck disable=SC2016	# the inner shell expands
		unshare -m bash -c 'mount -t proc proc "$1/proc" && exec chroot "$1" "/usr/bin/$2" -B -S -u -c "$3"' \
			- "$dir" "$python" "$(cat /demo/application.py)" \
			<"/run/demo/in.$i" >"/run/demo/out.$i" &
		pid[i]=$!
	done
	for i in $(seq $CLONES); do
		read -r -t 120 line <&"${out[i]}" || return 1
	done
	result "$1" python_seconds "$(( ($(now_us) - start) / 1000 ))e-3"
}

# Asks every python for the checksum of what it has mapped; all must agree.
ask_pythons() {
	local i line first=
	for i in $(seq $CLONES); do
		echo >&"${in[i]}"
		read -r -t 120 line <&"${out[i]}" || return 1
		[ -n "$first" ] || first=$line
		[ "$line" = "$first" ] || return 1
	done
	checksum=$first
}

stop_pythons() {
	local i
	for i in $(seq $CLONES); do
		[ -n "${pid[i]:-}" ] || continue
		kill -KILL "${pid[i]}"
		wait "${pid[i]}" 2>/dev/null
		# shellcheck disable=SC1083,SC2093	# as above
		exec {in[i]}>&- {out[i]}>&-
	done
	pid=()
}

run_pythons() {	# FILESYSTEM
	start_pythons "$1" || { echo "  python3 did not start"; return 1; }
	ask_pythons || { echo "  the python3 processes do not agree"; return 1; }
	result "$1" pss_kb "$(sum_kb Pss)"
	result "$1" pss_file_kb "$(sum_kb Pss_File)"
	result "$1" pss_anon_kb "$(sum_kb Pss_Anon)"
	result "$1" rss_kb "$(sum_kb Rss)"
	echo "  $CLONES python3 processes, one in each clone: PSS $(mb "$(sum_kb Pss)") together, $(mb "$(sum_kb Pss_File)") of it files"
}

# One byte in the middle of the tree's largest library, in the first clone; then
# the file is read again, as its next user would.
write_one_byte() {	# FILESYSTEM
	local file cache disk
	file=$VIEW/$(clone 1)/$big
	cat "$file" >/dev/null
	disk=$(disk_kb)
	cache=$(cached_kb)
	/demo/probe poke "$file" || return 1
	cat "$file" >/dev/null
	result "$1" write_disk_kb "$(( $(disk_kb) - disk ))"
	cache=$(( $(cached_kb) - cache ))
	result "$1" write_cache_kb "$(( cache > 0 ? cache : 0 ))"
	echo "  one byte written into a library of one clone: $cache kB more page cache"
	cmp -s "$VIEW/$(clone 2)/$big" "$TREES/golden/$big" || { echo "  the byte shows up elsewhere"; return 1; }
	cmp -s "$file" "$TREES/golden/$big" && { echo "  the byte is lost"; return 1; }
	# The next filesystem shall find a clone again.
	cp --reflink=always "$TREES/golden/$big" "$TREES/$(clone 1)/$big"
}

# reserve_kb: free memory that the kernel keeps for itself
reserve_kb() {
	awk '$1 == "high" { pages += $2 } END { print pages * 4 }' /proc/zoneinfo
}

# A program asks for all memory that is free and for 40 % of the cache. The python
# processes have their libraries mapped meanwhile, and must find them again.
squeeze() {	# FILESYSTEM
	local before after want kills hog line alive=0 i start old=$checksum
	before=$(( $(cached_kb) - base ))
	want=$(( $(meminfo MemFree) - $(reserve_kb) + before * 4 / 10 ))
	kills=$(vmstat oom_kill)
	start=$(now_us)
	rm -f /run/demo/hog.*
	mkfifo /run/demo/hog.in /run/demo/hog.out
	exec {hogin}<>/run/demo/hog.in {hogout}<>/run/demo/hog.out
	/demo/probe hog $(( want * 1024 )) </run/demo/hog.in >/run/demo/hog.out &
	hog=$!
	while ! read -r -t 1 line <&"$hogout"; do
		[ -d /proc/$hog ] || { line=killed; break; }
	done
	after=$(( $(cached_kb) - base ))
	start=$(( ($(now_us) - start) / 1000 ))e-3
	kill -KILL $hog
	wait $hog 2>/dev/null
	exec {hogin}>&- {hogout}>&-
	for i in $(seq $CLONES); do
		[ -d "/proc/${pid[i]}" ] && alive=$(( alive + 1 ))
	done
	kills=$(( $(vmstat oom_kill) - kills ))
	result "$1" hog_kb $want
	result "$1" hog_seconds "$start"
	result "$1" hog_before_kb $before
	result "$1" hog_after_kb $after
	result "$1" hog_got_it "$([ "$line" = held ] && echo yes || echo no)"
	result "$1" oom_kills $kills
	result "$1" alive $alive
	echo "  a program wants $(mb $want): page cache $(mb $before) -> $(mb $after), OOM kills: $kills"
	if ! ask_pythons || [ "$checksum" != "$old" ]; then
		echo "  the python3 processes do not answer as before"
		return 1
	fi
	result "$1" answers_right "$CLONES"
}

measure() {	# FILESYSTEM
	local status=0
	show "$1" || return 1
	drop_caches
	base=$(cached_kb)
	read_clones "$1"
	run_pythons "$1" && write_one_byte "$1" && squeeze "$1" || status=1
	if [ "$1" = foldfs ] && [ -x /usr/bin/foldctl ]; then
		foldctl status $VIEW
	fi
	stop_pythons
	hide "$1" || status=1
	return $status
}

declare -a pid in out
make_trees
echo "Plain XFS"
measure xfs || result xfs failed yes
echo "overlayfs, $CLONES mounts over one lower directory"
measure overlayfs || result overlayfs failed yes
if [ -e /foldfs.ko ]; then
	echo "foldfs over the XFS clones"
	measure foldfs || result foldfs failed yes
fi
umount /mnt/lower
result all kernel "$(uname -r)"
result all memory_kb "$(meminfo MemTotal)"
result all finished yes
