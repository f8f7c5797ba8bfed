// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl drop - give the memory of shared pages back.
 *
 * Nothing needs this, since the kernel reclaims these pages when memory is short. It is
 * there for measuring: what does it cost to read them again?
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "foldctl.h"
#include "mounts.h"
#include "report.h"

enum { COL_TARGET, COL_BEFORE, COL_DROPPED, COL_LEFT };

static const struct report_column columns[] = {
	[COL_TARGET] = { "TARGET", REPORT_TEXT, true, "mount point" },
	[COL_BEFORE] = { "BEFORE", REPORT_SIZE, false, "memory that the shared cache held" },
	[COL_DROPPED] = { "DROPPED", REPORT_SIZE, true, "how much of it was freed" },
	[COL_LEFT] = { "LEFT", REPORT_SIZE, true,
		       "what is left: pages locked in memory or in use meanwhile" },
	{ NULL, 0, false, NULL },
};

struct line {
	const char *target;
	uint64_t before, after;
};

static void fill(int column, const void *data, struct report_cell *cell)
{
	const struct line *line = data;

	switch (column) {
	case COL_TARGET:
		cell->text = line->target;
		break;
	case COL_BEFORE:
		cell->number = line->before;
		break;
	case COL_DROPPED:
		cell->number = line->before > line->after ? line->before - line->after : 0;
		break;
	case COL_LEFT:
		cell->number = line->after;
		break;
	}
}

static int order_drop(const struct fold_mount *mount)
{
	int directory = mount_open_sysfs(mount), fd;
	ssize_t written;

	if (directory < 0)
		return -1;
	fd = openat(directory, "drop", O_WRONLY | O_CLOEXEC);
	close(directory);
	if (fd < 0) {
		if (errno == EACCES)
			warnx("%s: only root may drop pages", mount->target);
		else if (errno == ENOENT)
			warnx("%s: the loaded foldfs module is too old for that; unmount, reload it and mount again",
			      mount->target);
		else
			warn("%s: cannot drop", mount->target);
		return -1;
	}
	written = write(fd, "1", 1);
	if (written < 0)
		warn("%s: cannot drop", mount->target);
	close(fd);
	return written < 0 ? -1 : 0;
}

static int drop(struct fold_mount *mount, void *data)
{
	struct report *report = data;
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct line line = { .target = mount->target };

	if (mount_read_counters(mount))
		return -1;
	line.before = mount->counter[COUNTER_PAGES_CACHED] * page;
	if (order_drop(mount) || mount_read_counters(mount))
		return -1;
	line.after = mount->counter[COUNTER_PAGES_CACHED] * page;
	return report_line(report, fill, &line);
}

static void usage(const struct report *report, FILE *out)
{
	fputs("Usage: foldctl drop [OPTION]... PATH...\n"
	      "       foldctl drop [OPTION]... --all\n"
	      "\n"
	      "Free the shared pages of the foldfs mounts that hold PATH, or of all. They come\n"
	      "back when they are used. Only root may do this.\n"
	      "\n"
	      "Options:\n"
	      "  -a, --all          all foldfs filesystems\n", out);
	report_help(report, out);
}

int foldctl_drop(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		REPORT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "foldctl drop";
	struct fold_mounts mounts;
	struct report report;
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
	if (all == (optind < argc)) {
		warnx(all ? "--all and paths do not go together"
			  : "no path given; see 'foldctl drop --help'");
		return FOLDCTL_USAGE;
	}
	if (mounts_read(&mounts) || report_open(&report, "filesystems")) {
		mounts_free(&mounts);
		return FOLDCTL_FAILED;
	}
	if (mounts_act(&mounts, argv + optind, argc - optind, false, drop, &report))
		result = FOLDCTL_FAILED;
	if (report_close(&report))
		result = FOLDCTL_FAILED;
	mounts_free(&mounts);
	return result;
}
