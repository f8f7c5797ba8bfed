// SPDX-License-Identifier: GPL-2.0-only
/*
 * rename2 FLAGS OLD NEW: renameat2(2), and what it said.
 */
#include "util.h"

int main(int argc, char **argv)
{
	long ret;

	if (argc != 4)
		die("usage: rename2 FLAGS OLD NEW");
	ret = syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3],
		      atoi(argv[1]));
	printf("rename %s: %s\n", argv[1], ret ? strerror(errno) : "done");
	return 0;
}
