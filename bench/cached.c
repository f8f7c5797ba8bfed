// SPDX-License-Identifier: GPL-2.0-only
/*
 * What operations on cached files cost on several filesystems, side by side.
 *
 *	cached PART RUNS NAME:DIRECTORY:FILE...
 *
 * Each argument is one side: where to work, and the cached file to work on. Every
 * operation is run on one side after the other, RUNS times, and each side goes first
 * in turn, so that whatever slows the machine down meets all. For each operation and
 * side a line is printed:
 *
 *	RESULT PART key us NAME median lowest highest
 *
 * KEYS in the environment is a pattern, as of file names, of the operations wanted.
 *
 * Nothing is judged here: under emulation only ratios within one boot mean anything,
 * and even they only where the clock counts instructions.
 */
#include <err.h>
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/fs.h>
#include <stdbool.h>
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
#define MAX_SIDES 8

#define CHUNK (128 << 10)
#define ARENA (2 << 20)

/*
 * Buffers come from all over the arena. With one buffer, QEMU's emulated TLB, which
 * tells pages apart by the low bits of their number only, can make every copy from a
 * file whose pages happen to collide with it three times slower than from another.
 */
static char arena[ARENA] __attribute__((aligned(PAGE)));

struct side {
	const char *name;
	const char *file;
	int dir;
};

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

/* The same sequence in every run, on every side. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#define SEED 88172645463325252ULL

static int open_file(const struct side *side, const char *name, int flags)
{
	int fd = openat(side->dir, name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s: %s", side->name, name);
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

static double read_random(const struct side *side)
{
	enum { COUNT = 10000 };
	int fd = open_file(side, side->file, O_RDONLY);
	size_t pages = file_size(fd) / PAGE;
	uint64_t state = SEED;
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (pread(fd, next_buffer(PAGE), PAGE, next_random(&state) % pages * PAGE) != PAGE)
			err(1, "pread");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double read_in_order(const struct side *side)
{
	int fd = open_file(side, side->file, O_RDONLY), count = 0;
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
static double touch(const struct side *side, int protection, int flags, int advice)
{
	bool stores = protection & PROT_WRITE && flags == MAP_SHARED;
	int fd = open_file(side, side->file, stores ? O_RDWR : O_RDONLY);
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

static double touch_in_order(const struct side *side)
{
	return touch(side, PROT_READ, MAP_SHARED, MADV_NORMAL);
}

static double touch_singly(const struct side *side)
{
	return touch(side, PROT_READ, MAP_SHARED, MADV_RANDOM);
}

static double write_private(const struct side *side)
{
	return touch(side, PROT_READ | PROT_WRITE, MAP_PRIVATE, MADV_NORMAL);
}

/* Pages that the first, unmeasured run has made this file's own. */
static double write_mapped(const struct side *side)
{
	return touch(side, PROT_READ | PROT_WRITE, MAP_SHARED, MADV_NORMAL);
}

static double open_close(const struct side *side)
{
	enum { COUNT = 10000 };
	double start = now();

	for (int i = 0; i < COUNT; i++)
		close(open_file(side, side->file, O_RDONLY));
	return (now() - start) / COUNT;
}

static double open_read_close(const struct side *side)
{
	enum { COUNT = 5000 };
	double start = now();

	for (int i = 0; i < COUNT; i++) {
		int fd = open_file(side, side->file, O_RDONLY);

		if (read(fd, next_buffer(PAGE), PAGE) != PAGE)
			err(1, "read");
		close(fd);
	}
	return (now() - start) / COUNT;
}

static double stat_file(const struct side *side)
{
	enum { COUNT = 20000 };
	struct stat st;
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (fstatat(side->dir, side->file, &st, 0))
			err(1, "stat");
	return (now() - start) / COUNT;
}

/* The directory "entries" has a few hundred of them. */
static double list(const struct side *side)
{
	enum { COUNT = 20 };
	double start = now();
	int entries = 0;

	for (int i = 0; i < COUNT; i++) {
		DIR *dir = fdopendir(open_file(side, "entries", O_RDONLY | O_DIRECTORY));

		if (!dir)
			err(1, "fdopendir");
		while (readdir(dir))
			entries++;
		closedir(dir);
	}
	return (now() - start) / entries;
}

static double create_write_unlink(const struct side *side)
{
	enum { COUNT = 500 };
	double start = now();

	for (int i = 0; i < COUNT; i++) {
		int fd = open_file(side, "new", O_WRONLY | O_CREAT | O_EXCL);

		if (write(fd, next_buffer(PAGE), PAGE) != PAGE)
			err(1, "write");
		close(fd);
		if (unlinkat(side->dir, "new", 0))
			err(1, "unlink");
	}
	return (now() - start) / COUNT;
}

/* Blocks that the first, unmeasured run has made this file's own. */
static double rewrite(const struct side *side)
{
	enum { COUNT = 4000, BLOCKS = 64 };
	int fd = open_file(side, side->file, O_RDWR);
	size_t last = file_size(fd) / PAGE - BLOCKS;
	uint64_t state = SEED;
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (pwrite(fd, next_buffer(PAGE), PAGE,
			   (last + next_random(&state) % BLOCKS) * PAGE) != PAGE)
			err(1, "pwrite");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double rewrite_in_order(const struct side *side)
{
	enum { COUNT = 64, CHUNKS = 16 };
	int fd = open_file(side, side->file, O_RDWR);
	double start;

	for (int i = 0; i < CHUNKS; i++)
		if (pwrite(fd, next_buffer(CHUNK), CHUNK, (off_t)i * CHUNK) != CHUNK)
			err(1, "pwrite");
	start = now();
	for (int i = 0; i < COUNT; i++)
		if (pwrite(fd, next_buffer(CHUNK), CHUNK, (off_t)(i % CHUNKS) * CHUNK) != CHUNK)
			err(1, "pwrite");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static double append(const struct side *side)
{
	enum { COUNT = 1000 };
	int fd = open_file(side, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (write(fd, next_buffer(PAGE), PAGE) != PAGE)
			err(1, "write");
	start = now() - start;
	close(fd);
	if (unlinkat(side->dir, "log", 0))
		err(1, "unlink");
	return start / COUNT;
}

static double rewrite_fsync(const struct side *side)
{
	enum { COUNT = 100 };
	int fd = open_file(side, side->file, O_RDWR);
	off_t last = file_size(fd) - PAGE;
	double start = now();

	for (int i = 0; i < COUNT; i++)
		if (pwrite(fd, next_buffer(PAGE), PAGE, last) != PAGE || fsync(fd))
			err(1, "pwrite");
	start = now() - start;
	close(fd);
	return start / COUNT;
}

static int clone_of(const struct side *side, const char *name)
{
	int fd = open_file(side, side->file, O_RDONLY);
	int to = open_file(side, name, O_RDWR | O_CREAT | O_EXCL);

	/* An overlayfs cannot: its lower files are on another mount. */
	if (ioctl(to, FICLONE, fd)) {
		close(to);
		to = -1;
	}
	close(fd);
	if (to < 0)
		unlinkat(side->dir, name, 0);
	return to;
}

/* Each time in a new clone, which has been read, so that it shares. */
static double write_shared(const struct side *side)
{
	enum { STEP = 16 };
	int fd = clone_of(side, "new-clone"), count = 0;
	double start;
	size_t size;

	if (fd < 0)
		return -1;
	size = file_size(fd);
	for (size_t i = 0; i < size; i += CHUNK)
		if (pread(fd, next_buffer(CHUNK), CHUNK, i) < 0)
			err(1, "pread");
	start = now();
	for (size_t i = 0; i + PAGE <= size; i += STEP * PAGE, count++)
		if (pwrite(fd, next_buffer(PAGE), PAGE, i) != PAGE)
			err(1, "pwrite");
	start = now() - start;
	close(fd);
	if (unlinkat(side->dir, "new-clone", 0))
		err(1, "unlink");
	return start / count;
}

static double clone_file(const struct side *side)
{
	double start = now();
	int fd = clone_of(side, "new-clone");

	start = now() - start;
	if (fd < 0)
		return -1;
	close(fd);
	if (unlinkat(side->dir, "new-clone", 0))
		err(1, "unlink");
	return start;
}

static const struct {
	const char *key;
	double (*run)(const struct side *side);
} operations[] = {
	{ "read-128k", read_in_order },
	{ "read-4k", read_random },
	{ "touch", touch_in_order },
	{ "touch-single", touch_singly },
	{ "touch-write-private", write_private },
	{ "open-close", open_close },
	{ "open-read-close", open_read_close },
	{ "stat", stat_file },
	{ "readdir", list },
	{ "create-write-unlink", create_write_unlink },
	{ "clone", clone_file },
	{ "write-shared", write_shared },
	{ "append", append },
	{ "rewrite", rewrite },
	{ "rewrite-128k", rewrite_in_order },
	{ "rewrite-fsync", rewrite_fsync },
	/* The last, since nothing of the file is shared afterwards. */
	{ "touch-write-shared", write_mapped },
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *part, const char *key, const char *name, double *values,
		  int nr)
{
	double median;

	qsort(values, nr, sizeof(*values), compare);
	median = nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
	/* Not something that this side can do. */
	if (median >= 0)
		printf("RESULT %s %s us %s %.3f %.3f %.3f\n", part, key, name, median * 1e6,
		       values[0] * 1e6, values[nr - 1] * 1e6);
}

static void parse(struct side *side, char *text)
{
	char *dir = strchr(text, ':'), *file = dir ? strchr(dir + 1, ':') : NULL;

	if (!file)
		errx(2, "not NAME:DIRECTORY:FILE: %s", text);
	*dir++ = 0;
	*file++ = 0;
	side->name = text;
	side->file = file;
	side->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (side->dir < 0)
		err(1, "%s", dir);
}

int main(int argc, char **argv)
{
	static double values[MAX_SIDES][MAX_RUNS];
	const char *keys = getenv("KEYS");
	struct side side[MAX_SIDES];
	int runs, sides = argc - 3;

	if (sides < 1 || sides > MAX_SIDES || (runs = atoi(argv[2])) < 1 || runs > MAX_RUNS)
		errx(2, "usage: cached PART RUNS NAME:DIRECTORY:FILE...");
	memset(arena, 1, sizeof(arena));
	for (int i = 0; i < sides; i++)
		parse(&side[i], argv[3 + i]);

	for (size_t o = 0; o < sizeof(operations) / sizeof(operations[0]); o++) {
		if (keys && *keys && fnmatch(keys, operations[o].key, 0))
			continue;
		/* Once each unmeasured: what is measured is the warm case. */
		for (int i = 0; i < sides; i++)
			operations[o].run(&side[i]);
		for (int r = 0; r < runs; r++)
			for (int i = 0; i < sides; i++) {
				int s = (i + r) % sides;

				values[s][r] = operations[o].run(&side[s]);
			}
		for (int i = 0; i < sides; i++)
			print(argv[1], operations[o].key, side[i].name, values[i], runs);
		fflush(stdout);
	}
	return 0;
}
