# shows: on foldtmp, processes that read, store to, clone and change files in all ways at
#        once never see a word that it cannot be, with swap and memory taken away as well
# mem: 512M
# disk2: 1G
# timeout: 300
# alone
. /tests/lib.sh

load_foldfs
grep -qw foldtmp /proc/filesystems || skip "this kernel has no MMU notifiers, and so no foldtmp"
mkdir -p /mnt/t
mount -t foldtmp -o size=300M none /mnt/t
mkswap $DISK2 >/dev/null 2>&1 || busybox mkswap $DISK2 >/dev/null
swapon $DISK2 2>/dev/null || busybox swapon $DISK2

# run SEED CHECKED OPTIONS...: it is counted, not timed, how much is enough
run() {
	mkdir /mnt/t/seed$1
	oracle -z -s "$1" -t 100000 -n "$2" "${@:3}" /mnt/t/seed$1 /mnt/t/seed$1 >/tmp/done ||
		fail "seed $1"
	note "seed $1: $(cat /tmp/done)"
	rm -r /mnt/t/seed$1
}

run 1 20000 -p 5
run 2 8000 -p 4 -q
assert_eq "$(df -k --output=used /mnt/t | tail -n 1 | tr -d ' ')" 0 "pages in the end"
