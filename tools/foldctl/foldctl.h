/* SPDX-License-Identifier: GPL-2.0-only */
/* foldctl: its subcommands, and the exit codes that all of them share. */
#ifndef FOLDCTL_H
#define FOLDCTL_H

enum {
	FOLDCTL_OK	= 0,
	FOLDCTL_FAILED	= 1,	/* at least one thing that was asked for failed */
	FOLDCTL_USAGE	= 2,	/* the command line was wrong; nothing was done */
};

/*
 * A subcommand gets the rest of the command line, its own name in argv[0], and
 * returns one of the codes above. It writes its report to stdout and one line for
 * each error to stderr.
 */
int foldctl_status(int argc, char **argv);
int foldctl_map(int argc, char **argv);
int foldctl_estimate(int argc, char **argv);
int foldctl_doctor(int argc, char **argv);
int foldctl_top(int argc, char **argv);
int foldctl_warm(int argc, char **argv);
int foldctl_drop(int argc, char **argv);
int foldctl_metrics(int argc, char **argv);
int foldctl_dax(int argc, char **argv);

#endif
