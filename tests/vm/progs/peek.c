// SPDX-License-Identifier: GPL-2.0-only
/*
 * peek FILE: what somebody who may read a file learns of whether others have used
 * it, without using it himself. Prints how many pages of it preadv2(RWF_NOWAIT),
 * mincore(2) and FOLDFS_IOC_MAP say are cached, and by how many it is shared at
 * most. The first is asked of the first page alone, since asking may read ahead.
 */
#include "util.h"
#include <sys/uio.h>

int main(int argc, char **argv)
{
	static union {
		struct foldfs_map map;
		char room[sizeof(struct foldfs_map) + 256 * sizeof(struct foldfs_map_range)];
	} m;
	unsigned long pages = 0, cached = 0, sharers = 0, i;
	struct iovec iov = { malloc(PAGE), PAGE };
	unsigned char *resident;
	struct stat st;
	ssize_t got;
	void *at;
	int fd;

	if (argc != 2)
		die("usage: peek FILE");
	fd = sys(open(argv[1], O_RDONLY));
	sys(fstat(fd, &st));
	m.map.version = FOLDFS_MAP_VERSION;
	m.map.range_size = sizeof(struct foldfs_map_range);
	m.map.length = ~0ULL;
	m.map.nr = 256;
	sys(ioctl(fd, FOLDFS_IOC_MAP, &m));
	for (i = 0; i < m.map.nr; i++) {
		cached += m.map.ranges[i].cached / PAGE;
		sharers = MAX(sharers, m.map.ranges[i].sharers);
	}
	at = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die_errno("mmap");
	resident = calloc(1, st.st_size / PAGE + 1);
	sys(mincore(at, st.st_size, resident));
	for (i = 0; i < ALIGN(st.st_size, PAGE) / PAGE; i++)
		pages += resident[i] & 1;
	got = preadv2(fd, &iov, 1, 0, RWF_NOWAIT);
	if (got < 0 && errno != EAGAIN)
		die_errno("preadv2");
	printf("%d %lu %lu %lu\n", got > 0, pages, cached, sharers);
	return 0;
}
