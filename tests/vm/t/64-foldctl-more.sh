# shows: foldctl warm reads only what is not cached, metrics prints what Prometheus
#        reads, doctor finds what is missing; and each says in a line why it cannot
# needs: python3
. /tests/lib.sh
. /tests/foldctl.inc

fresh_xfs
mkdir -p $LOWER/t0/d
random_file $LOWER/t0/big 8
random_file $LOWER/t0/d/small 1 2
: >$LOWER/t0/empty
cp -a --reflink=always $LOWER/t0 $LOWER/t1
cp -a --reflink=always $LOWER/t0 $LOWER/t2
sync

# ---- doctor before anything is there
status=0
foldctl doctor $LOWER /proc >/tmp/out || status=$?
assert_eq "$status" 1 "exit status of doctor with something bad: $(cat /tmp/out)"
grep -q '^ok    kernel: 6\.12' /tmp/out || fail "kernel: $(cat /tmp/out)"
grep -q '^FAIL  module: foldfs is not there for kernel' /tmp/out || fail "module: $(cat /tmp/out)"
grep -q "^ok    path: $LOWER: on XFS with reflink" /tmp/out || fail "XFS: $(cat /tmp/out)"
grep -q '^FAIL  path: /proc: on proc' /tmp/out || fail "proc: $(cat /tmp/out)"
foldctl metrics >/tmp/out
grep -qx 'foldfs_module_loaded 0' /tmp/out || fail "metrics without the module: $(cat /tmp/out)"

# ---- warm without foldfs: what is cached is not read again
drop_caches
before=$(cached_kb)
json "foldctl warm --json $LOWER/t0" \
	"d == {'paths': [{'path': '$LOWER/t0', 'files': 2, 'size': 9 << 20, 'read': 9 << 20, 'present': 0, 'failed': 0}]}"
assert_ge $(( $(cached_kb) - before )) 9000 "kB that warm brought in"
json "foldctl warm --json $LOWER/t0" "d['paths'][0]['read'] == 0 and d['paths'][0]['present'] == 9 << 20"
drop_caches

# ---- on foldfs, the second tree is there with the first
fold_mount
foldctl doctor >/tmp/out || fail "doctor with all in order: $(cat /tmp/out)"
grep -q "^note  mount: $FOLD shares nothing so far" /tmp/out || fail "mount: $(cat /tmp/out)"
json "foldctl warm --json $FOLD/t0" "d['paths'][0]['read'] == 9 << 20"
json "foldctl warm --json $FOLD/t1 $FOLD/t2/big" \
	"[p['files'] for p in d['paths']] == [2, 1] and all(p['read'] < 1 << 20 and p['read'] + p['present'] == p['size'] for p in d['paths'])"
assert_eq "$(counter $FOLD pages_cached)" 2304 "pages cached after warming three trees"
assert_eq "$(counter $FOLD pages_saved)" $(( 2304 + 2048 )) "pages saved"
dd if=$LOWER/t0/d/small of=$FOLD/t1/big bs=64k seek=10 count=3 conv=notrunc status=none
sync
foldctl drop -a >/tmp/out
foldctl warm $FOLD/t1 >/tmp/out
grep -q "^$FOLD/t1 *2 *9M *9M *0B *0$" /tmp/out || fail "warm after a change: $(cat /tmp/out)"

# ---- metrics are the counters
foldctl metrics >/tmp/out
at="{mountpoint=\"$FOLD\",lower=\"$LOWER\",device=\"$(devno $FOLD)\"}"
for pair in foldfs_fragments=fragments foldfs_references=references foldfs_joins_total=joins \
	    foldfs_breaks_total=breaks foldfs_refills_total=refills \
	    foldfs_shootdowns_total=shootdowns foldfs_fallbacks_total=fallbacks \
	    foldfs_outside_writers_total=outside_writers; do
	grep -qxF "${pair%=*}$at $(counter $FOLD "${pair#*=}")" /tmp/out || fail "$pair: $(cat /tmp/out)"
done
for pair in foldfs_cached_bytes=pages_cached foldfs_saved_bytes=pages_saved \
	    foldfs_filled_bytes_total=fills; do
	grep -qxF "${pair%=*}$at $(( $(counter $FOLD "${pair#*=}") * 4096 ))" /tmp/out || fail "$pair: $(cat /tmp/out)"
done
# Every sample has its HELP and TYPE in front of it, once; totals are counters.
python3 -c 'import re, sys
seen, name = set(), None
for line in open("/tmp/out").read().splitlines():
    if line.startswith("# HELP "):
        name = line.split()[2]
        assert name not in seen, line
        seen.add(name)
    elif line.startswith("# TYPE "):
        want = "counter" if name.endswith("_total") else "gauge"
        assert line == f"# TYPE {name} {want}", line
    else:
        assert re.fullmatch(name + r"(\{([a-z]+=\"([^\"\\]|\\.)*\",?)+\})? \d+", line), line
assert len(seen) == 13, seen' || fail "format: $(cat /tmp/out)"

# ---- what the Grafana dashboard asks for is there, under these names and labels
python3 -c 'import json, re
samples = [line for line in open("/tmp/out") if not line.startswith("#")]
there = {re.match(r"\w+", line).group() for line in samples}
labels = {label for line in samples for label in re.findall(r"(\w+)=\"", line)} | {"instance"}
board = json.load(open("/usr/share/foldfs/grafana/foldfs.json"))
variables = {v["name"] for v in board["templating"]["list"]} | {"__rate_interval", "__all"}
assert set(re.findall(r"\$\{?(\w+)", json.dumps(board))) <= variables
asked = {name for v in board["templating"]["list"] for name in re.findall(r"foldfs_\w+", json.dumps(v))}
cells, ids = set(), [p["id"] for p in board["panels"]]
assert len(ids) == len(set(ids)), ids
for panel in board["panels"]:
    place = panel["gridPos"]
    mine = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
    assert not mine & cells and place["x"] + place["w"] <= 24, panel["title"]
    cells |= mine
    for target in panel["targets"]:
        names = re.findall(r"foldfs_\w+", target["expr"])
        assert names, target
        asked |= set(names)
        # Counters are looked at as rates, gauges as they are.
        for name in names:
            assert ("rate(" + name in target["expr"]) == name.endswith("_total"), target
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, target
assert asked <= there, asked - there' || fail "the dashboard does not fit the metrics"
mkdir "/tmp/col" '/mnt/a "b\c'
fold_mount $LOWER '/mnt/a "b\c'
foldctl metrics -w /tmp/col/foldfs.prom
grep -qF 'mountpoint="/mnt/a \"b\\c"' /tmp/col/foldfs.prom || fail "label: $(cat /tmp/col/foldfs.prom)"
grep -qx 'foldfs_filesystems 2' /tmp/col/foldfs.prom || fail "filesystems"
# One cache for both: what belongs to it is there once, so that sums are right.
assert_eq "$(grep -c '^foldfs_saved_bytes{' /tmp/col/foldfs.prom)" 1 "samples of what is saved"
assert_eq "$(grep -c '^foldfs_joins_total{' /tmp/col/foldfs.prom)" 2 "samples of joins"
json "foldctl status --json -o +cache" \
	"[f['cache'] for f in d['filesystems']] == [$(counter $FOLD cache)] * 2 and [f['cached'] is None for f in d['filesystems']] == [False, True] and d['filesystems'][1]['joins'] == 0"
assert_eq "$(foldctl status -bno CACHED '/mnt/a "b\c' | tr -d ' ')" $(( $(counter $FOLD pages_cached) * 4096 )) \
	"cached, of the second mount alone"
assert_eq "$(ls /tmp/col)" foldfs.prom "what is left beside the file"
assert_eq "$(stat -c %a /tmp/col/foldfs.prom)" 644 "mode of the file"

# ---- doctor looks at the mounts and at what keeps them from sharing
sysctl_set fs.leases-enable 0
status=0
foldctl doctor >/tmp/out || status=$?
assert_eq "$status" 1 "exit status of doctor without leases"
grep -q '^FAIL  leases: fs.leases-enable is 0' /tmp/out || fail "leases: $(cat /tmp/out)"
sysctl_set fs.leases-enable 1
cat $FOLD/t0/big $FOLD/t1/big >/dev/null
: >>$LOWER/t0/big
foldctl doctor $FOLD >/tmp/out || fail "doctor: $(cat /tmp/out)"
grep -q "^note  mount: $FOLD: 1 times a file lost its sharing" /tmp/out || fail "outside writers: $(cat /tmp/out)"
grep -q "^ok    path: $FOLD: on foldfs already" /tmp/out || fail "path: $(cat /tmp/out)"
json "foldctl doctor --json" "d['checks'][0]['status'] == 'ok' and d['checks'][0]['advice'] is None"
foldctl doctor --report >/tmp/out
grep -q "^$FOLD: fragments=$(counter $FOLD fragments) " /tmp/out || fail "counters in the report: $(cat /tmp/out)"
grep -q "foldfs: loading out-of-tree module" /tmp/out || fail "kernel log in the report: $(cat /tmp/out)"

# ---- wrong use
for command in warm metrics doctor drop; do
	one_line 2 "unrecognized option" foldctl $command --frob
	foldctl $command --help | grep -q "^Usage: foldctl $command" || fail "$command --help"
	foldctl --help | grep -q "^  $command " || fail "--help does not list $command"
done
one_line 2 "no path given" foldctl warm
one_line 1 "/none: No such file or directory" foldctl warm /none
one_line 1 "neither a directory nor a regular file" foldctl warm /dev/null
one_line 2 "unexpected argument" foldctl metrics $FOLD
one_line 1 "/none/x" foldctl metrics -w /none/x
one_line 2 "do not go together" foldctl doctor --json --report
chmod 700 $LOWER/t2
one_line 1 "$FOLD/t2: Permission denied" setpriv --reuid 1000 --clear-groups foldctl warm -v $FOLD
one_line 1 "1 files or directories could not be read" setpriv --reuid 1000 --clear-groups foldctl warm $FOLD
for command in "metrics" "doctor" "warm $FOLD/t0"; do
	status=0
	foldctl $command >/dev/full 2>/tmp/err || status=$?
	assert_eq "$status" 1 "exit status of $command when its output cannot be written"
done
