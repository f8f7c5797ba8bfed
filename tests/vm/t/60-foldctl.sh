# shows: foldctl status and foldctl map tell what is shared, cached and saved, as
#        tables and as JSON, and say in one line why they cannot
# needs: python3
. /tests/lib.sh
. /tests/foldctl.inc

# field NAME FILE: a column of the first range of a file
field() {
	foldctl map -bno "$1" "$2" | head -n 1 | tr -d ' '
}

fresh_xfs
mkdir $LOWER/d
random_file $LOWER/a 8
cp --reflink=always $LOWER/a $LOWER/b
random_file $LOWER/alone 1 7
: >$LOWER/empty
mkfifo $LOWER/fifo
sync

# ---- without the module, without a mount
one_line 1 "the foldfs module is not loaded" foldctl status
one_line 1 "not on foldfs; the foldfs module is not loaded" foldctl map $LOWER/a
load_foldfs
foldctl status >/tmp/out
[ ! -s /tmp/out ] || fail "a table without a mount: $(cat /tmp/out)"
json "foldctl status --json" "d == {'filesystems': []}"
one_line 1 "not on foldfs" foldctl map $LOWER/a

# ---- wrong use
one_line 2 "no command 'frob'" foldctl frob
one_line 2 "unrecognized option" foldctl status --frob
one_line 2 "no column 'frob'" foldctl status -o frob
one_line 2 "no file given" foldctl map
foldctl --help | grep -q '^  status' || fail "--help does not list the commands"
foldctl map --help | grep -q 'SHARERS' || fail "map --help does not list the columns"
foldctl --version | grep -q '^foldctl (foldfs) [0-9]' || fail "--version"

# ---- files
fold_mount
assert_eq "$(field STATE $FOLD/a)" new "state of a file that nobody read"
cat $FOLD/a $FOLD/b $FOLD/alone $FOLD/empty >/dev/null
for f in a b; do
	assert_eq "$(field STATE $FOLD/$f)" joined "state of $f"
	assert_eq "$(foldctl map -bno LENGTH $FOLD/$f | awk '{ s += $1 } END { print s }')" \
		8388608 "shared bytes of $f"
	assert_eq "$(foldctl map -sbno CACHED $FOLD/$f | tr -d ' ')" 8388608 "cached bytes of $f"
	assert_eq "$(field SHARERS $FOLD/$f)" 2 "sharers of $f"
done
assert_eq "$(field STATE $FOLD/alone)" private "state of a file that shares nothing"
assert_eq "$(field OFFSET $FOLD/alone)" "" "range of a file that shares nothing"
assert_eq "$(field PHYSICAL $FOLD/a)" "$(filefrag -b512 -v $LOWER/a |
	awk '$1 == "0:" { print $4 * 512 }')" "physical address"
assert_eq "$(setpriv --reuid 1000 foldctl map -bno PHYSICAL $FOLD/a | head -n 1 | tr -d ' ')" "" \
	"physical address that an ordinary user sees"
foldctl map $FOLD/a | head -n 1 | grep -q '^FILE *STATE *OFFSET *LENGTH *SHARERS *CACHED$' ||
	fail "headings of map: $(foldctl map $FOLD/a)"
foldctl map -s $FOLD/a | grep -q ' 8M *8M ' || fail "sizes for people: $(foldctl map -s $FOLD/a)"
json "foldctl map --json $FOLD/a $FOLD/alone" \
	"sum(r['length'] or 0 for r in d['ranges']) == 8 << 20 and d['ranges'][-1] == {'file': '$FOLD/alone', 'state': 'private', 'offset': None, 'length': None, 'sharers': None, 'cached': None}"
json "foldctl map --json --summary $FOLD/b $FOLD/empty" \
	"[(f['size'], f['shared'], f['cached']) for f in d['files']] == [(8 << 20,) * 3, (0, 0, 0)]"

# ---- a file in more ranges than one call brings
random_file $LOWER/many 10 9
cp --reflink=always $LOWER/many $LOWER/other
xfs_io -c 'cowextsize 4096' $LOWER/other
for i in $(seq 0 2 2559); do
	echo "pwrite -q -S 7 $(( i * 4096 )) 4096"
done | xfs_io $LOWER/other >/dev/null
sync
cat $FOLD/other >/dev/null
shared=$(filefrag -v $LOWER/other | grep -c shared)
assert_ge "$shared" 1200 "shared extents of the file that was made for it"
assert_eq "$(foldctl map -n $FOLD/other | wc -l)" "$shared" "ranges of a file in many ranges"

# ---- what is no file of foldfs; the rest is shown all the same
one_line 1 "$FOLD/d: not a regular file" foldctl map $FOLD/d
one_line 1 "$FOLD/fifo: not a regular file" foldctl map $FOLD/fifo
one_line 1 "$FOLD/none: No such file or directory" foldctl map $FOLD/none
one_line 1 "$LOWER/a: not on foldfs" foldctl map -n $LOWER/a $FOLD/alone
grep -q '^/mnt/fold/alone *private' /tmp/out || fail "the good file is not shown beside the bad one"

# ---- mounts
for pair in FRAGMENTS=fragments REFERENCES=references JOINS=joins BREAKS=breaks FILLS=fills \
	    SHOOTDOWNS=shootdowns FALLBACKS=fallbacks REFILLS=refills OUTSIDE=outside_writers; do
	assert_eq "$(foldctl status -no "${pair%=*}" | tr -d ' ')" "$(counter $FOLD "${pair#*=}")" "${pair%=*}"
done
assert_eq "$(foldctl status -bno CACHED | tr -d ' ')" $(( $(counter $FOLD pages_cached) * 4096 )) CACHED
assert_eq "$(foldctl status -bno SAVED | tr -d ' ')" $(( $(counter $FOLD pages_saved) * 4096 )) SAVED
assert_ge "$(foldctl status -bno SAVED | tr -d ' ')" 8388608 "bytes saved by one clone of 8 MiB"
assert_eq "$(foldctl status -no TARGET,LOWER,MAJ:MIN | tr -s ' ')" "$FOLD $LOWER $(devno $FOLD)" "the mount"
json "foldctl status -J -o +options" \
	"d['filesystems'][0]['cached'] == $(counter $FOLD pages_cached) * 4096 and 'options' in d['filesystems'][0]"

# A bind mount is the same filesystem; a second mount is another one.
mkdir -p /mnt/bind /mnt/second
mount --bind $FOLD/d /mnt/bind
assert_eq "$(foldctl status -n | wc -l)" 1 "lines for one filesystem in two places"
assert_eq "$(foldctl status -an | wc -l)" 2 "lines with --all"
assert_eq "$(foldctl status -no TARGET /mnt/bind)" /mnt/bind "the place that was asked for"
fold_mount $LOWER /mnt/second -o nofold
assert_eq "$(foldctl status -n | wc -l)" 2 "lines for two filesystems"
assert_eq "$(foldctl status -no TARGET $FOLD/a | tr -d ' ')" $FOLD "the mount that holds a file"
cat /mnt/second/a >/dev/null
assert_eq "$(field STATE /mnt/second/a)" refused "state of a file on a mount with nofold"
one_line 1 "not on foldfs" foldctl status $LOWER

# ---- where the report goes
status=0
foldctl map $FOLD/other >/dev/full 2>/tmp/err || status=$?
assert_eq "$status" 1 "exit status when the report cannot be written"
grep -q 'No space left' /tmp/err || fail "write error: $(cat /tmp/err)"
(
	trap '' PIPE
	status=0
	foldctl map $FOLD/other 2>/tmp/err || status=$?
	echo "$status" >/tmp/status
) | head -n 1 >/dev/null
assert_eq "$(cat /tmp/err)" "" "complaints when the reader goes away"
