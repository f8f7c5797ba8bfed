// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapsync FILE: maps FILE with MAP_SYNC and prints how that ended.
 */
#include "util.h"

#ifndef MAP_SYNC
#define MAP_SYNC		0x80000
#define MAP_SHARED_VALIDATE	0x03
#endif

int main(int argc, char **argv)
{
	void *map;

	if (argc != 2)
		die("usage: mapsync FILE");
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC,
		   sys(open(argv[1], O_RDONLY)), 0);
	puts(map == MAP_FAILED ? strerror(errno) : "granted");
	return 0;
}
