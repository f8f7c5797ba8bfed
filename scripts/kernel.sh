#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Say where a kernel to test with is, as KEY=value lines:
#
#   scripts/kernel.sh stock     the distribution's newest 6.12 cloud kernel
#   scripts/kernel.sh debug     the one scripts/debug-kernel builds
#   scripts/kernel.sh kcsan     the one scripts/debug-kernel kcsan builds
#   scripts/kernel.sh SERIES    the newest cloud kernel of another series, such as
#                               7.3, or 7 for the newest 7.x
#   scripts/kernel.sh DIR       a directory with vmlinuz, modules/ and headers/
#
# KVER (release), IMAGE (bzImage), MODULES (its /lib/modules directory), KDIR
# (what to build modules against), and, where that cannot be done with this machine's
# compiler and libraries, ROOT (the root directory to build in, see scripts/in-root;
# KDIR is below it).
#
# The stock kernel comes from the system where it is installed.  Elsewhere its
# packages are downloaded and unpacked under build/kernel: installing a kernel
# package would change which kernel the machine boots.  Those of other series come
# from newer suites of the same archive (scripts/apt-root), with the compiler, the
# libraries and the make that their headers want, unpacked into a root of their own.
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
	printf 'KVER=%s\nIMAGE=%s\nMODULES=%s\nKDIR=%s\nROOT=%s\n' "$1" "$2" "$3" "$4" "${5-}"
}

show_dir() {
	set -- "$1" "$(basename "$(readlink -f "$1/modules")")"
	set -- "$@" "$(readlink -f "$1/modules")" "$(readlink -f "$1/headers")"
	if [ -e "$1/build-here" ]; then
		show "$2" "$1/vmlinuz" "$3" "$4" "$(readlink -f "$1/build-here")"
	else
		show "$2" "$1/vmlinuz" "$3" "$4"
	fi
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
	for dir in $(find -H "$build/kernel" -mindepth 1 -maxdepth 1 -type d \
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

# The newest cloud kernel of the series for which there are headers, according to
# apt-cache with the given options.
offered() {
	apt-cache "$@" pkgnames "linux-headers-$series." |
		sed -n "s/^linux-headers-\($series_re\.[0-9].*-cloud-amd64\)\$/\1/p" |
		sort -rV | while read -r kver; do
			# Names stay in the lists when the packages have gone.
			if apt-cache "$@" show "linux-headers-$kver" >/dev/null 2>&1; then
				echo "$kver"
				break
			fi
		done
}

# Suites to look in, each with the one that it is an addition to.
download_series() {
	"$top/scripts/deps.sh" series >&2
	kver=
	for suite in ${FOLDFS_KERNEL_SUITES:-trixie-backports sid}; do
		apt=$("$top/scripts/apt-root" "$build/apt/$suite" "$suite" "${suite%-backports}")
		# shellcheck disable=SC2086	# two words
		kver=$(offered $apt)
		[ -z "$kver" ] || break
	done
	[ -n "$kver" ] || die "no $series cloud kernel in ${FOLDFS_KERNEL_SUITES:-trixie-backports or sid} of this machine's archive"

	# What kbuild needs beyond what the headers' packages depend on.
	set -- make binutils bash dash coreutils sed grep gawk findutils diffutils tar perl-base \
		"linux-headers-$kver"
	# shellcheck disable=SC2086	# two words
	if apt-cache $apt show "linux-binary-$kver" >/dev/null 2>&1; then
		set -- "$@" "linux-binary-$kver" "linux-modules-$kver"
	else
		set -- "$@" "linux-image-$kver"
	fi
	dir=$build/kernel/$kver
	root=$dir/root
	rm -rf "$dir"
	mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/tmp"
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$root/$link"
	done
	echo "kernel.sh: downloading $kver and what it is built with from $suite, and unpacking both into build/kernel (nothing is installed)" >&2
	# shellcheck disable=SC2086	# two words
	if ! apt-get $apt -qq -y --no-install-recommends --download-only install "$@" >&2; then
		FRESH=1 "$top/scripts/apt-root" "$build/apt/$suite" "$suite" "${suite%-backports}" >/dev/null
		apt-get $apt -qq -y --no-install-recommends --download-only install "$@" >&2 ||
			die "the download failed"
	fi
	for deb in "$build/apt/$suite"/cache/archives/*.deb; do
		# Files keep their owners only where this is root; the links stay links.
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -f - -C "$root" --keep-directory-symlink --no-same-owner
	done
	apt-get -c "$build/apt/$suite/apt.conf" clean
	[ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
	[ -e "$root/usr/bin/awk" ] || ln -s gawk "$root/usr/bin/awk"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"

	PATH=$PATH:/usr/sbin:/sbin depmod -b "$root/usr" "$kver"
	image=$root/boot/vmlinuz-$kver
	[ -e "$image" ] || image=$root/usr/lib/modules/$kver/vmlinuz
	[ -e "$image" ] || die "the packages of $kver hold no vmlinuz where it was looked for"
	ln -s "${image#"$dir"/}" "$dir/vmlinuz"
	ln -s "root/usr/lib/modules/$kver" "$dir/modules"
	ln -s "root/usr/src/linux-headers-$kver" "$dir/headers"
	ln -s root "$dir/build-here"
	touch "$dir/complete"
	show_dir "$dir"
}

case ${1:-stock} in
stock)
	installed || unpacked || download
	;;
[0-9]|[0-9].*|[0-9][0-9].*)
	series=$1
	series_re=$(printf '%s' "$series" | sed 's/\./\\./g')
	installed || unpacked || download_series
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
