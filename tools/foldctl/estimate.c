// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl estimate - what would foldfs save here?
 *
 * Needs neither the module nor root. collect.c finds out, this file prints: one
 * sentence, the files that are worth most, and the directories.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "estimate.h"
#include "foldctl.h"
#include "progress.h"
#include "report.h"

enum { SUM_FILES, SUM_SIZE, SUM_CACHED, SUM_DUPLICATES, SUM_SAVEABLE, SUM_UNFIT, SUM_UNREADABLE,
       SUM_HIDDEN };

static const struct report_column sum_columns[] = {
	[SUM_FILES] = { "FILES", REPORT_NUMBER, true, NULL },
	[SUM_SIZE] = { "SIZE", REPORT_SIZE, true, NULL },
	[SUM_CACHED] = { "CACHED", REPORT_SIZE, true, NULL },
	[SUM_DUPLICATES] = { "DUPLICATES", REPORT_SIZE, true, NULL },
	[SUM_SAVEABLE] = { "SAVEABLE", REPORT_SIZE, true, NULL },
	[SUM_UNFIT] = { "UNFIT", REPORT_SIZE, true, NULL },
	[SUM_UNREADABLE] = { "UNREADABLE", REPORT_NUMBER, true, NULL },
	[SUM_HIDDEN] = { "HIDDEN", REPORT_NUMBER, true, NULL },
	{ NULL, 0, false, NULL },
};

enum { TOP_SAVEABLE, TOP_DUPLICATES, TOP_CACHED, TOP_COPIES, TOP_NAME };

static const struct report_column file_columns[] = {
	[TOP_SAVEABLE] = { "SAVEABLE", REPORT_SIZE, true, NULL },
	[TOP_DUPLICATES] = { "DUPLICATES", REPORT_SIZE, true, NULL },
	[TOP_CACHED] = { "CACHED", REPORT_SIZE, true, NULL },
	[TOP_COPIES] = { "COPIES", REPORT_NUMBER, true, NULL },
	[TOP_NAME] = { "FILE", REPORT_TEXT, true, NULL },
	{ NULL, 0, false, NULL },
};

static const struct report_column directory_columns[] = {
	[TOP_SAVEABLE] = { "SAVEABLE", REPORT_SIZE, true, NULL },
	[TOP_DUPLICATES] = { "DUPLICATES", REPORT_SIZE, true, NULL },
	[TOP_CACHED] = { "CACHED", REPORT_SIZE, true, NULL },
	[TOP_COPIES] = { "FILES", REPORT_NUMBER, true, NULL },
	[TOP_NAME] = { "DIRECTORY", REPORT_TEXT, true, NULL },
	{ NULL, 0, false, NULL },
};

struct line {
	uint64_t saveable, duplicates, cached, copies;	/* bytes, but for the last */
	const char *name;
};

static uint64_t bytes(double pages)
{
	/* Rounding errors of a sum that is 0. */
	return pages < 0.5 ? 0 : (uint64_t)(pages + 0.5) * sysconf(_SC_PAGESIZE);
}

static void fill_sum(int column, const void *data, struct report_cell *cell)
{
	const struct estimate *estimate = data;

	switch (column) {
	case SUM_FILES:
		cell->number = estimate->nr_files;
		break;
	case SUM_SIZE:
		cell->number = estimate->size;
		break;
	case SUM_CACHED:
		cell->number = bytes(estimate->cached);
		break;
	case SUM_DUPLICATES:
		cell->number = bytes(estimate->overlap.total.duplicates);
		break;
	case SUM_SAVEABLE:
		cell->number = bytes(estimate->overlap.total.saveable);
		break;
	case SUM_UNFIT:
		cell->number = estimate->unfit;
		break;
	case SUM_UNREADABLE:
		cell->number = estimate->walk.unreadable;
		break;
	case SUM_HIDDEN:
		cell->number = estimate->hidden;
		break;
	}
}

static void fill_line(int column, const void *data, struct report_cell *cell)
{
	const struct line *line = data;

	switch (column) {
	case TOP_SAVEABLE:
		cell->number = line->saveable;
		break;
	case TOP_DUPLICATES:
		cell->number = line->duplicates;
		break;
	case TOP_CACHED:
		cell->number = line->cached;
		break;
	case TOP_COPIES:
		cell->number = line->copies;
		break;
	case TOP_NAME:
		cell->text = line->name;
		break;
	}
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
		    report_line(&report, fill_line, &line))
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
		warn("cannot sort directories");
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
		result = report_line(&report, fill_line, &line);
	}
	free(best);
	return result ? -1 : report_close_part(&report, false, true);
}

static int print(const struct report *options, struct estimate *estimate)
{
	struct report report;

	if (options->json) {
		if (open_like(&report, options, sum_columns, "estimate") ||
		    report_line(&report, fill_sum, estimate) ||
		    report_close_part(&report, true, false))
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
		warnx("%" PRIu64 " files or directories could not be read and are not counted%s%s",
		      estimate->walk.unreadable,
		      estimate->walk.verbose ? "" : "; --verbose names them",
		      geteuid() ? "; root may read all" : "");
	if (estimate->hidden)
		warnx("the kernel tells root and owners only what is cached: of %" PRIu64
		      " files that is not counted", estimate->hidden);
	if (estimate->unfit)
		warnx("%s more are shared on the disk, but compressed or not aligned to pages: foldfs does not share them",
		      amount(options, (double)estimate->unfit / sysconf(_SC_PAGESIZE), text,
			     sizeof(text)));
}

static void usage(FILE *out)
{
	fputs("Usage: foldctl estimate [OPTION]... PATH...\n"
	      "\n"
	      "Find out how much page cache holds copies of blocks that files on XFS or Btrfs\n"
	      "share, and what foldfs would save. Needs neither the module nor root.\n"
	      "\n"
	      "Options:\n"
	      "  -b, --bytes             sizes in bytes\n"
	      "  -d, --depth N           sum up directories N levels below each PATH (1)\n"
	      "  -J, --json              JSON instead of tables; sizes in bytes\n"
	      "  -n, --noheadings        no headings\n"
	      "  -q, --quiet             no progress bar\n"
	      "  -t, --top N             show N files and N directories (10)\n"
	      "  -v, --verbose           name what cannot be read\n"
	      "  -x, --one-file-system   do not go to other filesystems below PATH\n"
	      "  -h, --help              show this text\n"
	      "\n"
	      "Columns:\n"
	      "  SAVEABLE    what foldfs saves when everything is cached\n"
	      "  DUPLICATES  page cache that holds the same blocks once more, now\n"
	      "  CACHED      page cache of the shared blocks, or of all files of a directory\n"
	      "  COPIES      files that share a block, this one included\n"
	      "  FILE        one of the files that share the blocks; the others are not listed\n"
	      "  FILES       number of files\n"
	      "  DIRECTORY   a duplicate is split evenly among those who hold it\n", out);
}

static int number(const char *text, unsigned int greatest, const char *what, unsigned int *value)
{
	char *end;
	unsigned long parsed;

	errno = 0;
	parsed = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || parsed > greatest) {
		warnx("--%s wants a number from 0 to %u, not '%s'", what, greatest, text);
		return -1;
	}
	*value = parsed;
	return 0;
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

int foldctl_estimate(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "depth", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'J' },
		{ "noheadings", no_argument, NULL, 'n' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "top", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "one-file-system", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct estimate estimate = { .depth = 1, .top = 10 };
	static char name[] = "foldctl estimate";
	struct report report = { 0 };
	int option, result;

	argv[0] = name;
	while ((option = getopt_long(argc, argv, "bd:Jnqt:vxh", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			if (number(optarg, ESTIMATE_DEPTH, "depth", &estimate.depth))
				return FOLDCTL_USAGE;
			break;
		case 'q':
			progress_disable();
			break;
		case 't':
			if (number(optarg, ESTIMATE_TOP, "top", &estimate.top))
				return FOLDCTL_USAGE;
			break;
		case 'v':
			estimate.walk.verbose = true;
			break;
		case 'x':
			estimate.walk.one_filesystem = true;
			break;
		case 'h':
			usage(stdout);
			return FOLDCTL_OK;
		default:
			if (report_option(&report, option, optarg))
				return FOLDCTL_USAGE;
		}
	}
	if (optind == argc) {
		warnx("no path given; see 'foldctl estimate --help'");
		return FOLDCTL_USAGE;
	}
	result = run(&estimate, &report, argv + optind);
	progress_stop();
	estimate_free(&estimate);
	return result;
}
