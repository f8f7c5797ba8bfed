// SPDX-License-Identifier: GPL-2.0-only
/*
 * manyclones DIR NAME N: makes clones 1 to N of DIR/NAME in DIR.
 */
#include "util.h"

int main(int argc, char **argv)
{
	char name[16];
	int i, fd;

	if (argc != 4)
		die("usage: manyclones DIR NAME N");
	fd = open_in(argv[1], argv[2], O_RDONLY);
	for (i = 1; i <= atoi(argv[3]); i++) {
		sprintf(name, "%d", i);
		clone_to(fd, argv[1], name);
	}
	return 0;
}
