// SPDX-License-Identifier: GPL-2.0-only
/*
 * A progress bar.
 *
 * It is drawn on stderr if that is a terminal that can move its cursor, and the first
 * time when much has been done, or half a second has gone: what is done sooner needs no
 * bar. A signal that ends the program takes it off the screen first.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../names.h"
#include "progress.h"
#include "report.h"

#define FIRST_MS	500
#define AGAIN_MS	200
/* Much. */
#define FIRST_THINGS	1024
#define FIRST_BYTES	(64ULL << 20)
#define NARROWEST	24
#define WIDEST		100

static struct {
	bool disabled, active;
	bool bytes;
	const char *what;
	uint64_t total;
	uint64_t first;		/* drawn when so much is done, at the latest */
	uint64_t next_ms;	/* no drawing before, else */
	unsigned int countdown;	/* calls until the clock is looked at */
} bar;

/* For the signal handler: the drawn bar's width. */
static volatile sig_atomic_t drawn;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void wipe(void)
{
	char blank[WIDEST + 2];
	int width = drawn;

	if (!width)
		return;
	memset(blank, ' ', sizeof(blank));
	blank[0] = '\r';
	blank[width + 1] = '\r';
	if (write(STDERR_FILENO, blank, width + 2) < 0)
		return;
	drawn = 0;
}

static void ended(int signal)
{
	wipe();
	raise(signal);	/* SA_RESETHAND: now it ends the program */
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = ended, .sa_flags = SA_RESETHAND | SA_NODEFER };
	struct sigaction old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
}

void progress_disable(void)
{
	bar.disabled = true;
}

void progress_start(const char *what, uint64_t total, bool bytes)
{
	const char *terminal = getenv("TERM");

	progress_stop();
	if (bar.disabled || !isatty(STDERR_FILENO) || !terminal || !strcmp(terminal, "dumb"))
		return;
	catch_signals();
	complain_first = wipe;
	bar.active = true;
	bar.what = what;
	bar.total = total;
	bar.bytes = bytes;
	bar.countdown = 0;
	bar.first = bytes ? FIRST_BYTES : FIRST_THINGS;
	bar.next_ms = now_ms() + FIRST_MS;
}

/* 0 where the terminal is too narrow for anything. */
static int terminal_width(void)
{
	struct winsize size;
	int width = 80;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col - 1;
	if (width < NARROWEST)
		return 0;
	return width < WIDEST ? width : WIDEST;
}

static char *amount(uint64_t number)
{
	char *text;

	if (bar.bytes)
		return report_size(number);
	return asprintf(&text, "%" PRIu64, number) < 0 ? NULL : text;
}

static void draw(uint64_t done)
{
	char line[WIDEST + 2] = "\r", *text = amount(done);
	int width = terminal_width(), used, room;

	if (!width || !text) {
		free(text);
		return;
	}
	if (!bar.total) {
		used = snprintf(line + 1, width, "%s: %s", bar.what, text);
	} else {
		unsigned int percent = done >= bar.total ? 100 : done * 100.0 / bar.total;

		used = snprintf(line + 1, width, "%s: %3u%% ", bar.what, percent);
		room = width - used - (int)strlen(text) - 4;
		if (used < width && room >= 4) {
			int full = room * percent / 100;

			line[1 + used++] = '[';
			memset(line + 1 + used, '#', full);
			memset(line + 1 + used + full, '-', room - full);
			used += room;
			used += snprintf(line + 1 + used, width - used, "] %s", text);
		}
	}
	free(text);
	if (used >= width)
		used = width - 1;
	/* A longer one may be on the screen. */
	while (used < drawn)
		line[1 + used++] = ' ';
	drawn = used;
	if (write(STDERR_FILENO, line, used + 1) < 0)
		drawn = 0;
}

void progress_set(uint64_t done)
{
	bool much = done >= bar.first;
	uint64_t now;

	if (!bar.active || (bar.countdown-- && !much))
		return;
	bar.countdown = 15;
	now = now_ms();
	if (now < bar.next_ms && !much)
		return;
	bar.first = UINT64_MAX;
	bar.next_ms = now + AGAIN_MS;
	draw(done);
}

void progress_stop(void)
{
	wipe();
	bar.active = false;
}
