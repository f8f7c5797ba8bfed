// SPDX-License-Identifier: GPL-2.0-only
/*
 * store-byte FILE OFFSET: stores to one byte in each page of a MiB of a mapping from
 * there on, and says what came of it: SIGBUS or stored.
 */
#include "util.h"

static void on_bus(int sig)
{
	(void)sig;
	if (write(1, "SIGBUS\n", 7) < 0)
		_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned long at, i;
	struct stat st;
	char *map;
	int fd;

	if (argc != 3)
		die("usage: store-byte FILE OFFSET");
	at = strtoul(argv[2], NULL, 0);
	fd = sys(open(argv[1], O_RDWR));
	sys(fstat(fd, &st));
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	signal(SIGBUS, on_bus);
	for (i = at; i < at + (1 << 20) && i < (unsigned long)st.st_size; i += PAGE)
		map[i]++;
	puts("stored");
	return 0;
}
