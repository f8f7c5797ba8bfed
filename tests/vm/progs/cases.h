/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases-* - say how a filesystem answers where random calls rarely get
 *
 *	cases-NAME GROUP DIRECTORY
 *
 * Runs the cases of GROUP in the empty DIRECTORY and prints what happened, in
 * words that do not depend on where that is. A test runs it on foldfs and on the
 * lower filesystem and compares the two.
 */
#ifndef CASES_H
#define CASES_H

#include <sys/fsuid.h>

#include "util.h"

static unsigned char *buf;	/* 4 MiB, aligned */
#define BUF	(4UL << 20)

static inline void say(const char *what, long ret)
{
	if (ret < 0)
		printf("  %s: %s\n", what, strerror(errno));
	else
		printf("  %s: %ld\n", what, ret);
}

static inline unsigned int sum(const void *p, size_t n)
{
	const unsigned char *c = p;
	unsigned int h = 1;

	while (n--)
		h = h * 31 + *c++;
	return h;
}

static inline void say_contents(int fd)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		die("fstat: %s", strerror(errno));
	n = pread(fd, buf, BUF, 0);
	printf("  size %lld mode %o reads %zd sum %08x\n", (long long)st.st_size,
	       st.st_mode & 07777, n, n > 0 ? sum(buf, n) : 0);
}

static inline void pattern(unsigned int seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = (i >> 9) * 7 + i + seed;
}

static inline int new_file(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		die("%s: %s", name, strerror(errno));
	pattern(size, size);
	if (pwrite(fd, buf, size, 0) != (ssize_t)size)
		die("%s: %s", name, strerror(errno));
	return fd;
}

/* As a user without any right to override anything. */
static inline void as_user(int uid)
{
	setfsgid(uid);
	setfsuid(uid);
}

struct group_case {
	const char *group, *name;
	void (*run)(void);
};

static volatile int signals;

static inline void count_signal(int sig)
{
	(void)sig;
	signals++;
}

static inline int run_cases(int argc, char **argv, const struct group_case *all)
{
	int ran = 0;

	if (argc != 3 || chdir(argv[2]))
		die("usage: %s GROUP DIRECTORY", argv[0]);
	buf = aligned_alloc(PAGE, BUF);
	umask(022);
	for (; all->group; all++) {
		if (strcmp(all->group, argv[1]))
			continue;
		printf("%s:\n", all->name);
		all->run();
		ran++;
	}
	if (!ran)
		die("no such group: %s", argv[1]);
	return 0;
}

#endif
