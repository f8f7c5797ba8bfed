// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped-byte FILE OFFSET: prints the byte as a mapping shows it, or SIGBUS.
 *
 * mapped-byte store FILE OFFSET: stores to one byte in each page of a MiB of a
 * mapping from there on, and says what came of it: SIGBUS or stored.
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
	int store = argc == 4 && !strcmp(argv[1], "store");
	unsigned long at, i;
	unsigned char *map;
	struct stat st;
	int fd;

	if (argc - store != 3)
		die("usage: mapped-byte [store] FILE OFFSET");
	argv += store;
	at = strtoul(argv[2], NULL, 0);
	fd = sys(open(argv[1], store ? O_RDWR : O_RDONLY));
	sys(fstat(fd, &st));
	map = mmap(NULL, st.st_size, PROT_READ | (store ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	signal(SIGBUS, on_bus);
	if (!store) {
		printf("%u\n", map[at]);
		return 0;
	}
	for (i = at; i < at + (1 << 20) && i < (unsigned long)st.st_size; i += PAGE)
		map[i]++;
	puts("stored");
	return 0;
}
