// SPDX-License-Identifier: GPL-2.0-only
/*
 * itself DIR: writes to a file that shares, from a mapping of what is written.
 *
 * The write unmaps its own source before the lower filesystem comes to copy from it.
 */
#include "util.h"

#include <sys/uio.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE)

static char *want;

static void expect(int fd, const char *what)
{
	char *got = malloc(SIZE);

	if (sys(pread(fd, got, SIZE, 0)) != SIZE)
		die("%s: a short read", what);
	same_bytes(got, want, SIZE, what);
	free(got);
}

int main(int argc, char **argv)
{
	char *page = malloc(PAGE), *map;
	struct iovec vec[2];
	int fd, b;

	if (argc != 2)
		die("usage: itself DIR");
	want = malloc(SIZE);
	fill_bytes(want, 7, 0, SIZE);
	make_file(argv[1], "a", 7, SIZE);
	fd = open_in(argv[1], "a", O_RDONLY);
	clone_to(fd, argv[1], "b");
	drop_caches();
	wait_joined(fd, "a");
	b = open_in(argv[1], "b", O_RDONLY);
	wait_joined(b, "b");
	map = sys(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0));
	same_bytes(map, want, SIZE, "the mapping");
	fd = open_in(argv[1], "a", O_RDWR);

	/* All of its source goes. */
	if (sys(pwrite(fd, map + 4 * PAGE, 4 * PAGE, 4 * PAGE)) != 4 * PAGE)
		die("a short write");
	expect(fd, "written from the same pages");
	same_bytes(map, want, SIZE, "the mapping afterwards");

	/* The second half of its source goes, when the first is written. */
	memset(page, 'x', PAGE);
	vec[0] = (struct iovec){ page, PAGE };
	vec[1] = (struct iovec){ map + 17 * PAGE, PAGE };
	if (sys(pwritev(fd, vec, 2, 16 * PAGE)) != 2 * PAGE)
		die("a short vector");
	memcpy(want + 16 * PAGE, page, PAGE);
	expect(fd, "written from memory and from the same page");

	/* Its source stays. */
	if (sys(pwrite(fd, map + 32 * PAGE, 8 * PAGE, 48 * PAGE)) != 8 * PAGE)
		die("a short write");
	memcpy(want + 48 * PAGE, want + 32 * PAGE, 8 * PAGE);
	expect(fd, "written from other pages");
	same_bytes(map, want, SIZE, "the mapping in the end");

	fill_bytes(want, 7, 0, SIZE);
	expect(b, "the clone");
	return 0;
}
