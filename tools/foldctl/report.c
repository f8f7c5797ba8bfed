// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of columns on top of libsmartcols.
 *
 * JSON is for programs: sizes in it are always bytes, and what is not known is
 * null. Both come from the column's type, so no subcommand has to think of it.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report.h"

void report_init(struct report *report, const struct report_column *columns)
{
	memset(report, 0, sizeof(*report));
	report->columns = columns;
	for (int i = 0; columns[i].name; i++)
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
			warnx("no column '%.*s'; --help lists them", (int)length, list);
			return -1;
		}
		if (report->nr_chosen == REPORT_MAX_COLUMNS) {
			warnx("too many columns");
			return -1;
		}
		report->chosen[report->nr_chosen++] = column;
		if (!list[length])
			return 0;
		list += length + 1;
	}
}

int report_option(struct report *report, int option, const char *argument)
{
	switch (option) {
	case 'b':
		report->bytes = true;
		return 0;
	case 'J':
		report->json = true;
		return 0;
	case 'n':
		report->noheadings = true;
		return 0;
	case 'o':
		return choose_columns(report, argument);
	default:
		return -1;
	}
}

void report_help(const struct report *report, FILE *out)
{
	fputs("  -b, --bytes        sizes in bytes\n"
	      "  -J, --json         JSON instead of a table; sizes in bytes\n"
	      "  -n, --noheadings   no headings\n"
	      "  -o, --output LIST  these columns; with + in front, these as well\n"
	      "  -h, --help         show this text\n"
	      "\n"
	      "Columns (* shown by default):\n", out);
	for (int i = 0; report->columns[i].name; i++)
		fprintf(out, " %c%-12s %s\n", report->columns[i].shown ? '*' : ' ',
			report->columns[i].name, report->columns[i].help);
}

int report_open(struct report *report, const char *name)
{
	report->table = scols_new_table();
	if (!report->table) {
		warn("cannot make a table");
		return -1;
	}
	if (report->json) {
		scols_table_enable_json(report->table, 1);
		scols_table_set_name(report->table, name);
	}
	scols_table_enable_noheadings(report->table, report->noheadings);

	for (int i = 0; i < report->nr_chosen; i++) {
		const struct report_column *column = &report->columns[report->chosen[i]];
		bool number = column->type == REPORT_NUMBER || column->type == REPORT_SIZE;
		struct libscols_column *made;

		made = scols_table_new_column(report->table, column->name, 0,
					      number ? SCOLS_FL_RIGHT : 0);
		if (!made) {
			warn("cannot make a table");
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

static char *format_cell(const struct report *report, enum report_type type,
			 const struct report_cell *cell)
{
	char *text;

	switch (type) {
	case REPORT_TEXT:
		return strdup(cell->text);
	case REPORT_SIZE:
		if (!report->bytes && !report->json)
			return report_size(cell->number);
		break;
	case REPORT_NUMBER:
		break;
	}
	return asprintf(&text, "%" PRIu64, cell->number) < 0 ? NULL : text;
}

int report_line(struct report *report,
		void (*fill)(int column, const void *data, struct report_cell *cell),
		const void *data)
{
	struct libscols_line *line = scols_table_new_line(report->table, NULL);

	if (!line) {
		warn("cannot add a line");
		return -1;
	}
	for (int i = 0; i < report->nr_chosen; i++) {
		struct report_cell cell = { 0 };
		char *text;

		fill(report->chosen[i], data, &cell);
		if (cell.empty)
			continue;
		text = format_cell(report, report->columns[report->chosen[i]].type, &cell);
		if (!text || scols_line_refer_data(line, i, text)) {
			warn("cannot add a line");
			return -1;
		}
	}
	return 0;
}

int report_close(struct report *report)
{
	int error = scols_print_table(report->table);

	scols_unref_table(report->table);
	report->table = NULL;
	if (error) {
		errno = -error;
		warn("cannot print the table");
		return -1;
	}
	return 0;
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
	int error;

	if (!report->json) {
		if (!first)
			putchar('\n');
		return report_close(report);
	}
	error = print_part(report, first, last);
	scols_unref_table(report->table);
	report->table = NULL;
	if (error) {
		errno = -error;
		warn("cannot print the table");
		return -1;
	}
	return 0;
}
