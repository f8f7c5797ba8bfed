# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests in the VM can use.  Every test is run by bash and starts with
# `. /tests/lib.sh`.  A test passes when it reaches its end, fails at the first
# failed assertion or (set -e) command, and `skip` leaves it.
#
# Nothing needs to be taken down at the end of a test: the agent kills what
# still runs and then calls this file with --cleanup, which unmounts, unloads
# foldfs and fails the test if anything stays behind.

DISK=/dev/vda
# shellcheck disable=SC2034	# the second one is for tests that ask for it
DISK2=/dev/vdb
LOWER=/mnt/lower
FOLD=/mnt/fold
MODULE=/foldfs.ko
DAX_MODULE=/dm-fold.ko
# The pmem device of a test that says `# args: memmap=SIZE!ADDRESS`.
# shellcheck disable=SC2034
POOL=/dev/pmem0
T=/run/t		# the running test's notes and reasons

# ---- verdicts --------------------------------------------------------------

# fail TEXT: the test has failed; TEXT stands behind its name in the results.
fail() {
	echo "FAIL: $*"
	echo "$*" >>$T/reasons
	exit 1
}

# skip TEXT: the test cannot run here.
skip() {
	echo "skip: $*"
	echo "$*" >>$T/reasons
	exit 77
}

# note TEXT: a figure or a fact that is printed under the test's line.
note() {
	echo "note: $*"
	echo "$*" >>$T/notes
}

assert_eq() {	# ACTUAL EXPECTED WHAT
	[ "$1" = "$2" ] || fail "${3:-value}: got '$1', expected '$2'"
}

assert_ne() {	# ACTUAL UNEXPECTED WHAT
	[ "$1" != "$2" ] || fail "${3:-value}: got '$1', expected anything else"
}

assert_le() {	# ACTUAL LIMIT WHAT, integers
	[ "$1" -le "$2" ] || fail "${3:-value}: got $1, expected at most $2"
}

assert_ge() {	# ACTUAL LIMIT WHAT, integers
	[ "$1" -ge "$2" ] || fail "${3:-value}: got $1, expected at least $2"
}

assert_same() {	# FILE FILE: the same bytes
	cmp -s "$1" "$2" || fail "$1 and $2 differ: $(cmp "$1" "$2" 2>&1)"
}

# need_module NAME: a module of the kernel's own, which may be built in
need_module() {
	[ -e "/sys/module/$1" ] ||
		tr - _ <"/lib/modules/$(uname -r)/modules.builtin" | grep -q "/$1\.ko" ||
		modprobe "$1"
}

# assert_fails ERRNO-TEXT COMMAND...: the command fails and says why.
assert_fails() {
	local want=$1 out
	shift
	if out=$("$@" 2>&1); then
		fail "succeeded, expected '$want': $*"
	fi
	case $out in
	*"$want"*) ;;
	*) fail "expected '$want' from: $*; got: $out" ;;
	esac
}

# sized COUNT SMALLER: the first; the second on a kernel whose checks make everything
# take so many times as long that the first says no more and is waited for in vain
sized() {
	case $(uname -r) in
	*-foldfs-debug* | *-foldfs-kcsan*) echo "$2" ;;
	*) echo "$1" ;;
	esac
}

# until_true SECONDS COMMAND...: wait until it is true. How long that takes is no
# verdict, so nothing but the test's own limit ends it, and then the result says what was
# waited for. After SECONDS, by which it should be true, the log says so.
until_true() {
	local late=$(( SECONDS + $1 )) waiting=$T/waiting.$BASHPID
	shift
	echo "$*" >"$waiting"
	until "$@"; do
		[ "$SECONDS" -ne "$late" ] || { echo "still waiting for: $*"; late=-1; }
		sleep 0.1
	done
	rm -f "$waiting"
}

# ---- the lower filesystem and foldfs -----------------------------------------

# fresh_xfs [DEVICE [MOUNTPOINT [mkfs options...]]]: an empty XFS with reflink.
fresh_xfs() {
	local dev=${1:-$DISK} mnt=${2:-$LOWER}
	shift $(( $# < 2 ? $# : 2 ))
	mkdir -p "$mnt"
	mkfs.xfs -q -f -K -m reflink=1 "$@" "$dev"
	mount -t xfs "$dev" "$mnt"
}

# fresh_btrfs [DEVICE [MOUNTPOINT [mkfs options...]]]
fresh_btrfs() {
	local dev=${1:-$DISK} mnt=${2:-$LOWER}
	shift $(( $# < 2 ? $# : 2 ))
	mkdir -p "$mnt"
	mkfs.btrfs -q -f -K "$@" "$dev"
	mount -t btrfs "$dev" "$mnt"
}

have_foldfs() {
	[ -e $MODULE ]
}

# load_foldfs: unless it is loaded.  Skips where none was built.
load_foldfs() {
	[ -d /sys/module/foldfs ] && return
	have_foldfs || skip "there is no foldfs.ko in this tree"
	insmod $MODULE
}

# fold_mount [LOWER [MOUNTPOINT [mount options...]]]
fold_mount() {
	local lower=${1:-$LOWER} mnt=${2:-$FOLD}
	shift $(( $# < 2 ? $# : 2 ))
	load_foldfs
	mkdir -p "$mnt"
	mount -t foldfs "$@" "$lower" "$mnt"
}

# load_dm_fold: unless it is loaded, with what makes a pmem device of memmap=.
load_dm_fold() {
	[ -d /sys/module/dm_fold ] && return
	[ -e $DAX_MODULE ] || skip "there is no dm-fold.ko for this kernel"
	need_module dm-mod
	need_module nd_pmem
	need_module nd_e820
	until_true 10 [ -b $POOL ]
	insmod $DAX_MODULE
}

# fold_device NAME [LOWER [OPTIONS...]]: a read-only table over LOWER, whose device
# is $DAX then
fold_device() {
	local name=$1 lower=${2:-$DISK}
	shift $(( $# < 2 ? $# : 2 ))
	load_dm_fold
	dmsetup create --readonly "$name" \
		--table "0 $(blockdev --getsz "$lower") fold $lower $POOL ro $*"
	# shellcheck disable=SC2034
	DAX=/dev/dm-$(dmsetup info -c --noheadings -o minor "$name")
}

# dax_counter NAME KEY: one of the figures in the device's status
dax_counter() {
	dmsetup status "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# devno MOUNTPOINT: major:minor, as in /proc/self/mountinfo; the topmost mount.
devno() {
	awk -v mnt="$1" '$5 == mnt { dev = $3 } END { print dev }' /proc/self/mountinfo
}

# counter MOUNTPOINT NAME: one of the mount's counters
counter() {
	cat "/sys/fs/foldfs/$(devno "$1")/$2"
}

# ---- memory --------------------------------------------------------------

# meminfo KEY: kB
meminfo() {
	awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo
}

# vmstat KEY
vmstat() {
	awk -v key="$1" '$1 == key { print $2 }' /proc/vmstat
}

# cached_kb: page cache of files on disks: Cached without tmpfs's part
cached_kb() {
	awk '$1 == "Cached:" { c = $2 } $1 == "Shmem:" { s = $2 } END { print c - s }' /proc/meminfo
}

drop_caches() {
	sync
	echo "${1:-3}" >/proc/sys/vm/drop_caches
}

# sysctl_set KEY VALUE: until the test's end, e.g. sysctl_set fs.lease-break-time 5
sysctl_set() {
	local file=/proc/sys/${1//./\/}
	[ -e "$T/sysctl/$1" ] || { mkdir -p $T/sysctl; cat "$file" >"$T/sysctl/$1"; }
	echo "$2" >"$file"
}

# cgroup NAME [BYTES]: a memory cgroup, limited if BYTES is given; prints its path.
# Run a command in it with: in_cgroup NAME COMMAND...
cgroup() {
	mkdir -p "/sys/fs/cgroup/$1"
	[ -z "${2:-}" ] || echo "$2" >"/sys/fs/cgroup/$1/memory.max"
	echo "/sys/fs/cgroup/$1"
}

in_cgroup() {
	local name=$1
	shift
	( echo "$BASHPID" >"/sys/fs/cgroup/$name/cgroup.procs" && exec "$@" )
}

# ---- time and data -----------------------------------------------------------

now_us() {
	echo "${EPOCHREALTIME/./}"
}

# random_file FILE MIB [SEED]: the same bytes for the same seed
random_file() {
	randfile "$1" "$2" "${3:-1}"
}

# ---- after a test ------------------------------------------------------------

_left() {
	echo "left behind: $*"
	echo "left behind: $*" >>$T/reasons
	_bad=1
}

# The mount points that a test made, newest first.
_test_mounts() {
	awk '{ print $5 }' /proc/self/mountinfo | tac |
		grep -v -x -E '/|/dev(/pts|/shm)?|/proc|/sys|/run|/sys/kernel/(debug|tracing|debug/tracing)|/sys/fs/cgroup'
}

_cleanup() {
	local m name try
	_bad=0

	swapoff -a 2>/dev/null
	for try in 1 2 3; do
		for m in $(_test_mounts); do
			umount "$(printf '%b' "$m")" 2>/dev/null
		done
		[ -z "$(_test_mounts)" ] && break
		[ "$try" = 1 ] && losetup -D 2>/dev/null
		sleep 0.2
	done
	for m in $(_test_mounts); do
		_left "$m cannot be unmounted: $(umount "$m" 2>&1)"
	done
	losetup -D 2>/dev/null
	[ -e /sys/module/dm_mod ] && dmsetup remove_all --force >/dev/null 2>&1

	# What the test made beside the disk: another one may want the name.
	find /mnt -mindepth 1 -maxdepth 1 -type d -empty ! -path $LOWER ! -path $FOLD \
		-exec rmdir {} + 2>/dev/null

	find /sys/fs/cgroup -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
	for name in "$T"/sysctl/*; do
		[ -e "$name" ] || continue
		m=${name##*/}
		cat "$name" >"/proc/sys/${m//./\/}"
	done

	for name in foldfs dm_fold; do
		[ -d /sys/module/$name ] || continue
		for try in 1 2 3 4 5 6 7 8 9 10; do
			m=$(rmmod $name 2>&1) && break
			sleep 0.2
		done
		[ ! -d /sys/module/$name ] || _left "$name cannot be unloaded: $m"
	done
	if [ ! -d /sys/module/foldfs ]; then
		# A slab cache whose frees wait for RCU goes a moment later.
		for try in 1 2 3 4 5 6 7 8 9 10; do
			m=$(cd /sys/kernel/slab && echo fold_* foldfs*)
			[ "$m" = "fold_* foldfs*" ] && break
			sleep 0.2
		done
		m=${m//fold_\*/}
		m=${m//foldfs\*/}
		[ -z "${m// /}" ] || _left "slab caches still there after rmmod: $m"
		[ ! -e /sys/fs/foldfs ] || _left "/sys/fs/foldfs still there after rmmod"
		! grep -qw foldfs /proc/filesystems || _left "foldfs is still registered after rmmod"
	fi

	# O (out of tree) and E (unsigned) are what loading foldfs sets, X what the
	# kernel sets when somebody asks fanotify for permission events.
	m=$(( $(cat /proc/sys/kernel/tainted) & ~(4096 | 8192 | 65536) ))
	[ "$m" = 0 ] || _left "the kernel is tainted: $m"
	return $_bad
}

if [ "${1:-}" = --cleanup ]; then
	_cleanup
	exit
fi
set -e -u -o pipefail
