// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of columns on top of libsmartcols.
 *
 * JSON is for programs: sizes in it are always bytes, and what is not known is
 * null. Both come from the column's type, so no subcommand has to think of it, nor of
 * what bytes may be in a text.
 */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../names.h"
#include "command.h"
#include "report.h"

void report_init(struct report *report, const struct report_column *columns)
{
	memset(report, 0, sizeof(*report));
	report_set_columns(report, columns);
}

void report_set_columns(struct report *report, const struct report_column *columns)
{
	report->columns = columns;
	report->nr_chosen = 0;
	for (int i = 0; columns && columns[i].name; i++)
		if (columns[i].shown)
			report->chosen[report->nr_chosen++] = i;
}

static int find_column(const struct report *report, const char *name, size_t length)
{
	for (int i = 0; report->columns[i].name; i++)
		if (strlen(report->columns[i].name) == length &&
		    !strncasecmp(report->columns[i].name, name, length))
			return i;
	return -1;
}

/* "A,B" replaces the columns that are shown by default, "+A,B" adds to them. */
static int choose_columns(struct report *report, const char *list)
{
	if (*list == '+')
		list++;
	else
		report->nr_chosen = 0;

	for (;;) {
		size_t length = strcspn(list, ",");
		int column = find_column(report, list, length);

		if (column < 0) {
			complain("no column '%.*s'; --help lists them", (int)length, list);
			return -1;
		}
		if (report->nr_chosen == REPORT_MAX_COLUMNS) {
			complain("too many columns");
			return -1;
		}
		report->chosen[report->nr_chosen++] = column;
		if (!list[length])
			return 0;
		list += length + 1;
	}
}

static int want(const char *list, void *data)
{
	struct report *report = data;

	report->wanted = list;
	return 0;
}

void report_options(struct report *report, struct command_option *options)
{
	const struct command_option all[REPORT_NR_OPTIONS + 1] = {
		{ 'b', "bytes", NULL, "sizes in bytes", NULL, &report->bytes },
		{ 'J', "json", NULL, "JSON instead of a table; sizes in bytes", NULL,
		  &report->json },
		{ 'n', "noheadings", NULL, "no headings", NULL, &report->noheadings },
		{ 'o', "output", "LIST", "these columns; with + in front, these as well", want,
		  report },
	};

	memcpy(options, all, sizeof(all));
	if (!report->columns)
		memset(&options[REPORT_NR_OPTIONS - 1], 0, sizeof(*options));
}

int report_choose(struct report *report)
{
	return report->wanted ? choose_columns(report, report->wanted) : 0;
}

void report_help(const struct report *report)
{
	if (!report->columns)
		return;
	puts("\nColumns (* shown by default):");
	for (int i = 0; report->columns[i].name; i++)
		printf(" %c%-12s %s\n", report->columns[i].shown ? '*' : ' ',
		       report->columns[i].name, report->columns[i].help);
}

bool report_has_numbers(const struct report *report)
{
	for (int i = 0; i < report->nr_chosen; i++)
		if (report->columns[report->chosen[i]].type != REPORT_TEXT)
			return true;
	return false;
}

int report_open(struct report *report, const char *name)
{
	report->table = scols_new_table();
	if (!report->table) {
		complain_errno("cannot make a table");
		return -1;
	}
	if (report->json) {
		scols_table_enable_json(report->table, 1);
		scols_table_set_name(report->table, name);
	}
	scols_table_enable_noheadings(report->table, report->noheadings);
	/* It would do again what names.c has done. */
	scols_table_enable_noencoding(report->table, 1);

	for (int i = 0; i < report->nr_chosen; i++) {
		const struct report_column *column = &report->columns[report->chosen[i]];
		bool number = column->type == REPORT_NUMBER || column->type == REPORT_SIZE;
		struct libscols_column *made;

		made = scols_table_new_column(report->table, column->name, 0,
					      number ? SCOLS_FL_RIGHT : 0);
		if (!made) {
			complain_errno("cannot make a table");
			return -1;
		}
		if (report->json)
			scols_column_set_json_type(made, number ? SCOLS_JSON_NUMBER
							       : SCOLS_JSON_STRING);
	}
	return 0;
}

/* One digit behind the point, none where it would be 0. */
char *report_size(uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	uint64_t tenths, whole = bytes, rest = 0;
	char *text;
	int made;

	while (whole >= 1024 && unit < sizeof(units) - 2) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	tenths = (rest * 10 + 512) / 1024;
	if (tenths == 10) {
		tenths = 0;
		whole++;
	}
	/* 1023.97K was rounded up to 1024K. */
	if (whole == 1024 && unit < sizeof(units) - 2) {
		whole = 1;
		unit++;
	}
	if (tenths)
		made = asprintf(&text, "%" PRIu64 ".%" PRIu64 "%c", whole, tenths, units[unit]);
	else
		made = asprintf(&text, "%" PRIu64 "%c", whole, units[unit]);
	return made < 0 ? NULL : text;
}

/* A cell's text, to be freed; NULL when memory is short. */
static char *format_cell(const struct report *report, enum report_type type, const void *value)
{
	uint64_t number;
	char *text;

	if (type == REPORT_TEXT && report->json)
		return name_for_program(*(const char *const *)value);
	if (type == REPORT_TEXT)
		return name_for_terminal(*(const char *const *)value);
	number = *(const uint64_t *)value;
	if (type == REPORT_SIZE && !report->bytes && !report->json)
		return report_size(number);
	return asprintf(&text, "%" PRIu64, number) < 0 ? NULL : text;
}

static bool is_unknown(enum report_type type, const void *value)
{
	return type == REPORT_TEXT ? !*(const char *const *)value :
				     *(const uint64_t *)value == REPORT_UNKNOWN;
}

int report_line(struct report *report, const void *line)
{
	struct libscols_line *made = scols_table_new_line(report->table, NULL);

	if (!made) {
		complain_errno("cannot add a line");
		return -1;
	}
	for (int i = 0; i < report->nr_chosen; i++) {
		const struct report_column *column = &report->columns[report->chosen[i]];
		const void *value = (const char *)line + column->at;
		char *text;

		if (is_unknown(column->type, value))
			continue;
		text = format_cell(report, column->type, value);
		if (!text || scols_line_refer_data(made, i, text)) {
			complain_errno("cannot add a line");
			return -1;
		}
	}
	return 0;
}

/* Frees the table after it was printed, or was not. 0, or -1 after it complained. */
static int finish(struct report *report, int error)
{
	scols_unref_table(report->table);
	report->table = NULL;
	if (error) {
		errno = -error;
		complain_errno("cannot print the table");
		return -1;
	}
	return 0;
}

int report_close(struct report *report)
{
	return finish(report, scols_print_table(report->table));
}

/*
 * libsmartcols prints a whole JSON document for each table. The braces around it go,
 * and those around all tables come from here.
 */
static int print_part(struct report *report, bool first, bool last)
{
	char *text, *from;
	size_t length;
	int error = scols_print_table_to_string(report->table, &text);

	if (error)
		return error;
	from = text + strspn(text, "{\n");
	length = strlen(from);
	while (length && strchr("}\n", from[length - 1]))
		length--;
	printf("%s%.*s%s", first ? "{\n" : "", (int)length, from, last ? "\n}\n" : ",\n");
	free(text);
	return 0;
}

int report_close_part(struct report *report, bool first, bool last)
{
	if (!report->json) {
		if (!first)
			putchar('\n');
		return report_close(report);
	}
	return finish(report, print_part(report, first, last));
}
