// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of foldctl doctor.
 *
 * Each says what is so, and if that is bad what to do. A check that cannot look (no
 * permission, another kind of system) says nothing rather than something wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "checks.h"
#include "filesystem.h"
#include "mounts.h"

/* First line of a small file, without its end. False if there is none. */
static bool first_line(const char *file, char *line, size_t room)
{
	FILE *in = fopen(file, "re");
	bool got;

	if (!in)
		return false;
	got = fgets(line, room, in);
	fclose(in);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

/* ---- the kernel and the module */

/* Is @release of one of the series, "6.12 6.18"? */
static bool is_of_series(const char *release, const char *list)
{
	while (*list) {
		size_t length = strcspn(list, " ");
		char next = release[length];

		if (!strncmp(release, list, length) && (next == '.' || next == '-' || !next))
			return true;
		list += length;
		list += strspn(list, " ");
	}
	return false;
}

/* Where modprobe would find the module, in @path; false if nowhere. */
static bool is_installed(const char *release, char *path, size_t room)
{
	char file[512], line[4096];
	bool found = false;
	FILE *list;

	snprintf(file, sizeof(file), "/lib/modules/%s/modules.dep", release);
	list = fopen(file, "re");
	if (!list)
		return false;
	while (!found && fgets(line, sizeof(line), list)) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/foldfs.ko") || !strncmp(line, "foldfs.ko", 9);
	}
	fclose(list);
	if (found)
		snprintf(path, room, "/lib/modules/%s/%s", release, line);
	return found;
}

/* Whether a module ends as sign-file leaves it. One that is compressed is taken for signed. */
static bool is_signed(const char *path)
{
	static const char mark[] = "~Module signature appended~\n";
	char end[sizeof(mark) - 1];
	const char *suffix = strrchr(path, '.');
	FILE *in = fopen(path, "re");
	bool found;

	if (!in)
		return true;
	found = (suffix && strcmp(suffix, ".ko")) ||
		(!fseek(in, -(long)sizeof(end), SEEK_END) &&
		 fread(end, sizeof(end), 1, in) == 1 && !memcmp(end, mark, sizeof(end)));
	fclose(in);
	return found;
}

static void check_module(struct checks *checks, const char *release)
{
	char version[64], file[8192];

	if (foldfs_present()) {
		if (!first_line("/sys/module/foldfs/version", version, sizeof(version)))
			strcpy(version, "of unknown version");
		check_found(checks, CHECK_OK, "module", NULL, "foldfs is loaded (%s)", version);
		return;
	}
	if (is_installed(release, file, sizeof(file))) {
		check_found(checks, CHECK_NOTE, "module",
			    "the first mount loads it; or run: modprobe foldfs",
			    "foldfs is installed and not loaded");
		return;
	}
	snprintf(file, sizeof(file), "/lib/modules/%s/build/Makefile", release);
	if (access(file, F_OK))
		check_found(checks, CHECK_BAD, "module",
			    "install this kernel's headers, and then the foldfs-dkms package again",
			    "foldfs is not there for kernel %s, nor are the headers to build it",
			    release);
	else if (!access("/var/lib/dkms/foldfs", F_OK))
		check_found(checks, CHECK_BAD, "module",
			    "run: dkms autoinstall; the log is in /var/lib/dkms/foldfs/*/build/make.log",
			    "foldfs is known to DKMS, but not built for kernel %s", release);
	else
		check_found(checks, CHECK_BAD, "module",
			    "install the foldfs-dkms package, or run make and load kernel/foldfs.ko",
			    "foldfs is not there for kernel %s", release);
}

/* The value in brackets, "none [integrity] confidentiality". */
static bool is_chosen(const char *line, const char *word)
{
	const char *at = strchr(line, '[');

	return at && !strncmp(at + 1, word, strlen(word)) && at[1 + strlen(word)] == ']';
}

static void check_signing(struct checks *checks, const char *release)
{
	char line[256], path[8192];
	bool strict;

	strict = (first_line("/sys/kernel/security/lockdown", line, sizeof(line)) &&
		  strchr(line, '[') && !is_chosen(line, "none")) ||
		 (first_line("/sys/module/module/parameters/sig_enforce", line, sizeof(line)) &&
		  line[0] == 'Y');
	if (!strict || foldfs_present())
		return;
	if (!is_installed(release, path, sizeof(path)))
		check_found(checks, CHECK_NOTE, "signature",
			    "sign foldfs.ko with a key that the machine trusts (README, Secure Boot)",
			    "this kernel loads signed modules only");
	else if (!is_signed(path))
		check_found(checks, CHECK_BAD, "signature",
			    "sign it with a key that the machine trusts (README, Secure Boot)",
			    "this kernel loads signed modules only, and %s is not signed", path);
	else
		check_found(checks, CHECK_NOTE, "signature",
			    "if it cannot be loaded, the machine does not trust the key yet (README, Secure Boot)",
			    "this kernel loads signed modules only; %s is signed", path);
}

static void check_helper(struct checks *checks)
{
	static const char *const places[] = { "/sbin/mount.foldfs", "/usr/sbin/mount.foldfs" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!access(places[i], X_OK)) {
			check_found(checks, CHECK_OK, "mount helper", NULL, "%s", places[i]);
			return;
		}
	}
	check_found(checks, CHECK_NOTE, "mount helper",
		    "install it, with the foldfs-utils package or make -C tools install",
		    "mount.foldfs is not installed: mounting works, with fewer words on errors");
}

static void check_leases(struct checks *checks)
{
	char value[32];

	if (!first_line("/proc/sys/fs/leases-enable", value, sizeof(value)))
		return;
	if (strcmp(value, "1")) {
		check_found(checks, CHECK_BAD, "leases", "run: sysctl fs.leases-enable=1",
			    "fs.leases-enable is %s: without leases nothing is shared", value);
		return;
	}
	check_found(checks, CHECK_OK, "leases", NULL, "fs.leases-enable is 1");
	if (first_line("/proc/sys/fs/lease-break-time", value, sizeof(value)) && atoi(value) < 5)
		check_found(checks, CHECK_NOTE, "leases", "run: sysctl fs.lease-break-time=45",
			    "fs.lease-break-time is %s: on a busy machine a writer around the mount may be let in before sharing has ended",
			    value);
}

void check_system(struct checks *checks)
{
	struct utsname name;

	if (uname(&name))
		return;
	if (is_of_series(name.release, FOLDFS_SERIES))
		check_found(checks, CHECK_OK, "kernel", NULL, "%s", name.release);
	else
		check_found(checks, foldfs_present() ? CHECK_NOTE : CHECK_BAD, "kernel",
			    "boot a kernel of a tested series; foldctl estimate works on any",
			    "%s is not one that foldfs is tested on (%s)", name.release,
			    FOLDFS_SERIES);
	check_module(checks, name.release);
	check_signing(checks, name.release);
	check_helper(checks);
	check_leases(checks);
}

/* ---- mounts */

static void check_mount(struct checks *checks, const struct fold_mount *mount)
{
	const uint64_t *counter = mount->counter;

	if (mount->nofold) {
		check_found(checks, CHECK_NOTE, "mount", "mount it without nofold to share",
			    "%s shares nothing: it has the option nofold", mount->target);
		return;
	}
	/* Those of another mount that has the same cache, or nobody's. */
	if (!mount->known[COUNTER_JOINS])
		return;
	if (!counter[COUNTER_REFERENCES])
		check_found(checks, CHECK_NOTE, "mount",
			    "read some files through the mount; if they stay unshared, 'foldctl map FILE' says in which state one is and 'filefrag -v' below the mount whether the disk shares it",
			    "%s shares nothing so far", mount->target);
	else
		check_found(checks, CHECK_OK, "mount", NULL,
			    "%s saves %.1f MiB, and caches %.1f MiB", mount->target,
			    counter[COUNTER_PAGES_SAVED] * sysconf(_SC_PAGESIZE) / 1048576.0,
			    counter[COUNTER_PAGES_CACHED] * sysconf(_SC_PAGESIZE) / 1048576.0);
	if (counter[COUNTER_OUTSIDE_WRITERS])
		check_found(checks, CHECK_NOTE, "mount",
			    "have writers use the mount, not the directory below it",
			    "%s: %llu times a file lost its sharing to a writer around the mount",
			    mount->target, (unsigned long long)counter[COUNTER_OUTSIDE_WRITERS]);
	if (counter[COUNTER_FALLBACKS] > counter[COUNTER_JOINS] / 4 + 100)
		check_found(checks, CHECK_NOTE, "mount",
			    "look for programs that map the files below the mount, and for memory that is too short",
			    "%s: %llu times shared blocks were read from the lower file", mount->target,
			    (unsigned long long)counter[COUNTER_FALLBACKS]);
}

/* Files of mounts in different domains do not meet; perhaps somebody wonders why. */
static void check_domains(struct checks *checks, const struct fold_mounts *mounts)
{
	for (int i = 0; i < mounts->nr; i++)
		if (mounts->mount[i].domain[0] && !mounts_seen_before(mounts, i))
			check_found(checks, CHECK_OK, "mount", NULL,
				    "%s shares within its domain '%s' only", mounts->mount[i].target,
				    mounts->mount[i].domain);
}

void check_mounts(struct checks *checks)
{
	struct fold_mounts mounts;
	int failed;

	if (mounts_read(&mounts)) {
		mounts_free(&mounts);
		return;
	}
	failed = mounts_read_counters(&mounts);
	if (failed && errno == EACCES)
		check_found(checks, CHECK_NOTE, "mount", "run foldctl doctor as root",
			    "only root may read the counters: whether mounts save memory is not known");
	else if (failed)
		check_found(checks, CHECK_NOTE, "mount", NULL, "%d have no counters: %s", failed,
			    strerror(errno));
	for (int i = 0; i < mounts.nr; i++)
		if (!mounts_seen_before(&mounts, i))
			check_mount(checks, &mounts.mount[i]);
	check_domains(checks, &mounts);
	if (!mounts.nr)
		check_found(checks, CHECK_OK, "mount", NULL, "none so far");
	mounts_free(&mounts);
}

/* ---- paths */

/* The first form of XFS's geometry, which every version answers. */
struct xfs_geometry {
	uint32_t blocksize, unused[7];
	uint64_t blocks[4];
	uint8_t uuid[16];
	uint32_t sunit, swidth;
	int32_t version;
	uint32_t flags, more[4];
};

#define XFS_GEOMETRY		_IOR('X', 100, struct xfs_geometry)
#define XFS_GEOMETRY_REFLINK	(1U << 20)

_Static_assert(sizeof(struct xfs_geometry) == 112, "is part of the ioctl's number");

static void check_xfs(struct checks *checks, const char *path, int fd)
{
	struct xfs_geometry geometry;

	if (ioctl(fd, XFS_GEOMETRY, &geometry)) {
		check_found(checks, CHECK_NOTE, "path", NULL, "%s: on XFS, which does not tell its features: %s",
			    path, strerror(errno));
		return;
	}
	if (!(geometry.flags & XFS_GEOMETRY_REFLINK))
		check_found(checks, CHECK_BAD, "path",
			    "XFS learns it with mkfs.xfs -m reflink=1 only, the default since xfsprogs 5.1",
			    "%s: on an XFS without reflink: no files share blocks there", path);
	else if (geometry.blocksize % sysconf(_SC_PAGESIZE))
		check_found(checks, CHECK_NOTE, "path",
			    "foldctl estimate tells how much can be shared all the same",
			    "%s: on XFS with blocks of %u bytes: only what is aligned to pages is shared",
			    path, geometry.blocksize);
	else
		check_found(checks, CHECK_OK, "path", NULL, "%s: on XFS with reflink", path);
}

void check_path(struct checks *checks, const char *path)
{
	const struct filesystem *fs;
	struct stat st;
	int fd = -1;

	if (!stat(path, &st) && !S_ISDIR(st.st_mode)) {
		check_found(checks, CHECK_BAD, "path", "give the directory that is to be mounted",
			    "%s: not a directory", path);
		return;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		check_found(checks, CHECK_BAD, "path", NULL, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	fs = filesystem_of(fd, st.st_dev);
	if (!fs) {
		close(fd);
		return;
	}
	switch (fs->kind) {
	case FILESYSTEM_XFS:
		check_xfs(checks, path, fd);
		break;
	case FILESYSTEM_BTRFS:
		check_found(checks, CHECK_BAD, "path",
			    "mount with -o nofold, which shares nothing, or use XFS",
			    "%s: on Btrfs, where foldfs cannot share safely", path);
		break;
	case FILESYSTEM_FOLDFS:
		check_found(checks, CHECK_OK, "path", NULL, "%s: on foldfs already", path);
		break;
	case FILESYSTEM_OTHER:
		check_found(checks, CHECK_BAD, "path",
			    "foldfs works on directories of XFS (with reflink)",
			    "%s: on %s", path, fs->name[0] ? fs->name : "an unknown filesystem");
		break;
	}
	close(fd);
}
