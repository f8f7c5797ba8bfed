// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of subcommands; see command.h.
 *
 * getopt(3) itself stays silent: an argument that begins with a hyphen may be the name
 * of somebody's file, and it would print that as it is.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "report.h"

#define MAX_OPTIONS	16
#define HELP_COLUMN	21

struct parser {
	const struct command *command;
	struct command_option option[MAX_OPTIONS];
	struct option name[MAX_OPTIONS + 1];	/* as getopt_long(3) wants them */
	char letters[2 * MAX_OPTIONS + 2];
	int nr;
	bool help;
};

static void add(struct parser *parser, const struct command_option *option)
{
	char *letters = parser->letters + strlen(parser->letters);

	parser->option[parser->nr] = *option;
	parser->name[parser->nr].name = option->name;
	parser->name[parser->nr].has_arg = option->argument ? required_argument : no_argument;
	parser->name[parser->nr].val = option->letter;
	parser->nr++;
	sprintf(letters, option->argument ? "%c:" : "%c", option->letter);
}

static void prepare(struct parser *parser, const struct command *command)
{
	const struct command_option *option = command->options;
	struct command_option of_report[REPORT_NR_OPTIONS + 1];
	const struct command_option help = {
		'h', "help", NULL, "show this text", NULL, &parser->help,
	};

	parser->command = command;
	strcpy(parser->letters, ":");
	for (; option && option->letter; option++)
		add(parser, option);
	if (command->report) {
		report_options(command->report, of_report);
		for (option = of_report; option->letter; option++)
			add(parser, option);
	}
	add(parser, &help);
}

static void print_help(const struct parser *parser)
{
	const struct command *command = parser->command;

	printf("Usage: %s\nOptions:\n", command->usage);
	for (int i = 0; i < parser->nr; i++) {
		const struct command_option *option = &parser->option[i];
		int used = printf("  -%c, --%s%s%s", option->letter, option->name,
				  option->argument ? " " : "",
				  option->argument ? option->argument : "");

		if (used > HELP_COLUMN - 1) {
			putchar('\n');
			used = 0;
		}
		printf("%*s", HELP_COLUMN - used, "");
		for (const char *text = option->help; *text; text++) {
			putchar(*text);
			if (*text == '\n')
				printf("%*s", HELP_COLUMN, "");
		}
		putchar('\n');
	}
	if (command->columns)
		printf("\n%s", command->columns);
	else if (command->report)
		report_help(command->report);
}

static void refuse(const struct command *command, int result, const char *word)
{
	char letter[3] = { '-', optopt, '\0' };
	bool is_long = !strncmp(word, "--", 2) &&
		       (result == ':' || !optopt || strchr(word, '='));

	if (!is_long)
		word = letter;
	if (result == ':')
		complain("option '%s' wants an argument; see 'foldctl %s --help'", word,
			 command->name);
	else if (is_long && optopt)
		complain("option '%s' takes no argument; see 'foldctl %s --help'", word,
			 command->name);
	else
		complain("unrecognized option '%s'; see 'foldctl %s --help'", word, command->name);
}

/* 0, or -1 after it complained. */
static int take(const struct parser *parser, int letter)
{
	for (int i = 0; i < parser->nr; i++) {
		const struct command_option *option = &parser->option[i];

		if (option->letter != letter)
			continue;
		if (option->take)
			return option->take(optarg, option->data);
		*(bool *)option->data = true;
		break;
	}
	return 0;
}

int command_parse(const struct command *command, int argc, char **argv)
{
	struct parser parser = { 0 };
	int result;

	prepare(&parser, command);
	opterr = 0;
	while ((result = getopt_long(argc, argv, parser.letters, parser.name, NULL)) != -1) {
		if (result == '?' || result == ':') {
			refuse(command, result, argv[optind - 1]);
			return FOLDCTL_USAGE;
		}
		if (take(&parser, result))
			return FOLDCTL_USAGE;
	}
	if (parser.help) {
		print_help(&parser);
		return FOLDCTL_OK;
	}
	if (command->report && report_choose(command->report))
		return FOLDCTL_USAGE;
	if (command->no_arguments && optind < argc) {
		complain("unexpected argument '%s'", argv[optind]);
		return FOLDCTL_USAGE;
	}
	if (command->none_given && optind == argc) {
		complain("%s; see 'foldctl %s --help'", command->none_given, command->name);
		return FOLDCTL_USAGE;
	}
	return -1;
}

int command_number(const char *argument, const char *option, unsigned int greatest,
		   unsigned int *value)
{
	unsigned long parsed;
	char *end;

	errno = 0;
	parsed = strtoul(argument, &end, 10);
	if (errno || end == argument || *end || *argument == '-' || parsed > greatest) {
		complain("--%s wants a number from 0 to %u, not '%s'", option, greatest, argument);
		return -1;
	}
	*value = parsed;
	return 0;
}
