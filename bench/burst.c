// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many processes begin at the same moment, each with an image of its own.
 *
 *	burst private|shared|read TOUCHES IMAGE...
 *
 * For each image a process maps it, MAP_PRIVATE or MAP_SHARED, and looks at so many
 * pages of it, chosen at random; or reads it from beginning to end. Prints
 * the seconds from the moment when all were let go until the last had done.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static char buffer[128 << 10];

static void look(const char *way, const char *image, long touches, uint64_t state)
{
	int fd = open(image, O_RDONLY | O_CLOEXEC);
	volatile const char *map;
	struct stat st;
	char sink = 0;

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", image);
	if (!strcmp(way, "read")) {
		ssize_t length;

		while ((length = read(fd, buffer, sizeof(buffer))) > 0)
			;
		if (length < 0)
			err(1, "%s", image);
		return;
	}
	map = mmap(NULL, st.st_size, PROT_READ, !strcmp(way, "private") ? MAP_PRIVATE : MAP_SHARED,
		   fd, 0);
	if (map == MAP_FAILED)
		err(1, "mmap");
	while (touches--) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		sink += map[state % (st.st_size / PAGE) * PAGE];
	}
	(void)sink;
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	int gate[2], status, bad = 0;
	char byte;

	if (argc < 4)
		errx(2, "usage: burst private|shared|read TOUCHES IMAGE...");
	if (pipe(gate))
		err(1, "pipe");
	for (int i = 3; i < argc; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid)
			continue;
		/* Until nobody holds the other end. */
		close(gate[1]);
		if (read(gate[0], &byte, 1) < 0)
			err(1, "read");
		look(argv[1], argv[i], atol(argv[2]), 88172645463325252ULL + i);
		_exit(0);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	close(gate[1]);
	while (wait(&status) > 0)
		bad |= status;
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (bad)
		errx(1, "a process failed");
	printf("%.6f\n", to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	return 0;
}
