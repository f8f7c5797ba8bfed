// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl estimate - what would foldfs save here?
 *
 * Needs neither the module nor root. collect.c finds out, this file prints: one
 * sentence, the files that are worth most, and the directories.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../names.h"
#include "command.h"
#include "estimate.h"
#include "foldctl.h"
#include "progress.h"
#include "report.h"

struct sum_line {
	uint64_t files, size, cached, duplicates, saveable, unfit, unreadable, hidden;
};

#define AT(member) offsetof(struct sum_line, member)

static const struct report_column sum_columns[] = {
	{ "FILES", REPORT_NUMBER, true, AT(files), NULL },
	{ "SIZE", REPORT_SIZE, true, AT(size), NULL },
	{ "CACHED", REPORT_SIZE, true, AT(cached), NULL },
	{ "DUPLICATES", REPORT_SIZE, true, AT(duplicates), NULL },
	{ "SAVEABLE", REPORT_SIZE, true, AT(saveable), NULL },
	{ "UNFIT", REPORT_SIZE, true, AT(unfit), NULL },
	{ "UNREADABLE", REPORT_NUMBER, true, AT(unreadable), NULL },
	{ "HIDDEN", REPORT_NUMBER, true, AT(hidden), NULL },
	{ NULL, 0, false, 0, NULL },
};

struct line {
	uint64_t saveable, duplicates, cached, copies;	/* bytes, but for the last */
	const char *name;
};

#undef AT
#define AT(member) offsetof(struct line, member)

#define LINE_COLUMNS(of_copies, of_name)						\
	{ "SAVEABLE", REPORT_SIZE, true, AT(saveable), NULL },				\
	{ "DUPLICATES", REPORT_SIZE, true, AT(duplicates), NULL },			\
	{ "CACHED", REPORT_SIZE, true, AT(cached), NULL },				\
	{ of_copies, REPORT_NUMBER, true, AT(copies), NULL },				\
	{ of_name, REPORT_TEXT, true, AT(name), NULL },					\
	{ NULL, 0, false, 0, NULL },

static const struct report_column file_columns[] = { LINE_COLUMNS("COPIES", "FILE") };
static const struct report_column directory_columns[] = { LINE_COLUMNS("FILES", "DIRECTORY") };

static uint64_t bytes(double pages)
{
	/* Rounding errors of a sum that is 0. */
	return pages < 0.5 ? 0 : (uint64_t)(pages + 0.5) * sysconf(_SC_PAGESIZE);
}

/* "3.1 GiB", or bytes. */
static const char *amount(const struct report *options, double pages, char *text, size_t room)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = bytes(pages);
	unsigned int unit = 0;

	if (options->bytes) {
		snprintf(text, room, "%" PRIu64 " bytes", bytes(pages));
		return text;
	}
	while (value >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(text, room, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static void print_sentence(const struct report *options, const struct estimate *estimate)
{
	char cached[32], duplicates[32], saveable[32];

	printf("%s of page cache, %s of it duplicates; with everything cached foldfs would save %s\n",
	       amount(options, estimate->cached, cached, sizeof(cached)),
	       amount(options, estimate->overlap.total.duplicates, duplicates,
		      sizeof(duplicates)),
	       amount(options, estimate->overlap.total.saveable, saveable, sizeof(saveable)));
}

/* A table with the options of another one. */
static int open_like(struct report *report, const struct report *options,
		     const struct report_column *columns, const char *name)
{
	report_init(report, columns);
	report->bytes = options->bytes;
	report->json = options->json;
	report->noheadings = options->noheadings;
	return report_open(report, name);
}

static int print_files(const struct report *options, struct estimate *estimate, bool last)
{
	static char path[SPILL_NAME_MAX];
	struct report report;

	if (open_like(&report, options, file_columns, "top_files"))
		return -1;
	for (unsigned int i = 0; i < estimate->nr_best; i++) {
		const struct estimate_top *top = &estimate->best[i];
		struct line line = {
			.saveable = bytes(top->sum.saveable),
			.duplicates = bytes(top->sum.duplicates),
			.cached = bytes(top->sum.cached),
			.copies = top->sum.copies,
			.name = path,
		};

		if (spill_names_get(&estimate->names, top->file, path) ||
		    report_line(&report, &line))
			return -1;
	}
	return report_close_part(&report, false, last);
}

static int by_saveable(const void *a, const void *b, void *part)
{
	const struct overlap_group *group = part;
	double x = group[*(const uint32_t *)a].saveable, y = group[*(const uint32_t *)b].saveable;

	return x > y ? -1 : x < y;
}

static int print_directories(const struct report *options, struct estimate *estimate)
{
	uint32_t *best = calloc(estimate->nr_groups, sizeof(*best));
	struct report report;
	int result = 0;

	if (!best) {
		complain_errno("cannot sort directories");
		return -1;
	}
	for (uint32_t i = 0; i < estimate->nr_groups; i++)
		best[i] = i;
	qsort_r(best, estimate->nr_groups, sizeof(*best), by_saveable, estimate->part);

	result = open_like(&report, options, directory_columns, "top_directories");
	for (uint32_t i = 0; i < estimate->nr_groups && i < estimate->top && !result; i++) {
		const struct estimate_group *group = &estimate->group[best[i]];
		const struct overlap_group *part = &estimate->part[best[i]];
		struct line line = {
			.saveable = bytes(part->saveable),
			.duplicates = bytes(part->duplicates),
			.cached = bytes(group->cached),
			.copies = group->files,
			.name = group->path ? group->path : "(other directories)",
		};

		if (!line.saveable)
			break;
		result = report_line(&report, &line);
	}
	free(best);
	return result ? -1 : report_close_part(&report, false, true);
}

static int print_sum(const struct report *options, const struct estimate *estimate)
{
	const struct sum_line line = {
		.files = estimate->nr_files,
		.size = estimate->size,
		.cached = bytes(estimate->cached),
		.duplicates = bytes(estimate->overlap.total.duplicates),
		.saveable = bytes(estimate->overlap.total.saveable),
		.unfit = estimate->unfit,
		.unreadable = estimate->walk.unreadable,
		.hidden = estimate->hidden,
	};
	struct report report;

	if (open_like(&report, options, sum_columns, "estimate") ||
	    report_line(&report, &line))
		return -1;
	return report_close_part(&report, true, false);
}

static int print(const struct report *options, struct estimate *estimate)
{
	if (options->json) {
		if (print_sum(options, estimate))
			return -1;
	} else {
		print_sentence(options, estimate);
		if (!estimate->nr_best)
			return 0;
	}
	if (!estimate->top && !options->json)
		return 0;
	if (print_files(options, estimate, false))
		return -1;
	return print_directories(options, estimate);
}

static void print_notes(const struct report *options, const struct estimate *estimate)
{
	char text[32];

	if (estimate->walk.unreadable)
		complain("%" PRIu64 " files or directories could not be read and are not counted%s%s",
		      estimate->walk.unreadable,
		      estimate->walk.verbose ? "" : "; --verbose names them",
		      geteuid() ? "; root may read all" : "");
	if (estimate->hidden)
		complain("the kernel tells root and owners only what is cached: of %" PRIu64
		      " files that is not counted", estimate->hidden);
	if (estimate->unfit)
		complain("%s more are shared on the disk, but compressed or not aligned to pages: foldfs does not share them",
		      amount(options, (double)estimate->unfit / sysconf(_SC_PAGESIZE), text,
			     sizeof(text)));
}

static int run(struct estimate *estimate, const struct report *options, char **paths)
{
	int result = FOLDCTL_OK, walked, good = 0;

	if (estimate_init(estimate))
		return FOLDCTL_FAILED;
	progress_start("Looking for files", 0, false);
	for (; *paths; paths++) {
		walked = estimate_walk(estimate, *paths);
		if (walked < 0)
			return FOLDCTL_FAILED;
		if (walked)
			result = FOLDCTL_FAILED;
		else
			good++;
	}
	progress_stop();
	if (!good)
		return result;
	if (estimate_files(estimate) || estimate_sum(estimate) || print(options, estimate))
		return FOLDCTL_FAILED;
	if (estimate->walk.unreadable)
		result = FOLDCTL_FAILED;
	/* In this order also where both go to the same place. */
	fflush(stdout);
	print_notes(options, estimate);
	return result;
}

static int take_depth(const char *argument, void *data)
{
	return command_number(argument, "depth", ESTIMATE_DEPTH, data);
}

static int take_top(const char *argument, void *data)
{
	return command_number(argument, "top", ESTIMATE_TOP, data);
}

int foldctl_estimate(int argc, char **argv)
{
	static struct estimate estimate = { .depth = 1, .top = 10 };
	struct report report;
	bool quiet = false;
	const struct command_option options[] = {
		{ 'd', "depth", "N", "sum up directories N levels below each PATH (1)", take_depth,
		  &estimate.depth },
		{ 'q', "quiet", NULL, "no progress bar", NULL, &quiet },
		{ 't', "top", "N", "show N files and N directories (10)", take_top, &estimate.top },
		{ 'v', "verbose", NULL, "name what cannot be read", NULL, &estimate.walk.verbose },
		{ 'x', "one-file-system", NULL, "do not go to other filesystems below PATH", NULL,
		  &estimate.walk.one_filesystem },
		{ 0 },
	};
	const struct command command = {
		.name = "estimate",
		.usage = "foldctl estimate [OPTION]... PATH...\n"
			 "\n"
			 "Find out how much page cache holds copies of blocks that files on XFS or Btrfs\n"
			 "share, and what foldfs would save. Needs neither the module nor root.\n",
		.options = options,
		.report = &report,
		.columns =
			"Columns:\n"
			"  SAVEABLE    what foldfs saves when everything is cached\n"
			"  DUPLICATES  page cache that holds the same blocks once more, now\n"
			"  CACHED      page cache of the shared blocks, or of all files of a directory\n"
			"  COPIES      files that share a block, this one included\n"
			"  FILE        one of the files that share the blocks; the others are not listed\n"
			"  FILES       number of files\n"
			"  DIRECTORY   a duplicate is split evenly among those who hold it\n",
		.none_given = "no path given",
	};
	int result;

	report_init(&report, NULL);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	if (quiet)
		progress_disable();
	result = run(&estimate, &report, argv + optind);
	progress_stop();
	estimate_free(&estimate);
	return result;
}
