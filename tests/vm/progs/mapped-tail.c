// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped-tail FILE: prints how many bytes behind the end of the file, in its last
 * page, are not zero where it is mapped.
 */
#include "util.h"

int main(int argc, char **argv)
{
	unsigned int bad = 0;
	struct stat st;
	size_t i;
	char *map;
	int fd;

	if (argc != 2)
		die("usage: mapped-tail FILE");
	fd = sys(open(argv[1], O_RDONLY));
	sys(fstat(fd, &st));
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	for (i = st.st_size; i < ALIGN((size_t)st.st_size, PAGE); i++)
		bad += map[i] != 0;
	printf("%u\n", bad);
	return 0;
}
