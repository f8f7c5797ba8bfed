# shows: a Debian tree lives on foldfs: programs with shared libraries, scripts and
# python3 run from it, change it, and it is the same below
# needs: python3
# timeout: 180
. /tests/lib.sh

fresh_xfs -- >/dev/null 2>&1 || fresh_xfs
mkdir $LOWER/root
for dir in /bin /sbin /lib /lib64 /usr /etc; do
	[ ! -e "$dir" ] || cp -a "$dir" $LOWER/root/
done
mkdir -p $LOWER/root/{dev,proc,tmp,var}
cp -a --reflink=always $LOWER/root $LOWER/clone
sync

cat >/tmp/script <<'END'
set -e
cd /tmp
mkdir work
cd work
seq 1 20000 >numbers
sort -R numbers | sort -n | cmp - numbers
sed 's/^/x/' numbers | grep -c 99
find /usr -type f | sort | xargs sha256sum >sums 2>/dev/null
sha256sum --quiet -c sums
sed -i s/1/one/ numbers
tail -n 1 numbers
mkdir -p a/b/c
mv numbers a/b/c
ln -s a/b link
cat link/c/numbers | wc -l
cp -a a d
diff -r a d
rm -r a d link
tail -f sums >/dev/null &
kill $!
echo '#!/bin/bash' >script
echo 'echo "$0 $1"' >>script
chmod +x script
./script argument
ulimit -f 10
head -c 100000 /dev/zero >big 2>/dev/null || echo "limited to $(stat -c %s big)"
python3 - <<'PY'
import hashlib, json, mmap, os, subprocess, tempfile
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
print(json.dumps({"python": subprocess.run(["/bin/echo", "ran"], capture_output=True, text=True).stdout}))
PY
echo done
END

for tree in $LOWER/root $FOLD/root $FOLD/clone; do
	[ -d $FOLD/root ] || fold_mount
	mount -t proc proc "$tree/proc"
	cp /tmp/script "$tree/tmp/script"
	chroot "$tree" /bin/bash /tmp/script >"/tmp/out.$(basename "$(dirname "$tree")").$(basename "$tree")" 2>/tmp/errors ||
		fail "in $tree: $(tail -n 3 /tmp/errors)"
	umount "$tree/proc"
	cp "$tree/tmp/work/sums" "/tmp/sums.$(basename "$tree")"
done
cat /tmp/out.fold.root
assert_same /tmp/out.lower.root /tmp/out.fold.root 2>/dev/null || true
grep -q '^done' /tmp/out.fold.clone || fail "the script did not come to its end"
