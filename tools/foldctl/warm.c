// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl warm - bring trees into the page cache.
 *
 * Reads whatever is not cached. On foldfs that is one copy of what files share: the
 * second clone of a tree only has to be asked what it shares.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/foldfs.h>

#include "foldctl.h"
#include "progress.h"
#include "report.h"
#include "residency.h"
#include "walk.h"

#define BUFFER (256 * 1024)
#define RANGES_PER_CALL 1024

enum { COL_PATH, COL_FILES, COL_SIZE, COL_READ, COL_PRESENT, COL_FAILED };

static const struct report_column columns[] = {
	[COL_PATH] = { "PATH", REPORT_TEXT, true, "what was brought in" },
	[COL_FILES] = { "FILES", REPORT_NUMBER, true, "number of files" },
	[COL_SIZE] = { "SIZE", REPORT_SIZE, true, "their size" },
	[COL_READ] = { "READ", REPORT_SIZE, true, "how much of it was read" },
	[COL_PRESENT] = { "PRESENT", REPORT_SIZE, true,
			  "how much did not have to be: it was cached and known to be" },
	[COL_FAILED] = { "FAILED", REPORT_NUMBER, true,
			 "files and directories that could not be read" },
	{ NULL, 0, false, NULL },
};

struct warm {
	struct walk walk;
	const char *path;
	uint64_t files, size, read, present;
	uint64_t total, done;	/* bytes, for the progress bar */
	char *buffer;
	struct foldfs_map *map;
};

static void fill(int column, const void *data, struct report_cell *cell)
{
	const struct warm *warm = data;

	switch (column) {
	case COL_PATH:
		cell->text = warm->path;
		break;
	case COL_FILES:
		cell->number = warm->files;
		break;
	case COL_SIZE:
		cell->number = warm->size;
		break;
	case COL_READ:
		cell->number = warm->read;
		break;
	case COL_PRESENT:
		cell->number = warm->present;
		break;
	case COL_FAILED:
		cell->number = warm->walk.unreadable;
		break;
	}
}

static int count_file(struct walk *walk, const char *path, const struct stat *st,
		      unsigned int depth)
{
	struct warm *warm = (struct warm *)walk;

	(void)path;
	(void)depth;
	warm->total += st->st_size;
	return 0;
}

/* Reads up to @end. Where it ended, which is before that if the file did; or -1. */
static int64_t read_to(struct warm *warm, int fd, uint64_t at, uint64_t end)
{
	while (at < end) {
		size_t length = end - at < BUFFER ? end - at : BUFFER;
		ssize_t got = pread(fd, warm->buffer, length, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		at += got;
		warm->read += got;
		progress_set(warm->done + at);
	}
	return at;
}

/* Asks which ranges are shared from @start on. False if this is no file on foldfs. */
static bool ask(struct warm *warm, int fd, uint64_t start)
{
	struct foldfs_map *map = warm->map;

	memset(map, 0, sizeof(*map));
	map->version = FOLDFS_MAP_VERSION;
	map->range_size = sizeof(map->ranges[0]);
	map->nr = RANGES_PER_CALL;
	map->start = start;
	map->length = ~(uint64_t)0;
	return !ioctl(fd, FOLDFS_IOC_MAP, map);
}

/* The first read has a file join, so the map is asked for after it. */
static int warm_foldfs(struct warm *warm, int fd, uint64_t size)
{
	int64_t at = read_to(warm, fd, 0, 1);
	bool more = at > 0;

	while (more && ask(warm, fd, at)) {
		for (uint32_t i = 0; i < warm->map->nr; i++) {
			const struct foldfs_map_range *range = &warm->map->ranges[i];
			uint64_t end = range->offset + range->length;

			if (range->offset > (uint64_t)at)
				at = read_to(warm, fd, at, range->offset);
			if (at < 0)
				return -1;
			if (range->cached >= range->length) {
				warm->present += end > (uint64_t)at ? end - at : 0;
				at = end;
			} else {
				at = read_to(warm, fd, at, end);
			}
			if (at < 0)
				return -1;
		}
		more = warm->map->nr && warm->map->out_flags & FOLDFS_MAP_MORE;
	}
	return at < 0 || read_to(warm, fd, at, size) < 0 ? -1 : 0;
}

static int warm_file(struct walk *walk, const char *path, const struct stat *found,
		     unsigned int depth)
{
	struct warm *warm = (struct warm *)walk;
	struct residency residency;
	struct stat st;
	int fd, result = 0;

	(void)depth;
	fd = walk_open(path, found->st_dev, found->st_ino, &st);
	if (fd < 0) {
		if (errno != ENOENT && errno != ESTALE)
			walk_unreadable(walk, path);
		return 0;
	}
	if (ask(warm, fd, 0)) {
		result = warm_foldfs(warm, fd, st.st_size);
	} else if (!residency_open(&residency, fd, &st) &&
		   residency.cached >= residency.pages) {
		warm->present += st.st_size;
	} else {
		result = read_to(warm, fd, 0, st.st_size) < 0 ? -1 : 0;
	}
	if (result)
		walk_unreadable(walk, path);
	close(fd);
	warm->files++;
	warm->size += st.st_size;
	warm->done += found->st_size;
	progress_set(warm->done);
	return 0;
}

/* 0, or -1 after it complained. */
static int warm_path(struct warm *warm, struct report *report, const char *path)
{
	struct walk reading = warm->walk;
	int result;

	warm->path = path;
	warm->files = 0;
	warm->size = 0;
	warm->read = 0;
	warm->present = 0;
	warm->total = 0;
	warm->done = 0;
	warm->walk.unreadable = 0;

	/* What cannot be read is mentioned by the second walk only. */
	warm->walk.verbose = false;
	warm->walk.file = count_file;
	progress_start("Looking for files", 0, true);
	result = walk_tree(&warm->walk, path);
	progress_stop();
	if (result)
		return -1;

	reading.file = warm_file;
	warm->walk = reading;
	warm->walk.unreadable = 0;
	if (warm->total)
		progress_start("Reading", warm->total, true);
	result = walk_tree(&warm->walk, path);
	progress_stop();
	if (result)
		return -1;
	if (warm->walk.unreadable && !warm->walk.verbose)
		warnx("%s: %" PRIu64 " files or directories could not be read; --verbose names them",
		      path, warm->walk.unreadable);
	if (report_line(report, fill, warm))
		return -1;
	return warm->walk.unreadable ? -1 : 0;
}

static void usage(const struct report *report, FILE *out)
{
	fputs("Usage: foldctl warm [OPTION]... PATH...\n"
	      "\n"
	      "Bring files, or all files below directories, into the page cache. On foldfs that\n"
	      "is one copy of what they share.\n"
	      "\n"
	      "Options:\n"
	      "  -q, --quiet        no progress bar\n"
	      "  -v, --verbose      name what cannot be read\n"
	      "  -x, --one-file-system\n"
	      "                     do not go to other filesystems below PATH\n", out);
	report_help(report, out);
}

int foldctl_warm(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "one-file-system", no_argument, NULL, 'x' },
		REPORT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "foldctl warm";
	struct warm warm = { 0 };
	struct report report;
	int option, result = FOLDCTL_OK;

	report_init(&report, columns);
	argv[0] = name;
	while ((option = getopt_long(argc, argv, "qvx" REPORT_SHORT_OPTIONS, options, NULL)) != -1) {
		switch (option) {
		case 'q':
			progress_disable();
			break;
		case 'v':
			warm.walk.verbose = true;
			break;
		case 'x':
			warm.walk.one_filesystem = true;
			break;
		case 'h':
			usage(&report, stdout);
			return FOLDCTL_OK;
		default:
			if (report_option(&report, option, optarg))
				return FOLDCTL_USAGE;
		}
	}
	if (optind == argc) {
		warnx("no path given; see 'foldctl warm --help'");
		return FOLDCTL_USAGE;
	}
	warm.buffer = malloc(BUFFER);
	warm.map = malloc(sizeof(*warm.map) + RANGES_PER_CALL * sizeof(warm.map->ranges[0]));
	if (!warm.buffer || !warm.map) {
		warn("cannot read");
		result = FOLDCTL_FAILED;
	} else if (report_open(&report, "paths")) {
		result = FOLDCTL_FAILED;
	} else {
		for (; optind < argc; optind++)
			if (warm_path(&warm, &report, argv[optind]))
				result = FOLDCTL_FAILED;
		if (report_close(&report))
			result = FOLDCTL_FAILED;
	}
	free(warm.buffer);
	free(warm.map);
	return result;
}
