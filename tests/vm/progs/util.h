/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs share: failing with a reason, bytes that say where
 * they belong, deadlines, and the figures that a test compares.
 */
#ifndef UTIL_H
#define UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#include "linux/foldfs.h"

#define PAGE		4096UL
#define ALIGN(x, a)	(((x) + (a) - 1) / (a) * (a))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))

#ifndef __NR_cachestat
#define __NR_cachestat	451
#endif

/* ---- failing -------------------------------------------------------------- */

/* End the program; the text also becomes the reason behind the test's name. */
static inline void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	FILE *reasons;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "FAIL: %s\n", text);
	reasons = fopen("/run/t/reasons", "a");
	if (reasons) {
		fprintf(reasons, "%s\n", text);
		fclose(reasons);
	}
	_exit(1);
}

#define die_errno(fmt, ...) \
	die(fmt ": %s (%s:%d)", ##__VA_ARGS__, strerror(errno), __FILE__, __LINE__)

/* The value of a system call that may not fail. */
#define sys(call) ({							\
	__typeof__(call) ret_ = (call);					\
	if (ret_ == (__typeof__(call))-1)				\
		die_errno("%s", #call);					\
	ret_; })

/* ---- files ---------------------------------------------------------------- */

static inline char *path_of(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		die("no memory");
	return path;
}

static inline int open_in(const char *dir, const char *name, int flags)
{
	char *path = path_of(dir, name);
	int fd = open(path, flags, 0644);

	if (fd < 0)
		die_errno("open %s", path);
	free(path);
	return fd;
}

static inline void write_all(int fd, const void *buf, size_t len, off_t off)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, off);

		if (n <= 0)
			die_errno("pwrite of %zu at %lld gave %zd", len, (long long)off, n);
		buf = (const char *)buf + n;
		len -= n;
		off += n;
	}
}

/* Read up to the end of the file; returns how much there was. */
static inline size_t read_all(int fd, void *buf, size_t len, off_t off)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)buf + got, len - got, off + got);

		if (n < 0)
			die_errno("pread of %zu at %lld", len - got, (long long)off + got);
		if (n == 0)
			break;
		got += n;
	}
	return got;
}

/* Make NAME in DIR a clone of the open file SRC. */
static inline void clone_to(int src, const char *dir, const char *name)
{
	int fd = open_in(dir, name, O_RDWR | O_CREAT | O_TRUNC);

	sys(ioctl(fd, FICLONE, src));
	close(fd);
}

/* ---- bytes that say where they belong --------------------------------------- */

static inline uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The bytes [off, off + len) of the endless data set ID; off a multiple of 8. */
static inline void fill_bytes(void *buf, uint64_t id, uint64_t off, size_t len)
{
	uint64_t word, base = mix(id) + off / 8;
	char *p = buf;

	for (; len >= 8; len -= 8, p += 8) {
		word = mix(base++);
		memcpy(p, &word, 8);
	}
	word = mix(base);
	memcpy(p, &word, len);
}

/* Say where two buffers differ, and fail; nothing if they are equal. */
static inline void same_bytes(const void *got, const void *want, size_t len, const char *what)
{
	const unsigned char *g = got, *w = want;
	size_t i;

	if (!memcmp(got, want, len))
		return;
	for (i = 0; i < len && g[i] == w[i]; i++)
		;
	die("%s: byte %zu of %zu is %02x, expected %02x", what, i, len, g[i], w[i]);
}

static inline void make_file(const char *dir, const char *name, uint64_t id, size_t len)
{
	int fd = open_in(dir, name, O_RDWR | O_CREAT | O_TRUNC);
	char *buf = malloc(len + 1);

	fill_bytes(buf, id, 0, len);
	write_all(fd, buf, len, 0);
	sys(fsync(fd));
	close(fd);
	free(buf);
}

/* ---- time ------------------------------------------------------------------- */

static inline uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static inline void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* Where a process hangs, for the log. */
static inline void show_stack(pid_t pid)
{
	char command[64];

	snprintf(command, sizeof(command), "cat /proc/%d/stack >&2", pid);
	if (system(command))
		fprintf(stderr, "(no stack of %d)\n", pid);
}

/*
 * WHAT is waited for from now on, or nothing (NULL).  How long it takes is no verdict:
 * only the test's own limit ends a wait, and then its result says what for.
 */
static inline void waits_for(const char *what)
{
	char name[64];
	FILE *waiting;

	snprintf(name, sizeof(name), "/run/t/waiting.%d", getpid());
	if (!what) {
		unlink(name);
		return;
	}
	waiting = fopen(name, "w");
	if (waiting) {
		fprintf(waiting, "%s\n", what);
		fclose(waiting);
	}
}

/*
 * Wait for a child.  After so many seconds, by which it should have ended, the log
 * shows where it is.  Returns its wait status.
 */
static inline int reap_within(pid_t pid, unsigned int seconds, const char *what)
{
	uint64_t late = now_us() + seconds * 1000000ULL;
	int status;
	pid_t got;

	waits_for(what);
	while (!(got = waitpid(pid, &status, WNOHANG))) {
		if (now_us() > late) {
			fprintf(stderr, "%s: not done after %u s\n", what, seconds);
			show_stack(pid);
			late = UINT64_MAX;
		}
		sleep_ms(5);
	}
	if (got < 0)
		die_errno("%s: waitpid", what);
	waits_for(NULL);
	return status;
}

/* Run FN(ARG) in a child, see above, and fail if it fails. */
static inline void within(unsigned int seconds, const char *what, void (*fn)(void *), void *arg)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = sys(fork());
	if (!pid) {
		fn(arg);
		_exit(0);
	}
	status = reap_within(pid, seconds, what);
	if (status)
		die("%s: failed, wait status %#x", what, status);
}

/* ---- figures ---------------------------------------------------------------- */

static inline void drop_caches(void)
{
	int fd = sys(open("/proc/sys/vm/drop_caches", O_WRONLY));

	sync();
	sys(write(fd, "3", 1));
	close(fd);
}

/* Page cache of files on disks in kB: exact, the per-processor parts included. */
static inline long cached_kb(void)
{
	long kb, cached = 0, shmem = 0;
	char line[128];
	FILE *f = fopen("/proc/sys/vm/stat_refresh", "r");

	if (f) {
		while (fgets(line, sizeof(line), f))
			;
		fclose(f);
	}
	f = fopen("/proc/meminfo", "r");
	if (!f)
		die_errno("/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Cached: %ld", &kb) == 1)
			cached = kb;
		if (sscanf(line, "Shmem: %ld", &kb) == 1)
			shmem = kb;
	}
	fclose(f);
	return cached - shmem;
}

/* How many pages the page cache of this very file holds: cachestat(2). */
static inline long pages_of(int fd)
{
	struct {
		uint64_t off, len;
	} range = { 0, 0 };
	struct {
		uint64_t cache, dirty, writeback, evicted, recently;
	} cs;

	if (syscall(__NR_cachestat, fd, &range, &cs, 0))
		die_errno("cachestat");
	return cs.cache;
}

/* One of foldfs's counters for the mount that FD lies in. */
static inline long counter(int fd, const char *name)
{
	struct stat st;
	char path[128];
	long value;
	FILE *f;

	sys(fstat(fd, &st));
	snprintf(path, sizeof(path), "/sys/fs/foldfs/%u:%u/%s",
		 major(st.st_dev), minor(st.st_dev), name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &value) != 1)
		die_errno("%s", path);
	fclose(f);
	return value;
}

/* How far the sharing of a file has come: enum foldfs_state, -1 if not on foldfs. */
static inline int fold_state(int fd)
{
	struct foldfs_map map = {
		.version = FOLDFS_MAP_VERSION,
		.range_size = sizeof(struct foldfs_map_range),
		.length = ~0ULL,
	};

	if (ioctl(fd, FOLDFS_IOC_MAP, &map))
		return -1;
	return map.state;
}

/* Read it until the file begins to share. */
static inline void wait_joined(int fd, const char *what)
{
	char byte, text[128];

	snprintf(text, sizeof(text), "%.100s begins to share", what);
	waits_for(text);
	while (fold_state(fd) != FOLDFS_STATE_JOINED) {
		sleep_ms(20);
		if (pread(fd, &byte, 1, 0) < 0 && errno != EBADF)
			die_errno("%s: pread", what);
	}
	waits_for(NULL);
}

#endif
