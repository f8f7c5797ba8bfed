// SPDX-License-Identifier: GPL-2.0-only
/*
 * shared-pages FILE: prints how many of the file's pages foldfs shares.
 */
#include "util.h"

int main(int argc, char **argv)
{
	static union {
		struct foldfs_map map;
		char room[sizeof(struct foldfs_map) + 256 * sizeof(struct foldfs_map_range)];
	} m;
	unsigned long pages = 0;
	unsigned int i;

	if (argc != 2)
		die("usage: shared-pages FILE");
	m.map.version = FOLDFS_MAP_VERSION;
	m.map.range_size = sizeof(struct foldfs_map_range);
	m.map.length = ~0ULL;
	m.map.nr = 256;
	sys(ioctl(sys(open(argv[1], O_RDONLY)), FOLDFS_IOC_MAP, &m));
	for (i = 0; i < m.map.nr; i++)
		pages += ALIGN(m.map.ranges[i].length, PAGE) / PAGE;
	printf("%lu\n", pages);
	return 0;
}
