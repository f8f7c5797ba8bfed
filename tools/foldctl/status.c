// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl status - one line for each foldfs filesystem.
 *
 * The counters belong to the filesystem. A filesystem that is mounted in several
 * places is shown once, at the first of them, so that the lines can be added up;
 * --all shows each place.
 */
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "command.h"
#include "foldctl.h"
#include "mounts.h"
#include "report.h"

struct line {
	const char *target, *lower, *device, *domain, *options;
	uint64_t counter[NR_COUNTERS];
};

#define AT(member) offsetof(struct line, member)
#define AT_COUNTER(which) offsetof(struct line, counter[COUNTER_##which])

static const struct report_column columns[] = {
	{ "TARGET", REPORT_TEXT, true, AT(target), "mount point" },
	{ "LOWER", REPORT_TEXT, true, AT(lower), "directory below it" },
	{ "MAJ:MIN", REPORT_TEXT, false, AT(device),
	  "device number, the name of its directory in sysfs" },
	{ "FRAGMENTS", REPORT_NUMBER, true, AT_COUNTER(FRAGMENTS),
	  "runs of blocks known to be shared" },
	{ "REFERENCES", REPORT_NUMBER, true, AT_COUNTER(REFERENCES),
	  "ranges of files that refer to fragments" },
	{ "CACHED", REPORT_SIZE, true, AT_COUNTER(PAGES_CACHED),
	  "memory that the shared cache holds" },
	{ "SAVED", REPORT_SIZE, true, AT_COUNTER(PAGES_SAVED),
	  "memory that the files would hold beyond that without foldfs" },
	{ "JOINS", REPORT_NUMBER, true, AT_COUNTER(JOINS), "ranges that began to be shared" },
	{ "BREAKS", REPORT_NUMBER, true, AT_COUNTER(BREAKS),
	  "ranges that stopped, mostly because they were changed" },
	{ "FILLS", REPORT_NUMBER, true, AT_COUNTER(FILLS), "pages read into the shared cache" },
	{ "SHOOTDOWNS", REPORT_NUMBER, true, AT_COUNTER(SHOOTDOWNS),
	  "pages unmapped from all their users" },
	{ "FALLBACKS", REPORT_NUMBER, true, AT_COUNTER(FALLBACKS),
	  "times that shared blocks were read from the lower file instead" },
	{ "REFILLS", REPORT_NUMBER, false, AT_COUNTER(REFILLS), "fills that had to be done again" },
	{ "OUTSIDE", REPORT_NUMBER, false, AT_COUNTER(OUTSIDE_WRITERS),
	  "files that lost their sharing to a writer around the mount" },
	{ "CACHE", REPORT_NUMBER, false, AT_COUNTER(CACHE),
	  "number of the cache, the same for mounts of one domain over one filesystem" },
	{ "DOMAIN", REPORT_TEXT, false, AT(domain), "trust domain, empty if none is named" },
	{ "OPTIONS", REPORT_TEXT, false, AT(options), "mount options" },
	{ NULL, 0, false, 0, NULL },
};

static int add_line(struct fold_mounts *mounts, struct fold_mount *mount, struct report *report)
{
	char device[32];
	struct line line = {
		.target = mount->target, .lower = mount->lower, .device = device,
		.domain = mount->domain, .options = mount->options,
	};
	int result = 0;

	snprintf(device, sizeof(device), "%u:%u", major(mount->device), minor(mount->device));
	/* Who asks for names only is not told that he may read no numbers. */
	if (report_has_numbers(report))
		result = mount_read_counters(mount);
	mounts_show(mounts, mount);
	for (int i = 0; i < NR_COUNTERS; i++) {
		line.counter[i] = mount->known[i] ? mount->counter[i] : REPORT_UNKNOWN;
		if (mount->known[i] && (i == COUNTER_PAGES_CACHED || i == COUNTER_PAGES_SAVED))
			line.counter[i] *= sysconf(_SC_PAGESIZE);
	}
	return report_line(report, &line) || result ? -1 : 0;
}

int foldctl_status(int argc, char **argv)
{
	struct report report;
	bool all = false;
	const struct command_option options[] = {
		{ 'a', "all", NULL, "every place where a filesystem is mounted, not the first only",
		  NULL, &all },
		{ 0 },
	};
	const struct command command = {
		.name = "status",
		.usage = "foldctl status [OPTION]... [PATH]...\n"
			 "\n"
			 "Show what each foldfs mount shares, or only the mounts that hold PATH. Only root\n"
			 "may read the numbers.\n",
		.options = options,
		.report = &report,
	};
	int result;

	report_init(&report, columns);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	return mounts_table(&report, argv + optind, argc - optind, all, add_line);
}
