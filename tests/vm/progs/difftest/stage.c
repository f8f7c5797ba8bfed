// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stage: fresh trees on both sides, their actors, and playing a stretch of
 * calls. The two sides play at the same time; on one side, the actors take turns.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "difftest.h"

/* A call that takes longer than this hangs. */
#define PATIENCE	120

struct stage *stage;
uint64_t seed;
const char *roots[SIDES];
const char *ways[SIDES];
static pid_t pids[SIDES][ACTORS];

/* Count a bell up and wake whoever waits for it. */
void ring(uint32_t *bell)
{
	__atomic_fetch_add(bell, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, bell, FUTEX_WAKE, 100, NULL, NULL, 0);
}

/* Returns false if the bell still has @value after so many seconds. */
bool wait_while(uint32_t *bell, uint32_t value, int seconds)
{
	struct timespec limit = { .tv_sec = seconds };

	while (__atomic_load_n(bell, __ATOMIC_ACQUIRE) == value) {
		if (syscall(SYS_futex, bell, FUTEX_WAIT, value, &limit, NULL, 0) &&
		    errno == ETIMEDOUT)
			return __atomic_load_n(bell, __ATOMIC_ACQUIRE) != value;
	}
	return true;
}

/* ---- fresh trees ------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	if (f->level && remove(path))
		err(2, "cannot remove %s", path);
	return 0;
}

/*
 * Three files of some blocks and clones of them, so that there is something to
 * share from the first call on.
 */
static void furnish(const char *root)
{
	static const char *const names[] = { "a", "b", "c" };
	unsigned char *data = malloc(300000);
	char path[300];
	int i, fd, copy;

	for (i = 0; i < 300000; i++)
		data[i] = (i >> 9) * 13 + i;
	snprintf(path, sizeof(path), "%s/e", root);
	mkdir(path, 0777);
	chmod(path, 0777);
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		fd = open(path, O_RDWR | O_CREAT, 0666);
		fchmod(fd, 0666);
		if (pwrite(fd, data + i, 100000 - 41234 * i, 0) < 0)
			err(2, "%s", path);
		snprintf(path, sizeof(path), "%s/e/%s", root, names[i]);
		copy = open(path, O_RDWR | O_CREAT, 0666);
		fchmod(copy, 0666);
		if (ioctl(copy, FICLONE, fd))
			err(2, "cannot clone %s", path);
		close(copy);
		close(fd);
	}
	free(data);
}

static void fresh_trees(void)
{
	int side, fd;

	for (side = 0; side < SIDES; side++) {
		if (nftw(roots[side], remove_one, 20, FTW_DEPTH | FTW_PHYS))
			err(2, "%s", roots[side]);
		chmod(roots[side], 0777);
		furnish(roots[side]);
		fd = open(roots[side], O_RDONLY);
		if (fd < 0 || syncfs(fd))
			err(2, "%s", roots[side]);
		close(fd);
	}
}

/* ---- actors ----------------------------------------------------------------- */

static void write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(2, "%s", path);
	close(fd);
}

void stage_open(void)
{
	uint32_t ready;
	int side, actor;

	if (!stage) {
		stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (stage == MAP_FAILED)
			err(2, "mmap");
	}
	fresh_trees();
	stage->n = 0;
	stage->turn[0] = stage->turn[1] = 0;
	stage->mapped[0] = stage->mapped[1] = 0;
	stage->ready = 0;
	stage->quit = false;
	fflush(stdout);
	for (side = 0; side < SIDES; side++)
		for (actor = 0; actor < ACTORS; actor++) {
			pids[side][actor] = fork();
			if (pids[side][actor] < 0)
				err(2, "fork");
			if (!pids[side][actor])
				actor_run(side, actor, roots[side]);
		}
	while ((ready = __atomic_load_n(&stage->ready, __ATOMIC_ACQUIRE)) < SIDES * ACTORS)
		if (!wait_while(&stage->ready, ready, 30))
			errx(2, "the actors do not come");
	for (side = 0; side < SIDES; side++) {
		write_map(pids[side][3], "uid_map", "0 1000 1\n1 2000 1\n2 3000 10\n");
		write_map(pids[side][3], "gid_map", "0 1000 1\n1 5000 1\n2 3000 10\n");
		ring(&stage->mapped[side]);
	}
}

/* Where in the kernel a process is, as far as that is told. */
static void tell_where(pid_t pid)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		printf("   %s", line);
	if (f)
		fclose(f);
}

static void tell_hang(void)
{
	static struct call c;
	uint32_t turn;

	for (int side = 0; side < SIDES; side++) {
		turn = __atomic_load_n(&stage->turn[side], __ATOMIC_ACQUIRE);
		if (turn >= stage->n)
			continue;
		decide(seed, stage->index[turn], &c);
		printf("/* %s: %s hangs in call %u (%s):\n", roots[side],
		       actor_names[c.actor], c.index, c.kind->name);
		tell_where(pids[side][c.actor]);
		printf(" */\n");
	}
}

/* Returns false if a side does not come to the end. */
bool stage_play(const unsigned int *index, unsigned int n)
{
	time_t end = time(NULL) + PATIENCE;
	uint32_t done, came, last = 0;
	int side;

	/* Nobody may take the new calls for a rest of the old ones. */
	for (side = 0; side < SIDES; side++)
		__atomic_store_n(&stage->turn[side], STRETCH, __ATOMIC_RELEASE);
	memcpy(stage->index, index, n * sizeof(*index));
	stage->n = n;
	__atomic_store_n(&stage->done, 0, __ATOMIC_RELEASE);
	if (!n)
		return true;
	for (side = 0; side < SIDES; side++) {
		__atomic_store_n(&stage->turn[side], 0, __ATOMIC_RELEASE);
		ring(&stage->bell[side][actor_of(seed, index[0])]);
	}
	while ((done = __atomic_load_n(&stage->done, __ATOMIC_ACQUIRE)) < SIDES) {
		wait_while(&stage->done, done, 1);
		/* It is one call that may not take so long. */
		for (came = 0, side = 0; side < SIDES; side++)
			came += __atomic_load_n(&stage->turn[side], __ATOMIC_RELAXED);
		if (came != last)
			end = time(NULL) + PATIENCE;
		last = came;
		if (waitpid(-1, NULL, WNOHANG) > 0 || time(NULL) > end) {
			tell_hang();
			return false;
		}
	}
	return true;
}

/* Returns false if a process that was killed does not go. */
static bool reap(pid_t pid)
{
	struct timespec moment = { .tv_nsec = 20000000 };
	time_t end = time(NULL) + PATIENCE;

	while (!waitpid(pid, NULL, WNOHANG)) {
		if (time(NULL) > end)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

/* Whoever cannot be killed is left behind, and nothing more is done on these trees. */
void stage_close(void)
{
	int side, actor;

	__atomic_store_n(&stage->quit, true, __ATOMIC_RELEASE);
	for (side = 0; side < SIDES; side++)
		for (actor = 0; actor < ACTORS; actor++)
			kill(pids[side][actor], SIGKILL);
	for (side = 0; side < SIDES; side++)
		for (actor = 0; actor < ACTORS; actor++) {
			if (reap(pids[side][actor]))
				continue;
			printf("/* %s: %s cannot be killed */\n", roots[side],
			       actor_names[actor]);
			fflush(stdout);
			_exit(3);
		}
}
