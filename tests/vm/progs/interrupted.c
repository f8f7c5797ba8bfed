// SPDX-License-Identifier: GPL-2.0-only
/*
 * interrupted DIR LOWER ROUNDS: everything that foldfs does for a process while a
 * timer's signal comes every millisecond, without SA_RESTART. On a disk filesystem
 * none of these calls is cut short by a signal that has a handler, so here neither:
 * every call does all of it, and no byte is wrong. LOWER is what DIR shows.
 */
#include "util.h"
#include <sys/time.h>

#define SIZE	(1UL << 20)

static volatile sig_atomic_t signals;
static char *want, *got;

static void on_alarm(int sig)
{
	(void)sig;
	signals++;
}

static void every(long us)
{
	struct itimerval timer = { { 0, us }, { 0, us } };

	sys(setitimer(ITIMER_REAL, &timer, NULL));
}

/* One call for all of it. */
static void read_at_once(int fd, const char *what)
{
	ssize_t n = pread(fd, got, SIZE, 0);

	if (n != (ssize_t)SIZE)
		die("%s: a read of %lu gave %zd (%s)", what, SIZE, n, n < 0 ? strerror(errno) : "short");
	same_bytes(got, want, SIZE, what);
}

static void write_at_once(int fd, size_t off, size_t len)
{
	ssize_t n = pwrite(fd, want + off, len, off);

	if (n != (ssize_t)len)
		die("a write of %zu gave %zd (%s)", len, n, n < 0 ? strerror(errno) : "short");
}

static char *map_file(int fd, int prot)
{
	char *map = mmap(NULL, SIZE, prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die_errno("mmap");
	return map;
}

/* Reads and faults of files that nothing is known of yet: join, fill. */
static void meet(const char *dir)
{
	int a = open_in(dir, "a", O_RDONLY), b = open_in(dir, "b", O_RDONLY);
	char *map;

	read_at_once(a, "a");
	map = map_file(b, PROT_READ);
	same_bytes(map, want, SIZE, "b, mapped");
	munmap(map, SIZE);
	drop_caches();
	map = map_file(a, PROT_READ);
	same_bytes(map, want, SIZE, "a, mapped and read again");
	read_at_once(b, "b");
	munmap(map, SIZE);
	close(a);
	close(b);
}

/* Changes of b, which a does not see: clone, break. */
static void part(const char *dir, int round)
{
	int a = open_in(dir, "a", O_RDONLY), b = open_in(dir, "b", O_RDWR);
	size_t at = 32 * PAGE * (round % 8);
	char *map;

	clone_to(a, dir, "c");
	read_at_once(a, "a, cloned once more");
	memset(want + at, 'w', 3 * PAGE);
	write_at_once(b, at, 3 * PAGE);
	map = map_file(b, PROT_READ | PROT_WRITE);
	memset(map + at + 8 * PAGE, 's', 2 * PAGE);
	memset(want + at + 8 * PAGE, 's', 2 * PAGE);
	sys(fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at + 16 * PAGE, 4 * PAGE));
	memset(want + at + 16 * PAGE, 0, 4 * PAGE);
	sys(fsync(b));
	same_bytes(map, want, SIZE, "b, mapped and changed");
	munmap(map, SIZE);
	read_at_once(b, "b, changed");
	sys(ftruncate(b, SIZE / 2));
	sys(ftruncate(b, SIZE));
	memset(want + SIZE / 2, 0, SIZE / 2);
	read_at_once(b, "b, cut and extended");
	close(b);

	fill_bytes(want, round, 0, SIZE);
	b = open_in(dir, "c", O_RDONLY);
	read_at_once(a, "a, in the end");
	read_at_once(b, "its other clone");
	close(a);
	close(b);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int round, rounds, src;

	if (argc != 4)
		die("usage: interrupted DIR LOWER ROUNDS");
	rounds = atoi(argv[3]);
	want = malloc(SIZE + 8);
	got = malloc(SIZE);
	sys(sigaction(SIGALRM, &action, NULL));
	for (round = 0; round < rounds; round++) {
		make_file(argv[2], "a", round, SIZE);
		src = open_in(argv[2], "a", O_RDONLY);
		clone_to(src, argv[2], "b");
		close(src);
		drop_caches();
		fill_bytes(want, round, 0, SIZE);
		every(1000);
		meet(argv[1]);
		part(argv[1], round);
		every(0);
		sys(unlink(path_of(argv[1], "a")));
		sys(unlink(path_of(argv[1], "b")));
		sys(unlink(path_of(argv[1], "c")));
	}
	printf("%d\n", (int)signals);
	return 0;
}
