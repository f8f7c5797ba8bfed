# shows: whatever name a tenant gives a file, no order to the terminal comes out of foldctl or
#        mount.foldfs, in reports or messages; --json is JSON and metrics are UTF-8, and the
#        name can be told from them; a tree that is too deep for a path is walked like others,
#        and one that is deeper still costs the others nothing
# needs: python3
# timeout: 200
. /tests/lib.sh
. /tests/foldctl.inc

fresh_xfs
random_file $LOWER/a 1
cp --reflink=always $LOWER/a $LOWER/b

# ---- names
cat >/tmp/names.py <<'P'
import fcntl, json, os, re, stat, subprocess, sys, time
lower, fold = (p.encode() for p in sys.argv[1:])
NAMES = [b"esc\033[2Jape", b"line\nfoldctl: all is well", b"csi\xc2\x9b31m", b"not\xff\xfeutf", b"half\xd0",
         "left\u202eright".encode(), b"back\\x41slash", b"tab\tcr\rdel\x7f", "\u0416".encode(),
         b"quote\"\\n"]
OPTIONS = [b"--\033[2J", b"-\033", b"--json=\033", b"--out\033put"]
FICLONE = 0x40049409
def told(text):
    "What foldctl(8) says how to get the name back."
    return re.sub(rb"\\x(..)", lambda m: bytes.fromhex(m[1].decode()), text.encode())
def run(*command, locale="C.UTF-8", status=None, user=False):
    "No byte but printable ones and line ends leaves it, whatever it says."
    env = dict(os.environ, LC_ALL=locale)
    if user:
        command = ("setpriv", "--reuid=1000", "--clear-groups") + command
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=env)
    for text in done.stdout, done.stderr:
        text = text.decode() if locale != "C" else text.decode("ascii")
        # Programs get characters as they are.
        program = "--json" in command or "metrics" in command
        bad = [c for c in text if c != "\n" and not c.isprintable() and not (program and c == "\u202e")]
        assert not bad, (command, bad, text)
    if status is not None:
        assert done.returncode == status, (command, done)
    return done
def parsed(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    return json.loads(done.stdout.decode())
for directory in b"names", b"secret":
    os.mkdir(lower + b"/" + directory)
for name in NAMES + OPTIONS:
    with open(lower + b"/a", "rb") as source, open(lower + b"/names/" + name, "wb") as f:
        fcntl.ioctl(f, FICLONE, source.fileno())
    os.mkdir(lower + b"/secret/" + name, 0o700)
    os.mkfifo(lower + b"/names/fifo-" + name)
    os.mkdir(lower + b"/dir-" + name)
os.sync()


P
sed -i 's/^lower, fold = .*/lower, fold = (p.encode() for p in sys.argv[1:3])/' /tmp/names.py
cat >>/tmp/names.py <<'P'
for locale in "C.UTF-8", "C":
    for name in NAMES if locale != "C" else NAMES[:3]:
        file, fifo = fold + b"/names/" + name, fold + b"/names/fifo-" + name
        under = lower + b"/names/" + name
        run("foldctl", "warm", file, status=0, locale=locale)
        for options in [], ["-s"], ["-p"], ["--json"]:
            run("foldctl", "map", *options, file, status=0, locale=locale)
            run("foldctl", "map", *options, under, fifo, file + b"none", status=1, locale=locale)
        for command in "status", "drop", "warm", "estimate", "doctor":
            run("foldctl", command, file + b"none", locale=locale, status=1)
        for command in "status", "drop":
            run("foldctl", command, under, locale=locale, status=1)
        run("foldctl", "top", file, locale=locale, status=2)
        run("foldctl", name, locale=locale, status=2)
        run("foldctl", "status", "-o", name, locale=locale, status=2)
        run("foldctl", "estimate", "-d", name, lower, locale=locale, status=2)
        run("foldctl", "estimate", file, fifo, locale=locale, status=1)
        run("foldctl", "metrics", name, locale=locale, status=2)
        run("foldctl", "metrics", "-w", b"/none/" + name, locale=locale, status=1)
        run("foldctl", "doctor", "--report", lower + b"/dir-" + name, file, locale=locale, status=1)
        run("mount.foldfs", file, fold, locale=locale, status=32)
        run("mount.foldfs", under, fold + b"/" + name + b"none", locale=locale, status=32)
        run("mount.foldfs", lower, fold + b"/" + name, locale=locale, status=32)
        run("mount.foldfs", lower, fold, "-N", name, locale=locale, status=2)
        if b'"' not in name:
            run("mount.foldfs", lower, fold, "-o", name, locale=locale, status=32)
            run("mount.foldfs", lower, fold, "-o", b"nofold=" + name, locale=locale, status=32)
            run("mount.foldfs", lower, fold, "-o", b"remount," + name, locale=locale, status=32)
        run("mount.foldfs", lower, fold, "-t", name, locale=locale, status=1)
    run("foldctl", "estimate", "-v", lower, locale=locale, status=0)
    run("foldctl", "estimate", "-v", lower, locale=locale, status=1, user=True)
    run("foldctl", "warm", "-v", fold, locale=locale, status=1, user=True)
    for command in "estimate", "status", "map", "top", "warm", "drop", "metrics", "doctor":
        for option in OPTIONS:
            run("foldctl", command, option, locale=locale, status=2)
    for option in OPTIONS:
        run("mount.foldfs", option, lower, fold, locale=locale, status=1)
# What JSON says is the name.
for name in NAMES:
    file = fold + b"/names/" + name
    assert told(parsed("foldctl", "map", "--json", file)["ranges"][0]["file"]) == file, name
    assert told(parsed("foldctl", "map", "-s", "--json", file)["files"][0]["file"]) == file, name
    assert told(parsed("foldctl", "warm", "--json", file)["paths"][0]["path"]) == file, name
    found = [f["finding"] for f in parsed("foldctl", "doctor", "--json", file)["checks"]]
    assert any(told(f).startswith(file) for f in found), (name, found)
    report = parsed("foldctl", "estimate", "--json", lower + b"/a", lower + b"/names/" + name)
    directories = [told(d["directory"]) for d in report["top_directories"]]
    assert lower + b"/names/" + name in directories, (name, directories)
    held = open(file, "rb")
    files = [told(f["file"]) for f in parsed("foldctl", "top", "--json")["files"]]
    assert file in files, (name, files)
    held.close()
    # A mount whose both names are such ones.
    point = b"/mnt/point-" + name
    os.mkdir(point)
    # mount(8) knows no way to quote a quote.
    quoted = [] if b'"' in name else ["-o", b'domain="' + name + b'"']
    run("mount", "-t", "foldfs", *quoted, lower + b"/dir-" + name, point, status=0)
    mount = parsed("foldctl", "status", "--json", "-o+domain,options", point)["filesystems"][0]
    assert told(mount["target"]) == point, mount
    assert told(mount["lower"]) == lower + b"/dir-" + name, mount
    assert told(mount["domain"] or "") == (name if quoted else b""), mount
    metrics = run("foldctl", "metrics", status=0).stdout.decode()
    run("foldctl", "status", "-o+domain,options", status=0)
    run("foldctl", "doctor", "--report")
    run("umount", point, status=0)
print(f"{len(NAMES)} names")
P
fold_mount
python3 /tmp/names.py $LOWER $FOLD >/tmp/out || fail "a name: $(tail -n 1 /tmp/out)"
note "$(cat /tmp/out)"
# On the live screen, too.
cat >/tmp/top.py <<'P'
import sys
sys.path.insert(0, "/tests")
from terminal import run
held = open(sys.argv[1].encode() + b"/names/esc\033[2Jape")
out, status = run(["foldctl", "top"], [("esc\\x1b[2Jape", "q")])
assert status == 0, out
P
python3 /tmp/top.py $FOLD

# ---- a tree whose paths are longer than 64 KiB, and one of more levels than are entered
cat >/tmp/deep.py <<'P'
import fcntl, os, sys
FICLONE = 0x40049409
lower, name, levels = sys.argv[1], sys.argv[2].encode() * int(sys.argv[3]), int(sys.argv[4])
source = os.open(lower + "/a", os.O_RDONLY)
at = os.open(lower + "/" + sys.argv[5], os.O_RDONLY)
for i in range(levels):
    os.mkdir(name, dir_fd=at)
    down = os.open(name, os.O_RDONLY, dir_fd=at)
    os.close(at)
    at = down
for i in range(2):
    fcntl.ioctl(os.open(b"f%d" % i, os.O_WRONLY | os.O_CREAT, dir_fd=at), FICLONE, source)
P
rm -r $LOWER/names $LOWER/secret $LOWER/dir-*
mkdir $LOWER/deep $LOWER/deeper $LOWER/plain
for i in 0 1 2; do cp --reflink=always $LOWER/a $LOWER/plain/f$i; done
python3 /tmp/deep.py $LOWER d 255 258 deep
sync
# a, b, three plain ones, and two at the bottom.
json "foldctl estimate --json $LOWER" \
	"(d['estimate'][0]['files'], d['estimate'][0]['unreadable'], d['estimate'][0]['saveable']) == (7, 0, 6 << 20)"
json "foldctl warm --json $FOLD" "(d['paths'][0]['files'], d['paths'][0]['failed']) == (7, 0)"
python3 /tmp/deep.py $LOWER e 1 3000 deeper
sync
for limit in 1024 65536; do
	( ulimit -n $limit
	  one_line 1 "1 files or directories could not be read" foldctl estimate $LOWER )
	grep -q "foldfs would save 6.0 MiB" /tmp/out || fail "estimate: $(cat /tmp/out)"
done
one_line 1 "could not be read" foldctl warm $FOLD
grep -q "^$FOLD *7 .* 1\$" /tmp/out || fail "warm: $(cat /tmp/out)"
( ulimit -n 100
  one_line 1 "could not be read" foldctl estimate $LOWER/deeper $LOWER/plain )
grep -q "foldfs would save 2.0 MiB" /tmp/out || fail "estimate with few descriptors: $(cat /tmp/out)"
# rm(1) and the cleanup need no help with it.
