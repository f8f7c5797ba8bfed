#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Install what a target of the Makefile needs and this machine lacks, from the
# distribution's packages, after saying what it will be.
#
#   scripts/deps.sh [build] [vm] [series] [unit] [lint] [deb] [packages] [system] [demo] [bench]
#                   [debug-kernel]
set -eu

packages() {
	case $1 in
	build)
		echo gcc gcc-12 make pkg-config libc6-dev libsmartcols-dev libmount-dev libncurses-dev libdevmapper-dev libelf1 pahole
		;;
	vm)
		packages build
		echo python3 qemu-system-x86 busybox-static kmod xfsprogs btrfs-progs \
			e2fsprogs dmsetup attr acl util-linux coreutils diffutils \
			findutils grep sed bash apparmor secilc
		;;
	series)
		echo debian-archive-keyring dpkg tar util-linux kmod coreutils
		;;
	unit)
		echo gcc make libc6-dev
		;;
	lint)
		packages build
		echo sparse shellcheck mandoc perl linux-source-6.12 xz-utils cpio git
		;;
	deb)
		packages build
		echo build-essential dpkg-dev debhelper dh-dkms mandoc git
		;;
	packages)
		packages vm
		packages deb
		echo rpm ovmf sbsigntool openssl busybox-static cpio kmod lintian mmdebstrap debian-archive-keyring fakeroot uidmap
		;;
	system)
		packages vm
		echo mmdebstrap debian-archive-keyring fakeroot uidmap dpkg-dev
		;;
	demo|bench)
		packages vm
		echo gnuplot-nox
		;;
	debug-kernel)
		packages build
		echo linux-source-6.12 xz-utils bc bison flex libelf-dev libssl-dev perl \
			python3 gzip cpio kmod
		;;
	*)
		echo "deps.sh: what is '$1'?" >&2
		exit 2
		;;
	esac
}

command -v dpkg-query >/dev/null || {
	echo "deps.sh: this is no Debian; docs/testing.md lists what is needed" >&2
	exit 0
}

have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p' | tr '\n' ' ')

installed() {
	case " $have " in
	*" $1 "*) return 0 ;;
	esac
	# Virtual, or renamed in another release: what it brings is what counts.
	case $1 in
	gcc-12) command -v gcc >/dev/null ;;
	libelf1) installed libelf1t64 ;;
	linux-source-6.12) [ -e /usr/src/linux-source-6.12.tar.xz ] ;;
	*) return 1 ;;
	esac
}

missing=
for target in "$@"; do
	for package in $(packages "$target"); do
		case " $missing " in
		*" $package "*) ;;
		*) installed "$package" || missing="$missing $package" ;;
		esac
	done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	echo "deps.sh: not root and no sudo; as root, run: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "Missing here, to be installed from the distribution's packages:$missing"
known() {
	for package in $missing; do
		apt-cache show "$package" >/dev/null 2>&1 || return 1
	done
}
known || $sudo apt-get -qq update
# shellcheck disable=SC2086	# a list of words
if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -y -qq install --no-install-recommends $missing >/dev/null; then
	# The lists may be older than what the archive holds now.
	$sudo apt-get -qq update
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -y -qq install --no-install-recommends $missing >/dev/null
fi
