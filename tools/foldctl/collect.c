// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the page cache are duplicates, and what could be saved?
 *
 * Three passes, and nothing in memory that grows with the number of files:
 *
 *   walk    names go to a temporary file, one record a file to a sorter; sorted by
 *	     inode they show hard links and paths that were given twice, and are
 *	     looked at in an order that disks like
 *   files   which blocks of a file are shared, and which of these are cached: events
 *	     for another sorter. What no other file shares is only counted
 *   sum     the sweep of overlap.c; what it says of files goes through a third
 *	     sorter, since it comes in the order of blocks
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "../names.h"
#include "estimate.h"
#include "extents.h"
#include "filesystem.h"
#include "progress.h"
#include "residency.h"

struct file_record {
	uint64_t device, inode;
	uint64_t name;
	uint32_t group;
};

struct sum_record {
	uint64_t file;
	struct overlap_sum sum;
};

/* A file whose extents are being told to the sorter. */
struct looked_at {
	struct estimate *estimate;
	const struct residency *residency;	/* NULL: unknown */
	struct overlap_event event;
	struct extent extent;
	bool broken;				/* the sorter has complained */
};

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_inode(const void *a, const void *b)
{
	const struct file_record *x = a, *y = b;
	int result = order(x->device, y->device);

	if (!result)
		result = order(x->inode, y->inode);
	/* Of several names the first one that was found. */
	return result ? result : order(x->name, y->name);
}

static int by_file(const void *a, const void *b)
{
	const struct sum_record *x = a, *y = b;

	return order(x->file, y->file);
}

/* ---- the walk */

static uint32_t new_group(struct estimate *estimate, const char *path)
{
	struct estimate_group *group;
	size_t length = strlen(path) + 1;

	if (estimate->nr_groups == ESTIMATE_GROUPS ||
	    length > ESTIMATE_GROUP_NAMES - estimate->group_names)
		return 0;
	estimate->group_names += length;
	group = &estimate->group[estimate->nr_groups];
	group->path = strdup(path);
	return group->path ? estimate->nr_groups++ : 0;
}

static bool shares(const struct filesystem *fs)
{
	return fs->kind == FILESYSTEM_XFS || fs->kind == FILESYSTEM_BTRFS;
}

static void refuse(const struct filesystem *fs, const char *path)
{
	if (fs->kind == FILESYSTEM_FOLDFS)
		complain("%s: already on foldfs; 'foldctl status %s' shows what that saves", path,
		      path);
	else if (!strcmp(fs->name, "overlay"))
		complain("%s: on overlay; give the directories that it is made of, on XFS or Btrfs",
		      path);
	else
		complain("%s: on %s; foldfs shares the blocks of reflinked files, on XFS or Btrfs",
		      path, fs->name[0] ? fs->name : "an unknown filesystem");
}

static int enter_directory(struct walk *walk, int fd, const char *path, const struct stat *st,
			   unsigned int depth)
{
	struct estimate *estimate = (struct estimate *)walk;
	const struct filesystem *fs = filesystem_of(fd, st->st_dev);

	if (!fs)
		return -1;
	if (!shares(fs)) {
		if (!depth)
			refuse(fs, path);
		return 1;
	}
	if (depth <= estimate->depth)
		estimate->group_at[depth] = new_group(estimate, path);
	return 0;
}

/* A file that was given itself. 0, 1 after it complained about it, or -1. */
static int enter_file(struct estimate *estimate, const char *path, const struct stat *st)
{
	const struct filesystem *fs;
	struct stat now;
	int fd = walk_open(path, st->st_dev, st->st_ino, &now);

	if (fd < 0) {
		complain_errno("%s", path);
		return 1;
	}
	fs = filesystem_of(fd, st->st_dev);
	close(fd);
	if (!fs)
		return -1;
	if (!shares(fs)) {
		refuse(fs, path);
		return 1;
	}
	estimate->group_at[0] = new_group(estimate, path);
	return 0;
}

static int found_file(struct walk *walk, const char *path, const struct stat *st,
		      unsigned int depth)
{
	struct estimate *estimate = (struct estimate *)walk;
	struct file_record record = { .device = st->st_dev, .inode = st->st_ino };
	int64_t name;
	int result;

	if (!depth) {
		result = enter_file(estimate, path, st);
		if (result)
			return result;
	} else {
		depth--;
	}
	name = spill_names_add(&estimate->names, path);
	if (name < 0)
		return -1;
	record.name = name;
	record.group = estimate->group_at[depth < estimate->depth ? depth : estimate->depth];
	if (sorter_add(estimate->files, &record))
		return -1;
	progress_set(sorter_count(estimate->files));
	return 0;
}

int estimate_walk(struct estimate *estimate, const char *path)
{
	return walk_tree(&estimate->walk, path);
}

/* ---- the files */

static int add_range(struct looked_at *file, uint64_t at, uint64_t length, uint16_t kind)
{
	struct overlap_event event = file->event;

	event.at = at;
	event.end = at + length;
	event.kind = kind;
	file->broken = sorter_add(file->estimate->events, &event);
	event.at = event.end;
	event.kind |= OVERLAP_END;
	file->broken = file->broken || sorter_add(file->estimate->events, &event);
	return file->broken ? -1 : 0;
}

static int found_cached(void *arg, uint64_t first, uint64_t nr)
{
	struct looked_at *file = arg;

	return add_range(file, file->extent.physical + (first - file->extent.logical), nr,
			 OVERLAP_CACHED);
}

static int found_extent(void *arg, const struct extent *extent)
{
	struct looked_at *file = arg;
	const struct residency *residency = file->residency;
	uint16_t kind = OVERLAP_MAPPED;

	if (residency && residency->cached >= residency->pages)
		kind |= OVERLAP_CACHED;
	if (add_range(file, extent->physical, extent->length, kind))
		return -1;
	if (!residency || kind & OVERLAP_CACHED)
		return 0;
	file->extent = *extent;
	return residency_runs(residency, extent->logical, extent->length, found_cached, file);
}

/* A realtime file lies on another device, and foldfs leaves it and DAX files alone. */
static bool is_left_alone(int fd)
{
	struct fsxattr attributes;

	return !ioctl(fd, FS_IOC_FSGETXATTR, &attributes) &&
	       attributes.fsx_xflags & (FS_XFLAG_REALTIME | FS_XFLAG_DAX);
}

/* 0, or -1 after it complained of what concerns more than this file. */
static int look_at(struct estimate *estimate, const struct file_record *record,
		   const char *path)
{
	struct looked_at file = { .estimate = estimate };
	const struct filesystem *fs;
	struct residency residency;
	struct stat st;
	int fd;

	fd = walk_open(path, record->device, record->inode, &st);
	if (fd < 0) {
		if (errno != ENOENT && errno != ESTALE)
			walk_unreadable(&estimate->walk, path);
		return 0;
	}
	fs = filesystem_of(fd, st.st_dev);
	if (!fs) {
		close(fd);
		return -1;
	}
	if (!shares(fs)) {
		close(fd);
		return 0;
	}

	estimate->nr_files++;
	estimate->size += st.st_size;
	estimate->group[record->group].files++;
	if (!residency_open(&residency, fd, &st)) {
		file.residency = &residency;
		estimate->cached += residency.cached;
		estimate->group[record->group].cached += residency.cached;
	} else {
		estimate->hidden++;
	}
	file.event.file = record->name;
	file.event.group = record->group;
	file.event.filesystem = fs->index;
	if (!is_left_alone(fd) &&
	    extents_shared(fd, (st.st_size + sysconf(_SC_PAGESIZE) - 1) / sysconf(_SC_PAGESIZE),
			   found_extent, &file, &estimate->unfit) &&
	    !file.broken)
		walk_unreadable(&estimate->walk, path);
	close(fd);
	return file.broken ? -1 : 0;
}

int estimate_files(struct estimate *estimate)
{
	struct file_record record, before = { .name = UINT64_MAX };
	static char path[SPILL_NAME_MAX];
	uint64_t done = 0;
	int more;

	if (sorter_sort(estimate->files))
		return -1;
	progress_start("Files", sorter_count(estimate->files), false);
	while ((more = sorter_next(estimate->files, &record)) > 0) {
		if (before.name == UINT64_MAX || before.device != record.device ||
		    before.inode != record.inode) {
			if (spill_names_get(&estimate->names, record.name, path) ||
			    look_at(estimate, &record, path))
				return -1;
		}
		before = record;
		progress_set(++done);
	}
	progress_stop();
	sorter_free(estimate->files);
	estimate->files = NULL;
	return more;
}

/* ---- the sum */

static int add_sum(void *arg, uint64_t file, const struct overlap_sum *sum)
{
	struct estimate *estimate = arg;
	struct sum_record record = { .file = file, .sum = *sum };

	return sorter_add(estimate->sums, &record);
}

static void keep_best(struct estimate *estimate, const struct sum_record *record)
{
	struct estimate_top *best = estimate->best;
	unsigned int at = estimate->nr_best;

	while (at && best[at - 1].sum.saveable < record->sum.saveable)
		at--;
	if (at == estimate->top)
		return;
	if (estimate->nr_best < estimate->top)
		estimate->nr_best++;
	memmove(best + at + 1, best + at, (estimate->nr_best - at - 1) * sizeof(*best));
	best[at].file = record->file;
	best[at].sum = record->sum;
}

static int sum_files(struct estimate *estimate)
{
	struct sum_record record, sum = { 0 };
	bool any = false;
	int more;

	if (sorter_sort(estimate->sums))
		return -1;
	while ((more = sorter_next(estimate->sums, &record)) > 0) {
		if (any && record.file == sum.file) {
			sum.sum.cached += record.sum.cached;
			sum.sum.duplicates += record.sum.duplicates;
			sum.sum.saveable += record.sum.saveable;
			if (record.sum.copies > sum.sum.copies)
				sum.sum.copies = record.sum.copies;
			continue;
		}
		if (any)
			keep_best(estimate, &sum);
		sum = record;
		any = true;
	}
	if (any)
		keep_best(estimate, &sum);
	return more;
}

int estimate_sum(struct estimate *estimate)
{
	struct overlap_event event;
	uint64_t done = 0;
	int more;

	estimate->overlap.group = estimate->part;
	estimate->overlap.run = add_sum;
	estimate->overlap.arg = estimate;
	estimate->sums = sorter_new(sizeof(struct sum_record), ESTIMATE_SORT_MEMORY, by_file);
	if (!estimate->sums || sorter_sort(estimate->events))
		return -1;
	progress_start("Blocks", sorter_count(estimate->events), false);
	while ((more = sorter_next(estimate->events, &event)) > 0) {
		if (overlap_event(&estimate->overlap, &event))
			return -1;
		progress_set(++done);
	}
	progress_stop();
	return more ? more : sum_files(estimate);
}

int estimate_init(struct estimate *estimate)
{
	estimate->walk.directory = enter_directory;
	estimate->walk.file = found_file;
	estimate->files = sorter_new(sizeof(struct file_record), ESTIMATE_SORT_MEMORY, by_inode);
	estimate->events = sorter_new(sizeof(struct overlap_event), ESTIMATE_SORT_MEMORY,
				      overlap_compare);
	if (spill_names_open(&estimate->names) || !estimate->files || !estimate->events)
		return -1;
	estimate->group = calloc(ESTIMATE_GROUPS, sizeof(*estimate->group));
	estimate->part = calloc(ESTIMATE_GROUPS, sizeof(*estimate->part));
	estimate->best = calloc(ESTIMATE_TOP, sizeof(*estimate->best));
	if (!estimate->group || !estimate->part || !estimate->best) {
		complain_errno("cannot estimate");
		return -1;
	}
	estimate->nr_groups = 1;
	return 0;
}

void estimate_free(struct estimate *estimate)
{
	for (uint32_t i = 0; estimate->group && i < estimate->nr_groups; i++)
		free(estimate->group[i].path);
	free(estimate->group);
	free(estimate->part);
	free(estimate->best);
	sorter_free(estimate->files);
	sorter_free(estimate->events);
	sorter_free(estimate->sums);
	spill_names_close(&estimate->names);
}
