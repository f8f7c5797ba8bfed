// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of a file are in the page cache.
 *
 * cachestat(2) counts a range in one call. Most files are cached as a whole or not
 * at all; for others the range is halved until its parts are, and small mixed parts
 * are looked at page by page with mincore(2). Kernels before 6.5 have mincore(2) only.
 *
 * mincore(2) says "all of it" to whoever neither owns a file nor may write to it, so
 * it is asked only by those who get a true answer. cachestat(2) refuses such users
 * since 6.12.11.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "residency.h"

#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif

/* As linux/mman.h has them, which older headers lack. */
struct range_of_cachestat {
	uint64_t off, len;
};

struct answer_of_cachestat {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

/* Mixed parts of at most so many pages are mapped for mincore(). */
#define MINCORE_PAGES	512
/* Where there is nothing but mincore(), so many are looked at in a call. */
#define WINDOW_PAGES	16384

static int count(int fd, uint64_t first, uint64_t nr, uint64_t *cached)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct range_of_cachestat range = { first * page, nr * page };
	struct answer_of_cachestat answer;

	if (syscall(__NR_cachestat, fd, &range, &answer, 0))
		return -1;
	*cached = answer.cached < nr ? answer.cached : nr;
	return 0;
}

static bool may_ask_mincore(int fd, const struct stat *st)
{
	return !geteuid() || st->st_uid == geteuid() ||
	       !faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS);
}

static int scan(int fd, uint64_t first, uint64_t nr,
		int (*found)(void *arg, uint64_t first, uint64_t nr), void *arg)
{
	static unsigned char resident[WINDOW_PAGES];
	uint64_t page = sysconf(_SC_PAGESIZE);
	int result = 0;

	while (nr && !result) {
		uint64_t part = nr < WINDOW_PAGES ? nr : WINDOW_PAGES;
		void *at = mmap(NULL, part * page, PROT_READ, MAP_SHARED, fd, first * page);

		if (at == MAP_FAILED)
			return -1;
		if (mincore(at, part * page, resident)) {
			munmap(at, part * page);
			return -1;
		}
		munmap(at, part * page);
		for (uint64_t i = 0, from; i < part && !result; i++) {
			if (!(resident[i] & 1))
				continue;
			from = i;
			while (i < part && resident[i] & 1)
				i++;
			result = found(arg, first + from, i - from);
		}
		first += part;
		nr -= part;
	}
	return result;
}

static int add(void *arg, uint64_t first, uint64_t nr)
{
	uint64_t *cached = arg;

	(void)first;
	*cached += nr;
	return 0;
}

int residency_open(struct residency *residency, int fd, const struct stat *st)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	residency->fd = fd;
	residency->pages = (st->st_size + page - 1) / page;
	residency->cached = 0;
	residency->by_mincore = may_ask_mincore(fd, st);
	residency->by_cachestat = !count(fd, 0, residency->pages, &residency->cached);
	if (residency->by_cachestat)
		return 0;
	if (errno != ENOSYS)
		return -1;
	if (!residency->by_mincore) {
		errno = EPERM;
		return -1;
	}
	return scan(fd, 0, residency->pages, add, &residency->cached);
}

static int halve(const struct residency *residency, uint64_t first, uint64_t nr, uint64_t cached,
		 int (*found)(void *arg, uint64_t first, uint64_t nr), void *arg)
{
	uint64_t half = nr / 2, left;
	int result;

	if (!cached)
		return 0;
	if (cached == nr)
		return found(arg, first, nr);
	if (nr <= MINCORE_PAGES && residency->by_mincore)
		return scan(residency->fd, first, nr, found, arg);
	if (count(residency->fd, first, half, &left))
		return -1;
	result = halve(residency, first, half, left, found, arg);
	if (result)
		return result;
	if (count(residency->fd, first + half, nr - half, &cached))
		return -1;
	return halve(residency, first + half, nr - half, cached, found, arg);
}

int residency_runs(const struct residency *residency, uint64_t first, uint64_t nr,
		   int (*found)(void *arg, uint64_t first, uint64_t nr), void *arg)
{
	uint64_t cached;

	if (!residency->cached || first >= residency->pages)
		return 0;
	if (nr > residency->pages - first)
		nr = residency->pages - first;
	if (residency->cached >= residency->pages)
		return found(arg, first, nr);
	if (!residency->by_cachestat)
		return scan(residency->fd, first, nr, found, arg);
	if (count(residency->fd, first, nr, &cached))
		return -1;
	return halve(residency, first, nr, cached, found, arg);
}
