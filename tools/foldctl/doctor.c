// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl doctor - what is missing for foldfs to work, and to save memory?
 *
 * The checks are in checks.c; here they are collected and printed. --report adds what
 * a bug report needs.
 */
#include <err.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>

#include "checks.h"
#include "foldctl.h"
#include "mounts.h"
#include "report.h"

struct finding {
	enum check_status status;
	const char *what;
	const char *advice;
	char *text;
};

struct checks {
	struct finding *finding;
	int nr, nr_bad;
};

enum { COL_STATUS, COL_CHECK, COL_FINDING, COL_ADVICE };

static const struct report_column columns[] = {
	[COL_STATUS] = { "STATUS", REPORT_TEXT, true, NULL },
	[COL_CHECK] = { "CHECK", REPORT_TEXT, true, NULL },
	[COL_FINDING] = { "FINDING", REPORT_TEXT, true, NULL },
	[COL_ADVICE] = { "ADVICE", REPORT_TEXT, true, NULL },
	{ NULL, 0, false, NULL },
};

static const char *const status_names[] = {
	[CHECK_OK] = "ok", [CHECK_NOTE] = "note", [CHECK_BAD] = "FAIL",
};

void check_found(struct checks *checks, enum check_status status, const char *what,
		 const char *advice, const char *format, ...)
{
	struct finding *more = realloc(checks->finding, (checks->nr + 1) * sizeof(*more));
	va_list args;
	int made;

	if (!more)
		err(FOLDCTL_FAILED, "cannot note what was found");
	checks->finding = more;
	more += checks->nr++;
	more->status = status;
	more->what = what;
	more->advice = advice;
	va_start(args, format);
	made = vasprintf(&more->text, format, args);
	va_end(args);
	if (made < 0)
		err(FOLDCTL_FAILED, "cannot note what was found");
	if (status == CHECK_BAD)
		checks->nr_bad++;
}

static void fill(int column, const void *data, struct report_cell *cell)
{
	const struct finding *finding = data;

	switch (column) {
	case COL_STATUS:
		cell->text = status_names[finding->status];
		break;
	case COL_CHECK:
		cell->text = finding->what;
		break;
	case COL_FINDING:
		cell->text = finding->text;
		break;
	case COL_ADVICE:
		cell->text = finding->advice;
		cell->empty = !finding->advice;
		break;
	}
}

static int print_json(const struct checks *checks)
{
	struct report report;

	report_init(&report, columns);
	report.json = true;
	if (report_open(&report, "checks"))
		return -1;
	for (int i = 0; i < checks->nr; i++)
		if (report_line(&report, fill, &checks->finding[i]))
			return -1;
	return report_close(&report);
}

static void print_text(const struct checks *checks)
{
	for (int i = 0; i < checks->nr; i++) {
		const struct finding *finding = &checks->finding[i];

		printf("%-5s %s: %s\n", status_names[finding->status], finding->what,
		       finding->text);
		if (finding->advice)
			printf("      %s\n", finding->advice);
	}
}

/* ---- what a bug report needs */

static void print_file(const char *heading, const char *file)
{
	char line[4096];
	FILE *in = fopen(file, "re");

	if (!in)
		return;
	printf("%s: ", heading);
	while (fgets(line, sizeof(line), in))
		fputs(line, stdout);
	fclose(in);
}

/* The lines of mountinfo that are foldfs's, or whose filesystem lies below one. */
static void print_mountinfo(void)
{
	char line[8192];
	FILE *in = fopen("/proc/self/mountinfo", "re");

	if (!in)
		return;
	while (fgets(line, sizeof(line), in))
		if (strstr(line, " - foldfs ") || strstr(line, " - xfs ") ||
		    strstr(line, " - btrfs "))
			fputs(line, stdout);
	fclose(in);
}

static void print_counters(void)
{
	struct fold_mounts mounts;

	if (mounts_read(&mounts)) {
		mounts_free(&mounts);
		return;
	}
	for (int i = 0; i < mounts.nr; i++) {
		if (mount_read_counters(&mounts.mount[i]))
			continue;
		printf("%s:", mounts.mount[i].target);
		for (int c = 0; c < NR_COUNTERS; c++)
			if (mounts.mount[i].known[c])
				printf(" %s=%llu", counter_name(c),
				       (unsigned long long)mounts.mount[i].counter[c]);
		putchar('\n');
	}
	mounts_free(&mounts);
}

/* Of the kernel's log what names foldfs, and warnings with what they print below. */
static void print_log(void)
{
	enum { READ_ALL = 3, SIZE_BUFFER = 10 };
	int size = klogctl(SIZE_BUFFER, NULL, 0), warning = 0;
	char *log, *line, *rest;

	log = size > 0 ? malloc(size + 1) : NULL;
	if (log)
		size = klogctl(READ_ALL, log, size);
	if (!log || size < 0) {
		puts("(only root may read the kernel's log)");
		free(log);
		return;
	}
	log[size] = '\0';
	for (rest = log; (line = strsep(&rest, "\n"));) {
		if (strstr(line, "cut here ]") || strstr(line, "BUG: ") || strstr(line, "Oops: "))
			warning = 60;
		if (warning || strstr(line, "foldfs"))
			puts(line);
		if (warning)
			warning--;
		if (strstr(line, "end trace "))
			warning = 0;
	}
	free(log);
}

static void print_bug_report(void)
{
	struct utsname name;

	puts("\n--- versions");
	puts("foldctl: " FOLDFS_VERSION);
	if (!uname(&name))
		printf("kernel: %s %s %s\n", name.release, name.version, name.machine);
	print_file("module version", "/sys/module/foldfs/version");
	print_file("module srcversion", "/sys/module/foldfs/srcversion");
	print_file("taint", "/proc/sys/kernel/tainted");
	print_file("huge pages", "/sys/kernel/mm/transparent_hugepage/enabled");
	print_file("multi-generational LRU", "/sys/kernel/mm/lru_gen/enabled");
	puts("--- mounts");
	print_mountinfo();
	puts("--- counters");
	print_counters();
	puts("--- kernel log");
	print_log();
}

static void usage(FILE *out)
{
	fputs("Usage: foldctl doctor [OPTION]... [PATH]...\n"
	      "\n"
	      "Check whether foldfs can work here and what keeps it from saving memory: the\n"
	      "kernel, the module, the settings, the mounts, and whether each PATH lies on a\n"
	      "filesystem that fits.\n"
	      "\n"
	      "Options:\n"
	      "  -J, --json     JSON instead of lines\n"
	      "  -r, --report   add what a bug report needs: versions, mounts, counters, and the\n"
	      "                 kernel's messages on foldfs; look through it before you send it\n"
	      "  -h, --help     show this text\n"
	      "\n"
	      "Exit code 1 says that something has FAILed.\n", out);
}

int foldctl_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'J' },
		{ "report", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "foldctl doctor";
	struct checks checks = { 0 };
	bool json = false, report = false;
	int option, result;

	argv[0] = name;
	while ((option = getopt_long(argc, argv, "Jrh", options, NULL)) != -1) {
		switch (option) {
		case 'J':
			json = true;
			break;
		case 'r':
			report = true;
			break;
		case 'h':
			usage(stdout);
			return FOLDCTL_OK;
		default:
			return FOLDCTL_USAGE;
		}
	}
	if (json && report) {
		warnx("--json and --report do not go together");
		return FOLDCTL_USAGE;
	}
	check_system(&checks);
	check_mounts(&checks);
	for (; optind < argc; optind++)
		check_path(&checks, argv[optind]);

	result = checks.nr_bad ? FOLDCTL_FAILED : FOLDCTL_OK;
	if (!json)
		print_text(&checks);
	else if (print_json(&checks))
		result = FOLDCTL_FAILED;
	if (report)
		print_bug_report();
	for (int i = 0; i < checks.nr; i++)
		free(checks.finding[i].text);
	free(checks.finding);
	return result;
}
