// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files on foldfs that are in use.
 *
 * /proc/PID/map_files has a link for each mapping and /proc/PID/fd one for each
 * descriptor. Following such a link opens the very file, wherever it is mounted,
 * without a guess at its path; whether it lies on foldfs is what FOLDFS_IOC_MAP says.
 * Each file is opened once, however many processes use it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../names.h"
#include "inuse.h"
#include "ranges.h"

/* Every regular file that was met; those that are not on foldfs have no @path. */
struct scan {
	struct inuse_file *file;
	size_t nr, room;	/* room is a power of two, twice nr at least */
	bool partial;
	struct foldfs_map *map;
};

static size_t slot_of(const struct scan *scan, dev_t device, ino_t inode)
{
	size_t at = (device * 0x9e3779b97f4a7c15 ^ inode * 0xbf58476d1ce4e5b9) >> 7;

	for (at &= scan->room - 1; scan->file[at].inode; at = (at + 1) & (scan->room - 1))
		if (scan->file[at].inode == inode && scan->file[at].device == device)
			break;
	return at;
}

static int grow(struct scan *scan)
{
	struct scan larger = { .room = scan->room ? scan->room * 2 : 1024 };

	if (scan->room && scan->nr * 2 < scan->room)
		return 0;
	larger.file = calloc(larger.room, sizeof(*larger.file));
	if (!larger.file) {
		complain_errno("cannot list files");
		return -1;
	}
	for (size_t i = 0; i < scan->room; i++)
		if (scan->file[i].inode)
			larger.file[slot_of(&larger, scan->file[i].device,
					    scan->file[i].inode)] = scan->file[i];
	free(scan->file);
	scan->file = larger.file;
	scan->room = larger.room;
	return 0;
}

/* Asks what of the file is shared. False if it is not on foldfs. */
static bool measure(struct scan *scan, int fd, struct inuse_file *file)
{
	struct foldfs_map *map = scan->map;
	uint64_t start = 0;

	do {
		if (ranges_ask(fd, map, start))
			return false;
		for (uint32_t i = 0; i < map->nr; i++) {
			const struct foldfs_map_range *range = &map->ranges[i];

			file->cached += range->cached;
			if (range->sharers)
				file->saved += range->cached / range->sharers *
					       (range->sharers - 1);
			start = range->offset + range->length;
		}
	} while (ranges_more(map));
	return true;
}

static uint64_t mount_of(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) || !(stx.stx_mask & STATX_MNT_ID))
		return 0;
	return stx.stx_mnt_id;
}

static char *read_link(int directory, const char *name)
{
	char path[4096];
	ssize_t length = readlinkat(directory, name, path, sizeof(path) - 1);

	if (length < 0)
		return NULL;
	path[length] = '\0';
	return strdup(path);
}

/* 0, or -1 after it complained. */
static int look_at(struct scan *scan, int directory, const char *name, pid_t pid)
{
	struct inuse_file *file;
	struct stat st;
	int fd;

	/* Who is not root may not follow links to mappings, not even to his own. */
	if (fstatat(directory, name, &st, 0)) {
		if (errno == EPERM || errno == EACCES)
			scan->partial = true;
		return 0;
	}
	/* Opening anything but a regular file may wait, or do something. */
	if (!S_ISREG(st.st_mode) || !st.st_ino)
		return 0;
	if (grow(scan))
		return -1;
	file = &scan->file[slot_of(scan, st.st_dev, st.st_ino)];
	if (!file->inode) {
		file->device = st.st_dev;
		file->inode = st.st_ino;
		file->size = st.st_size;
		scan->nr++;
		fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0) {
			if (measure(scan, fd, file))
				file->path = read_link(directory, name);
			file->mount = mount_of(fd);
			close(fd);
		}
	}
	if (file->last != pid) {
		file->last = pid;
		file->processes++;
	}
	return 0;
}

static int look_in(struct scan *scan, const char *pid, const char *links)
{
	struct dirent *entry;
	DIR *directory;
	char path[64];
	int result = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, links);
	directory = opendir(path);
	if (!directory) {
		if (errno == EACCES || errno == EPERM)
			scan->partial = true;
		return 0;
	}
	while (!result && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			result = look_at(scan, dirfd(directory), entry->d_name, atoi(pid));
	closedir(directory);
	return result;
}

static int by_saved(const void *a, const void *b)
{
	const struct inuse_file *x = a, *y = b;

	if (x->saved != y->saved)
		return x->saved > y->saved ? -1 : 1;
	if (x->cached != y->cached)
		return x->cached > y->cached ? -1 : 1;
	return strcmp(x->path, y->path);
}

int inuse_read(struct inuse *inuse)
{
	struct scan scan = { 0 };
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int result = 0;

	memset(inuse, 0, sizeof(*inuse));
	scan.map = ranges_new();
	if (!proc)
		complain_errno("cannot look at processes");
	if (!proc || !scan.map)
		result = -1;
	while (!result && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		result = look_in(&scan, entry->d_name, "map_files");
		if (!result)
			result = look_in(&scan, entry->d_name, "fd");
	}
	if (proc)
		closedir(proc);
	free(scan.map);

	for (size_t i = 0; i < scan.room; i++)
		if (scan.file[i].path)
			scan.file[inuse->nr++] = scan.file[i];
	inuse->file = scan.file;
	inuse->partial = scan.partial;
	if (inuse->nr)
		qsort(inuse->file, inuse->nr, sizeof(*inuse->file), by_saved);
	return result;
}

void inuse_free(struct inuse *inuse)
{
	for (size_t i = 0; i < inuse->nr; i++)
		free(inuse->file[i].path);
	free(inuse->file);
	memset(inuse, 0, sizeof(*inuse));
}
