# shows: mounting, using and unmounting foldfs again and again holds no more
#        memory than doing it twice: no object of its slab caches, nothing that
#        its functions allocated with kmalloc or vmalloc, no page; the kernel
#        records who allocated what for this
# args: slub_debug=U,kmalloc-*
# timeout: 240
# kernels: stock
. /tests/lib.sh

CLONES=8

cycle() {
	local i d
	fold_mount
	for i in $(seq $CLONES); do
		d=$FOLD/tree$i
		cp -r --reflink=always $FOLD/tree "$d"
		cat "$d"/* >/dev/null
		xfs_io -c "mmap -rw 0 1m" -c "mread 0 1m" \
			-c "pwrite -q 12k 4k" -c "mwrite 512k 4k" \
			-c "fpunch 768k 32k" -c "truncate 900k" \
			-c "reflink $d/b 0 64k 64k" "$d/a" >/dev/null
		dd if=/dev/zero of="$d/a" bs=8k count=1 seek=32 oflag=direct \
			conv=notrunc status=none
		setfattr -n user.note -v "$i" "$d/a"
		ln "$d/a" "$d/hard"
		mv "$d/b" "$d/c"
		ln -s c "$d/soft"
		"$d/true"
	done
	cmp $FOLD/tree1/c $FOLD/tree2/c || fail "clones differ"
	( exec 5<$FOLD/tree1/c; rm $FOLD/tree1/c; cat <&5 >/dev/null )
	[ "$(counter $FOLD joins)" -gt 0 ] || fail "nothing was shared, so nothing was tested"
	rm -r $FOLD/tree?*
	umount $FOLD
	drop_caches
}

# Objects now allocated with one of foldfs's functions on the stack.
kmallocs() {
	cat /sys/kernel/debug/slab/kmalloc-*/alloc_traces | awk '
		/^ *[0-9]+ [^ ]/ { flush(); n = $1; ours = 0 }
		/\[foldfs\]/ { ours = 1 }
		function flush() { if (ours) sum += n; ours = 0 }
		END { flush(); print sum + 0 }'
}

# What a mount held is freed a while after its umount, after RCU's grace period
# and by workers, so that one count says too much: the lowest of seven counts, or of
# as many as it takes to come below a limit.
settled_kmallocs() { # [LIMIT]
	local i n low
	low=$(kmallocs)
	[ -z "${1:-}" ] || echo "no more than $1 objects of kmalloc, now $low" >$T/waiting.kmalloc
	for (( i = 0; i < 6 || low > ${1:-low}; i++ )); do
		sleep 0.5
		n=$(kmallocs)
		[ "$n" -ge "$low" ] || low=$n
	done
	rm -f $T/waiting.kmalloc
	echo "$low"
}

vmallocs() {
	grep -c '\[foldfs\]' /proc/vmallocinfo || true
}

slab_objects() {
	local s sum=0 n
	for s in /sys/kernel/slab/foldfs_*; do
		echo 1 >"$s/shrink"
		read -r n _ <"$s/objects"
		sum=$(( sum + n ))
	done
	echo $sum
}

free_kb() {
	echo 1 >/proc/sys/vm/compact_memory
	meminfo MemFree
}

fresh_xfs
mkdir $LOWER/tree
random_file $LOWER/tree/a 1 1
random_file $LOWER/tree/b 1 2
cp "$(readlink -f /usr/bin/true)" $LOWER/tree/true
sync

cycle
cycle
kmallocs=$(settled_kmallocs)
vmallocs=$(vmallocs)
objects=$(slab_objects)
free=$(free_kb)

for _ in 1 2 3 4; do
	cycle
done
left=$(settled_kmallocs $(( kmallocs + 16 )))
note "allocations of foldfs alive after 2 rounds: $kmallocs, after 6: $left"
note "slab objects: $objects, $(slab_objects); vmalloc areas: $vmallocs, $(vmallocs)"
note "free memory: $free kB, $(free_kb) kB"

# One object leaked for each clone of each round would be 32 more.
assert_le "$left" $(( kmallocs + 16 )) "kmalloc objects"
assert_le "$(slab_objects)" $(( objects + 16 )) "slab objects"
assert_le "$(vmallocs)" "$vmallocs" "vmalloc areas"
assert_ge "$(free_kb)" $(( free - 8 * 1024 )) "free memory (kB)"
