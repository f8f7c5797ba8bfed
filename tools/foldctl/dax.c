// SPDX-License-Identifier: GPL-2.0-only
/*
 * foldctl dax - block devices of dm-fold: make them, look at them, remove them.
 *
 * All of it can be done by dmsetup(8) as well. What this adds is that a refusal says
 * why: the device mapper tells the caller an errno, and the kernel's log the words.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdevmapper.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "../names.h"
#include "command.h"
#include "foldctl.h"
#include "report.h"

#define TARGET		"fold"
#define SECTORS_A_PAGE	8
#define PAGE_BYTES	4096

struct line {
	const char *name, *lower, *pool;
	uint64_t frames, cached, free, retired;
	uint64_t handouts, fills, ahead, evictions, rescues, shootdowns, busy, waits, timeouts,
		 errors;
};

#define AT(member) offsetof(struct line, member)

static const struct report_column columns[] = {
	{ "NAME", REPORT_TEXT, true, AT(name), "of the device, in /dev/mapper" },
	{ "LOWER", REPORT_TEXT, true, AT(lower), "the device that it fronts" },
	{ "POOL", REPORT_TEXT, true, AT(pool), "the pmem device that it caches in" },
	{ "SIZE", REPORT_SIZE, true, AT(frames), "memory of the pool" },
	{ "CACHED", REPORT_SIZE, true, AT(cached), "what of it holds blocks" },
	{ "FREE", REPORT_SIZE, false, AT(free), "what of it is free" },
	{ "RETIRED", REPORT_SIZE, false, AT(retired), "what of it is broken and not used" },
	{ "HANDOUTS", REPORT_NUMBER, false, AT(handouts), "pages that were handed out" },
	{ "FILLS", REPORT_NUMBER, true, AT(fills), "pages that were read from the lower device" },
	{ "AHEAD", REPORT_NUMBER, false, AT(ahead), "of these, pages that nobody had asked for yet" },
	{ "EVICTIONS", REPORT_NUMBER, true, AT(evictions), "pages whose memory another one got" },
	{ "RESCUES", REPORT_NUMBER, false, AT(rescues), "pages used again just before that" },
	{ "SHOOTDOWNS", REPORT_NUMBER, false, AT(shootdowns), "entries of files taken out for it" },
	{ "BUSY", REPORT_NUMBER, false, AT(busy), "pages that could not go: pinned, or used again" },
	{ "WAITS", REPORT_NUMBER, false, AT(waits), "how often somebody waited for a free page" },
	{ "TIMEOUTS", REPORT_NUMBER, true, AT(timeouts), "how often in vain" },
	{ "ERRORS", REPORT_NUMBER, true, AT(errors), "pages that could not be read" },
	{ NULL, 0, false, 0, NULL },
};

/* libdevmapper's own messages: the last one, told if nothing better is known. */
static char said[256];

__attribute__((format(printf, 5, 6)))
static void listen(int level, const char *file, int line, int error, const char *format, ...)
{
	va_list args;

	(void)file;
	(void)line;
	(void)error;
	if ((level & 7) > 3)
		return;
	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

/* The kernel's log from now on, or -1. */
static int kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* What dm-fold has said there since: the text behind the device's number, or "". */
static void reason(int fd, char *text, size_t size)
{
	static const char mark[] = "device-mapper: fold: ";
	char record[1024], *at, *end;
	ssize_t len;

	*text = '\0';
	while (fd >= 0 && ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE)) {
		if (len <= 0)
			continue;
		record[len] = '\0';
		at = strstr(record, mark);
		if (!at)
			continue;
		at += strlen(mark);
		end = strchr(at, '\n');
		if (end)
			*end = '\0';
		/* "254:0: the pool ..." */
		end = strstr(at, ": ");
		snprintf(text, size, "%s", end ? end + 2 : at);
	}
}

/* Runs a task that changes devices, and waits for udev. 0, or -1 with errno. */
static int change(struct dm_task *task)
{
	uint32_t cookie = 0;
	int done, error;

	if (!dm_task_set_cookie(task, &cookie, 0))
		return -1;
	done = dm_task_run(task);
	error = dm_task_get_errno(task);
	dm_udev_wait(cookie);
	errno = error;
	return done ? 0 : -1;
}

static int sectors_of(const char *device, uint64_t *sectors)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	uint64_t bytes;

	if (fd < 0) {
		complain_errno("%s: cannot open", device);
		return -1;
	}
	if (ioctl(fd, BLKGETSIZE64, &bytes)) {
		complain("%s: not a block device", device);
		close(fd);
		return -1;
	}
	close(fd);
	*sectors = bytes / 512 / SECTORS_A_PAGE * SECTORS_A_PAGE;
	return 0;
}

static int create(const char *name, const char *lower, const char *pool, const char *words)
{
	struct dm_task *task;
	char *table, why[512];
	uint64_t sectors;
	int log, result = -1;

	if (sectors_of(lower, &sectors))
		return -1;
	if (asprintf(&table, "%s %s ro%s", lower, pool, words) < 0) {
		complain("out of memory");
		return -1;
	}
	log = kernel_log();
	task = dm_task_create(DM_DEVICE_CREATE);
	if (task && dm_task_set_name(task, name) && dm_task_set_ro(task) &&
	    dm_task_add_target(task, 0, sectors, TARGET, table))
		result = change(task);
	if (result) {
		reason(log, why, sizeof(why));
		if (*why)
			complain("%s: %s", name, why);
		else if (geteuid())
			complain("%s: only root may make devices", name);
		else
			complain("%s: %s; is the module loaded (modprobe dm-fold)?", name,
				 *said ? said : "the device mapper refused");
	}
	if (task)
		dm_task_destroy(task);
	if (log >= 0)
		close(log);
	free(table);
	return result;
}

#define NOT_GIVEN	UINT32_MAX

static int take_readahead(const char *argument, void *data)
{
	return command_number(argument, "readahead", 255, data);
}

static int take_wait(const char *argument, void *data)
{
	return command_number(argument, "wait", 600000, data);
}

static int run_create(int argc, char **argv)
{
	unsigned int readahead = NOT_GIVEN, wait = NOT_GIVEN;
	char words[64] = "";
	const struct command_option options[] = {
		{ 'r', "readahead", "PAGES", "pages to read ahead (32)", take_readahead,
		  &readahead },
		{ 'w', "wait", "MS", "how long to wait for a free page (5000)", take_wait, &wait },
		{ 0 },
	};
	const struct command command = {
		.name = "dax create",
		.usage = "foldctl dax create [OPTION]... NAME LOWER POOL\n"
			 "\n"
			 "Make the read-only device /dev/mapper/NAME: the device LOWER, cached in the\n"
			 "pmem device POOL, for a filesystem that is mounted with DAX. Experimental.\n",
		.options = options,
	};
	int result = command_parse(&command, argc, argv), used = 0;

	if (result >= 0)
		return result;
	if (argc - optind != 3) {
		complain("NAME, LOWER and POOL are needed; see 'foldctl dax create --help'");
		return FOLDCTL_USAGE;
	}
	if (readahead != NOT_GIVEN)
		used = sprintf(words, " readahead %u", readahead);
	if (wait != NOT_GIVEN)
		sprintf(words + used, " wait %u", wait);
	argv += optind;
	return create(argv[0], argv[1], argv[2], words) ? FOLDCTL_FAILED : FOLDCTL_OK;
}

/* The device's line of @type. 0, or -1 if it has no table of ours. To be freed. */
static int ask(const char *name, int type, char **text)
{
	struct dm_task *task = dm_task_create(type);
	char *target = NULL, *params = NULL;
	uint64_t start, length;
	int result = -1;

	if (task && dm_task_set_name(task, name) && dm_task_run(task)) {
		dm_get_next_target(task, NULL, &start, &length, &target, &params);
		if (target && params && !strcmp(target, TARGET)) {
			*text = strdup(params);
			result = *text ? 0 : -1;
		}
	}
	if (task)
		dm_task_destroy(task);
	return result;
}

/* "frames=12 cached=3": each word's number goes to the field of that name. */
static void parse(const char *status, struct line *line)
{
	const struct {
		const char *word;
		uint64_t *value;
		unsigned int unit;
	} fields[] = {
		{ "frames", &line->frames, PAGE_BYTES },
		{ "cached", &line->cached, PAGE_BYTES },
		{ "free", &line->free, PAGE_BYTES },
		{ "retired", &line->retired, PAGE_BYTES },
		{ "handouts", &line->handouts, 1 },
		{ "fills", &line->fills, 1 },
		{ "ahead", &line->ahead, 1 },
		{ "evictions", &line->evictions, 1 },
		{ "rescues", &line->rescues, 1 },
		{ "shootdowns", &line->shootdowns, 1 },
		{ "busy", &line->busy, 1 },
		{ "waits", &line->waits, 1 },
		{ "timeouts", &line->timeouts, 1 },
		{ "errors", &line->errors, 1 },
	};
	char word[32];
	uint64_t value;
	int used;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		*fields[i].value = REPORT_UNKNOWN;
	while (sscanf(status, " %31[a-z]=%" SCNu64 "%n", word, &value, &used) == 2) {
		status += used;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (!strcmp(fields[i].word, word))
				*fields[i].value = value * fields[i].unit;
	}
}

/* "254:0" in a table's line is to be the device's name, if there is one. */
static const char *device_name(const char *word, char *name, size_t size)
{
	unsigned int major, minor;

	if (word && sscanf(word, "%u:%u", &major, &minor) == 2 &&
	    dm_device_get_name(major, minor, 0, name, size) && *name)
		return name;
	return word;
}

/* 1 if the device is none of ours. */
static int show(struct report *report, const char *name)
{
	struct line line = { .name = name };
	char *status = NULL, *table = NULL, *rest = NULL;
	char lower[256], pool[256];
	int result = 1;

	if (!ask(name, DM_DEVICE_STATUS, &status) && !ask(name, DM_DEVICE_TABLE, &table)) {
		parse(status, &line);
		line.lower = device_name(strtok_r(table, " ", &rest), lower, sizeof(lower));
		line.pool = device_name(strtok_r(NULL, " ", &rest), pool, sizeof(pool));
		result = report_line(report, &line);
	}
	free(status);
	free(table);
	return result;
}

static int show_all(struct report *report)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_LIST);
	struct dm_names *names = NULL;
	int result = 0;

	if (task && dm_task_run(task))
		names = dm_task_get_names(task);
	if (!names)
		complain(geteuid() ? "only root may ask the device mapper" :
				     "the device mapper does not answer (modprobe dm-mod)");
	for (; names && names->dev; names = (void *)names + names->next) {
		if (show(report, names->name) < 0)
			result = -1;
		if (!names->next)
			break;
	}
	if (!names)
		result = -1;
	if (task)
		dm_task_destroy(task);
	return result;
}

static int run_status(int argc, char **argv)
{
	struct report report;
	const struct command command = {
		.name = "dax status",
		.usage = "foldctl dax status [OPTION]... [NAME]...\n"
			 "\n"
			 "Show the devices of dm-fold, or those that are named.\n",
		.report = &report,
	};
	int result, code = FOLDCTL_OK;

	report_init(&report, columns);
	result = command_parse(&command, argc, argv);
	if (result >= 0)
		return result;
	if (report_open(&report, "devices"))
		return FOLDCTL_FAILED;
	if (optind == argc && show_all(&report))
		code = FOLDCTL_FAILED;
	for (; optind < argc; optind++) {
		result = show(&report, argv[optind]);
		if (result > 0)
			complain("%s: no device of dm-fold%s", argv[optind],
				 geteuid() ? ", or you may not look at it" : "");
		if (result)
			code = FOLDCTL_FAILED;
	}
	return report_close(&report) ? FOLDCTL_FAILED : code;
}

static int remove_one(const char *name)
{
	struct dm_task *task;
	char *table;
	int result;

	if (ask(name, DM_DEVICE_TABLE, &table)) {
		complain("%s: no device of dm-fold%s", name,
			 geteuid() ? ", or you may not look at it" : "");
		return -1;
	}
	free(table);
	task = dm_task_create(DM_DEVICE_REMOVE);
	result = task && dm_task_set_name(task, name) ? change(task) : -1;
	if (result && errno == EBUSY)
		complain("%s: in use; unmount what is on it", name);
	else if (result)
		complain_errno("%s: cannot remove", name);
	if (task)
		dm_task_destroy(task);
	return result;
}

static int run_remove(int argc, char **argv)
{
	const struct command command = {
		.name = "dax remove",
		.usage = "foldctl dax remove NAME...\n"
			 "\n"
			 "Remove devices of dm-fold. Nothing on the lower device changes.\n",
		.none_given = "no device given",
	};
	int result = command_parse(&command, argc, argv), code = FOLDCTL_OK;

	if (result >= 0)
		return result;
	for (; optind < argc; optind++)
		if (remove_one(argv[optind]))
			code = FOLDCTL_FAILED;
	return code;
}

int foldctl_dax(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = {
		{ "create", run_create },
		{ "status", run_status },
		{ "remove", run_remove },
	};
	static const char text[] =
		"Usage: foldctl dax create [OPTION]... NAME LOWER POOL\n"
		"       foldctl dax status [OPTION]... [NAME]...\n"
		"       foldctl dax remove NAME...\n"
		"\n"
		"Block devices with DAX that cache another one in a pmem device; see dm-fold(5).\n"
		"Each of the three has a --help of its own.\n"
		"\n"
		"Options:\n"
		"  -h, --help         show this text\n";
	const char *verb = argc > 1 ? argv[1] : "";

	dm_log_with_errno_init(listen);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verb, verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	if (!strcmp(verb, "--help") || !strcmp(verb, "-h")) {
		fputs(text, stdout);
		return FOLDCTL_OK;
	}
	complain("create, status or remove is needed; see 'foldctl dax --help'");
	return FOLDCTL_USAGE;
}
