// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl map - which ranges of a file are shared, with how many, how much is cached.
 *
 * One line for each range that refers to a fragment. A file that shares nothing
 * gets one line as well, which says why; with --summary every file gets one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "mounts.h"
#include "picture.h"
#include "ranges.h"
#include "report.h"

#define HELP_FILE "name of the file"
#define HELP_STATE "new, joining, joined, private, broken or refused, see foldctl(8)"

struct line {
	const char *file, *state;
	uint64_t offset, length, physical, sharers, cached;
	const char *flags;
};

#define AT(member) offsetof(struct line, member)

static const struct report_column range_columns[] = {
	{ "FILE", REPORT_TEXT, true, AT(file), HELP_FILE },
	{ "STATE", REPORT_TEXT, true, AT(state), HELP_STATE },
	{ "OFFSET", REPORT_NUMBER, true, AT(offset), "where the range begins, in bytes" },
	{ "LENGTH", REPORT_SIZE, true, AT(length), "how long it is" },
	{ "PHYSICAL", REPORT_NUMBER, false, AT(physical),
	  "where it lies on the disk, in bytes; for root only" },
	{ "SHARERS", REPORT_NUMBER, true, AT(sharers),
	  "how many ranges refer to its fragment, this one included" },
	{ "CACHED", REPORT_SIZE, true, AT(cached), "how much of it is in the shared cache" },
	{ "FLAGS", REPORT_TEXT, false, AT(flags), "tail: ends in the file's last page" },
	{ NULL, 0, false, 0, NULL },
};

struct summary {
	const char *file, *state;
	uint64_t size, shared, cached, ranges, sharers;
};

#undef AT
#define AT(member) offsetof(struct summary, member)

static const struct report_column summary_columns[] = {
	{ "FILE", REPORT_TEXT, true, AT(file), HELP_FILE },
	{ "STATE", REPORT_TEXT, true, AT(state), HELP_STATE },
	{ "SIZE", REPORT_SIZE, true, AT(size), "size of the file" },
	{ "SHARED", REPORT_SIZE, true, AT(shared), "how much of it refers to fragments" },
	{ "CACHED", REPORT_SIZE, true, AT(cached), "how much of it is in the shared cache" },
	{ "RANGES", REPORT_NUMBER, true, AT(ranges), "in how many ranges" },
	{ "SHARERS", REPORT_NUMBER, true, AT(sharers),
	  "how many ranges refer to its most used fragment" },
	{ NULL, 0, false, 0, NULL },
};

enum form { FORM_RANGES, FORM_SUMMARY, FORM_PICTURE };

struct request {
	struct report *report;
	enum form form;
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

/*
 * Asks before it opens: opening a FIFO would wait, opening a device may do
 * anything. A descriptor on a regular file, or -1 after it complained.
 */
static int open_regular(const char *file, struct stat *st)
{
	int fd;

	if (stat(file, st)) {
		complain_errno("%s", file);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		complain("%s: not a regular file", file);
		return -1;
	}
	fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st)) {
		complain_errno("%s", file);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* Fills @map with the ranges from @start on. 0, or -1 after it complained. */
static int ask(int fd, const char *file, struct foldfs_map *map, uint64_t start)
{
	if (!ranges_ask(fd, map, start))
		return 0;
	if (errno == EOPNOTSUPP)
		complain("%s: the foldfs module and this foldctl are of different versions", file);
	else if (errno != ENOTTY)
		complain_errno("%s", file);
	else if (foldfs_present())
		complain("%s: not on foldfs", file);
	else
		complain("%s: not on foldfs; the foldfs module is not loaded", file);
	return -1;
}

/* A file's name and figures on one line, and its picture on the next. */
static void print_picture(const struct summary *sum, const struct picture *picture)
{
	char *size = report_size(sum->size), *shared = report_size(sum->shared);
	char *cached = report_size(sum->cached), *file = name_for_terminal(sum->file);

	printf("%s: %s, %s of %s shared, %s cached\n", file ? file : "?", sum->state,
	       shared ? shared : "?", size ? size : "?", cached ? cached : "?");
	picture_print(picture);
	free(file);
	free(size);
	free(shared);
	free(cached);
}

static int add_range(struct report *report, const struct summary *sum,
		     const struct foldfs_map_range *range)
{
	struct line line = {
		.file = sum->file, .state = sum->state,
		.offset = range->offset, .length = range->length,
		.physical = range->physical ? range->physical : REPORT_UNKNOWN,
		.sharers = range->sharers, .cached = range->cached,
		.flags = range->flags & FOLDFS_RANGE_TAIL ? "tail" : "",
	};

	return report_line(report, &line);
}

static int add_none(struct report *report, const struct summary *sum)
{
	const struct line line = {
		.file = sum->file, .state = sum->state,
		.offset = REPORT_UNKNOWN, .length = REPORT_UNKNOWN, .physical = REPORT_UNKNOWN,
		.sharers = REPORT_UNKNOWN, .cached = REPORT_UNKNOWN,
	};

	return report_line(report, &line);
}

/* Adds the lines of one file. 0, or -1 after it complained. */
static int map_file(const struct request *request, struct foldfs_map *map, const char *file)
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

			sum.ranges++;
			sum.shared += range->length;
			sum.cached += range->cached;
			if (range->sharers > sum.sharers)
				sum.sharers = range->sharers;
			start = range->offset + range->length;
			if (request->form == FORM_RANGES)
				result = add_range(request->report, &sum, range);
			else if (request->form == FORM_PICTURE)
				picture_add(&picture, range);
		}
	} while (!result && ranges_more(map));
	close(fd);
	if (result)
		return result;

	if (request->form == FORM_PICTURE)
		print_picture(&sum, &picture);
	else if (request->form == FORM_RANGES && !sum.ranges)
		return add_none(request->report, &sum);
	else if (request->form == FORM_SUMMARY && !sum.ranges)
		sum.sharers = REPORT_UNKNOWN;
	return request->form == FORM_SUMMARY ? report_line(request->report, &sum) : 0;
}

static int take_summary(const char *argument, void *data)
{
	struct request *request = data;

	(void)argument;
	request->form = FORM_SUMMARY;
	report_set_columns(request->report, summary_columns);
	return 0;
}

static int take_picture(const char *argument, void *data)
{
	struct request *request = data;

	(void)argument;
	request->form = FORM_PICTURE;
	report_set_columns(request->report, range_columns);
	return 0;
}

int foldctl_map(int argc, char **argv)
{
	struct report report;
	struct request request = { .report = &report };
	const struct command_option options[] = {
		{ 'p', "picture", NULL, "draw each file as a line, from its beginning to its end",
		  take_picture, &request },
		{ 's', "summary", NULL, "one line for each file; has columns of its own",
		  take_summary, &request },
		{ 0 },
	};
	const struct command command = {
		.name = "map",
		.usage = "foldctl map [OPTION]... FILE...\n"
			 "\n"
			 "Show which ranges of files on foldfs are shared. What is not listed is private.\n",
		.options = options,
		.report = &report,
		.none_given = "no file given",
	};
	struct foldfs_map *map;
	int result;

	report_init(&report, range_columns);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	if (request.form == FORM_PICTURE && report.json) {
		complain("--picture and --json do not go together");
		return FOLDCTL_USAGE;
	}

	map = ranges_new();
	if (!map)
		return FOLDCTL_FAILED;
	if (request.form != FORM_PICTURE &&
	    report_open(&report, request.form == FORM_SUMMARY ? "files" : "ranges")) {
		free(map);
		return FOLDCTL_FAILED;
	}
	result = FOLDCTL_OK;
	for (; optind < argc; optind++)
		if (map_file(&request, map, argv[optind]))
			result = FOLDCTL_FAILED;
	if (request.form == FORM_PICTURE)
		picture_legend();
	else if (report_close(&report))
		result = FOLDCTL_FAILED;
	free(map);
	return result;
}
