// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl warm - bring trees into the page cache.
 *
 * Reads whatever is not cached. On foldfs that is one copy of what files share: the
 * second clone of a tree only has to be asked what it shares.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "progress.h"
#include "ranges.h"
#include "report.h"
#include "residency.h"
#include "walk.h"

#define BUFFER (256 * 1024)

struct warm {
	struct walk walk;
	const char *path;
	uint64_t files, size, read, present;
	uint64_t total, done;	/* bytes, for the progress bar */
	char *buffer;
	struct foldfs_map *map;
};

#define AT(member) offsetof(struct warm, member)

static const struct report_column columns[] = {
	{ "PATH", REPORT_TEXT, true, AT(path), "what was brought in" },
	{ "FILES", REPORT_NUMBER, true, AT(files), "number of files" },
	{ "SIZE", REPORT_SIZE, true, AT(size), "their size" },
	{ "READ", REPORT_SIZE, true, AT(read), "how much of it was read" },
	{ "PRESENT", REPORT_SIZE, true, AT(present),
	  "how much did not have to be: it was cached and known to be" },
	{ "FAILED", REPORT_NUMBER, true, AT(walk.unreadable),
	  "files and directories that could not be read" },
	{ NULL, 0, false, 0, NULL },
};

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

/* The first read has a file join, so the map is asked for after it. */
static int warm_foldfs(struct warm *warm, int fd, uint64_t size)
{
	int64_t at = read_to(warm, fd, 0, 1);
	bool more = at > 0;

	while (more && !ranges_ask(fd, warm->map, at)) {
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
		more = ranges_more(warm->map);
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
	if (!ranges_ask(fd, warm->map, 0)) {
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
		complain("%s: %" PRIu64 " files or directories could not be read; --verbose names them",
		      path, warm->walk.unreadable);
	if (report_line(report, warm))
		return -1;
	return warm->walk.unreadable ? -1 : 0;
}

int foldctl_warm(int argc, char **argv)
{
	struct warm warm = { 0 };
	struct report report;
	bool quiet = false;
	const struct command_option options[] = {
		{ 'q', "quiet", NULL, "no progress bar", NULL, &quiet },
		{ 'v', "verbose", NULL, "name what cannot be read", NULL, &warm.walk.verbose },
		{ 'x', "one-file-system", NULL, "do not go to other filesystems below PATH", NULL,
		  &warm.walk.one_filesystem },
		{ 0 },
	};
	const struct command command = {
		.name = "warm",
		.usage = "foldctl warm [OPTION]... PATH...\n"
			 "\n"
			 "Bring files, or all files below directories, into the page cache. On foldfs that\n"
			 "is one copy of what they share.\n",
		.options = options,
		.report = &report,
		.none_given = "no path given",
	};
	int result;

	report_init(&report, columns);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	if (quiet)
		progress_disable();
	result = FOLDCTL_OK;
	warm.buffer = malloc(BUFFER);
	warm.map = ranges_new();
	if (!warm.buffer)
		complain_errno("cannot read");
	if (!warm.buffer || !warm.map || report_open(&report, "paths")) {
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
