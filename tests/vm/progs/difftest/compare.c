// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparing: the results of a call, and the trees that all calls have left.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "difftest.h"

bool same_result(const struct result *a, const struct result *b)
{
	if (a->ret != b->ret || a->err != b->err || a->digest != b->digest ||
	    a->nr != b->nr)
		return false;
	for (int i = 0; i < a->nr; i++)
		if (strcmp(a->fact[i].name, b->fact[i].name) ||
		    a->fact[i].value != b->fact[i].value)
			return false;
	return true;
}

void print_result(const char *name, const struct result *r)
{
	printf("/* %s: %ld%s%s", name, r->ret, r->ret < 0 ? " " : "",
	       r->ret < 0 ? strerrorname_np(r->err) : "");
	if (r->digest)
		printf(", bytes %016llx", (unsigned long long)r->digest);
	for (int i = 0; i < r->nr; i++)
		printf("; %s %#llx", r->fact[i].name, (unsigned long long)r->fact[i].value);
	printf(" */\n");
}

/* ---- trees ------------------------------------------------------------------ */

#define DATA	(1 << 17)

static unsigned char data[SIDES][DATA];

static bool differ(bool tell, const char *where, const char *what)
{
	if (tell)
		printf("/* the trees differ: %s: %s */\n", where[0] ? where : ".", what);
	return false;
}

static bool same_files(int dirfd[SIDES], const char *name, const char *where, bool tell)
{
	off_t off = 0;
	bool same = true;
	ssize_t n, m;
	int l, r;

	l = openat(dirfd[0], name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
	r = openat(dirfd[1], name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
	if (l < 0 || r < 0)
		err(2, "%s", where);
	do {
		n = pread(l, data[0], DATA, off);
		m = pread(r, data[1], DATA, off);
		if (n != m)
			same = differ(tell, where, "size");
		else if (n > 0 && memcmp(data[0], data[1], n))
			same = differ(tell, where, "bytes");
		off += n;
	} while (same && n > 0);
	close(l);
	close(r);
	return same;
}

static bool same_xattrs(int dirfd[SIDES], const char *name, const char *where, bool tell)
{
	char path[64 + 256], list[SIDES][1024];
	ssize_t n[SIDES];
	uint64_t sum[SIDES] = { 0 };

	for (int side = 0; side < SIDES; side++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%.256s", dirfd[side], name);
		n[side] = llistxattr(path, list[side], sizeof(list[side]));
		for (char *x = list[side]; n[side] > 0 && x < list[side] + n[side];
		     x += strlen(x) + 1) {
			ssize_t len = lgetxattr(path, x, data[side], DATA);

			/* In which order they are listed is the allocator's. */
			sum[side] += digest(digest(1, x, strlen(x)), data[side],
					    len > 0 ? len : 0);
		}
	}
	if (n[0] != n[1] || sum[0] != sum[1])
		return differ(tell, where, "xattrs");
	return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool same_dirs(int dirfd[SIDES], const char *where, bool tell);

static bool same_entry(int dirfd[SIDES], const char *name, const char *where, bool tell)
{
	static struct result r[SIDES];
	char path[2048];
	int fd[SIDES];
	bool same;

	snprintf(path, sizeof(path), "%s%s%.256s", where, where[0] ? "/" : "", name);
	for (int side = 0; side < SIDES; side++) {
		r[side].nr = 0;
		fact_stat(&r[side], dirfd[side], name, AT_SYMLINK_NOFOLLOW);
	}
	if (!same_result(&r[0], &r[1])) {
		differ(tell, path, "attributes");
		for (int side = 0; tell && side < SIDES; side++)
			print_result(roots[side], &r[side]);
		return false;
	}
	if (!same_xattrs(dirfd, name, path, tell))
		return false;
	/* The mode is the first fact. */
	if (S_ISREG(r[0].fact[0].value))
		return same_files(dirfd, name, path, tell);
	if (!S_ISDIR(r[0].fact[0].value))
		return true;
	for (int side = 0; side < SIDES; side++) {
		fd[side] = openat(dirfd[side], name, O_RDONLY | O_DIRECTORY | O_NOATIME);
		if (fd[side] < 0)
			err(2, "%s", path);
	}
	same = same_dirs(fd, path, tell);
	close(fd[0]);
	close(fd[1]);
	return same;
}

static bool same_dirs(int dirfd[SIDES], const char *where, bool tell)
{
	struct dirent **names[SIDES];
	bool same = true;
	int n[SIDES];

	for (int side = 0; side < SIDES; side++) {
		n[side] = scandirat(dirfd[side], ".", &names[side], NULL, by_name);
		if (n[side] < 0)
			err(2, "%s", where);
	}
	if (n[0] != n[1])
		same = differ(tell, where, "number of entries");
	for (int i = 0; same && i < n[0]; i++) {
		if (strcmp(names[0][i]->d_name, names[1][i]->d_name) ||
		    names[0][i]->d_type != names[1][i]->d_type)
			same = differ(tell, where, "names");
		else if (names[0][i]->d_name[0] != '.')
			same = same_entry(dirfd, names[0][i]->d_name, where, tell);
	}
	for (int side = 0; side < SIDES; side++) {
		while (n[side]--)
			free(names[side][n[side]]);
		free(names[side]);
	}
	return same;
}

bool same_trees(bool tell)
{
	int dirfd[SIDES];
	bool same;

	for (int side = 0; side < SIDES; side++) {
		dirfd[side] = open(roots[side], O_RDONLY | O_DIRECTORY | O_NOATIME);
		if (dirfd[side] < 0)
			err(2, "%s", roots[side]);
	}
	same = same_dirs(dirfd, "", tell);
	close(dirfd[0]);
	close(dirfd[1]);
	return same;
}
