// SPDX-License-Identifier: GPL-2.0-only
/*
 * randfile FILE MIB [SEED]: write MIB mebibytes that look random and are the
 * same for the same seed.  No two pages of a file, or of files with different
 * seeds, are alike, so that a page which ends up in the wrong place is seen.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t state;

/* splitmix64: every 64-bit state gives another value, seeds need no warm-up. */
static uint64_t next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

int main(int argc, char **argv)
{
	static uint64_t block[(1 << 20) / sizeof(uint64_t)];
	long mib, i;
	size_t j;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: randfile FILE MIB [SEED]\n");
		return 2;
	}
	mib = strtol(argv[2], NULL, 0);
	state = strtoull(argc > 3 ? argv[3] : "1", NULL, 0) << 40;

	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	for (i = 0; i < mib; i++) {
		for (j = 0; j < sizeof(block) / sizeof(block[0]); j++)
			block[j] = next();
		if (write(fd, block, sizeof(block)) != sizeof(block)) {
			perror(argv[1]);
			return 1;
		}
	}
	return close(fd) ? 1 : 0;
}
