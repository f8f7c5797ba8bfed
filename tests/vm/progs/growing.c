// SPDX-License-Identifier: GPL-2.0-only
/*
 * growing DIR: a mapping of a shared file grows and shrinks all the time, while the
 * file is written page by page. Whatever the kernel does with the VMA meanwhile,
 * the mapping shows each new byte at once: the kernel takes a VMA out of the file's
 * tree while its ends move, and who looks for it without the tree's lock finds
 * nobody who maps the file.
 */
#include "util.h"
#include <pthread.h>

#define PAGES	2048UL
#define ID	11

static char *map;
static size_t room = PAGES * PAGE;	/* of the mapping, without the part that moves */
static bool stop;
static unsigned long rounds;

static void *grow(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (mremap(map, room, room + PAGE, 0) != map ||
		    mremap(map, room + PAGE, room, 0) != map)
			die_errno("mremap");
		rounds++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long i;
	pthread_t thread;
	int a, fd;

	if (argc != 2)
		die("usage: growing DIR");
	make_file(argv[1], "a", ID, PAGES * PAGE);
	a = open_in(argv[1], "a", O_RDONLY);
	clone_to(a, argv[1], "b");
	fd = open_in(argv[1], "b", O_RDWR);
	/* Room to grow into: nothing else comes to lie there. */
	map = mmap(NULL, room + 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	sys(munmap(map + room, 16 * PAGE));
	drop_caches();
	if (mmap(map, room, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != map)
		die_errno("mmap");
	if (fold_state(fd) >= 0)
		wait_joined(fd, "b");
	sys(madvise(map, room, MADV_POPULATE_READ));
	errno = pthread_create(&thread, NULL, grow, NULL);
	if (errno)
		die_errno("pthread_create");
	for (i = 0; i < PAGES; i++) {
		char new = ~((volatile char *)map)[i * PAGE], got;

		write_all(fd, &new, 1, i * PAGE);
		got = ((volatile char *)map)[i * PAGE];
		if (got != new)
			die("page %lu: the mapping shows %#x, written was %#x", i, got & 0xff,
			    new & 0xff);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("%lu pages written, %lu times grown\n", PAGES, rounds);
	return 0;
}
