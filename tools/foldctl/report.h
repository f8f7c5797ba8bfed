/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report is a table of columns, printed for people or as JSON. The subcommand
 * describes its columns once; headings, --output, --help and JSON follow from that.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct libscols_table;

enum report_type {
	REPORT_TEXT,	/* left-aligned; a string in JSON */
	REPORT_NUMBER,	/* right-aligned; a number in JSON */
	REPORT_SIZE,	/* bytes: 1.5M for people, or a number with --bytes and in JSON */
};

struct report_column {
	const char *name;
	enum report_type type;
	bool shown;		/* without --output */
	const char *help;
};

#define REPORT_MAX_COLUMNS 32

struct report {
	const struct report_column *columns;	/* ends with a NULL name */
	int chosen[REPORT_MAX_COLUMNS];
	int nr_chosen;
	bool json;
	bool bytes;
	bool noheadings;
	struct libscols_table *table;
};

/* What one cell holds. Exactly the member that the column's type asks for is set. */
struct report_cell {
	bool empty;		/* nothing is known: a blank, null in JSON */
	uint64_t number;
	const char *text;	/* stays valid until the next cell is asked for */
};

/* The options that every report has, for getopt_long(). */
#define REPORT_SHORT_OPTIONS "bJno:h"
#define REPORT_LONG_OPTIONS					\
	{ "bytes", no_argument, NULL, 'b' },			\
	{ "json", no_argument, NULL, 'J' },			\
	{ "noheadings", no_argument, NULL, 'n' },		\
	{ "output", required_argument, NULL, 'o' },		\
	{ "help", no_argument, NULL, 'h' }

/* Starts with the columns that are shown by default. */
void report_init(struct report *report, const struct report_column *columns);

/* Takes one of the common options. 0, or -1 after it complained. */
int report_option(struct report *report, int option, const char *argument);

/* Prints the help texts of the common options and of the columns. */
void report_help(const struct report *report, FILE *out);

/* Makes the empty table, called @name in JSON. 0, or -1 after it complained. */
int report_open(struct report *report, const char *name);

/*
 * Adds one line. @fill is called once for each chosen column with the column's
 * index in the table of columns. 0, or -1 after it complained.
 */
int report_line(struct report *report,
		void (*fill)(int column, const void *data, struct report_cell *cell),
		const void *data);

/* Prints the table and frees it. 0, or -1 after it complained. */
int report_close(struct report *report);

/*
 * The same for one of several tables that make up a report: with JSON they are
 * members of one object. The @first one and the @last one say so.
 */
int report_close_part(struct report *report, bool first, bool last);

/* 1536 becomes "1.5K". To be freed; NULL when memory is short. */
char *report_size(uint64_t bytes);

#endif
