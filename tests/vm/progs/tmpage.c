// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmpage out|compact FILE CLONE: maps both, shared, and touches all pages. 'out' asks for
 * them to be paged out, by FILE's mapping; 'compact' has the machine compacted. Then
 * both must have the bytes that they had.
 */
#include "util.h"

static char *map(const char *path, size_t *size)
{
	int fd = sys(open(path, O_RDWR));
	char *p;

	*size = lseek(fd, 0, SEEK_END);
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die_errno("mmap");
	close(fd);
	return p;
}

static uint64_t sum(const char *p, size_t size)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < size; i += 8)
		total = total * 31 + *(const uint64_t *)(p + i);
	return total;
}

int main(int argc, char **argv)
{
	uint64_t was[2];
	char *p[2];
	size_t size[2], i;
	int fd;

	if (argc != 4)
		die("usage: tmpage out|compact FILE CLONE");
	for (i = 0; i < 2; i++) {
		p[i] = map(argv[2 + i], &size[i]);
		was[i] = sum(p[i], size[i]);
	}
	if (!strcmp(argv[1], "out")) {
		/* Pages that one process alone maps are all that the kernel takes. */
		munmap(p[1], size[1]);
		for (i = 0; i < 4; i++)
			if (madvise(p[0], size[0], MADV_PAGEOUT))
				die_errno("MADV_PAGEOUT");
		p[1] = map(argv[3], &size[1]);
	} else {
		fd = sys(open("/proc/sys/vm/compact_memory", O_WRONLY));
		for (i = 0; i < 3; i++)
			sys(write(fd, "1", 1));
	}
	for (i = 0; i < 2; i++)
		if (sum(p[i], size[i]) != was[i])
			die("%s has other bytes now", argv[2 + i]);
	return 0;
}
