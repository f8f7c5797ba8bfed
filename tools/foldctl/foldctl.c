// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl - look at what foldfs shares, or would share.
 *
 * This file finds the subcommand and makes sure that a report which could not be
 * written is not taken for a success. Each subcommand is a file of its own.
 */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../names.h"
#include "foldctl.h"

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} subcommands[] = {
	{ "estimate", foldctl_estimate, "what foldfs would save; needs no module" },
	{ "status", foldctl_status, "what each foldfs mount shares, caches and saves" },
	{ "map", foldctl_map, "which ranges of a file are shared" },
	{ "top", foldctl_top, "live: what saves most and what breaks most" },
	{ "warm", foldctl_warm, "bring files into the page cache" },
	{ "drop", foldctl_drop, "free the shared pages of a mount" },
	{ "metrics", foldctl_metrics, "the counters of all mounts, for Prometheus" },
	{ "dax", foldctl_dax, "block devices that cache another one for DAX (experimental)" },
	{ "doctor", foldctl_doctor, "what is missing for foldfs to work and to save" },
};

#define NR_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

/*
 * Buffered output fails when it is flushed, which is after main() has decided on
 * the exit code. A reader that has gone away (foldctl ... | head) is no failure.
 */
static void close_stdout(void)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };
	int bad = ferror(stdout);
	bool gone;

	/* A write that failed before the last one has left no errno. */
	gone = bad && poll(&reader, 1, 0) > 0 && reader.revents & POLLERR;
	errno = 0;
	if (fclose(stdout) != 0 || bad) {
		if (gone || errno == EPIPE || errno == EBADF)
			return;
		if (errno)
			complain_errno("write error");
		else
			complain("write error");
		_exit(FOLDCTL_FAILED);
	}
}

static void usage(FILE *out)
{
	fputs("Usage: foldctl COMMAND [OPTION]... [ARGUMENT]...\n"
	      "\n"
	      "Look at what foldfs shares, or would share.\n"
	      "\n"
	      "Commands:\n", out);
	for (size_t i = 0; i < NR_SUBCOMMANDS; i++)
		fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].help);
	fputs("\n"
	      "Options:\n"
	      "  -h, --help     show this text; after a command, that command's options\n"
	      "  -V, --version  show the version\n"
	      "\n"
	      "Exit codes: 0 success, 1 something failed, 2 wrong usage. See foldctl(8).\n", out);
}

int main(int argc, char **argv)
{
	const char *name;

	setlocale(LC_ALL, "");
	atexit(close_stdout);

	if (argc < 2) {
		complain("no command given");
		usage(stderr);
		return FOLDCTL_USAGE;
	}

	name = argv[1];
	if (!strcmp(name, "-h") || !strcmp(name, "--help") || !strcmp(name, "help")) {
		usage(stdout);
		return FOLDCTL_OK;
	}
	if (!strcmp(name, "-V") || !strcmp(name, "--version")) {
		puts("foldctl (foldfs) " FOLDFS_VERSION);
		return FOLDCTL_OK;
	}

	for (size_t i = 0; i < NR_SUBCOMMANDS; i++)
		if (!strcmp(name, subcommands[i].name))
			return subcommands[i].run(argc - 1, argv + 1);

	complain("no command '%s'; see 'foldctl --help'", name);
	return FOLDCTL_USAGE;
}
