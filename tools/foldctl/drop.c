// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl drop - give the memory of shared pages back.
 *
 * Nothing needs this, since the kernel reclaims these pages when memory is short. It is
 * there for measuring: what does it cost to read them again?
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "mounts.h"
#include "report.h"

struct line {
	const char *target;
	uint64_t before, dropped, left;
};

#define AT(member) offsetof(struct line, member)

static const struct report_column columns[] = {
	{ "TARGET", REPORT_TEXT, true, AT(target), "mount point" },
	{ "BEFORE", REPORT_SIZE, false, AT(before), "memory that the shared cache held" },
	{ "DROPPED", REPORT_SIZE, true, AT(dropped), "how much of it was freed" },
	{ "LEFT", REPORT_SIZE, true, AT(left),
	  "what is left: pages locked in memory or in use meanwhile" },
	{ NULL, 0, false, 0, NULL },
};

/* A descriptor that takes the order, or -1 after it complained. */
static int open_order(const struct fold_mount *mount)
{
	int directory = mount_open_sysfs(mount), fd = -1;

	if (directory >= 0) {
		fd = openat(directory, "drop", O_WRONLY | O_CLOEXEC);
		close(directory);
	}
	if (fd >= 0)
		return fd;
	if (errno == EACCES)
		complain("%s: only root may drop pages", mount->target);
	else if (errno == ENOENT)
		complain("%s: the loaded foldfs module is too old for that; unmount, reload it and mount again",
			 mount->target);
	else
		complain_errno("%s: cannot drop", mount->target);
	return -1;
}

static int read_cached(struct fold_mount *mount, uint64_t *bytes)
{
	if (mount_read_counters(mount))
		return -1;
	*bytes = mount->counter[COUNTER_PAGES_CACHED] * sysconf(_SC_PAGESIZE);
	return 0;
}

static int drop(struct fold_mounts *mounts, struct fold_mount *mount, struct report *report)
{
	struct line line = { .target = mount->target };
	int fd = open_order(mount), result;

	(void)mounts;
	if (fd < 0)
		return -1;
	result = read_cached(mount, &line.before);
	if (!result && write(fd, "1", 1) < 0) {
		complain_errno("%s: cannot drop", mount->target);
		result = -1;
	}
	close(fd);
	if (result || read_cached(mount, &line.left))
		return -1;
	line.dropped = line.before > line.left ? line.before - line.left : 0;
	return report_line(report, &line);
}

int foldctl_drop(int argc, char **argv)
{
	struct report report;
	bool all = false;
	const struct command_option options[] = {
		{ 'a', "all", NULL, "all foldfs filesystems", NULL, &all },
		{ 0 },
	};
	const struct command command = {
		.name = "drop",
		.usage = "foldctl drop [OPTION]... PATH...\n"
			 "       foldctl drop [OPTION]... --all\n"
			 "\n"
			 "Free the shared pages of the foldfs mounts that hold PATH, or of all. They come\n"
			 "back when they are used. Only root may do this.\n",
		.options = options,
		.report = &report,
	};
	int result;

	report_init(&report, columns);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	if (all == (optind < argc)) {
		complain(all ? "--all and paths do not go together"
			     : "no path given; see 'foldctl drop --help'");
		return FOLDCTL_USAGE;
	}
	return mounts_table(&report, argv + optind, argc - optind, false, drop);
}
