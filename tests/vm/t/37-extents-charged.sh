# shows: what a file's references to its extents take is charged to the memory cgroup of
#        whoever reads it, and a full one costs sharing, not a kill
# timeout: 240
. /tests/lib.sh

kib=$(sized 131072 32768)
fresh_xfs $DISK $LOWER
together make 1 $kib 4 $LOWER/a
cp --reflink=always $LOWER/a $LOWER/b
fold_mount

slab() {
	awk '$1 == "slab" { print $2 }' "/sys/fs/cgroup/$1/memory.stat"
}

objects() {
	awk -v name="$1" '$1 == name { print $2 * $4 }' /proc/slabinfo
}

ours() {
	echo $(( $(objects foldfs_extent) + $(objects foldfs_fragment) ))
}

# Enough of memory: all of it.
cgroup large >/dev/null
drop_caches
in_cgroup large cat $FOLD/a >/dev/null
joined() {
	[ "$(counter $FOLD joins)" -ge $(( kib / 4 )) ]
}
until_true 120 joined
assert_ge "$(slab large)" "$(( $(ours) * 9 / 10 ))" "slab memory of who has read it (bytes)"
note "$(( kib / 4 )) extents: $(ours) bytes, of which the reader's cgroup has at least $(slab large)"

# Not enough: a part of it, and what is left can be read as well.
path=$(cgroup small 5M)
in_cgroup small cmp $FOLD/b $LOWER/a
note "below 5 MiB: $(( $(counter $FOLD joins) - kib / 4 )) extents have joined, slab $(slab small)"
assert_eq "$(awk '$1 == "oom_kill" { print $2 }' "$path/memory.events")" 0 "OOM kills in the cgroup"
assert_ge "$(slab small)" 500000 "slab memory of the small cgroup (bytes)"
in_cgroup small cmp $FOLD/b $LOWER/a
assert_eq "$(awk '$1 == "oom_kill" { print $2 }' "$path/memory.events")" 0 "OOM kills in the cgroup"
