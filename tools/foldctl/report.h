/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report is a table of columns, printed for people or as JSON. The subcommand
 * describes its columns once; headings, --output, --help, cells and JSON follow from
 * that.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command_option;
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
	/*
	 * Where the value is in the structure that is given for a line: a const char *
	 * for a text, a uint64_t for the others.
	 */
	size_t at;
	const char *help;
};

/* A number that is not known: a blank, null in JSON. For a text that is NULL. */
#define REPORT_UNKNOWN UINT64_MAX

#define REPORT_MAX_COLUMNS 32

struct report {
	const struct report_column *columns;	/* ends with a NULL name */
	int chosen[REPORT_MAX_COLUMNS];
	int nr_chosen;
	const char *wanted;	/* --output */
	bool json;
	bool bytes;
	bool noheadings;
	struct libscols_table *table;
};

/* Starts with the columns that are shown by default. NULL: columns cannot be chosen. */
void report_init(struct report *report, const struct report_column *columns);

/* Other columns; what else has been set stays. */
void report_set_columns(struct report *report, const struct report_column *columns);

/*
 * The options that reports have, which set what is in @report: so many, and one with the
 * letter 0 behind them; see command.h.
 */
#define REPORT_NR_OPTIONS 4
void report_options(struct report *report, struct command_option *options);

/* Prints the help texts of the columns. */
void report_help(const struct report *report);

/* Chooses the columns that are wanted. 0, or -1 after it complained. */
int report_choose(struct report *report);

/* Is a column among those that are chosen that is not text? */
bool report_has_numbers(const struct report *report);

/* Makes the empty table, called @name in JSON. 0, or -1 after it complained. */
int report_open(struct report *report, const char *name);

/* Adds one line, see report_column.at. 0, or -1 after it complained. */
int report_line(struct report *report, const void *line);

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
