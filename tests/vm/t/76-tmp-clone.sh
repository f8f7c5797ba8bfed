# shows: foldtmp's clones share every page until one side changes it, and leave nothing
#        behind
. /tests/lib.sh

used() {	# pages
	local used
	used=$(df -k --output=used /mnt/t | tail -n 1)
	echo $(( used / 4 ))
}

load_foldfs
grep -qw foldtmp /proc/filesystems || skip "this kernel has no MMU notifiers, and so no foldtmp"
mkdir -p /mnt/t
mount -t foldtmp -o size=192M none /mnt/t
random_file /mnt/t/a 16
for (( i = 1; i <= 200; i++ )); do
	cp --reflink=always /mnt/t/a /mnt/t/c$i
done
assert_eq "$(used)" 4096 "pages of a file and 200 clones"
assert_eq "$(stat -c %b /mnt/t/c200)" 32768 "blocks of a clone"
for (( i = 1; i <= 200; i++ )); do
	printf X | dd of=/mnt/t/c$i bs=1 seek=$(( i * 4096 + 5 )) conv=notrunc 2>/dev/null
done
assert_eq "$(used)" 4296 "pages when each clone has changed one"
for i in 1 77 200; do
	cp /mnt/t/a /tmp/want
	printf X | dd of=/tmp/want bs=1 seek=$(( i * 4096 + 5 )) conv=notrunc 2>/dev/null
	assert_same /mnt/t/c$i /tmp/want
done
# The first file goes: what the others have stays, and then what one alone has.
rm /mnt/t/a
assert_eq "$(used)" 4296 "pages without the first file"
truncate -s 8M /mnt/t/c1
rm /mnt/t/c*[2-9]
cp /mnt/t/c200 /tmp/kept
# In place, where nobody else refers to it.
before=$(used)
dd if=/dev/zero of=/mnt/t/c1 bs=1M count=8 conv=notrunc 2>/dev/null
[ "$(used)" -gt "$before" ] || fail "a page that others have was written in place"
before=$(used)
dd if=/dev/urandom of=/mnt/t/c1 bs=1M count=8 conv=notrunc 2>/dev/null
assert_eq "$(used)" "$before" "pages after a write to what is one file's alone"
assert_same /mnt/t/c200 /tmp/kept
rm /mnt/t/c*
assert_eq "$(used)" 0 "pages in the end"

# What cannot be done has a reason.
: >/mnt/t/f
assert_fails "Invalid cross-device link" cp --reflink=always /tests/lib.sh /mnt/t/g
rm -f /mnt/t/f /mnt/t/g
