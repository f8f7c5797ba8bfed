// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl doctor - what is missing for foldfs to work, and to save memory?
 *
 * The checks are in checks.c; here they are collected and printed. --report adds what
 * a bug report needs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../names.h"
#include "checks.h"
#include "command.h"
#include "foldctl.h"
#include "mounts.h"
#include "report.h"

struct finding {
	enum check_status status;
	const char *status_name;
	const char *what;
	const char *advice;
	char *text;
};

struct checks {
	struct finding *finding;
	int nr, nr_bad;
};

#define AT(member) offsetof(struct finding, member)

static const struct report_column columns[] = {
	{ "STATUS", REPORT_TEXT, true, AT(status_name), NULL },
	{ "CHECK", REPORT_TEXT, true, AT(what), NULL },
	{ "FINDING", REPORT_TEXT, true, AT(text), NULL },
	{ "ADVICE", REPORT_TEXT, true, AT(advice), NULL },
	{ NULL, 0, false, 0, NULL },
};

static const char *const status_names[] = {
	[CHECK_OK] = "ok", [CHECK_NOTE] = "note", [CHECK_BAD] = "FAIL",
};

static void __attribute__((noreturn)) no_memory(void)
{
	complain_errno("cannot note what was found");
	exit(FOLDCTL_FAILED);
}

void check_found(struct checks *checks, enum check_status status, const char *what,
		 const char *advice, const char *format, ...)
{
	struct finding *more = realloc(checks->finding, (checks->nr + 1) * sizeof(*more));
	va_list args;
	int made;

	if (!more)
		no_memory();
	checks->finding = more;
	more += checks->nr++;
	more->status = status;
	more->status_name = status_names[status];
	more->what = what;
	more->advice = advice;
	va_start(args, format);
	made = vasprintf(&more->text, format, args);
	va_end(args);
	if (made < 0)
		no_memory();
	if (status == CHECK_BAD)
		checks->nr_bad++;
}

static int print_json(const struct checks *checks)
{
	struct report report;

	report_init(&report, columns);
	report.json = true;
	if (report_open(&report, "checks"))
		return -1;
	for (int i = 0; i < checks->nr; i++)
		if (report_line(&report, &checks->finding[i]))
			return -1;
	return report_close(&report);
}

/* What may hold names. */
static void print_safely(const char *text)
{
	char *safe = name_for_terminal(text);

	fputs(safe ? safe : "?", stdout);
	free(safe);
}

/* The same with the line's end, if there is one. */
static void print_line(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	print_safely(line);
	putchar('\n');
}

static void print_text(const struct checks *checks)
{
	for (int i = 0; i < checks->nr; i++) {
		const struct finding *finding = &checks->finding[i];

		printf("%-5s %s: ", finding->status_name, finding->what);
		print_safely(finding->text);
		putchar('\n');
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
		print_line(line);
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
			print_line(line);
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
		print_safely(mounts.mount[i].target);
		putchar(':');
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
			print_line(line);
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

int foldctl_doctor(int argc, char **argv)
{
	struct checks checks = { 0 };
	bool json = false, report = false;
	const struct command_option options[] = {
		{ 'J', "json", NULL, "JSON instead of lines", NULL, &json },
		{ 'r', "report", NULL,
		  "add what a bug report needs: versions, mounts, counters, and the\n"
		  "kernel's messages on foldfs; look through it before you send it", NULL, &report },
		{ 0 },
	};
	const struct command command = {
		.name = "doctor",
		.usage = "foldctl doctor [OPTION]... [PATH]...\n"
			 "\n"
			 "Check whether foldfs can work here and what keeps it from saving memory: the\n"
			 "kernel, the module, the settings, the mounts, and whether each PATH lies on a\n"
			 "filesystem that fits.\n",
		.options = options,
		.columns = "Exit code 1 says that something has FAILed.\n",
	};
	int result = command_parse(&command, argc, argv);

	if (result >= 0)
		return result;
	if (json && report) {
		complain("--json and --report do not go together");
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
