// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding foldfs mounts and reading their counters.
 *
 * A mount is found by the mount id that statx(2) gives for a path, never by the
 * device number of a file: foldfs has one device number for each one below it, and
 * may be mounted over the very directory that it shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../names.h"
#include "foldctl.h"
#include "mounts.h"
#include "report.h"

#define SYSFS "/sys/fs/foldfs"
#define MOUNTINFO "/proc/self/mountinfo"

static const char *const counter_files[NR_COUNTERS] = {
	[COUNTER_FRAGMENTS] = "fragments",
	[COUNTER_REFERENCES] = "references",
	[COUNTER_PAGES_CACHED] = "pages_cached",
	[COUNTER_PAGES_SAVED] = "pages_saved",
	[COUNTER_JOINS] = "joins",
	[COUNTER_BREAKS] = "breaks",
	[COUNTER_FILLS] = "fills",
	[COUNTER_REFILLS] = "refills",
	[COUNTER_SHOOTDOWNS] = "shootdowns",
	[COUNTER_FALLBACKS] = "fallbacks",
	[COUNTER_OUTSIDE_WRITERS] = "outside_writers",
	[COUNTER_CACHE] = "cache",
};

bool foldfs_present(void)
{
	char line[256];
	bool found = false;
	FILE *list;

	if (!access(SYSFS, F_OK))
		return true;
	list = fopen("/proc/filesystems", "re");
	if (!list)
		return false;
	while (!found && fgets(line, sizeof(line), list))
		found = !strcmp(line, "nodev\tfoldfs\n");
	fclose(list);
	return found;
}

static struct fold_mount *by_id(struct fold_mounts *mounts, uint64_t id)
{
	for (int i = 0; i < mounts->nr; i++)
		if ((uint64_t)mounts->mount[i].id == id)
			return &mounts->mount[i];
	return NULL;
}

/* What the kernel writes as a backslash and three octal digits. */
static void decode_octal(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		unsigned int value;

		if (sscanf(from, "\\%3o", &value) == 1) {
			*to = value;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* What foldfs's own options are, as the kernel writes them. 0, or -1 without memory. */
static int take_options(struct fold_mount *mount, char *options)
{
	char *option;

	while ((option = strsep(&options, ","))) {
		mount->nofold |= !strcmp(option, "nofold");
		if (strncmp(option, "domain=", 7))
			continue;
		free(mount->domain);
		mount->domain = strdup(option + 7);
		if (!mount->domain)
			return -1;
		decode_octal(mount->domain);
	}
	return 0;
}

/*
 * From the kernel's own text, since libmount has decoded the options: a domain may have
 * commas in its name. 0, or -1 when memory is short.
 */
static int read_options(struct fold_mounts *mounts)
{
	FILE *list = fopen(MOUNTINFO, "re");
	struct fold_mount *mount;
	char *line = NULL;
	size_t room = 0;
	int result = 0;

	while (list && !result && getline(&line, &room, list) > 0) {
		mount = by_id(mounts, atoi(line));
		line[strcspn(line, "\n")] = '\0';
		if (mount)
			result = take_options(mount, strrchr(line, ' ') + 1);
	}
	if (list)
		fclose(list);
	free(line);
	return result;
}

static int copy_mount(struct fold_mount *mount, struct libmnt_fs *fs)
{
	const char *lower = mnt_fs_get_source(fs);

	mount->device = mnt_fs_get_devno(fs);
	mount->id = mnt_fs_get_id(fs);
	mount->target = strdup(mnt_fs_get_target(fs));
	mount->lower = strdup(lower ? lower : "none");
	mount->options = mnt_fs_strdup_options(fs);
	mount->domain = strdup("");
	return mount->target && mount->lower && mount->options && mount->domain ? 0 : -1;
}

int mounts_read(struct fold_mounts *mounts)
{
	struct libmnt_table *table;
	struct libmnt_iter *iter = NULL;
	struct libmnt_fs *fs;
	int result = -1;

	memset(mounts, 0, sizeof(*mounts));
	table = mnt_new_table_from_file(MOUNTINFO);
	if (!table) {
		complain_errno("cannot read " MOUNTINFO);
		return -1;
	}
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter)
		goto no_memory;

	while (!mnt_table_next_fs(table, iter, &fs)) {
		const char *type = mnt_fs_get_fstype(fs);
		struct fold_mount *more;

		if (!type || strcmp(type, "foldfs"))
			continue;
		more = realloc(mounts->mount, (mounts->nr + 1) * sizeof(*more));
		if (!more)
			goto no_memory;
		mounts->mount = more;
		memset(&more[mounts->nr], 0, sizeof(*more));
		mounts->nr++;
		if (copy_mount(&more[mounts->nr - 1], fs))
			goto no_memory;
	}
	if (read_options(mounts))
		goto no_memory;
	result = 0;
	goto out;

no_memory:
	complain("out of memory");
out:
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return result;
}

void mounts_free(struct fold_mounts *mounts)
{
	for (int i = 0; i < mounts->nr; i++) {
		free(mounts->mount[i].target);
		free(mounts->mount[i].lower);
		free(mounts->mount[i].options);
		free(mounts->mount[i].domain);
	}
	free(mounts->mount);
	memset(mounts, 0, sizeof(*mounts));
}

struct fold_mount *mounts_find(struct fold_mounts *mounts, const char *path)
{
	struct fold_mount *mount;
	struct statx stx;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx)) {
		complain_errno("%s", path);
		return NULL;
	}
	if (!(stx.stx_mask & STATX_MNT_ID)) {
		complain("%s: this kernel does not tell which mount a file lies on", path);
		return NULL;
	}
	mount = by_id(mounts, stx.stx_mnt_id);
	if (mount)
		return mount;
	if (!mounts->nr && !foldfs_present())
		complain("%s: not on foldfs; the foldfs module is not loaded", path);
	else
		complain("%s: not on foldfs", path);
	return NULL;
}

/* 0 also when the file is not there: modules differ in what they count. */
static int read_counter(int directory, const char *name, uint64_t *value, bool *known)
{
	char text[32], *end;
	ssize_t length;
	int fd;

	*known = false;
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	close(fd);
	text[length] = '\0';
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || end == text || (*end && *end != '\n')) {
		errno = EINVAL;
		return -1;
	}
	*known = true;
	return 0;
}

bool mounts_seen_before(const struct fold_mounts *mounts, int nr)
{
	for (int i = 0; i < nr; i++)
		if (mounts->mount[i].device == mounts->mount[nr].device)
			return true;
	return false;
}

const char *counter_name(enum counter counter)
{
	return counter_files[counter];
}

int mount_open_sysfs(const struct fold_mount *mount)
{
	char directory[64];

	snprintf(directory, sizeof(directory), SYSFS "/%u:%u", major(mount->device),
		 minor(mount->device));
	return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int mount_try_counters(struct fold_mount *mount)
{
	int fd = mount_open_sysfs(mount), result = fd < 0 ? -1 : 0, error;

	for (int i = 0; i < NR_COUNTERS && !result; i++)
		result = read_counter(fd, counter_files[i], &mount->counter[i],
				      &mount->known[i]);
	error = errno;
	if (fd >= 0)
		close(fd);
	if (result)
		memset(mount->known, 0, sizeof(mount->known));
	errno = error;
	return result;
}

int mount_read_counters(struct fold_mount *mount)
{
	static bool said;
	int result = mount_try_counters(mount);

	if (!result || (said && errno == EACCES))
		return result;
	if (errno == EACCES)
		complain("only root may read the counters of foldfs mounts");
	else
		complain_errno("%s: no counters", mount->target);
	said |= errno == EACCES;
	return result;
}

int mounts_read_counters(struct fold_mounts *mounts)
{
	int failed = 0, error = 0;

	for (int i = 0; i < mounts->nr; i++) {
		if (mounts_seen_before(mounts, i))
			continue;
		/* One that was unmounted meanwhile must not hide the others. */
		if (mount_try_counters(&mounts->mount[i])) {
			error = errno;
			failed++;
		} else {
			/* So that sums over mounts are right. */
			mounts_show(mounts, &mounts->mount[i]);
		}
	}
	errno = error;
	return failed;
}

void mounts_show(struct fold_mounts *mounts, struct fold_mount *mount)
{
	static const enum counter of_cache[] = {
		COUNTER_FRAGMENTS, COUNTER_REFERENCES, COUNTER_PAGES_CACHED,
		COUNTER_PAGES_SAVED, COUNTER_FILLS, COUNTER_REFILLS, COUNTER_SHOOTDOWNS,
	};
	uint64_t cache = mount->known[COUNTER_CACHE] ? mount->counter[COUNTER_CACHE] : 0;
	bool seen = false;

	for (int i = 0; i < mounts->nr && cache; i++) {
		const struct fold_mount *other = &mounts->mount[i];

		seen |= other->shown && other->device != mount->device &&
			other->known[COUNTER_CACHE] && other->counter[COUNTER_CACHE] == cache;
	}
	for (size_t i = 0; i < sizeof(of_cache) / sizeof(of_cache[0]) && seen; i++)
		mount->known[of_cache[i]] = false;
	mount->shown = true;
}

static int add_all(struct fold_mounts *mounts, struct report *report, char **paths, int nr,
		   bool every,
		   int (*add)(struct fold_mounts *mounts, struct fold_mount *mount,
			      struct report *report))
{
	int result = 0;

	if (!nr && !mounts->nr && !foldfs_present()) {
		complain("the foldfs module is not loaded");
		return -1;
	}
	for (int i = 0; !nr && i < mounts->nr; i++)
		if ((every || !mounts_seen_before(mounts, i)) &&
		    add(mounts, &mounts->mount[i], report))
			result = -1;
	for (int i = 0; i < nr; i++) {
		struct fold_mount *mount = mounts_find(mounts, paths[i]);

		if (!mount || add(mounts, mount, report))
			result = -1;
	}
	return result;
}

int mounts_table(struct report *report, char **paths, int nr, bool every,
		 int (*add)(struct fold_mounts *mounts, struct fold_mount *mount,
			    struct report *report))
{
	struct fold_mounts mounts;
	int result = FOLDCTL_OK;

	if (mounts_read(&mounts) || report_open(report, "filesystems")) {
		mounts_free(&mounts);
		return FOLDCTL_FAILED;
	}
	if (add_all(&mounts, report, paths, nr, every, add))
		result = FOLDCTL_FAILED;
	if (report_close(report))
		result = FOLDCTL_FAILED;
	mounts_free(&mounts);
	return result;
}
