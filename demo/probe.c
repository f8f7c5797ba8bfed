// SPDX-License-Identifier: GPL-2.0-only
/*
 * The demo's measuring program in the VM: reads trees, changes one byte, and takes
 * memory away. One program, so that the image needs one static binary.
 *
 *	probe read DIRECTORY	reads every file; prints bytes, files and seconds
 *	probe poke FILE		changes the byte in the middle of a file
 *	probe hog BYTES		takes memory, prints "held", keeps it until stdin ends
 */
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static unsigned long long bytes_read;
static unsigned int files_read;
static char buffer[256 << 10];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int read_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	ssize_t length;
	int fd;

	(void)st;
	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		bytes_read += length;
	if (length < 0)
		err(1, "%s", path);
	close(fd);
	files_read++;
	return 0;
}

static int do_read(const char *directory)
{
	double start = now();

	if (nftw(directory, read_file, 64, FTW_PHYS))
		err(1, "%s", directory);
	printf("%llu %u %.3f\n", bytes_read, files_read, now() - start);
	return 0;
}

static int do_poke(const char *file)
{
	struct stat st;
	char byte;
	int fd = open(file, O_RDWR);

	if (fd < 0 || fstat(fd, &st) || pread(fd, &byte, 1, st.st_size / 2) != 1)
		err(1, "%s", file);
	byte ^= 1;
	if (pwrite(fd, &byte, 1, st.st_size / 2) != 1 || fsync(fd))
		err(1, "%s", file);
	close(fd);
	return 0;
}

static int do_hog(const char *size)
{
	size_t length = strtoull(size, NULL, 10);
	size_t page = sysconf(_SC_PAGESIZE);
	char *memory;

	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "%zu bytes", length);
	/* Page by page: reclaim is asked for what is needed, no more. */
	madvise(memory, length, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < length; i += page)
		memory[i] = 1;
	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "read"))
		return do_read(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "poke"))
		return do_poke(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "hog"))
		return do_hog(argv[2]);
	errx(2, "usage: probe read DIRECTORY | poke FILE | hog BYTES");
}
