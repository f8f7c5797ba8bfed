// SPDX-License-Identifier: GPL-2.0-only
/*
 * The screen of foldctl top.
 *
 * Everything is drawn anew at each look; ncurses sends what has changed. A signal
 * that ends the program ends the loop first, so that the terminal and the trace
 * instance are put in order.
 */
#include <errno.h>
#include <inttypes.h>
#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../names.h"
#include "breaks.h"
#include "inuse.h"
#include "mounts.h"
#include "report.h"
#include "top.h"

#define NARROWEST 44
#define LOWEST 8

/* A mount's counters at the last look, to tell what moved since. */
struct before {
	dev_t device;
	uint64_t counter[NR_COUNTERS];
};

struct view {
	struct fold_mounts mounts;
	struct inuse inuse;
	struct breaks breaks;
	bool traced;
	const char *untraced;		/* why not */
	bool uncounted;			/* the counters are for root only */
	struct before *before;
	int nr_before;
	double at, since;		/* seconds: this look, and since the last one */
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = signal;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* ---- looking */

static void remember(struct view *view)
{
	struct before *before = realloc(view->before, view->mounts.nr * sizeof(*before));

	view->nr_before = 0;
	if (!before && view->mounts.nr)
		return;
	view->before = before;
	for (int i = 0; i < view->mounts.nr; i++) {
		before[i].device = view->mounts.mount[i].device;
		memcpy(before[i].counter, view->mounts.mount[i].counter,
		       sizeof(before[i].counter));
	}
	view->nr_before = view->mounts.nr;
}

/* 0, or -1 after it complained. */
static int look(struct view *view)
{
	double at = now();

	remember(view);
	mounts_free(&view->mounts);
	inuse_free(&view->inuse);
	view->since = view->at ? at - view->at : 0;
	view->at = at;
	if (mounts_read(&view->mounts))
		return -1;
	/* Those that cannot be read show nothing. */
	view->uncounted = mounts_read_counters(&view->mounts) && errno == EACCES;
	if (inuse_read(&view->inuse))
		return -1;
	if (view->traced)
		breaks_read(&view->breaks);
	return 0;
}

/* ---- drawing */

static void heading(int *row, const char *text)
{
	attron(A_REVERSE);
	mvprintw(*row, 0, "%-*.*s", COLS, COLS, text);
	attroff(A_REVERSE);
	(*row)++;
}

/* "1.5K" in a field of 8; the caller's text is not needed after that. */
static void print_size(int row, int column, uint64_t bytes)
{
	char *text = report_size(bytes);

	mvprintw(row, column, "%8s", text ? text : "?");
	free(text);
}

static void print_pages(int row, int column, const struct fold_mount *mount,
			enum counter counter)
{
	if (mount->known[counter])
		print_size(row, column, mount->counter[counter] * sysconf(_SC_PAGESIZE));
	else
		mvprintw(row, column, "%8s", "-");
}

static void print_path(int row, int column, const char *name)
{
	char *path = name_for_terminal(name), *from = path;
	int room = COLS - column, length;

	if (!path || room < 4) {
		free(path);
		return;
	}
	/* The end of a path tells more than its beginning; but not from within a character. */
	length = strlen(path);
	if (length > room)
		from += length - (room - 3);
	while ((*from & 0xc0) == 0x80)
		from++;
	mvprintw(row, column, "%s%s", from == path ? "" : "...", from);
	free(path);
}

static void print_rate(const struct view *view, int row, int column,
		       const struct fold_mount *mount, enum counter counter)
{
	for (int i = 0; i < view->nr_before; i++) {
		if (view->before[i].device != mount->device || view->since <= 0 ||
		    !mount->known[counter])
			continue;
		mvprintw(row, column, "%8.0f",
			 (mount->counter[counter] - view->before[i].counter[counter]) /
			 view->since);
		return;
	}
	mvprintw(row, column, "%8s", "-");
}

static void draw_mounts(const struct view *view, int *row, int last)
{
	heading(row, view->uncounted ?
		"   SAVED  CACHED  FILLS/s BREAKS/s ZAPPED/s  MOUNT (only root may read counters)" :
		"   SAVED  CACHED  FILLS/s BREAKS/s ZAPPED/s  MOUNT");
	for (int i = 0; i < view->mounts.nr && *row <= last; i++) {
		const struct fold_mount *mount = &view->mounts.mount[i];

		if (mounts_seen_before(&view->mounts, i))
			continue;
		print_pages(*row, 0, mount, COUNTER_PAGES_SAVED);
		print_pages(*row, 8, mount, COUNTER_PAGES_CACHED);
		print_rate(view, *row, 17, mount, COUNTER_FILLS);
		print_rate(view, *row, 26, mount, COUNTER_BREAKS);
		print_rate(view, *row, 35, mount, COUNTER_SHOOTDOWNS);
		print_path(*row, 45, mount->target);
		(*row)++;
	}
	if (!view->mounts.nr && *row <= last)
		mvprintw((*row)++, 2, "%.*s", COLS - 2,
			 foldfs_present() ? "no foldfs is mounted"
					  : "the foldfs module is not loaded");
}

static void draw_files(const struct view *view, int *row, int last)
{
	heading(row, view->inuse.partial ?
		"   SAVED  CACHED USERS  FILE (not all could be seen)" :
		"   SAVED  CACHED USERS  FILE");
	for (size_t i = 0; i < view->inuse.nr && *row <= last; i++) {
		const struct inuse_file *file = &view->inuse.file[i];

		print_size(*row, 0, file->saved);
		print_size(*row, 8, file->cached);
		mvprintw(*row, 17, "%5" PRIu64, file->processes);
		print_path(*row, 24, file->path);
		(*row)++;
	}
}

/*
 * The device number of the filesystem a file lies on. What stat(2) says of the file may be
 * another one, on Btrfs; but it is all there is in another mount namespace.
 */
static dev_t filesystem_of_file(const struct view *view, const struct inuse_file *file)
{
	for (int i = 0; i < view->mounts.nr; i++)
		if ((uint64_t)view->mounts.mount[i].id == file->mount)
			return view->mounts.mount[i].device;
	return file->device;
}

/* Where it is in use, or else where it could be found. */
static const char *name_of(const struct view *view, const struct breaks_inode *inode,
			   char *unused, size_t room)
{
	const char *target = NULL;

	for (size_t i = 0; i < view->inuse.nr; i++)
		if (view->inuse.file[i].inode == inode->inode &&
		    filesystem_of_file(view, &view->inuse.file[i]) == inode->device)
			return view->inuse.file[i].path;
	for (int i = 0; i < view->mounts.nr && !target; i++)
		if (view->mounts.mount[i].device == inode->device)
			target = view->mounts.mount[i].target;
	if (target)
		snprintf(unused, room, "inode %" PRIu64 " on %s", (uint64_t)inode->inode, target);
	else
		snprintf(unused, room, "inode %" PRIu64 " on %u:%u", (uint64_t)inode->inode,
			 major(inode->device), minor(inode->device));
	return unused;
}

static void draw_breaks(const struct view *view, int *row, int last)
{
	char unused[300];

	heading(row, "  BREAKS   BROKEN  FILE (since foldctl was started)");
	if (!view->traced && *row <= last)
		mvprintw((*row)++, 2, "%.*s", COLS - 2, view->untraced);
	for (size_t i = 0; view->traced && i < view->breaks.nr && *row <= last; i++) {
		const struct breaks_inode *inode = &view->breaks.inode[i];

		mvprintw(*row, 0, "%8" PRIu64, inode->breaks);
		print_size(*row, 9, inode->pages * sysconf(_SC_PAGESIZE));
		print_path(*row, 19, name_of(view, inode, unused, sizeof(unused)));
		(*row)++;
	}
}

static void draw(const struct view *view)
{
	int row = 0, rest;

	erase();
	if (COLS < NARROWEST || LINES < LOWEST) {
		mvprintw(0, 0, "%.*s", COLS, "terminal too small");
		if (LINES > 1)
			mvprintw(1, 0, "%.*s", COLS, "enlarge it, or press q");
		refresh();
		return;
	}
	/* A third of the lines for mounts at most; files get two thirds of the rest. */
	draw_mounts(view, &row, LINES / 3);
	rest = LINES - row;
	draw_files(view, &row, row + rest * 2 / 3 - 1);
	if (row < LINES - 1)
		draw_breaks(view, &row, LINES - 1);
	refresh();
}

/* ---- the loop */

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = end };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

/* Waits for a key or the next look. False: the user has had enough. */
static bool wait_for_user(const struct view *view, double until)
{
	double left;

	while (!ended && (left = until - now()) > 0) {
		/* Signals do not wake ncurses up, so not for long. */
		timeout(left < 0.2 ? (int)(left * 1000) + 1 : 200);
		switch (getch()) {
		case 'q':
		case 'Q':
			return false;
		case ' ':
			return true;
		case KEY_RESIZE:
			draw(view);
			break;
		}
	}
	return !ended;
}

int screen_run(double interval)
{
	static struct view view;
	SCREEN *screen;
	int result;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		complain("not on a terminal; use --once for a table");
		return -1;
	}
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		complain("unknown terminal type '%s'; use --once for a table",
		      getenv("TERM") ? getenv("TERM") : "");
		return -1;
	}
	catch_signals();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);

	view.traced = !breaks_open(&view.breaks);
	if (!view.traced)
		view.untraced = errno == EACCES || errno == EPERM ? "only root may trace breaks"
								  : "breaks cannot be traced now";
	do {
		result = look(&view);
		if (!result)
			draw(&view);
	} while (!result && wait_for_user(&view, now() + interval));

	endwin();
	delscreen(screen);
	breaks_close(&view.breaks);
	mounts_free(&view.mounts);
	inuse_free(&view.inuse);
	free(view.before);
	if (ended) {
		signal(ended, SIG_DFL);
		raise(ended);
	}
	return result;
}
