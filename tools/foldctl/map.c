// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl map - which ranges of a file are shared, with how many, how much is cached.
 *
 * One line for each range that refers to a fragment. A file that shares nothing
 * gets one line as well, which says why; with --summary every file gets one line.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/foldfs.h>

#include "foldctl.h"
#include "mounts.h"
#include "picture.h"
#include "report.h"

enum {
	COL_FILE, COL_STATE, COL_OFFSET, COL_LENGTH, COL_PHYSICAL, COL_SHARERS, COL_CACHED,
	COL_FLAGS, NR_RANGE_COLUMNS,
};

static const struct report_column range_columns[] = {
	[COL_FILE] = { "FILE", REPORT_TEXT, true, "name of the file" },
	[COL_STATE] = { "STATE", REPORT_TEXT, true,
			"new, joining, joined, private, broken or refused, see foldctl(8)" },
	[COL_OFFSET] = { "OFFSET", REPORT_NUMBER, true, "where the range begins, in bytes" },
	[COL_LENGTH] = { "LENGTH", REPORT_SIZE, true, "how long it is" },
	[COL_PHYSICAL] = { "PHYSICAL", REPORT_NUMBER, false,
			   "where it lies on the disk, in bytes; for root only" },
	[COL_SHARERS] = { "SHARERS", REPORT_NUMBER, true,
			  "how many ranges refer to its fragment, this one included" },
	[COL_CACHED] = { "CACHED", REPORT_SIZE, true, "how much of it is in the shared cache" },
	[COL_FLAGS] = { "FLAGS", REPORT_TEXT, false,
			"tail: ends in the file's last page" },
	[NR_RANGE_COLUMNS] = { NULL, 0, false, NULL },
};

enum {
	SUM_FILE, SUM_STATE, SUM_SIZE, SUM_SHARED, SUM_CACHED, SUM_RANGES, SUM_SHARERS,
	NR_SUM_COLUMNS,
};

static const struct report_column summary_columns[] = {
	[SUM_FILE] = { "FILE", REPORT_TEXT, true, "name of the file" },
	[SUM_STATE] = { "STATE", REPORT_TEXT, true,
			"new, joining, joined, private, broken or refused, see foldctl(8)" },
	[SUM_SIZE] = { "SIZE", REPORT_SIZE, true, "size of the file" },
	[SUM_SHARED] = { "SHARED", REPORT_SIZE, true, "how much of it refers to fragments" },
	[SUM_CACHED] = { "CACHED", REPORT_SIZE, true, "how much of it is in the shared cache" },
	[SUM_RANGES] = { "RANGES", REPORT_NUMBER, true, "in how many ranges" },
	[SUM_SHARERS] = { "SHARERS", REPORT_NUMBER, true,
			  "how many ranges refer to its most used fragment" },
	[NR_SUM_COLUMNS] = { NULL, 0, false, NULL },
};

/* Ranges that are asked for at once. */
#define RANGES_PER_CALL 1024

enum form { FORM_RANGES, FORM_SUMMARY, FORM_PICTURE };

struct line {
	const char *file;
	const char *state;
	const struct foldfs_map_range *range;	/* NULL: the file shares nothing */
};

struct summary {
	const char *file;
	const char *state;
	uint64_t size;
	uint64_t shared;
	uint64_t cached;
	uint64_t ranges;
	uint64_t sharers;
};

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[FOLDFS_STATE_NEW] = "new",
		[FOLDFS_STATE_JOINING] = "joining",
		[FOLDFS_STATE_JOINED] = "joined",
		[FOLDFS_STATE_PRIVATE] = "private",
		[FOLDFS_STATE_BROKEN] = "broken",
		[FOLDFS_STATE_REFUSED] = "refused",
	};
	static char number[16];

	if (state < sizeof(names) / sizeof(names[0]))
		return names[state];
	snprintf(number, sizeof(number), "%" PRIu32, state);
	return number;
}

static void fill_range(int column, const void *data, struct report_cell *cell)
{
	const struct line *line = data;
	const struct foldfs_map_range *range = line->range;

	if (column == COL_FILE) {
		cell->text = line->file;
		return;
	}
	if (column == COL_STATE) {
		cell->text = line->state;
		return;
	}
	if (!range) {
		cell->empty = true;
		return;
	}
	switch (column) {
	case COL_OFFSET:
		cell->number = range->offset;
		break;
	case COL_LENGTH:
		cell->number = range->length;
		break;
	case COL_PHYSICAL:
		cell->number = range->physical;
		cell->empty = !range->physical;
		break;
	case COL_SHARERS:
		cell->number = range->sharers;
		break;
	case COL_CACHED:
		cell->number = range->cached;
		break;
	case COL_FLAGS:
		cell->text = range->flags & FOLDFS_RANGE_TAIL ? "tail" : "";
		break;
	}
}

static void fill_summary(int column, const void *data, struct report_cell *cell)
{
	const struct summary *sum = data;

	switch (column) {
	case SUM_FILE:
		cell->text = sum->file;
		break;
	case SUM_STATE:
		cell->text = sum->state;
		break;
	case SUM_SIZE:
		cell->number = sum->size;
		break;
	case SUM_SHARED:
		cell->number = sum->shared;
		break;
	case SUM_CACHED:
		cell->number = sum->cached;
		break;
	case SUM_RANGES:
		cell->number = sum->ranges;
		break;
	case SUM_SHARERS:
		cell->number = sum->sharers;
		cell->empty = !sum->ranges;
		break;
	}
}

/*
 * Asks before it opens: opening a FIFO would wait, opening a device may do
 * anything. A descriptor on a regular file, or -1 after it complained.
 */
static int open_regular(const char *file, struct stat *st)
{
	int fd;

	if (stat(file, st)) {
		warn("%s", file);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		warnx("%s: not a regular file", file);
		return -1;
	}
	fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st)) {
		warn("%s", file);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* Fills @map with the ranges from @start on. 0, or -1 after it complained. */
static int ask(int fd, const char *file, struct foldfs_map *map, uint64_t start)
{
	memset(map, 0, sizeof(*map));
	map->version = FOLDFS_MAP_VERSION;
	map->range_size = sizeof(map->ranges[0]);
	map->nr = RANGES_PER_CALL;
	map->start = start;
	map->length = ~(uint64_t)0;

	if (!ioctl(fd, FOLDFS_IOC_MAP, map))
		return 0;
	if (errno == EOPNOTSUPP)
		warnx("%s: the foldfs module and this foldctl are of different versions", file);
	else if (errno != ENOTTY)
		warn("%s", file);
	else if (foldfs_present())
		warnx("%s: not on foldfs", file);
	else
		warnx("%s: not on foldfs; the foldfs module is not loaded", file);
	return -1;
}

/* A file's name and figures on one line, and its picture on the next. */
static void print_picture(const struct summary *sum, const struct picture *picture)
{
	char *size = report_size(sum->size), *shared = report_size(sum->shared);
	char *cached = report_size(sum->cached);

	printf("%s: %s, %s of %s shared, %s cached\n", sum->file, sum->state, shared ? shared : "?",
	       size ? size : "?", cached ? cached : "?");
	picture_print(picture);
	free(size);
	free(shared);
	free(cached);
}

/* Adds the lines of one file. 0, or -1 after it complained. */
static int map_file(struct report *report, struct foldfs_map *map, const char *file,
		    enum form form)
{
	struct summary sum = { .file = file };
	static struct picture picture;
	struct stat st;
	uint64_t start = 0;
	int fd, result;

	fd = open_regular(file, &st);
	if (fd < 0)
		return -1;

	sum.size = st.st_size;
	picture_init(&picture, sum.size);
	do {
		result = ask(fd, file, map, start);
		if (result)
			break;
		sum.state = state_name(map->state);
		for (uint32_t i = 0; i < map->nr && !result; i++) {
			const struct foldfs_map_range *range = &map->ranges[i];
			struct line line = { file, sum.state, range };

			sum.ranges++;
			sum.shared += range->length;
			sum.cached += range->cached;
			if (range->sharers > sum.sharers)
				sum.sharers = range->sharers;
			start = range->offset + range->length;
			if (form == FORM_RANGES)
				result = report_line(report, fill_range, &line);
			else if (form == FORM_PICTURE)
				picture_add(&picture, range);
		}
	} while (!result && map->nr && map->out_flags & FOLDFS_MAP_MORE);
	close(fd);

	if (!result && form == FORM_PICTURE)
		print_picture(&sum, &picture);
	if (!result && form == FORM_SUMMARY)
		return report_line(report, fill_summary, &sum);
	if (!result && form == FORM_RANGES && !sum.ranges) {
		struct line line = { file, sum.state, NULL };

		return report_line(report, fill_range, &line);
	}
	return result;
}

static void usage(const struct report *report, FILE *out)
{
	fputs("Usage: foldctl map [OPTION]... FILE...\n"
	      "\n"
	      "Show which ranges of files on foldfs are shared. What is not listed is private.\n"
	      "\n"
	      "Options:\n"
	      "  -p, --picture      draw each file as a line, from its beginning to its end\n"
	      "  -s, --summary      one line for each file; has columns of its own\n", out);
	report_help(report, out);
}

int foldctl_map(int argc, char **argv)
{
	static const struct option options[] = {
		{ "picture", no_argument, NULL, 'p' },
		{ "summary", no_argument, NULL, 's' },
		REPORT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static const char short_options[] = "ps" REPORT_SHORT_OPTIONS;
	static char name[] = "foldctl map";
	struct foldfs_map *map;
	struct report report;
	enum form form = FORM_RANGES;
	int option, result = FOLDCTL_OK;

	argv[0] = name;

	/* --summary decides which columns the other options may name. */
	opterr = 0;
	while ((option = getopt_long(argc, argv, short_options, options, NULL)) != -1)
		if (option == 's')
			form = FORM_SUMMARY;
		else if (option == 'p')
			form = FORM_PICTURE;
	opterr = 1;
	optind = 0;

	report_init(&report, form == FORM_SUMMARY ? summary_columns : range_columns);
	while ((option = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		switch (option) {
		case 'p':
		case 's':
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
		warnx("no file given; see 'foldctl map --help'");
		return FOLDCTL_USAGE;
	}

	if (form == FORM_PICTURE && report.json) {
		warnx("--picture and --json do not go together");
		return FOLDCTL_USAGE;
	}

	map = malloc(sizeof(*map) + RANGES_PER_CALL * sizeof(map->ranges[0]));
	if (!map) {
		warn("cannot ask for ranges");
		return FOLDCTL_FAILED;
	}
	if (form != FORM_PICTURE &&
	    report_open(&report, form == FORM_SUMMARY ? "files" : "ranges")) {
		free(map);
		return FOLDCTL_FAILED;
	}
	for (; optind < argc; optind++)
		if (map_file(&report, map, argv[optind], form))
			result = FOLDCTL_FAILED;
	if (form == FORM_PICTURE)
		picture_legend();
	else if (report_close(&report))
		result = FOLDCTL_FAILED;
	free(map);
	return result;
}
