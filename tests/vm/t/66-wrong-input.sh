# shows: each command of foldctl on each kind of wrong input: no such path, not foldfs,
#        unreadable, a tiny terminal, a reader that goes away or never reads, Ctrl-C
# needs: python3
. /tests/lib.sh
. /tests/foldctl.inc

user="setpriv --reuid 1000 --clear-groups"

fresh_xfs
random_file $LOWER/a 4
cp --reflink=always $LOWER/a $LOWER/b
mkdir $LOWER/secret $LOWER/few
cp --reflink=always $LOWER/a $LOWER/secret/a
cp --reflink=always $LOWER/a $LOWER/few/a
chmod 700 $LOWER/secret
chmod 600 $LOWER/b
sync
fold_mount
cat $FOLD/a $FOLD/b >/dev/null
tail -f $FOLD/a >/dev/null &

# ---- no such path
for command in estimate status map warm drop; do
	one_line 1 "/none: No such file or directory" foldctl $command $FOLD/none
	assert_eq "$(cat /tmp/out)" "" "report of $command on a path that is not there"
done
one_line 1 "/none/x" foldctl metrics --write $FOLD/none/x
for command in top metrics; do
	one_line 2 "unexpected argument '$FOLD/none'" foldctl $command $FOLD/none
done
status=0
foldctl doctor $FOLD/none >/tmp/out 2>/tmp/err || status=$?
assert_eq "$status $(cat /tmp/err)" "1 " "doctor on a path that is not there"
grep -q "^FAIL  path: $FOLD/none: No such file or directory" /tmp/out || fail "doctor: $(cat /tmp/out)"

# ---- not on foldfs. What works elsewhere says so by working.
for command in status map drop; do
	one_line 1 "$LOWER/a: not on foldfs" foldctl $command $LOWER/a
done
one_line 1 "on proc; foldfs shares the blocks" foldctl estimate /proc
one_line 1 "neither a directory nor a regular file" foldctl warm /dev/null
foldctl warm $LOWER/few | grep -q "^$LOWER/few " || fail "warm below foldfs"
status=0
foldctl doctor /proc >/tmp/out || status=$?
assert_eq "$status" 1 "exit status of doctor on proc"
grep -q "^FAIL  path: /proc: on proc" /tmp/out || fail "doctor: $(cat /tmp/out)"

# ---- unreadable
for command in status map warm drop; do
	one_line 1 "$FOLD/secret/a: Permission denied" $user foldctl $command $FOLD/secret/a
done
one_line 1 "$FOLD/b: Permission denied" $user foldctl map $FOLD/b
one_line 1 "$FOLD/b: Permission denied" $user foldctl warm -v $FOLD/b
one_line 1 "$LOWER/secret: Permission denied" $user foldctl estimate -v $LOWER/secret
one_line 1 "$LOWER/secret/a: Permission denied" $user foldctl estimate $LOWER/secret/a
one_line 1 "$FOLD/secret/x" $user foldctl metrics --write $FOLD/secret/x
one_line 1 "only root may drop pages" $user foldctl drop $FOLD
one_line 1 "only root may read the counters" $user foldctl status $FOLD
grep -q "^$FOLD *$LOWER *\$" /tmp/out || fail "status without counters: $(cat /tmp/out)"
one_line 1 "only root may read the counters" $user foldctl metrics
grep -q "^foldfs_filesystems 1\$" /tmp/out || fail "metrics without counters: $(cat /tmp/out)"
$user foldctl status -no TARGET,LOWER,DOMAIN $FOLD | grep -q "^$FOLD *$LOWER *\$" ||
	fail "names are for all to see"
$user foldctl doctor | grep -q "^note  mount: only root may read the counters" || fail "doctor for users"
one_line 0 "only root sees all processes" $user foldctl top --once
status=0
$user foldctl doctor $FOLD/secret >/tmp/out 2>/tmp/err || status=$?
assert_eq "$status $(cat /tmp/err)" "1 " "doctor on a directory that may not be read"
grep -q "^FAIL  path: $FOLD/secret: Permission denied" /tmp/out || fail "doctor: $(cat /tmp/out)"

# ---- the report cannot be written
for command in "estimate $LOWER/few" "status" "map $FOLD/a" "map -p $FOLD/a" "map -J $FOLD/a" \
	       "top --json" "warm $FOLD/a" "drop -J $FOLD" "metrics" "doctor" "doctor --report" \
	       "--help" "map --help"; do
	status=0
	foldctl $command >/dev/full 2>/tmp/err || status=$?
	assert_eq "$status" 1 "exit status of $command when its report cannot be written"
	assert_eq "$(wc -l </tmp/err)" 1 "lines of stderr of $command then: $(cat /tmp/err)"
	grep -q 'No space left\|write error' /tmp/err || fail "$command: $(cat /tmp/err)"
done

# ---- readers and terminals
cat >/tmp/readers.py <<'P'
import fcntl, os, signal, subprocess, sys, time
sys.path.insert(0, "/tests")
from terminal import run

fold, lower = sys.argv[1:]
commands = [["estimate", lower + "/few"], ["status"], ["map", fold + "/a"],
            ["map", "-p", fold + "/a"], ["map", "-s", fold + "/a"], ["top", "--once"],
            ["warm", fold + "/a"], ["drop", fold], ["metrics"], ["doctor"],
            ["doctor", "--report"], ["--help"], ["drop", "--help"]]


def default():
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


for command in commands:
    # The reader has gone: ended by SIGPIPE, without a word.
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(["foldctl", *command], stdout=theirs, stderr=subprocess.PIPE,
                          preexec_fn=default)
    os.close(theirs)
    assert done.returncode == -signal.SIGPIPE and not done.stderr, (command, done)

    # The reader does not read, and then comes Ctrl-C.
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    os.write(theirs, b"x" * 4096)
    stuck = subprocess.Popen(["foldctl", *command], stdout=theirs, stderr=subprocess.PIPE,
                             preexec_fn=default)
    while "pipe_write" not in open(f"/proc/{stuck.pid}/stack").read():
        assert stuck.poll() is None, (command, stuck.returncode)
        time.sleep(0.05)
    stuck.send_signal(signal.SIGINT)
    said = stuck.communicate()[1]
    assert stuck.returncode == -signal.SIGINT and not said, (command, stuck.returncode, said)
    os.close(ours)
    os.close(theirs)

    # A terminal of 2 lines of 10 characters: what does not fit is cut or wrapped.
    out, status = run(["foldctl", *command], [], rows=2, columns=10)
    assert status == 0 and len(out) > 10, (command, status, out)

out, status = run(["foldctl", "top"], [("terminal", "q")], rows=2, columns=10)
assert status == 0, (status, out)
P
python3 /tmp/readers.py $FOLD $LOWER

# ---- Ctrl-C while a file is read; 65 has it for estimate and top
truncate -s 256G $LOWER/long
cat >/tmp/interrupt.py <<'P'
import os, signal, sys
sys.path.insert(0, "/tests")
from terminal import run
out, status = run(["foldctl", "warm", sys.argv[1]], [("%", "\x03")])
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, (status, out[-500:])
assert "SIZE" not in out, out[-500:]
P
python3 /tmp/interrupt.py $LOWER/long
