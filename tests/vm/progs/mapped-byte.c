// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped-byte FILE OFFSET: prints the byte as a mapping shows it, or SIGBUS.
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
	unsigned long at;
	struct stat st;
	unsigned char *map;
	int fd;

	if (argc != 3)
		die("usage: mapped-byte FILE OFFSET");
	at = strtoul(argv[2], NULL, 0);
	fd = sys(open(argv[1], O_RDONLY));
	sys(fstat(fd, &st));
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	signal(SIGBUS, on_bus);
	printf("%u\n", map[at]);
	return 0;
}
