/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pages of a file are in the page cache. */
#ifndef RESIDENCY_H
#define RESIDENCY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct residency {
	int fd;
	uint64_t pages;		/* of the file */
	uint64_t cached;	/* of them in the page cache, at the moment of the opening */
	bool by_cachestat, by_mincore;
};

/*
 * Looks at an open file. 0, or -1 if the kernel does not tell (errno EPERM: not
 * to this user, who neither owns the file nor may write to it).
 */
int residency_open(struct residency *residency, int fd, const struct stat *st);

/*
 * Calls @found for each run of cached pages among the @nr pages from @first on, in
 * order; runs may touch each other. 0, or -1 if @found said so or the kernel failed.
 */
int residency_runs(const struct residency *residency, uint64_t first, uint64_t nr,
		   int (*found)(void *arg, uint64_t first, uint64_t nr), void *arg);

#endif
