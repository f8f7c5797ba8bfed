// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree of files of odd sizes, and many ways to read clones of it.
 *
 *	tree make KIB SEED DIR		write it
 *	tree WAY KIB SEED DIR...	compare each DIR with it, in one of the ways
 *
 * WAY is read, odd (pieces of 12345 bytes), splice, sendfile, direct, private
 * or shared (mapped, touched, and touched twice more a moment later; all the
 * mappings are held until the end).  Prints the size of one tree in the page
 * cache, and by how much the page cache grew, in kB.
 */
#include "util.h"
#include <sys/sendfile.h>

#define MAX_FILES	4096
#define LARGEST		(3UL << 20)

static size_t sizes[MAX_FILES];
static unsigned int nr_files;
static uint64_t seed;
static char *want, *got;

/* Ends on, before and behind a page; less than a page; nothing at all. */
static const size_t odd_sizes[] = {
	0, 1, 7, 511, 4095, 4096, 4097, 8191, 12289, 65536, 65541, 262143, 1048577,
};

static void plan(size_t kib)
{
	size_t total = 0, n;

	while (total < kib * 1024 && nr_files < MAX_FILES) {
		if (nr_files < sizeof(odd_sizes) / sizeof(odd_sizes[0]))
			n = odd_sizes[nr_files];
		else
			n = MIN(1 + mix(seed * 31 + nr_files) % LARGEST, kib * 1024 - total);
		total += n;
		sizes[nr_files++] = n;
	}
}

static char *name_of(const char *dir, unsigned int i)
{
	char name[32];

	snprintf(name, sizeof(name), "d%u/f%u", i % 4, i);
	return path_of(dir, name);
}

static void make(const char *dir)
{
	char name[16];
	unsigned int i;

	mkdir(dir, 0755);
	for (i = 0; i < 4; i++) {
		char *sub;

		snprintf(name, sizeof(name), "d%u", i);
		sub = path_of(dir, name);
		mkdir(sub, 0755);
		free(sub);
	}
	for (i = 0; i < nr_files; i++) {
		char *path = name_of(dir, i);
		int fd = sys(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

		fill_bytes(want, seed + i, 0, sizes[i]);
		write_all(fd, want, sizes[i], 0);
		close(fd);
		free(path);
	}
	sync();
}

/* Bytes of the file by way of a pipe. */
static size_t through_pipe(int fd, char *buf, size_t len, bool by_sendfile)
{
	size_t total = 0;
	int ends[2];

	sys(pipe(ends));
	sys(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
	while (total < len) {
		ssize_t n = by_sendfile ? sendfile(ends[1], fd, NULL, 300000) :
				splice(fd, NULL, ends[1], NULL, 300000, 0);
		ssize_t left;

		if (n < 0)
			die_errno("splice or sendfile");
		if (n == 0)
			break;
		for (left = n; left > 0;) {
			ssize_t r = sys(read(ends[0], buf + total, left));

			left -= r;
			total += r;
		}
	}
	close(ends[0]);
	close(ends[1]);
	return total;
}

static size_t read_in_pieces(int fd, char *buf, size_t len, size_t piece)
{
	size_t off, n, total = 0;

	for (off = 0; off < len; off += n) {
		n = MIN(piece, len - off);
		total += read_all(fd, buf + off, n, off);
	}
	return total;
}

static size_t get(const char *way, int fd, size_t len)
{
	if (!strcmp(way, "direct"))
		return sys(pread(fd, got, ALIGN(len + 1, PAGE), 0));
	if (!strcmp(way, "read"))
		return read_all(fd, got, ALIGN(len + 1, PAGE), 0);
	if (!strcmp(way, "odd"))
		return read_in_pieces(fd, got, len, 12345);
	if (!strcmp(way, "splice"))
		return through_pipe(fd, got, len, false);
	if (!strcmp(way, "sendfile"))
		return through_pipe(fd, got, len, true);
	die("%s is no way to read", way);
}

static int open_file(const char *path, const char *way, size_t size)
{
	int fd = sys(open(path, O_RDONLY | (strcmp(way, "direct") ? 0 : O_DIRECT)));
	struct stat st;

	sys(fstat(fd, &st));
	if ((size_t)st.st_size != size)
		die("%s has %lld bytes, expected %zu", path, (long long)st.st_size, size);
	return fd;
}

static void read_trees(const char *way, char **dirs, int nr)
{
	unsigned int i;
	int d;

	for (i = 0; i < nr_files; i++) {
		fill_bytes(want, seed + i, 0, sizes[i]);
		for (d = 0; d < nr; d++) {
			char *path = name_of(dirs[d], i);
			int fd = open_file(path, way, sizes[i]);
			size_t n = get(way, fd, sizes[i]);

			if (n != sizes[i])
				die("%s: %s gave %zu of %zu bytes", path, way, n, sizes[i]);
			same_bytes(got, want, n, path);
			close(fd);
			free(path);
		}
	}
}

static void map_trees(bool shared, char **dirs, int nr)
{
	char **maps = calloc((size_t)nr * nr_files, sizeof(*maps));
	unsigned int i, round;
	int d;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < nr_files; i++) {
			if (!sizes[i])
				continue;
			fill_bytes(want, seed + i, 0, sizes[i]);
			memset(want + sizes[i], 0, ALIGN(sizes[i], PAGE) - sizes[i]);
			for (d = 0; d < nr; d++) {
				char **map = &maps[(size_t)d * nr_files + i];
				char *path = name_of(dirs[d], i);

				if (!*map) {
					int fd = open_file(path, "", sizes[i]);

					*map = mmap(NULL, sizes[i], PROT_READ,
						    shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
					if (*map == MAP_FAILED)
						die_errno("mmap %s", path);
					close(fd);
				}
				same_bytes(*map, want, ALIGN(sizes[i], PAGE), path);
				free(path);
			}
		}
		sleep_ms(round < 2 ? 1000 : 0);
	}
}

int main(int argc, char **argv)
{
	size_t kb = 0;
	unsigned int i;
	long before;

	if (argc < 5)
		die("usage: tree WAY KIB SEED DIR...");
	seed = strtoull(argv[3], NULL, 0) * 1000000;
	plan(strtoul(argv[2], NULL, 0));
	want = sys(mmap(NULL, LARGEST + PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
	got = sys(mmap(NULL, LARGEST + 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
	for (i = 0; i < nr_files; i++)
		kb += ALIGN(sizes[i], PAGE) / 1024;

	before = cached_kb();
	if (!strcmp(argv[1], "make"))
		make(argv[4]);
	else if (!strcmp(argv[1], "private"))
		map_trees(false, argv + 4, argc - 4);
	else if (!strcmp(argv[1], "shared"))
		map_trees(true, argv + 4, argc - 4);
	else
		read_trees(argv[1], argv + 4, argc - 4);
	printf("%zu %ld\n", kb, cached_kb() - before);
	return 0;
}
