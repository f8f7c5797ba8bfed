// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl top - which files save most and which lose most, as it happens.
 *
 * Three tables: the mounts with what moved since the last look, the files in use that
 * save most, and those whose sharing is broken most often. screen.c draws them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "inuse.h"
#include "report.h"
#include "top.h"

#define AT(member) offsetof(struct inuse_file, member)

static const struct report_column columns[] = {
	{ "SAVED", REPORT_SIZE, true, AT(saved),
	  "its part of the memory that is saved, split evenly among sharers" },
	{ "CACHED", REPORT_SIZE, true, AT(cached), "how much of it is in the shared cache" },
	{ "SIZE", REPORT_SIZE, true, AT(size), "size of the file" },
	{ "USERS", REPORT_NUMBER, true, AT(processes), "processes that have it mapped or open" },
	{ "FILE", REPORT_TEXT, true, AT(path), "name of the file, as its user sees it" },
	{ NULL, 0, false, 0, NULL },
};

static int print_once(struct report *report)
{
	struct inuse inuse;
	int result = inuse_read(&inuse);

	if (!result && report_open(report, "files"))
		result = -1;
	for (size_t i = 0; !result && i < inuse.nr; i++)
		result = report_line(report, &inuse.file[i]);
	if (!result)
		result = report_close(report);
	fflush(stdout);
	if (!result && inuse.partial)
		complain(geteuid() ? "only root sees all processes and what they map; the rest is not counted"
				   : "some processes could not be looked at and are not counted");
	inuse_free(&inuse);
	return result;
}

static int take_interval(const char *argument, void *data)
{
	double interval;
	char *end;

	interval = strtod(argument, &end);
	if (end == argument || *end || !(interval >= 0.1 && interval <= 3600)) {
		complain("--interval wants 0.1 to 3600 seconds, not '%s'", argument);
		return -1;
	}
	*(double *)data = interval;
	return 0;
}

int foldctl_top(int argc, char **argv)
{
	struct report report;
	double interval = 2;
	bool once = false;
	const struct command_option options[] = {
		{ 'i', "interval", "N", "look again every N seconds (2)", take_interval, &interval },
		{ '1', "once", NULL,
		  "print the files in use once, as a table; the other options\n"
		  "are about that table", NULL, &once },
		{ 0 },
	};
	const struct command command = {
		.name = "top",
		.usage = "foldctl top [OPTION]...\n"
			 "\n"
			 "Show the foldfs mounts, the files in use that save most, and those whose sharing\n"
			 "is broken most often, until q is pressed.\n",
		.options = options,
		.report = &report,
		.no_arguments = true,
	};
	int result;

	report_init(&report, columns);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	if (once || report.json)
		result = print_once(&report);
	else
		result = screen_run(interval);
	return result ? FOLDCTL_FAILED : FOLDCTL_OK;
}
