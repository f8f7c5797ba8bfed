// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl status - one line for each foldfs filesystem.
 *
 * The counters belong to the filesystem. A filesystem that is mounted in several
 * places is shown once, at the first of them, so that the lines can be added up;
 * --all shows each place.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "foldctl.h"
#include "mounts.h"
#include "report.h"

enum {
	COL_TARGET, COL_LOWER, COL_DEVICE, COL_FRAGMENTS, COL_REFERENCES, COL_CACHED,
	COL_SAVED, COL_JOINS, COL_BREAKS, COL_FILLS, COL_SHOOTDOWNS, COL_FALLBACKS,
	COL_REFILLS, COL_OUTSIDE, COL_CACHE, COL_OPTIONS,
};

static const struct report_column columns[] = {
	[COL_TARGET] = { "TARGET", REPORT_TEXT, true, "mount point" },
	[COL_LOWER] = { "LOWER", REPORT_TEXT, true, "directory below it" },
	[COL_DEVICE] = { "MAJ:MIN", REPORT_TEXT, false,
			 "device number, the name of its directory in sysfs" },
	[COL_FRAGMENTS] = { "FRAGMENTS", REPORT_NUMBER, true, "runs of blocks known to be shared" },
	[COL_REFERENCES] = { "REFERENCES", REPORT_NUMBER, true,
			     "ranges of files that refer to fragments" },
	[COL_CACHED] = { "CACHED", REPORT_SIZE, true, "memory that the shared cache holds" },
	[COL_SAVED] = { "SAVED", REPORT_SIZE, true,
			"memory that the files would hold beyond that without foldfs" },
	[COL_JOINS] = { "JOINS", REPORT_NUMBER, true, "ranges that began to be shared" },
	[COL_BREAKS] = { "BREAKS", REPORT_NUMBER, true,
			 "ranges that stopped, mostly because they were changed" },
	[COL_FILLS] = { "FILLS", REPORT_NUMBER, true, "pages read into the shared cache" },
	[COL_SHOOTDOWNS] = { "SHOOTDOWNS", REPORT_NUMBER, true,
			     "pages unmapped from all their users" },
	[COL_FALLBACKS] = { "FALLBACKS", REPORT_NUMBER, true,
			    "times that shared blocks were read from the lower file instead" },
	[COL_REFILLS] = { "REFILLS", REPORT_NUMBER, false, "fills that had to be done again" },
	[COL_OUTSIDE] = { "OUTSIDE", REPORT_NUMBER, false,
			  "files that lost their sharing to a writer around the mount" },
	[COL_CACHE] = { "CACHE", REPORT_NUMBER, false,
			"number of the cache, the same for mounts over one filesystem" },
	[COL_OPTIONS] = { "OPTIONS", REPORT_TEXT, false, "mount options" },
	{ NULL, 0, false, NULL },
};

struct line {
	const struct fold_mount *mount;
	uint64_t page_size;
};

static void fill_counter(const struct line *line, enum counter which, uint64_t unit,
			 struct report_cell *cell)
{
	cell->empty = !line->mount->known[which];
	cell->number = line->mount->counter[which] * unit;
}

static void fill(int column, const void *data, struct report_cell *cell)
{
	static char device[32];
	const struct line *line = data;

	switch (column) {
	case COL_TARGET:
		cell->text = line->mount->target;
		break;
	case COL_LOWER:
		cell->text = line->mount->lower;
		break;
	case COL_OPTIONS:
		cell->text = line->mount->options;
		break;
	case COL_DEVICE:
		snprintf(device, sizeof(device), "%u:%u", major(line->mount->device),
			 minor(line->mount->device));
		cell->text = device;
		break;
	case COL_FRAGMENTS:
		fill_counter(line, COUNTER_FRAGMENTS, 1, cell);
		break;
	case COL_REFERENCES:
		fill_counter(line, COUNTER_REFERENCES, 1, cell);
		break;
	case COL_CACHED:
		fill_counter(line, COUNTER_PAGES_CACHED, line->page_size, cell);
		break;
	case COL_SAVED:
		fill_counter(line, COUNTER_PAGES_SAVED, line->page_size, cell);
		break;
	case COL_JOINS:
		fill_counter(line, COUNTER_JOINS, 1, cell);
		break;
	case COL_BREAKS:
		fill_counter(line, COUNTER_BREAKS, 1, cell);
		break;
	case COL_FILLS:
		fill_counter(line, COUNTER_FILLS, 1, cell);
		break;
	case COL_SHOOTDOWNS:
		fill_counter(line, COUNTER_SHOOTDOWNS, 1, cell);
		break;
	case COL_FALLBACKS:
		fill_counter(line, COUNTER_FALLBACKS, 1, cell);
		break;
	case COL_REFILLS:
		fill_counter(line, COUNTER_REFILLS, 1, cell);
		break;
	case COL_CACHE:
		fill_counter(line, COUNTER_CACHE, 1, cell);
		break;
	case COL_OUTSIDE:
		fill_counter(line, COUNTER_OUTSIDE_WRITERS, 1, cell);
		break;
	}
}

static void usage(const struct report *report, FILE *out)
{
	fputs("Usage: foldctl status [OPTION]... [PATH]...\n"
	      "\n"
	      "Show what each foldfs mount shares, or only the mounts that hold PATH.\n"
	      "\n"
	      "Options:\n"
	      "  -a, --all          every place where a filesystem is mounted, not the first only\n",
	      out);
	report_help(report, out);
}

struct status {
	struct report *report;
	struct fold_mounts *mounts;
};

static int add_line(struct fold_mount *mount, void *data)
{
	struct status *status = data;
	struct line line = { .mount = mount, .page_size = sysconf(_SC_PAGESIZE) };

	if (mount_read_counters(mount))
		return -1;
	mounts_show(status->mounts, mount);
	return report_line(status->report, fill, &line);
}

int foldctl_status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		REPORT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "foldctl status";
	struct fold_mounts mounts;
	struct report report;
	struct status status = { &report, &mounts };
	bool all = false;
	int option, result = FOLDCTL_OK;

	report_init(&report, columns);
	argv[0] = name;
	while ((option = getopt_long(argc, argv, "a" REPORT_SHORT_OPTIONS, options, NULL)) != -1) {
		switch (option) {
		case 'a':
			all = true;
			break;
		case 'h':
			usage(&report, stdout);
			return FOLDCTL_OK;
		default:
			if (report_option(&report, option, optarg))
				return FOLDCTL_USAGE;
		}
	}

	if (mounts_read(&mounts) || report_open(&report, "filesystems")) {
		mounts_free(&mounts);
		return FOLDCTL_FAILED;
	}

	if (mounts_act(&mounts, argv + optind, argc - optind, all, add_line, &status))
		result = FOLDCTL_FAILED;
	if (report_close(&report))
		result = FOLDCTL_FAILED;
	mounts_free(&mounts);
	return result;
}
