# shows: mount -t foldfs works as for any filesystem: generic options, remount, fstab,
#        loading the module; and says in one plain line why the kernel refuses
. /tests/lib.sh

# refused TEXT COMMAND...: fails with the status of a failed mount, in one line
refused() {
	local text=$1 status=0
	shift
	"$@" >/tmp/out 2>&1 || status=$?
	assert_eq "$status" 32 "exit status of: $*: $(cat /tmp/out)"
	assert_eq "$(wc -l </tmp/out)" 1 "lines of output of: $*: $(cat /tmp/out)"
	grep -qF -- "$text" /tmp/out || fail "expected '$text' from: $*; got: $(cat /tmp/out)"
}

# options: of the mount, then of the filesystem, as in mountinfo
options() {
	awk -v mnt="$FOLD" '$5 == mnt { mine = $6; fs = $NF } END { print mine, fs }' /proc/self/mountinfo
}

has() {		# WORD: among the options
	options | tr ' ' ',' | grep -q ",$1,\|^$1,\|,$1\$" || fail "no '$1' among: $(options)"
}

lacks() {
	! options | tr ' ' ',' | grep -q ",$1,\|^$1,\|,$1\$" || fail "'$1' among: $(options)"
}

mounted() {	# MOUNTPOINT: is foldfs there, on top?
	[ "$(findmnt -n -o FSTYPE "$1" | tail -n 1)" = foldfs ]
}

fresh_xfs
mkdir -p $LOWER/trees/a $FOLD
echo hello >$LOWER/trees/a/file

# ---- the module: loaded when it can be found
refused "the foldfs module is not loaded" mount -t foldfs $LOWER $FOLD
have_foldfs || skip "there is no foldfs.ko in this tree"
modules=/lib/modules/$(uname -r)
cp $MODULE $modules/foldfs.ko
cp $modules/modules.dep /tmp/modules.dep
echo "foldfs.ko:" >>$modules/modules.dep
mount -t foldfs $LOWER $FOLD
mounted $FOLD || fail "the module was loaded, but nothing is mounted"
umount $FOLD
rm $modules/foldfs.ko
cp /tmp/modules.dep $modules/modules.dep

# ---- options of the mount and of the filesystem
for option in nosuid nodev noexec noatime nodiratime nosymfollow; do
	mount -t foldfs -o $option $LOWER $FOLD
	has $option
	lacks nofold
	umount $FOLD
done
mount -t foldfs -o ro,nofold,relatime $LOWER $FOLD
has ro; has nofold; has relatime; lacks nosuid
assert_fails "Read-only file system" touch $FOLD/x
umount $FOLD
mount -t foldfs -o strictatime,sync,dirsync $LOWER $FOLD
has rw; has sync; has dirsync; lacks relatime; lacks noatime
umount $FOLD
mount -t foldfs -o defaults,noauto,nofail,_netdev,x-nothing=1,comment=none,user $LOWER $FOLD
has rw
umount $FOLD
mount -t foldfs -o private $LOWER $FOLD
assert_eq "$(findmnt -n -o PROPAGATION $FOLD)" private propagation
umount $FOLD
mount -t foldfs -o shared $LOWER $FOLD
assert_eq "$(findmnt -n -o PROPAGATION $FOLD)" shared propagation
umount $FOLD

# ---- the mount table shows the lower directory's real name
(cd $LOWER/trees && mount.foldfs a/.. $FOLD)
assert_eq "$(findmnt -n -o SOURCE $FOLD)" $LOWER/trees "source of a mount by a relative name"
assert_eq "$(cat $FOLD/a/file)" hello "a file through the mount"
umount $FOLD

# ---- over itself
mount -t foldfs $LOWER/trees $LOWER/trees
mounted $LOWER/trees || fail "not mounted over itself"
assert_eq "$(cat $LOWER/trees/a/file)" hello "a file through a mount over itself"
refused "on foldfs already" mount -t foldfs $LOWER/trees $FOLD
umount $LOWER/trees

# ---- refused, and why
refused "file is not a directory" mount -t foldfs $LOWER/trees/a/file $FOLD
refused "No such file or directory" mount -t foldfs $LOWER/none $FOLD
mkdir /tmp/t
mount -t tmpfs none /tmp/t
refused "is on tmpfs" mount -t foldfs /tmp/t $FOLD
umount /tmp/t
refused "nonesuch" mount -t foldfs -o nonesuch $LOWER $FOLD
refused "nofold" mount -t foldfs -o nofold=1 $LOWER $FOLD
grep -q '^mount.foldfs: ' /tmp/out || fail "not the helper's words: $(cat /tmp/out)"
status=0
mount.foldfs $LOWER 2>/tmp/err || status=$?
assert_eq "$status" 1 "exit status of wrong usage"
mkdir /tmp/gone
refused "No such file or directory" mount.foldfs $LOWER /tmp/gone/none
# A refused mount leaves nothing behind.
mounted $FOLD && fail "mounted after all"

# ---- the helper's own options
mount -f -t foldfs $LOWER $FOLD
mount.foldfs $LOWER $FOLD -f -o ro
mounted $FOLD && fail "-f has mounted"
mount -s -t foldfs -o nonesuch,nofold,other=thing $LOWER $FOLD
has nofold
umount $FOLD
mount.foldfs $LOWER $FOLD -n -v -o nofold -o nosuid >/tmp/out
assert_eq "$(cat /tmp/out)" "mount.foldfs: $LOWER mounted on $FOLD" "what -v says"
has nofold; has nosuid
umount $FOLD
mount.foldfs --help | grep -q '^Usage: mount.foldfs' || fail "--help"
mount.foldfs --version | grep -q '(foldfs) [0-9]' || fail "--version"

# ---- in another mount namespace
unshare -m sleep 1000 &
other=$!
until_true 10 sh -c "[ \$(readlink /proc/$other/ns/mnt) != \$(readlink /proc/self/ns/mnt) ]"
mount.foldfs $LOWER $FOLD -N $other
mounted $FOLD && fail "mounted here, not in the other namespace"
grep -q " $FOLD .* foldfs " /proc/$other/mountinfo || fail "not mounted in the other namespace"
# What is called modprobe there is not run, though this has to look for the module.
rmmod_foldfs() { nsenter -m -t $other umount $FOLD && rmmod foldfs; }
until_true 60 rmmod_foldfs
mkdir /tmp/sbin
cat >/tmp/sbin/modprobe <<'END'
#!/bin/sh
echo "$0 $*" >>/tmp/evil
END
chmod 755 /tmp/sbin/modprobe
nsenter -m -t $other mount --bind /tmp/sbin /usr/sbin
nsenter -m -t $other /usr/sbin/modprobe foldfs
assert_eq "$(wc -l </tmp/evil)" 1 "runs of the namespace's modprobe when it is asked for"
rm /tmp/evil
status=0
mount.foldfs $LOWER $FOLD -N $other 2>/tmp/out || status=$?
[ ! -e /tmp/evil ] || fail "the helper has run a program of the other namespace: $(cat /tmp/evil)"
assert_eq "$status" 32 "exit status of a mount without the module"
grep -qF "the foldfs module is not loaded" /tmp/out || fail "without the module: $(cat /tmp/out)"
load_foldfs
kill $other
wait $other 2>/dev/null || true

# ---- a lower path as long as paths can be; what the kernel says of it; and one longer still
name=$(head -c 200 /dev/zero | tr '\0' d)
long=$LOWER
( cd $LOWER || exit
  for (( i = 0; i < 30; i++ )); do mkdir $name; cd $name || exit; done
  echo deep >deep )
for (( i = 0; i < 20; i++ )); do
	case $i in
	1|2|19)	# 200, 400 and 3800 bytes
		mount -t foldfs $long $FOLD
		assert_eq "$(findmnt -n -o SOURCE $FOLD)" $long "the source of a mount over a long path"
		[ -d $FOLD/$name ] || fail "another directory is mounted"
		umount $FOLD
		;;
	esac
	long=$long/$name
done
touch "${long%/*}/file"
refused "/file is not a directory" mount -t foldfs "${long%/*}/file" $FOLD
( cd $LOWER || exit
  for (( i = 0; i < 30; i++ )); do cd $name || exit; done
  refused "bind-mount it to a shorter one" mount.foldfs . $FOLD
  mkdir /mnt/short
  mount -c --bind . /mnt/short )
mount -t foldfs /mnt/short $FOLD
assert_eq "$(cat $FOLD/deep)" deep "a file below a long path"
umount $FOLD /mnt/short
refused "is longer than 255 bytes" mount -t foldfs -o nofold,nonesuch=$name$name $LOWER $FOLD

# ---- remount
mount -t foldfs -o nosuid $LOWER $FOLD
mount -o remount,ro $FOLD
has ro; has nosuid
assert_fails "Read-only file system" touch $FOLD/x
mount -o remount,rw,nodev $FOLD
has rw; has nodev
touch $FOLD/x
mount -o remount,bind,ro $FOLD
has ro
mount -o remount,bind,rw $FOLD
has rw
refused "nonesuch" mount -o remount,nonesuch $FOLD
touch $FOLD/x
umount $FOLD

# ---- below a read-only mount
mkdir /mnt/ro
mount --bind $LOWER /mnt/ro
mount -o remount,bind,ro /mnt/ro
mount -t foldfs /mnt/ro $FOLD 2>/tmp/err
has ro
grep -q '^mount.foldfs: warning: .*read-only' /tmp/err || fail "no warning: $(cat /tmp/err)"
refused "read-only" mount -o remount,rw $FOLD
umount $FOLD

# ---- fstab
cp /etc/fstab /tmp/fstab 2>/dev/null || : >/tmp/fstab
echo "$LOWER/trees $LOWER/trees foldfs nosuid,x-systemd.requires-mounts-for=/mnt 0 0" >/etc/fstab
echo "$LOWER $FOLD foldfs noauto,nofold 0 0" >>/etc/fstab
mount -a
mounted $LOWER/trees || fail "mount -a did not mount"
mounted $FOLD && fail "mount -a has mounted what is noauto"
mount -a
assert_eq "$(grep -c " $LOWER/trees .* foldfs " /proc/self/mountinfo)" 1 "mounts after a second mount -a"
umount $LOWER/trees
mount $FOLD
has nofold
umount $FOLD
cp /tmp/fstab /etc/fstab
