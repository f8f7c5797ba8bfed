# shows: files meet only within one trust domain (-o domain=NAME): two domains over one
#        filesystem cost two copies, one domain in 50 mounts costs one; tenants in two
#        domains see nothing of one another's use of blocks; a file that both show stays
#        coherent; the name is shown, kept by remounts, and any text will do
# needs: python3
# timeout: 300
. /tests/lib.sh

ONE=$FOLD TWO=/mnt/two ALL=/mnt/all
KIB=12288

# look WAY DIR...: sets $unique and $growth (kB), as tree prints them
look() {
	local out
	out=$(tree "$1" $KIB 1 "${@:2}") || fail "tree $1 of ${*:2}"
	read -r unique growth <<<"$out"
}

# shown MOUNTPOINT: the filesystem's options, as mountinfo has them
shown() {
	awk -v mnt="$1" '$5 == mnt { fs = $NF } END { print fs }' /proc/self/mountinfo
}

# figures MOUNTPOINT: all its counters
figures() {
	local name
	for name in cache fragments references pages_cached pages_saved joins breaks fills refills \
		    shootdowns fallbacks outside_writers; do
		echo "$name $(counter "$1" $name)"
	done
}

fresh_xfs
mkdir $LOWER/one $LOWER/two
tree make $KIB 1 $LOWER/one/c1 >/dev/null
random_file $LOWER/one/lib 1 7
for i in 2 3 4; do cp -r --reflink=always $LOWER/one/c1 $LOWER/one/c$i; done
for i in 1 2 3 4; do cp -r --reflink=always $LOWER/one/c1 $LOWER/two/c$i; done
for file in one/lib2 two/lib two/lib2 two/work two/work2; do cp --reflink=always $LOWER/one/lib $LOWER/$file; done

# ---- two tenants: one reads and maps, the other sees nothing of it
fold_mount $LOWER/one $ONE -o domain=alpha
fold_mount $LOWER/two $TWO -o domain=beta
assert_eq "$(shown $ONE)" rw,domain=alpha "options of the first mount"
assert_ne "$(counter $ONE cache)" "$(counter $TWO cache)" "the caches of two domains"
drop_caches
cat $TWO/lib $TWO/lib2 $TWO/work $TWO/work2 >/dev/null
foldctl drop $TWO >/dev/null
before=$(figures $TWO)
cat $ONE/lib $ONE/lib2 >/dev/null
look read $ONE/c?
look private $ONE/c?
assert_ge "$(counter $ONE pages_cached)" $(( unique * 95 / 400 )) "pages cached for the first tenant"
assert_eq "$(figures $TWO)" "$before" "the second tenant's counters after the first has read"
assert_eq "$(peek $ONE/lib)" "1 0 256 2" "what the first tenant sees of his file"
assert_eq "$(peek $TWO/lib)" "0 0 0 4" "what the second tenant sees of his file"
before=$(figures $ONE)
dd if=$TWO/lib of=$TWO/work bs=64k conv=notrunc status=none
rm $TWO/work2
assert_eq "$(figures $ONE)" "$before" "the first tenant's counters after the second has changed files"
assert_eq "$(peek $ONE/lib)" "1 0 256 2" "what the first tenant sees of his file then"
rm $TWO/work
sync

# ---- nor do the counters say anything to users, of whichever mount
assert_eq "$(find /sys/fs/foldfs/ -type f -perm /077)" "" "files in sysfs that are open to users"
assert_fails "Permission denied" setpriv --reuid 1000 --clear-groups \
	cat "/sys/fs/foldfs/$(devno $TWO)/fills"

# ---- two domains cost two copies, and not more
# Inodes whose pages have gone are let go by workers, and with them references that
# somebody may be using again: so until there are none.
none_left() {
	drop_caches
	foldctl drop --all >/dev/null
	[ "$(counter $ONE references) $(counter $TWO references)" = "0 0" ]
}
until_true 60 none_left
# Who reads while a file joins reads copies, which go when it has joined: so again.
look read $ONE/c? $TWO/c?
look read $ONE/c? $TWO/c?
growth=$(( ($(counter $ONE pages_cached) + $(counter $TWO pages_cached)) * 4 ))
note "8 clones of $unique kB in two domains cost $growth kB of page cache"
assert_ge "$growth" $(( unique * 195 / 100 )) "page cache of two domains (kB)"
assert_le "$growth" $(( unique * 210 / 100 )) "page cache of two domains (kB)"
for mnt in $ONE $TWO; do
	assert_ge "$(counter $mnt pages_saved)" $(( $(counter $mnt pages_cached) * 28 / 10 )) \
		"pages saved in the domain of $mnt"
done
look shared $ONE/c? $TWO/c?
assert_le "$growth" $(( unique / 40 )) "growth by mappings in both (kB)"

# ---- a file that both show: what changes through one is seen at once through the other
fold_mount $LOWER $ALL -o domain=gamma
sysctl_set fs.lease-break-time 10
outside $ONE $ALL/one >/tmp/out || fail "changes through the upper mount: $(tail -n 1 /tmp/out)"
rm $ONE/a $ONE/b $ONE/donor
outside $ALL/two $TWO >/tmp/out || fail "changes through the lower mount: $(tail -n 1 /tmp/out)"
rm $TWO/a $TWO/b $TWO/donor
mkdir $ONE/oracle
oracle -s 5 -t 20 -p 4 -m $ALL/one/oracle $ONE/oracle $LOWER/one/oracle >/tmp/out || fail "the oracle"
note "in two domains: $(cat /tmp/out)"

# Blocks that are exchanged under a descriptor for reading.
cat $LOWER/two/lib >$LOWER/two/z
cp --reflink=always $LOWER/two/z $LOWER/two/zz
sync
drop_caches
cat $ALL/two/lib $ALL/two/lib2 $TWO/lib $TWO/lib2 >/dev/null
refers=$(counter $ALL references)
xfs_io -r -c "dedupe $TWO/z 0 0 1048576" $TWO/lib >/tmp/out
grep -q '^deduped 1048576' /tmp/out || fail "no deduplication: $(cat /tmp/out)"
assert_eq "$(counter $ALL references)" $(( refers - 1 )) "references of the other domain's mount"
assert_same $ALL/two/lib $LOWER/two/z
assert_same $TWO/lib $ALL/two/lib2

# ---- the last mount of a domain takes its cache along, and no other's
id=$(counter $ALL cache)
umount $ONE
assert_eq "$(counter $ALL cache)" "$id" "the other domain's cache"
fold_mount $LOWER/one $ONE -o domain=alpha
assert_eq "$(counter $ONE pages_cached)" 0 "pages of a domain that has begun anew"
umount $ONE $TWO $ALL

# ---- any text is a name; remounts keep it
for name in 'a b' 'a,b=c\d' $'tab\tname' 'Ж' "$(head -c 255 /dev/zero | tr '\0' x)"; do
	fold_mount $LOWER $ALL -o "domain=\"$name\""
	fold_mount $LOWER/one $ONE -o "domain=\"$name\""
	assert_eq "$(counter $ALL cache)" "$(counter $ONE cache)" "caches of two mounts of the domain '$name'"
	# What is no text for a terminal is told as foldctl(8) says.
	assert_eq "$(foldctl status -no DOMAIN --json $ONE | python3 -c \
		'import json, sys; print(json.load(sys.stdin)["filesystems"][0]["domain"])')" \
		"${name//$'\t'/\\x09}" "the domain that foldctl shows"
	umount $ONE $ALL
done
fold_mount $LOWER $ALL
fold_mount $LOWER/one $ONE -o domain=
fold_mount $LOWER/two $TWO -o domain=x
assert_eq "$(counter $ALL cache)" "$(counter $ONE cache)" "caches of mounts without a domain"
assert_ne "$(counter $ALL cache)" "$(counter $TWO cache)" "caches of mounts with and without one"
assert_eq "$(shown $ONE)" rw "options with the empty name"
mount -o remount,ro $TWO
mount -o remount,rw,domain=x $TWO
assert_eq "$(shown $TWO)" rw,domain=x "options after remounts"
assert_fails "domain cannot be changed by a remount" mount -o remount,domain=y $TWO
assert_fails "domain cannot be changed by a remount" mount -o remount,domain=y $ALL
assert_fails "longer than 255 bytes" mount -t foldfs -o "domain=$(head -c 256 /dev/zero | tr '\0' x)" $LOWER /mnt
assert_fails "domain" mount -t foldfs -o domain $LOWER /mnt
umount $ONE $TWO $ALL

# ---- one domain in 50 mounts costs one copy
rm -r $LOWER/one $LOWER/two
KIB=2048
mkdir -p $LOWER/m0
tree make $KIB 1 $LOWER/m0/c >/dev/null
for (( i = 1; i < 50; i++ )); do cp -r --reflink=always $LOWER/m0 $LOWER/m$i; done
sync
for (( i = 0; i < 50; i++ )); do fold_mount $LOWER/m$i /mnt/m$i -o domain=farm; done
drop_caches
look read /mnt/m*/c
note "50 mounts of one domain, each over a clone of $unique kB, cost $growth kB of page cache"
assert_le "$growth" $(( unique * 115 / 100 )) "page cache of 50 mounts (kB)"
assert_eq "$(cat /sys/fs/foldfs/*/cache | sort -u | wc -l)" 1 "caches of 50 mounts"
