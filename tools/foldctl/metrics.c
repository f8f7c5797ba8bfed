// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl metrics - the counters of all mounts as Prometheus reads them.
 *
 * One metric for each counter and one label set for each filesystem; page counts become
 * bytes, as the conventions for metric names want base units.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "mounts.h"

static const struct metric {
	enum counter counter;
	const char *name;
	const char *type;
	bool pages;
	const char *help;
} metrics[] = {
	{ COUNTER_FRAGMENTS, "foldfs_fragments", "gauge", false,
	  "Runs of blocks that are known to be shared." },
	{ COUNTER_REFERENCES, "foldfs_references", "gauge", false,
	  "Ranges of files that refer to fragments." },
	{ COUNTER_PAGES_CACHED, "foldfs_cached_bytes", "gauge", true,
	  "Memory that the shared page cache holds." },
	{ COUNTER_PAGES_SAVED, "foldfs_saved_bytes", "gauge", true,
	  "Memory that the files would hold beyond that without foldfs." },
	{ COUNTER_JOINS, "foldfs_joins_total", "counter", false,
	  "Ranges of files that began to be shared." },
	{ COUNTER_BREAKS, "foldfs_breaks_total", "counter", false,
	  "Ranges of files that stopped to be shared." },
	{ COUNTER_FILLS, "foldfs_filled_bytes_total", "counter", true,
	  "Data read into the shared page cache." },
	{ COUNTER_REFILLS, "foldfs_refills_total", "counter", false,
	  "Fills that had to be done again." },
	{ COUNTER_SHOOTDOWNS, "foldfs_shootdowns_total", "counter", false,
	  "Mapped pages that were taken from all their users." },
	{ COUNTER_FALLBACKS, "foldfs_fallbacks_total", "counter", false,
	  "Times that shared blocks were read from the lower file instead." },
	{ COUNTER_OUTSIDE_WRITERS, "foldfs_outside_writers_total", "counter", false,
	  "Files that lost their sharing to a writer around the mount." },
};

#define NR_METRICS (sizeof(metrics) / sizeof(metrics[0]))

/*
 * A label's value: UTF-8, or else the whole of it is refused; backslash and quote are
 * escaped, in that format.
 */
static void print_label(FILE *out, const char *name, const char *bytes, const char *after)
{
	char *text = name_for_program(bytes);

	fprintf(out, "%s=\"", name);
	for (const char *value = text ? text : ""; *value; value++) {
		if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fprintf(out, "\"%s", after);
	free(text);
}

static void print_sample(FILE *out, const struct metric *metric, const struct fold_mount *mount)
{
	uint64_t value = mount->counter[metric->counter];
	char device[32];

	snprintf(device, sizeof(device), "%u:%u", major(mount->device), minor(mount->device));
	fprintf(out, "%s{", metric->name);
	print_label(out, "mountpoint", mount->target, ",");
	print_label(out, "lower", mount->lower, ",");
	/* An empty label is as good as none. */
	if (mount->domain[0])
		print_label(out, "domain", mount->domain, ",");
	print_label(out, "device", device, "} ");
	fprintf(out, "%" PRIu64 "\n", metric->pages ? value * sysconf(_SC_PAGESIZE) : value);
}

static int print_metrics(FILE *out, struct fold_mounts *mounts)
{
	int failed = mounts_read_counters(mounts), nr = 0;

	if (failed && errno == EACCES)
		complain("only root may read the counters of foldfs mounts");
	else if (failed)
		complain_errno("%d filesystems have no counters", failed);
	for (int i = 0; i < mounts->nr; i++)
		nr += !mounts_seen_before(mounts, i);
	fputs("# HELP foldfs_module_loaded Whether the foldfs module is there.\n"
	      "# TYPE foldfs_module_loaded gauge\n", out);
	fprintf(out, "foldfs_module_loaded %d\n", foldfs_present());
	fputs("# HELP foldfs_filesystems How many foldfs filesystems are mounted.\n"
	      "# TYPE foldfs_filesystems gauge\n", out);
	fprintf(out, "foldfs_filesystems %d\n", nr);

	for (size_t m = 0; m < NR_METRICS && nr; m++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help,
			metrics[m].name, metrics[m].type);
		for (int i = 0; i < mounts->nr; i++)
			if (!mounts_seen_before(mounts, i) &&
			    mounts->mount[i].known[metrics[m].counter])
				print_sample(out, &metrics[m], &mounts->mount[i]);
	}
	return failed ? -1 : 0;
}

/*
 * A collector may read the file at any moment, so it is written beside its place and
 * renamed. The temporary name does not end in .prom, which collectors look for.
 */
static int write_file(const char *file, struct fold_mounts *mounts)
{
	char *temporary;
	FILE *out = NULL;
	int fd, result;

	if (asprintf(&temporary, "%s.XXXXXX", file) < 0) {
		complain_errno("%s", file);
		return -1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (!out) {
		complain_errno("%s", temporary);
		if (fd >= 0)
			close(fd);
		free(temporary);
		return -1;
	}
	result = print_metrics(out, mounts);
	if (fchmod(fd, 0644) || fflush(out) || ferror(out)) {
		complain_errno("%s", temporary);
		unlink(temporary);
		result = -1;
	} else if (rename(temporary, file)) {
		complain_errno("%s", file);
		unlink(temporary);
		result = -1;
	}
	fclose(out);
	free(temporary);
	return result;
}

static int take_file(const char *argument, void *data)
{
	*(const char **)data = argument;
	return 0;
}

int foldctl_metrics(int argc, char **argv)
{
	const char *file = NULL;
	const struct command_option options[] = {
		{ 'w', "write", "FILE",
		  "replace FILE with it, at once; for node_exporter's textfile\n"
		  "collector a FILE that ends in .prom in its directory", take_file, &file },
		{ 0 },
	};
	const struct command command = {
		.name = "metrics",
		.usage = "foldctl metrics [OPTION]...\n"
			 "\n"
			 "Print the counters of all foldfs mounts in the text format of Prometheus. Only\n"
			 "root may read them.\n",
		.options = options,
		.no_arguments = true,
	};
	struct fold_mounts mounts;
	int result = command_parse(&command, argc, argv);

	if (result >= 0)
		return result;
	if (mounts_read(&mounts)) {
		mounts_free(&mounts);
		return FOLDCTL_FAILED;
	}
	result = file ? write_file(file, &mounts) : print_metrics(stdout, &mounts);
	mounts_free(&mounts);
	return result ? FOLDCTL_FAILED : FOLDCTL_OK;
}
