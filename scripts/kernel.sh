#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Say where a kernel to test with is, as KEY=value lines:
#
#   scripts/kernel.sh stock     the distribution's newest 6.12 cloud kernel
#   scripts/kernel.sh debug     the one scripts/debug-kernel builds
#   scripts/kernel.sh kcsan     the one scripts/debug-kernel kcsan builds
#   scripts/kernel.sh DIR       a directory with vmlinuz, modules/ and headers/
#
# KVER (release), IMAGE (bzImage), MODULES (its /lib/modules directory), KDIR
# (what to build modules against).
#
# The stock kernel comes from the system where it is installed.  Elsewhere its
# packages are downloaded and unpacked under build/kernel: installing a kernel
# package would change which kernel the machine boots.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=${FOLDFS_BUILD:-$top/build}
series=${FOLDFS_KERNEL_SERIES:-6.12}
series_re=$(printf '%s' "$series" | sed 's/\./\\./g')

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

# show KVER IMAGE MODULES KDIR
show() {
	printf 'KVER=%s\nIMAGE=%s\nMODULES=%s\nKDIR=%s\n' "$1" "$2" "$3" "$4"
}

show_dir() {
	set -- "$1" "$(basename "$(readlink -f "$1/modules")")"
	show "$2" "$1/vmlinuz" "$(readlink -f "$1/modules")" "$(readlink -f "$1/headers")"
}

installed() {
	for image in $(find /boot -maxdepth 1 -name "vmlinuz-$series.*-cloud-amd64" | sort -rV); do
		kver=${image#/boot/vmlinuz-}
		modules=/lib/modules/$kver
		if [ -r "$image" ] && [ -e "$modules/build/Makefile" ] &&
		   [ -e "$modules/modules.dep" ]; then
			show "$kver" "$image" "$modules" "$(readlink -f "$modules/build")"
			return 0
		fi
	done
	return 1
}

unpacked() {
	for dir in $(find "$build/kernel/" -mindepth 1 -maxdepth 1 -type d \
			-name "$series.*" 2>/dev/null | sort -rV); do
		if [ -e "$dir/complete" ]; then
			show_dir "$dir"
			return 0
		fi
	done
	return 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root and no sudo; as root, run: $*"
	fi
}

# The newest release for which the archive has image and headers.
newest() {
	apt-cache pkgnames "linux-headers-$series." |
		sed -n "s/^linux-headers-\($series_re\.[0-9].*-cloud-amd64\)\$/\1/p" |
		sort -rV | head -n 1
}

download() {
	kver=$(newest)
	if [ -z "$kver" ]; then
		echo "kernel.sh: asking the package archives for a $series cloud kernel" >&2
		as_root apt-get -qq update >&2
		kver=$(newest)
	fi
	[ -n "$kver" ] || die "no $series cloud kernel in this machine's package archives"
	abi=${kver%-cloud-amd64}

	image=linux-image-$kver
	apt-cache show "$image" >/dev/null 2>&1 || image=$image-unsigned
	set -- "$image" "linux-headers-$kver" "linux-headers-$abi-common"
	for kbuild in "linux-kbuild-$abi" "linux-kbuild-$series"; do
		if apt-cache show "$kbuild" >/dev/null 2>&1; then
			set -- "$@" "$kbuild"
			break
		fi
	done

	dir=$build/kernel/$kver
	rm -rf "$dir"
	mkdir -p "$dir/debs" "$dir/root"
	echo "kernel.sh: downloading and unpacking into build/kernel (nothing is installed): $*" >&2
	if ! (cd "$dir/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2); then
		as_root apt-get -qq update >&2
		(cd "$dir/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2) || die "the download failed"
	fi
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/root"
	done
	rm -r "$dir/debs"

	# The headers name each other by absolute paths.
	headers=$dir/root/usr/src/linux-headers-$kver
	sed -i "s|/usr/src/|$dir/root/usr/src/|" "$headers/Makefile"
	modules=$dir/root/lib/modules/$kver
	[ -d "$modules" ] || modules=$dir/root/usr/lib/modules/$kver
	PATH=$PATH:/usr/sbin:/sbin depmod -b "${modules%/lib/modules/*}" "$kver"
	ln -s "$dir/root/boot/vmlinuz-$kver" "$dir/vmlinuz"
	ln -s "$modules" "$dir/modules"
	ln -s "$headers" "$dir/headers"
	touch "$dir/complete"
	show_dir "$dir"
}

case ${1:-stock} in
stock)
	installed || unpacked || download
	;;
debug|kcsan)
	case $1 in
	debug) dir=${FOLDFS_DEBUG_KERNEL:-$build/debug-kernel} ;;
	kcsan) dir=${FOLDFS_KCSAN_KERNEL:-$build/kcsan-kernel} ;;
	esac
	# It knows whether what is there was made from the present configuration.
	"$top/scripts/debug-kernel" "$1" >&2
	show_dir "$dir"
	;;
*)
	[ -e "$1/vmlinuz" ] || die "$1 holds no vmlinuz"
	show_dir "$1"
	;;
esac
