# shows: foldctl estimate finds the duplicates in the page cache of plain XFS and
#        Btrfs within 2 % of what /proc/meminfo says, without the module, and
#        foretells what foldfs then saves
# needs: python3
# timeout: 240
. /tests/lib.sh
. /tests/foldctl.inc

# estimate EXPRESSION PATH...: evaluates it with the JSON report as d, e = d['estimate'][0]
estimate() {
	local expression=$1
	shift
	foldctl estimate --json "$@" >/tmp/out
	python3 -c 'import json, sys
d = json.load(open("/tmp/out"))
e = d["estimate"][0]
print(eval(sys.argv[1]))' "$expression"
}

# near ACTUAL EXPECTED WHAT: within 2 %
near() {
	local off=$(( $1 > $2 ? $1 - $2 : $2 - $1 ))
	[ $(( off * 50 )) -le "$2" ] || fail "$3: got $1, expected $2 within 2 %"
}

# trees: $LOWER/c0 and nine reflinked clones of it, nothing cached
trees() {
	mkdir -p $LOWER/c0/lib
	random_file $LOWER/c0/lib/big 20 1
	random_file $LOWER/c0/lib/other 7 2
	random_file /tmp/r 1 3
	split -b 10000 -a 3 /tmp/r $LOWER/c0/small.
	for i in 1 2 3 4 5 6 7 8 9; do
		cp -a --reflink=always $LOWER/c0 $LOWER/c$i
	done
	sync
	drop_caches
}

# ten_clones: half of the clones are read
ten_clones() {
	trees
	before=$(cached_kb)
	find $LOWER/c[0-4] -type f -exec cat {} + >/dev/null
	growth=$(( ($(cached_kb) - before) * 1024 ))
	near "$(estimate "e['cached']" $LOWER)" $growth "page cache"
	near "$(estimate "e['duplicates']" $LOWER)" $(( growth * 4 / 5 )) "duplicates"
	near "$(estimate "e['saveable']" $LOWER)" $(( growth * 9 / 5 )) "what can be saved"
	note "$(stat -f -c %T $LOWER): $(foldctl estimate $LOWER | head -n 1); meminfo: $(( growth >> 20 )) MiB"
	assert_eq "$(estimate "e['files'], e['unreadable'], e['hidden']" $LOWER)" \
		"($(find $LOWER -type f | wc -l), 0, 0)" "files"
}

fresh_xfs
ten_clones

# ---- tables: one line stands for ten copies; directories have their even part
assert_eq "$(estimate "[(f['saveable'] >> 20, f['duplicates'] >> 20, f['cached'] >> 20, f['copies'], f['file'][-7:]) for f in d['top_files'][:2]]" $LOWER)" \
	"[(180, 80, 100, 10, 'lib/big'), (63, 28, 35, 10, 'b/other')]" "top files"
assert_eq "$(estimate "sorted(x['directory'] for x in d['top_directories'])" $LOWER)" \
	"[$(for i in 0 1 2 3 4 5 6 7 8 9; do printf "'$LOWER/c%s'%s" $i "$([ $i = 9 ] || echo ', ')"; done)]" "top directories"
assert_eq "$(estimate "abs(sum(x['saveable'] for x in d['top_directories']) - e['saveable']) < 100000 and abs(sum(x['duplicates'] for x in d['top_directories']) - e['duplicates']) < 100000" $LOWER)" \
	True "parts of directories add up"
assert_eq "$(estimate "len(d['top_files']), len(d['top_directories'])" -t 3 -d 0 $LOWER)" "(3, 1)" "--top and --depth"
foldctl estimate $LOWER | grep -q '^ *SAVEABLE *DUPLICATES *CACHED *COPIES *FILE$' || fail "headings"
foldctl estimate -b $LOWER | head -n 1 | grep -qE '^[0-9]+ bytes of page cache, [0-9]+ bytes of it duplicates; with everything cached foldfs would save [0-9]+ bytes$' ||
	fail "the sentence: $(foldctl estimate -b $LOWER | head -n 1)"

# ---- a file counts once, however often it is found
whole=$(estimate "e" $LOWER)
ln $LOWER/c0/lib/big $LOWER/c0/link
assert_eq "$(estimate "e" $LOWER $LOWER/c1 $LOWER/c2/lib/big $LOWER)" "$whole" "with a hard link and paths given twice"
rm $LOWER/c0/link

# ---- partly cached: as many duplicates as were read twice
drop_caches
for f in c0/lib/big c1/lib/big; do
	xfs_io -r -c 'fadvise -r 0 0' -c 'pread -q 0 3m' $LOWER/$f >/dev/null 2>&1 ||
		dd if=$LOWER/$f of=/dev/null bs=1M count=3 status=none
done
dd if=$LOWER/c2/lib/big of=/dev/null bs=4k skip=2000 count=1 status=none
assert_ge "$(estimate "e['duplicates']" $LOWER)" $(( 3 << 20 )) "duplicates of the part that was read"
assert_le "$(estimate "e['duplicates']" $LOWER)" $(( 6 << 20 )) "duplicates of the part that was read"
drop_caches
assert_eq "$(estimate "e['cached'], e['duplicates']" $LOWER)" "(0, 0)" "with nothing cached"

# ---- kernels before 6.5 have no cachestat(2): the same figures by mincore(2)
dd if=$LOWER/c0/lib/big of=/dev/null bs=1M count=3 status=none
dd if=$LOWER/c1/lib/big of=/dev/null bs=1M skip=1 count=7 status=none
cat $LOWER/c[0-3]/small.* >/dev/null
figures=$(estimate "e" $LOWER)
without 451 foldctl estimate --json $LOWER >/tmp/out
assert_eq "$(python3 -c 'import json; print(json.load(open("/tmp/out"))["estimate"][0])')" \
	"$figures" "figures without cachestat"
without 451 setpriv --reuid 1000 --clear-groups foldctl estimate --json $LOWER >/tmp/out 2>/tmp/err
assert_eq "$(python3 -c 'import json; print(json.load(open("/tmp/out"))["estimate"][0]["cached"])')" \
	0 "page cache of others, which mincore would report as cached as a whole"
drop_caches

# ---- a changed block is no longer saved; what is only linked or alone neither
saveable=$(estimate "e['saveable']" $LOWER)
dd if=/tmp/r of=$LOWER/c3/lib/big bs=4k seek=100 count=10 conv=notrunc status=none
sync
assert_eq "$(estimate "e['saveable']" $LOWER)" $(( saveable - 40960 )) "after ten blocks changed"
assert_eq "$(estimate "e['saveable']" $LOWER/c0)" 0 "of one tree"

# ---- who may see what
chmod 700 $LOWER/c5
chmod 600 $LOWER/c0/lib/other
chown -R 1000 $LOWER/c6
cat $LOWER/c6/lib/big >/dev/null
status=0
setpriv --reuid 1000 --clear-groups foldctl estimate --json $LOWER >/tmp/out 2>/tmp/err || status=$?
assert_eq $status 1 "exit status where not all could be read"
python3 -c 'import json, sys
e = json.load(open("/tmp/out"))["estimate"][0]
assert e["unreadable"] == 2, e
assert e["hidden"] == 8 * 107 - 1, e
assert e["cached"] == 20 << 20, e
assert e["saveable"] > 8 * (21 << 20), e' || fail "as a user: $(tr -d '\n' </tmp/out | head -c 400)"
grep -q 'root and owners only' /tmp/err || fail "no word about what is hidden: $(cat /tmp/err)"
setpriv --reuid 1000 --clear-groups foldctl estimate -v $LOWER >/dev/null 2>/tmp/err || true
grep -q "$LOWER/c5: Permission denied" /tmp/err || fail "--verbose does not name what cannot be read"

# ---- what foldctl says is what foldfs does
drop_caches
want=$(estimate "e['saveable']" $LOWER)
fold_mount
find $FOLD/c* -type f -exec cat {} + >/dev/null
near $(( $(counter $FOLD pages_saved) * 4096 )) "$want" "what foldfs saves, by what was foretold"
one_line 1 "already on foldfs" foldctl estimate $FOLD
umount $FOLD

# ---- wrong use
one_line 2 "no path given" foldctl estimate
one_line 2 "--top wants a number" foldctl estimate -t many $LOWER
one_line 2 "--depth wants a number" foldctl estimate -d -1 $LOWER
one_line 2 "unrecognized option" foldctl estimate --frob
one_line 1 "/none: No such file or directory" foldctl estimate $LOWER/none
one_line 1 "/proc: on proc; foldfs shares the blocks" foldctl estimate /proc
one_line 1 "neither a directory nor a regular file" foldctl estimate /dev/null
foldctl estimate --help | grep -q SAVEABLE || fail "--help"
foldctl --help | grep -q '^  estimate' || fail "--help does not list it"
status=0
foldctl estimate $LOWER >/dev/full 2>/tmp/err || status=$?
assert_eq "$status" 1 "exit status when the report cannot be written"
umount $LOWER

# ---- Btrfs: clones, snapshots with device numbers of their own, compression
fresh_btrfs
ten_clones
btrfs -q subvolume create $LOWER/s
cp -a --reflink=always $LOWER/c0 $LOWER/s/c0
btrfs -q subvolume snapshot $LOWER/s $LOWER/t
sync
assert_eq "$(estimate "d['top_files'][0]['copies']" $LOWER)" 12 "copies with subvolumes"
assert_eq "$(estimate "d['top_files'][0]['copies']" -x $LOWER)" 10 "copies with --one-file-system"
mkdir $LOWER/z
chattr +c $LOWER/z
head -c 8M /dev/zero | tr '\0' y >$LOWER/z/a
cp --reflink=always $LOWER/z/a $LOWER/z/b
sync
foldctl estimate $LOWER/z >/tmp/out 2>/tmp/err
grep -q ' 16.0 MiB more are shared on the disk, but compressed' /tmp/err || fail "compressed: $(cat /tmp/err /tmp/out)"
