// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl top - which files save most and which lose most, as it happens.
 *
 * Three tables: the mounts with what moved since the last look, the files in use that
 * save most, and those whose sharing is broken most often. screen.c draws them.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "foldctl.h"
#include "inuse.h"
#include "report.h"
#include "top.h"

enum { COL_SAVED, COL_CACHED, COL_SIZE, COL_USERS, COL_FILE };

static const struct report_column columns[] = {
	[COL_SAVED] = { "SAVED", REPORT_SIZE, true,
			"its part of the memory that is saved, split evenly among sharers" },
	[COL_CACHED] = { "CACHED", REPORT_SIZE, true, "how much of it is in the shared cache" },
	[COL_SIZE] = { "SIZE", REPORT_SIZE, true, "size of the file" },
	[COL_USERS] = { "USERS", REPORT_NUMBER, true,
			"processes that have it mapped or open" },
	[COL_FILE] = { "FILE", REPORT_TEXT, true, "name of the file, as its user sees it" },
	{ NULL, 0, false, NULL },
};

static void fill(int column, const void *data, struct report_cell *cell)
{
	const struct inuse_file *file = data;

	switch (column) {
	case COL_SAVED:
		cell->number = file->saved;
		break;
	case COL_CACHED:
		cell->number = file->cached;
		break;
	case COL_SIZE:
		cell->number = file->size;
		break;
	case COL_USERS:
		cell->number = file->processes;
		break;
	case COL_FILE:
		cell->text = file->path;
		break;
	}
}

static int print_once(struct report *report)
{
	struct inuse inuse;
	int result = inuse_read(&inuse);

	if (!result && report_open(report, "files"))
		result = -1;
	for (size_t i = 0; !result && i < inuse.nr; i++)
		result = report_line(report, fill, &inuse.file[i]);
	if (!result)
		result = report_close(report);
	fflush(stdout);
	if (!result && inuse.partial)
		warnx(geteuid() ? "only root sees all processes and what they map; the rest is not counted"
				: "some processes could not be looked at and are not counted");
	inuse_free(&inuse);
	return result;
}

static void usage(const struct report *report, FILE *out)
{
	fputs("Usage: foldctl top [OPTION]...\n"
	      "\n"
	      "Show the foldfs mounts, the files in use that save most, and those whose sharing\n"
	      "is broken most often, until q is pressed.\n"
	      "\n"
	      "Options:\n"
	      "  -i, --interval N   look again every N seconds (2)\n"
	      "  -1, --once         print the files in use once, as a table; the other options\n"
	      "                     are about that table\n", out);
	report_help(report, out);
}

int foldctl_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "once", no_argument, NULL, '1' },
		REPORT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "foldctl top";
	struct report report;
	double interval = 2;
	bool once = false;
	char *end;
	int option, result;

	report_init(&report, columns);
	argv[0] = name;
	while ((option = getopt_long(argc, argv, "i:1" REPORT_SHORT_OPTIONS, options, NULL)) != -1) {
		switch (option) {
		case 'i':
			interval = strtod(optarg, &end);
			if (end == optarg || *end || !(interval >= 0.1 && interval <= 3600)) {
				warnx("--interval wants 0.1 to 3600 seconds, not '%s'", optarg);
				return FOLDCTL_USAGE;
			}
			break;
		case '1':
			once = true;
			break;
		case 'h':
			usage(&report, stdout);
			return FOLDCTL_OK;
		default:
			if (report_option(&report, option, optarg))
				return FOLDCTL_USAGE;
		}
	}
	if (optind < argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return FOLDCTL_USAGE;
	}
	if (once || report.json)
		result = print_once(&report);
	else
		result = screen_run(interval);
	return result ? FOLDCTL_FAILED : FOLDCTL_OK;
}
