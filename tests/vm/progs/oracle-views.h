/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of oracle.c: what is done with mappings and processes, and with memory.
 */
#ifndef ORACLE_VIEWS_H
#define ORACLE_VIEWS_H

#include <sched.h>
#include <sys/prctl.h>

/* The mapping goes to another place, page tables and all. */
static void do_move(int file)
{
	void *to = mmap(NULL, NR_WORDS * 8, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	op.name = "mremap";
	if (to == MAP_FAILED)
		die_errno("mmap");
	to = mremap(maps[file], NR_WORDS * 8, NR_WORDS * 8, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		die_errno("mremap");
	maps[file] = to;
}

/*
 * The mapping loses its last page and grows again, some times: while its end moves, the
 * kernel has taken it out of the file's tree.
 */
static void do_grow(int file)
{
	size_t len = NR_WORDS * 8;
	unsigned int i;

	op.name = "mremap to another size";
	for (i = 0; i < 1 + op.r[2] % 64; i++)
		if (mremap(maps[file], len, len - PAGE, 0) != maps[file] ||
		    mremap(maps[file], len - PAGE, len, 0) != maps[file])
			die_errno("mremap");
}

/* Forbidden, allowed again, locked, unlocked. */
static void do_protect(int file)
{
	size_t from = op.r[2] % NR_BLOCKS * PAGE, len = (1 + op.r[3] % SPAN) * PAGE;
	char *at = maps[file] + from;

	op.name = "mprotect";
	len = MIN(len, NR_WORDS * 8 - from);
	sys(mprotect(at, len, PROT_NONE));
	if (op.r[4] & 1)
		madvise(at, len, MADV_DONTNEED);
	sys(mprotect(at, len, PROT_READ));
	if (op.r[4] & 2)
		mlock(at, MIN(len, 8 * PAGE));	/* in vain behind the file's end */
	munlock(at, len);
}

/* A private copy of a page keeps what was stored there. That nobody else sees it, others judge. */
static void do_private(int file)
{
	uint64_t *map = mmap(NULL, NR_WORDS * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[file], 0);
	unsigned int w = op.r[2] % NR_WORDS;
	uint64_t mine = token(me, 0x3f, w, 0xffff0000 | (op.nr & 0xffff));

	op.name = "private store";
	if (map == MAP_FAILED)
		die_errno("mmap");
	if (!sigsetjmp(no_page, 1)) {
		if (op.r[4] & 1)
			(void)*(volatile uint64_t *)&map[w];
		*(volatile uint64_t *)&map[w] = mine;
		if (op.r[4] & 2)
			sched_yield();
		if (*(volatile uint64_t *)&map[w] != mine)
			die("%s: file %d byte %u: the private page has lost its store", how(), file,
			    w * 8);
		__atomic_add_fetch(&shm->checked, 1, __ATOMIC_RELAXED);
	}
	munmap(map, NR_WORDS * 8);
}

static void child(void)
{
	int i, k;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < 24; i++) {
		for (k = 0; k < 8; k++)
			op.r[k] = mix(op.r[k] + i);
		op.file = op.r[7] % NR_FILES;
		/* What another file has replaced is the parent's to look at. */
		if (replaced(op.file))
			continue;
		if (i & 1)
			do_read(op.r[0] % 4);
		else
			do_glance(true);
	}
	_exit(0);
}

/* A child reads through the descriptors and mappings of its parent; some are killed at it. */
static void do_fork(void)
{
	int status;
	pid_t pid;

	op.name = "fork";
	fflush(NULL);
	pid = sys(fork());
	if (!pid)
		child();
	if (op.r[1] % 3 == 0) {
		usleep(op.r[2] % 20000);
		kill(pid, SIGKILL);
	}
	sys(waitpid(pid, &status, 0));
	if (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) != SIGKILL)
		die("%s: the child ended with status %#x", how(), status);
}

static unsigned long available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* Takes memory until little is left, and gives it back, again and again. */
static pid_t start_squeezer(void)
{
	const size_t step = 256 * PAGE;
	size_t len, i;
	char *map;
	pid_t pid = sys(fork());

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		len = available_kb() * 1024 / step * step;
		map = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (map == MAP_FAILED)
			die_errno("mmap of %zu bytes", len);
		for (i = 0; i < len && available_kb() > 24 * 1024; i += step)
			memset(map + i, 1, step);
		usleep(200000);
		munmap(map, len);
		usleep(100000);
	}
}

#endif
