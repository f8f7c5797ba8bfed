# shows: foldctl on a terminal: the progress bar, the live view, one that is too small,
#        Ctrl-C; into a closed pipe; and 20,000 files in bounded memory
# needs: python3
# timeout: 240
. /tests/lib.sh
. /tests/foldctl.inc

fresh_xfs
mkdir $LOWER/many
random_file /tmp/r 1 5
( cd $LOWER/many && head -c 70000 /tmp/r | split -b 10 -a 3 - a. )
for i in 0 1; do cp -a --reflink=always $LOWER/many $LOWER/many$i; done
random_file $LOWER/lib 8
cp --reflink=always $LOWER/lib $LOWER/clone
sync
files=$(find $LOWER -type f | wc -l)
assert_ge "$files" 20000 "files"
drop_caches

# ---- the progress bar: there and gone again; Ctrl-C takes it away, too
cat >/tmp/bar.py <<'P'
import os, resource, signal, sys
sys.path.insert(0, "/tests")
from terminal import run
lower, files = sys.argv[1], int(sys.argv[2])
# So many files are much: the bar appears however fast they are looked at.
out, status = run(["foldctl", "estimate", lower], [("Looking for files: ", ""), ("%", "")])
assert status == 0, (status, out)
assert "Looking for files: " in out and "Files: " in out and "[#" in out, out[:500]
report = out[out.index(" of page cache"):]
assert "%" not in report and "SAVEABLE" in report, report
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
assert peak < 64 * 1024, peak
print(f"memory for {files} files: {peak // 1024} MiB at most")
# What nobody could do while a key is pressed: two thousand million files.
out, status = run(["foldctl", "estimate"] + [lower] * 100000, [("Looking", "\x03")])
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, (status, out)
assert out.rstrip("^C\r\n ").rfind("Looking") < out.rfind("\r"), repr(out[-200:])
assert "page cache" not in out, out
out, status = run(["foldctl", "estimate", "-q", lower], [])
assert "Files: " not in out and status == 0, out[:500]
out, status = run(["foldctl", "estimate", lower], [], columns=10)
assert "Files: " not in out and status == 0, out[:500]
P
python3 /tmp/bar.py $LOWER "$files" >/tmp/out
note "$(cat /tmp/out)"

# ---- top: the mount, a mapped file with its users, a file that breaks
fold_mount
cat $FOLD/lib $FOLD/clone >/dev/null
cat >/tmp/hold.py <<'P'
import mmap, os, sys, time
m = mmap.mmap(os.open(sys.argv[1], os.O_RDONLY), 0, mmap.MAP_SHARED, mmap.PROT_READ)
sum(m[i] for i in range(0, len(m), 4096))
open("/tmp/ready", "w").close()
time.sleep(1000)
P
python3 /tmp/hold.py $FOLD/lib &
until_true 60 test -e /tmp/ready
json "foldctl top --json" \
	"[(f['file'], f['saved'], f['cached'], f['users']) for f in d['files']] == [('$FOLD/lib', 4 << 20, 8 << 20, 1)]"
mkdir -p /mnt/second
fold_mount $LOWER /mnt/second
cat /mnt/second/lib /mnt/second/clone >/dev/null
cat >/tmp/top.py <<'P'
import os, signal, sys, time
sys.path.insert(0, "/tests")
from terminal import run, resize
fold = sys.argv[1]
instances = "/sys/kernel/tracing/instances"
def change(fd):
    with open(fold + "/lib", "r+b") as f:
        f.seek(1 << 20)
        f.write(b"x" * 9000)
top = ["foldctl", "top", "-i", "0.5"]
# The other mount loses the file by the same change: one inode number, two mounts.
unused = "inode %d on /mnt/second" % os.stat(fold + "/lib").st_ino
out, status = run(top, [(fold + "/lib", change), ("12K", ""), (unused, "q")])
assert status == 0, status
assert out.count(fold + "/lib") > 1 and "BREAKS" in out and "SAVED" in out and "8M" in out, out
assert os.listdir(instances) == [], os.listdir(instances)
out, status = run(top, [("terminal too small", lambda fd: resize(fd, 24, 80)), ("SAVED", "q")], columns=30)
assert status == 0, status
out, status = run(top, [("SAVED", lambda fd: resize(fd, 3, 80)), ("terminal too small", "q")])
assert status == 0, status
out, status = run(top, [("SAVED", "\x03")])
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, (status, out)
assert os.listdir(instances) == [], os.listdir(instances)
os.mkdir(instances + "/foldctl-4000000")
os.environ["USE_TERM"] = "unheard-of"
out, status = run(top, [])
assert os.WEXITSTATUS(status) == 1 and "unknown terminal type 'unheard-of'" in out, (status, out)
del os.environ["USE_TERM"]
out, status = run(["setpriv", "--reuid", "1000", "--clear-groups"] + top, [("only root may trace breaks", "q")])
assert status == 0 and "not all could be seen" in out, (status, out)
out, status = run(top, [("SAVED", "q")])
assert os.listdir(instances) == [], "an orphan is left"
out, status = run(["foldctl", "map", "-p", fold + "/clone"], [], columns=42)
assert "[" + 40 * "#" + "]" in out and status == 0, out
P
python3 /tmp/top.py $FOLD
umount /mnt/second
foldctl map -p $FOLD/lib >/tmp/out
grep -qE '^\[#{9}-#{68}\]$' /tmp/out || fail "picture: $(cat /tmp/out)"
grep -q "^$FOLD/lib: joined, 8M of 8M shared, 8M cached" /tmp/out || fail "picture: $(cat /tmp/out)"
one_line 1 "not on a terminal; use --once" foldctl top
one_line 2 "--interval wants" foldctl top -i 0
one_line 2 "unexpected argument" foldctl top $FOLD
one_line 2 "--picture and --json do not go together" foldctl map -p -J $FOLD/lib
one_line 0 "only root sees all processes" setpriv --reuid 1000 --clear-groups foldctl top --once

# ---- a reader that goes away is no reason to complain
for command in "estimate $LOWER/many" "status" "map $FOLD/lib" "map -p $FOLD/lib" "top --once" \
	       "warm $FOLD/lib" "drop $FOLD" "metrics" "doctor --report" "--help"; do
	(
		trap '' PIPE
		status=0
		foldctl $command 2>/tmp/err || status=$?
		echo "$status" >/tmp/status
	) | true
	assert_eq "$(cat /tmp/err)" "" "complaints of $command when the reader goes away"
	assert_eq "$(cat /tmp/status)" 0 "status of $command when the reader goes away"
done
