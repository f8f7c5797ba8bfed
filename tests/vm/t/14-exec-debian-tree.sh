# shows: a Debian tree lives on foldfs: programs with shared libraries, scripts, python3
# and sqlite run from it and change it as they do on XFS, and its clone stays as it was
# needs: python3
# timeout: 200
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked/root
for dir in /bin /sbin /lib /lib64 /usr /etc; do
	[ ! -e $dir ] || cp -a $dir $LOWER/stacked/root/
done
mkdir -p $LOWER/stacked/root/{dev,proc,tmp,var}

cat >$LOWER/stacked/root/script <<'END'
set -e
cd /tmp
mkdir work
cd work
seq 1 3000 >numbers
sort -R numbers | sort -n | cmp - numbers
sed 's/^/x/' numbers | grep -c 99
find /usr/bin -type f -size -60k | sort | xargs sha256sum >sums
sha256sum --quiet -c sums
sed -i s/1/one/ numbers
tail -n 1 numbers
mkdir -p a/b/c
mv numbers a/b/c
ln -s a/b link
wc -l <link/c/numbers
cp -a a d
diff -r a d
rm -r a d link
echo '#!/bin/bash' >script
echo 'echo "$0 $1"' >>script
chmod +x script
./script argument
(ulimit -f 10; head -c 100000 /dev/zero >big) || stat -c 'limited to %s' big
python3 - <<'PY'
import json, mmap, subprocess, tempfile
with open("map", "w+b") as f:
    f.truncate(1 << 13)
    m = mmap.mmap(f.fileno(), 1 << 13)
    m[5000:5005] = b"hello"
    m.flush()
    f.seek(5000)
    assert f.read(5) == b"hello"
with tempfile.TemporaryFile(dir=".") as f:
    f.write(b"temporary")
    f.seek(0)
    assert f.read() == b"temporary"
# A database with a write-ahead log in shared memory and the file mapped, and one with
# a journal; the second copies the first.
import hashlib, shutil, sqlite3
def story(name, mode):
    db = sqlite3.connect(name, isolation_level=None)
    print(db.execute("pragma journal_mode=" + mode).fetchone(),
          db.execute("pragma mmap_size=10000000").fetchone())
    db.execute("create table if not exists t(a integer primary key, b blob)")
    for part in range(5):
        db.execute("begin immediate")
        db.executemany("insert into t(b) values (?)",
                       ((bytes([part, i % 256]) * (i % 300),) for i in range(400)))
        db.execute("update t set b = cast(b || x'00' as blob) where a % 7 = ?", (part,))
        db.execute("delete from t where a % 11 = ?", (part,))
        db.execute("rollback" if part == 3 else "commit")
    other = sqlite3.connect(name)
    print(other.execute("select count(*), sum(length(b)) from t").fetchone())
    other.close()
    db.execute("vacuum")
    rows = repr(db.execute("select * from t order by a").fetchall())
    dump = hashlib.sha256(rows.encode()).hexdigest()
    print(db.execute("pragma integrity_check").fetchone(), dump)
    db.close()
story("wal.db", "wal")
subprocess.run(["cp", "--reflink=auto", "wal.db", "copy.db"], check=True)
story("copy.db", "delete")
story("wal.db", "wal")
shutil.make_archive("packed", "tar", root_dir=".", base_dir="sums")
ran = subprocess.run(["/bin/echo", "ran"], capture_output=True, text=True)
print(json.dumps({"python": ran.stdout}))
PY
cat sums
echo the end
END
cp -a --reflink=always $LOWER/stacked/root $LOWER/stacked/clone
cp -a --reflink=always $LOWER/stacked/root $LOWER/native/root
sync

live_in() {	# TREE OUTPUT
	chroot "$1" /bin/bash /script >"$2" 2>/tmp/errors || fail "in $1: $(tail -n 3 /tmp/errors)"
	[ "$(tail -n 1 "$2")" = "the end" ] || fail "in $1: the script did not come to its end"
}
fold_mount $LOWER/stacked
live_in $LOWER/native/root /tmp/native
live_in $FOLD/root /tmp/root
live_in $FOLD/clone /tmp/clone
assert_same /tmp/native /tmp/root
assert_same /tmp/native /tmp/clone
note "$(find $FOLD/root | wc -l) files, $(du -sm $LOWER/native/root | cut -f 1) MiB"

# What the programs see and have left.
$FOLD/root/bin/bash -c 'exec sleep 1000' &
$FOLD/root/usr/bin/sleep 1000 &
until_true 10 grep -q "$FOLD/root/usr/bin/sleep" /proc/$!/maps
assert_eq "$(readlink /proc/$!/exe)" "$FOLD/root/usr/bin/sleep" "the program"
assert_eq "$(awk -v f="$FOLD/root/usr/bin/sleep" '$6 == f { print $5; exit }' /proc/$!/maps)" \
	"$(stat -c %i $FOLD/root/usr/bin/sleep)" "inode number of the mapping"
kill %1 %2
wait
umount $FOLD
rm -r $LOWER/native/root/tmp/work $LOWER/stacked/root/tmp/work $LOWER/stacked/clone/tmp/work
diff -r --no-dereference $LOWER/native/root $LOWER/stacked/root >/tmp/diff ||
	fail "the tree is not the same below: $(head -n 3 /tmp/diff)"
