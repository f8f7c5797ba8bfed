// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single steps of the scale benchmark, see scale.sh. Prints microseconds for one
 * operation.
 *
 *	scale tree DIR CLONES FILES PAGES	make DIR/c0/f0 ... and reflink clones of c0
 *	scale read DIR CLONES FILES		open, read 4096 bytes, close: each file
 *	scale write DIR CLONES FILES TIMES	write one byte to some of them
 *	scale map DIR CLONES DROP		a process for each clone maps and touches
 *						f0; prints that for each page, and what
 *						an order to DROP takes for each page
 *	scale pieces DIR PAGES			DIR/whole, and DIR/pieces with the same
 *						blocks in reverse order, an extent each
 *	scale random FILE TIMES			read 4096 bytes somewhere
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#define PAGE 4096L

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static const char *path_of(const char *dir, long clone, long file)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/c%ld/f%ld", dir, clone, file);
	return path;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void write_pages(int fd, long pages, uint64_t id)
{
	uint64_t page[PAGE / sizeof(uint64_t)];

	for (long i = 0; i < pages; i++) {
		for (size_t j = 0; j < PAGE / sizeof(uint64_t); j++)
			page[j] = id << 40 ^ i << 10 ^ j;
		if (write(fd, page, PAGE) != PAGE)
			err(1, "write");
	}
}

static void tree(const char *dir, long clones, long files, long pages)
{
	char path[4096];

	for (long c = 0; c < clones; c++) {
		snprintf(path, sizeof(path), "%s/c%ld", dir, c);
		if (mkdir(path, 0755))
			err(1, "%s", path);
	}
	for (long f = 0; f < files; f++) {
		int from = open_file(path_of(dir, 0, f), O_RDWR | O_CREAT);

		write_pages(from, pages, f);
		for (long c = 1; c < clones; c++) {
			int to = open_file(path_of(dir, c, f), O_RDWR | O_CREAT);

			if (ioctl(to, FICLONE, from))
				err(1, "FICLONE");
			close(to);
		}
		close(from);
	}
}

static double read_all(const char *dir, long clones, long files)
{
	double start = now_us();
	char page[PAGE];

	for (long c = 0; c < clones; c++)
		for (long f = 0; f < files; f++) {
			int fd = open_file(path_of(dir, c, f), O_RDONLY);

			if (read(fd, page, PAGE) != PAGE)
				err(1, "read");
			close(fd);
		}
	return (now_us() - start) / (clones * files);
}

static double write_some(const char *dir, long clones, long files, long times)
{
	long all = clones * files;
	double sum = 0, start;

	for (long i = 0; i < times; i++) {
		long nr = all / times * i;
		int fd = open_file(path_of(dir, nr % clones, nr / clones), O_RDWR);

		start = now_us();
		if (pwrite(fd, "x", 1, PAGE) != 1)
			err(1, "write");
		sum += now_us() - start;
		close(fd);
	}
	return sum / times;
}

static void map_all(const char *dir, long clones, const char *drop)
{
	int ready[2], go[2], fd;
	double start = now_us(), touched, dropped;
	struct stat st;
	char byte;

	if (stat(path_of(dir, 0, 0), &st) || pipe(ready) || pipe(go))
		err(1, "%s", dir);
	for (long c = 0; c < clones; c++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid)
			continue;
		fd = open_file(path_of(dir, c, 0), O_RDONLY);
		const volatile char *map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);

		if (map == MAP_FAILED)
			err(1, "mmap");
		for (long i = 0; i < st.st_size; i += PAGE)
			(void)map[i];
		close(go[1]);
		if (write(ready[1], "", 1) != 1 || read(go[0], &byte, 1))
			err(1, "pipe");
		_exit(0);
	}
	for (long c = 0; c < clones; c++)
		if (read(ready[0], &byte, 1) != 1)
			err(1, "a process has failed");
	touched = now_us();
	fd = open_file(drop, O_WRONLY);
	if (write(fd, "1", 1) != 1)
		err(1, "%s", drop);
	dropped = now_us();
	close(go[1]);
	while (wait(NULL) > 0)
		;
	printf("%.2f %.2f\n", (touched - start) / (clones * (st.st_size / PAGE)),
	       (dropped - touched) / (st.st_size / PAGE));
}

static void pieces(const char *dir, long pages)
{
	char path[4096];
	int from, to;

	snprintf(path, sizeof(path), "%s/whole", dir);
	from = open_file(path, O_RDWR | O_CREAT);
	write_pages(from, pages, 1);
	if (fsync(from))
		err(1, "fsync");
	snprintf(path, sizeof(path), "%s/pieces", dir);
	to = open_file(path, O_RDWR | O_CREAT);
	for (long i = 0; i < pages; i++) {
		struct file_clone_range range = {
			.src_fd = from, .src_offset = (pages - 1 - i) * PAGE,
			.src_length = PAGE, .dest_offset = i * PAGE,
		};

		if (ioctl(to, FICLONERANGE, &range))
			err(1, "FICLONERANGE");
	}
}

static double read_random(const char *path, long times)
{
	uint64_t state = 88172645463325252ULL;
	int fd = open_file(path, O_RDONLY);
	struct stat st;
	double start;
	char page[PAGE];

	if (fstat(fd, &st))
		err(1, "%s", path);
	start = now_us();
	for (long i = 0; i < times; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		if (pread(fd, page, PAGE, state % (st.st_size / PAGE) * PAGE) != PAGE)
			err(1, "%s", path);
	}
	return (now_us() - start) / times;
}

int main(int argc, char **argv)
{
	long n[4] = { 0 };

	for (int i = 3; i < argc && i < 7; i++)
		n[i - 3] = atol(argv[i]);
	if (argc == 6 && !strcmp(argv[1], "tree"))
		tree(argv[2], n[0], n[1], n[2]);
	else if (argc == 5 && !strcmp(argv[1], "read"))
		printf("%.2f\n", read_all(argv[2], n[0], n[1]));
	else if (argc == 6 && !strcmp(argv[1], "write"))
		printf("%.2f\n", write_some(argv[2], n[0], n[1], n[2]));
	else if (argc == 5 && !strcmp(argv[1], "map"))
		map_all(argv[2], n[0], argv[4]);
	else if (argc == 4 && !strcmp(argv[1], "pieces"))
		pieces(argv[2], n[0]);
	else if (argc == 4 && !strcmp(argv[1], "random"))
		printf("%.2f\n", read_random(argv[2], n[0]));
	else
		errx(2, "usage: see the source");
	return 0;
}
