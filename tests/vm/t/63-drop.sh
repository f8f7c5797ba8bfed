# shows: foldctl drop gives shared pages back, mapped ones as well, leaves locked
#        ones alone, and nobody sees another byte than before
# needs: python3
. /tests/lib.sh
. /tests/foldctl.inc

fresh_xfs
random_file $LOWER/a 8
cp --reflink=always $LOWER/a $LOWER/b
random_file $LOWER/locked 1 7
cp --reflink=always $LOWER/locked $LOWER/locked2
sync

one_line 1 "the foldfs module is not loaded" foldctl drop --all
one_line 2 "no path given" foldctl drop
one_line 2 "do not go together" foldctl drop --all $LOWER
one_line 1 "not on foldfs" foldctl drop $LOWER

fold_mount
drop=/sys/fs/foldfs/$(devno $FOLD)/drop
all_cached() {
	cat $FOLD/a $FOLD/b $FOLD/locked $FOLD/locked2 >/dev/null
	[ "$(counter $FOLD pages_cached)" = 2304 ]
}
until_true 60 all_cached

# Mapped pages and locked ones, in a process that goes on.
cat >/tmp/hold.py <<'P'
import ctypes, mmap, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
f = os.open(sys.argv[1] + "/locked", os.O_RDONLY)
at = libc.mmap(None, 1 << 20, 1, 1, f, 0)
assert libc.mlock(ctypes.c_void_p(at), ctypes.c_size_t(1 << 20)) == 0, ctypes.get_errno()
fd = os.open(sys.argv[1] + "/a", os.O_RDONLY)
m = mmap.mmap(fd, 8 << 20, mmap.MAP_SHARED, mmap.PROT_READ)
sum(m[i] for i in range(0, 8 << 20, 4096))
open("/tmp/ready", "w").close()
while not os.path.exists("/tmp/again"):
    time.sleep(0.1)
open("/tmp/seen", "wb").write(m[:])
P
python3 /tmp/hold.py $FOLD &
until_true 60 test -e /tmp/ready

fills=$(counter $FOLD fills)
json "foldctl drop --json -o +before $FOLD/b" \
	"d['filesystems'][0]['target'] == '$FOLD' and d['filesystems'][0]['before'] >= 9 << 20 and d['filesystems'][0]['dropped'] >= 7 << 20"
# What was in use at that moment goes the next time.
few_left() {
	foldctl drop $FOLD >/dev/null
	[ "$(counter $FOLD pages_cached)" -le "$1" ]
}
until_true 60 few_left 400
assert_ge "$(counter $FOLD pages_cached)" 256 "pages left: locked ones"
assert_ge "$(counter $FOLD shootdowns)" 2000 "mapped pages that were shot down"
note "left of 2304 pages, 256 of them locked: $(counter $FOLD pages_cached)"
touch /tmp/again
wait
assert_same /tmp/seen $LOWER/a
assert_ge "$(counter $FOLD fills)" $(( fills + 1900 )) "pages that were read again"
until_true 60 few_left 100

# ---- who may, and what may be written
one_line 1 "only root may drop pages" setpriv --reuid 1000 --clear-groups foldctl drop $FOLD
assert_fails "Invalid argument" sh -c "echo 2 >$drop"
assert_fails "Invalid argument" sh -c "echo yes >$drop"
chmod 644 $drop
assert_fails "Input/output error" cat $drop
mkdir -p /mnt/second
fold_mount $LOWER /mnt/second -o nofold
assert_eq "$(foldctl drop -bno DROPPED,LEFT /mnt/second | tr -s ' ')" " 0 0" "a mount that shares nothing"
assert_eq "$(foldctl drop -an | wc -l)" 2 "lines of --all"
