// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operation on a shared file costs through foldfs, beside the same operation
 * on an XFS file of the same size and content.
 *
 *	ratios XFS-DIRECTORY FOLDFS-DIRECTORY RUNS [KEYS]
 *
 * Both directories hold the same files, made by ratios.sh. Every operation is run
 * in turn on one and on the other, RUNS times, so that whatever slows the machine
 * down meets both. For each a line is printed:
 *
 *	RESULT key unit median-on-XFS median-on-foldfs median-of-the-ratios
 *
 * KEYS is a pattern, as of file names, of the operations that are wanted.
 *
 * Nothing is judged here: under emulation only the ratios mean anything.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define MAX_RUNS 99

#define CHUNK (128 << 10)
#define ARENA (2 << 20)

/*
 * Buffers come from all over the arena. With one buffer, QEMU's emulated TLB, which
 * tells pages apart by the low bits of their number only, can make every copy from a
 * file whose pages happen to collide with it three times slower than from another.
 */
static char arena[ARENA] __attribute__((aligned(PAGE)));

static char *next_buffer(size_t size)
{
	static unsigned int turn;

	return arena + turn++ * 37 % ((ARENA - size) / PAGE) * PAGE;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* The same sequence in every run, on both sides. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int open_file(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static size_t file_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		err(1, "fstat");
	return st.st_size;
}

/* Every operation returns seconds for one of it. */

static double read_random(int dir, const char *name)
{
	enum { COUNT = 20000 };
	int fd = open_file(dir, name, O_RDONLY);
	size_t pages = file_size(fd) / PAGE;
	uint64_t state = 88172645463325252ULL;
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (pread(fd, next_buffer(PAGE), PAGE, next_random(&state) % pages * PAGE) != PAGE)
			err(1, "pread");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double read_in_order(int dir, const char *name)
{
	int fd = open_file(dir, name, O_RDONLY), count = 0;
	double start = now();
	ssize_t length;

	while ((length = read(fd, next_buffer(CHUNK), CHUNK)) > 0)
		count++;
	if (length < 0)
		err(1, "read");
	start = now() - start;
	close(fd);
	return start / count;
}

/* One fault a page at most; the kernel may map neighbours along with it. */
static double touch(int dir, const char *name, int protection, int flags, int advice)
{
	int fd = open_file(dir, name, O_RDONLY);
	size_t size = file_size(fd);
	volatile char *map = mmap(NULL, size, protection, flags, fd, 0);
	volatile char sink;
	double start;

	if (map == MAP_FAILED)
		err(1, "mmap");
	if (madvise((void *)map, size, advice))
		err(1, "madvise");
	start = now();
	for (size_t i = 0; i < size; i += PAGE) {
		if (protection & PROT_WRITE)
			map[i] = 1;
		else
			sink = map[i];
	}
	(void)sink;
	start = now() - start;
	munmap((void *)map, size);
	close(fd);
	return start / (size / PAGE);
}

static double touch_in_order(int dir, const char *name)
{
	return touch(dir, name, PROT_READ, MAP_SHARED, MADV_NORMAL);
}

static double touch_singly(int dir, const char *name)
{
	return touch(dir, name, PROT_READ, MAP_SHARED, MADV_RANDOM);
}

static double write_private(int dir, const char *name)
{
	return touch(dir, name, PROT_READ | PROT_WRITE, MAP_PRIVATE, MADV_NORMAL);
}

static double open_close(int dir, const char *name)
{
	enum { COUNT = 10000 };
	double start = now();

	for (int i = 0; i < COUNT; i++)
		close(open_file(dir, name, O_RDONLY));
	return (now() - start) / COUNT;
}

static double open_read_close(int dir, const char *name)
{
	enum { COUNT = 5000 };
	double start = now();

	for (int i = 0; i < COUNT; i++) {
		int fd = open_file(dir, name, O_RDONLY);

		if (read(fd, next_buffer(PAGE), PAGE) != PAGE)
			err(1, "read");
		close(fd);
	}
	return (now() - start) / COUNT;
}

/* Blocks that the unmeasured run has made the file's own; the rest stays shared. */
static double rewrite(int dir, const char *name)
{
	enum { COUNT = 5000, PAGES = 1024 };
	int fd = open_file(dir, name, O_RDWR);
	uint64_t state = 88172645463325252ULL;
	double start;

	for (int i = 0; i < PAGES; i++)
		if (pwrite(fd, next_buffer(PAGE), PAGE, (off_t)i * PAGE) != PAGE)
			err(1, "pwrite");
	start = now();
	for (int i = 0; i < COUNT; i++)
		if (pwrite(fd, next_buffer(PAGE), PAGE,
			   next_random(&state) % PAGES * PAGE) != PAGE)
			err(1, "pwrite");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double rewrite_in_order(int dir, const char *name)
{
	enum { COUNT = 64, CHUNKS = 32 };
	int fd = open_file(dir, name, O_RDWR);
	double start;

	for (int i = 0; i < CHUNKS; i++)
		if (pwrite(fd, next_buffer(CHUNK), CHUNK, (off_t)i * CHUNK) != CHUNK)
			err(1, "pwrite");
	start = now();
	for (int i = 0; i < COUNT; i++)
		if (pwrite(fd, next_buffer(CHUNK), CHUNK,
			   (off_t)(i % CHUNKS) * CHUNK) != CHUNK)
			err(1, "pwrite");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double append(int dir, const char *name)
{
	enum { COUNT = 1000 };
	int fd = open_file(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (write(fd, next_buffer(PAGE), PAGE) != PAGE)
			err(1, "write");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double create_write_unlink(int dir, const char *name)
{
	enum { COUNT = 1000 };
	double start = now();

	for (int i = 0; i < COUNT; i++) {
		int fd = open_file(dir, name, O_RDWR | O_CREAT | O_EXCL);

		if (write(fd, next_buffer(PAGE), PAGE) != PAGE)
			err(1, "write");
		close(fd);
		if (unlinkat(dir, name, 0))
			err(1, "unlink");
	}
	return (now() - start) / COUNT;
}

/* Seconds for an entry. */
static double read_dir(int dir, const char *name)
{
	enum { COUNT = 10 };
	long entries = 0;
	double start = now();

	for (int i = 0; i < COUNT; i++) {
		DIR *list = fdopendir(open_file(dir, name, O_RDONLY | O_DIRECTORY));

		if (!list)
			err(1, "%s", name);
		while (readdir(list))
			entries++;
		closedir(list);
	}
	return (now() - start) / entries;
}

static double stat_file(int dir, const char *name)
{
	enum { COUNT = 20000 };
	struct stat st;
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (fstatat(dir, name, &st, 0))
			err(1, "stat");
	return (now() - start) / COUNT;
}

static double clone_file(int dir, const char *name)
{
	int fd = open_file(dir, name, O_RDONLY);
	int to = open_file(dir, "new-clone", O_RDWR | O_CREAT | O_EXCL);
	double start = now();

	if (ioctl(to, FICLONE, fd))
		err(1, "FICLONE");
	start = now() - start;
	close(to);
	close(fd);
	if (unlinkat(dir, "new-clone", 0))
		err(1, "unlink");
	return start;
}

static const struct {
	const char *key;
	double (*run)(int dir, const char *name);
	const char *file;
} operations[] = {
	{ "read-4k-random", read_random, "shared" },
	{ "read-128k-in-order", read_in_order, "shared" },
	{ "fault-in-order", touch_in_order, "shared" },
	{ "fault-single", touch_singly, "shared" },
	{ "fault-private-write", write_private, "shared" },
	{ "private-read-4k-random", read_random, "private" },
	{ "private-read-128k-in-order", read_in_order, "private" },
	{ "private-fault-in-order", touch_in_order, "private" },
	{ "open-close", open_close, "shared" },
	{ "open-read-close", open_read_close, "shared" },
	{ "private-open-close", open_close, "private" },
	{ "private-open-read-close", open_read_close, "private" },
	{ "stat", stat_file, "shared" },
	{ "readdir", read_dir, "many" },
	{ "create-write-unlink", create_write_unlink, "new" },
	{ "rewrite-4k", rewrite, "written" },
	{ "private-rewrite-4k", rewrite, "own" },
	{ "rewrite-128k", rewrite_in_order, "streamed" },
	{ "private-rewrite-128k", rewrite_in_order, "own" },
	{ "append-4k", append, "log" },
	{ "clone-512m-cached", clone_file, "big" },
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
}

int main(int argc, char **argv)
{
	double side[2][MAX_RUNS], ratio[MAX_RUNS];
	const char *only = argc > 4 ? argv[4] : NULL;
	int dir[2], runs;

	if (argc < 4 || argc > 5 || (runs = atoi(argv[3])) < 1 || runs > MAX_RUNS)
		errx(2, "usage: ratios XFS-DIRECTORY FOLDFS-DIRECTORY RUNS [KEYS]");
	memset(arena, 1, sizeof(arena));
	for (int i = 0; i < 2; i++) {
		dir[i] = open(argv[1 + i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir[i] < 0)
			err(1, "%s", argv[1 + i]);
	}

	for (size_t o = 0; o < sizeof(operations) / sizeof(operations[0]); o++) {
		if (only && fnmatch(only, operations[o].key, 0))
			continue;
		/* Once each unmeasured: what is measured is the warm case. */
		for (int i = 0; i < 2; i++)
			operations[o].run(dir[i], operations[o].file);
		for (int r = 0; r < runs; r++) {
			/* Each side goes first every other time. */
			int first = r % 2;

			side[first][r] = operations[o].run(dir[first], operations[o].file);
			side[!first][r] = operations[o].run(dir[!first], operations[o].file);
			ratio[r] = side[1][r] / side[0][r];
		}
		printf("RESULT %s us %.3f %.3f %.3f\n", operations[o].key,
		       median(side[0], runs) * 1e6, median(side[1], runs) * 1e6,
		       median(ratio, runs));
		fflush(stdout);
	}
	return 0;
}
