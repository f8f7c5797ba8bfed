/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of a subcommand: its options are a table, from which parsing and
 * the text of --help follow.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

struct report;

struct command_option {
	char letter;
	const char *name;
	const char *argument;	/* what --help calls it; NULL: there is none */
	const char *help;
	/* Takes the argument. 0, or -1 after it complained. NULL: *(bool *)@data is set. */
	int (*take)(const char *argument, void *data);
	void *data;
};

struct command {
	const char *name;
	const char *usage;	/* the lines above the options, without the name of the program */
	const struct command_option *options;	/* ends with the letter 0; may be NULL */
	struct report *report;	/* options and columns of this one as well; may be NULL */
	const char *columns;	/* lines below the options in its place; may be NULL */
	bool no_arguments;	/* takes options only */
	const char *none_given;	/* complaint if there are no arguments, which are needed */
};

/*
 * Parses the options. -1: go on, the arguments are those from argv[optind] on. Else the
 * subcommand's exit code, after --help or a complaint.
 */
int command_parse(const struct command *command, int argc, char **argv);

/* For @take: a number from 0 to @greatest at @value. 0, or -1 after it complained. */
int command_number(const char *argument, const char *option, unsigned int greatest,
		   unsigned int *value);

#endif
