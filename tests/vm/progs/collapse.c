// SPDX-License-Identifier: GPL-2.0-only
/*
 * collapse DIR LOWER: as a user who may only read, have the kernel collapse the pages
 * of a clone into huge ones while it is mapped through the mount, by a mapping of the
 * lower file and by that mapping itself. Prints how often the kernel did.
 */
#include "util.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define HUGE	(2UL << 20)
#define SIZE	(2 * HUGE)
#define ROUNDS	8

static unsigned char model[SIZE];

/* Map the file where huge pages fit, and touch all of it. */
static unsigned char *map_aligned(int fd)
{
	unsigned char *room = sys(mmap(NULL, SIZE + HUGE, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	unsigned char *at = (unsigned char *)ALIGN((unsigned long)room, HUGE);

	return sys(mmap(at, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0));
}

static void look(const unsigned char *map, const char *what)
{
	same_bytes(map, model, SIZE, what);
}

static unsigned int collapse(void *map)
{
	return !madvise(map, SIZE, MADV_COLLAPSE);
}

int main(int argc, char **argv)
{
	unsigned int round, own = 0, others = 0, later = 0;
	unsigned char *map, *below, *again;
	const char *dir, *lower;
	static unsigned char buf[SIZE];
	char name[32];
	pid_t child;
	int base, fd, direct, writer;

	if (argc != 3)
		die("usage: collapse DIR LOWER");
	dir = argv[1];
	lower = argv[2];
	make_file(dir, "base", 1, SIZE);
	base = open_in(dir, "base", O_RDONLY);
	for (round = 0; round < ROUNDS; round++) {
		snprintf(name, sizeof(name), "clone.%u", round);
		clone_to(base, dir, name);
		writer = -1;
		fill_bytes(model, 1, 0, SIZE);
		fd = open_in(dir, name, O_RDONLY);
		wait_joined(fd, name);
		writer = open_in(dir, name, O_WRONLY);
		fflush(NULL);
		child = sys(fork());
		if (child) {
			int status = reap_within(child, 100, name);

			if (status)
				die("%s: the user failed, wait status %#x", name, status);
			close(writer);
			close(fd);
			continue;
		}

		/* Opened above, for writing by a friend; the rest any user can do. */
		direct = open_in(lower, name, O_RDONLY);
		sys(setuid(1000));
		map = map_aligned(fd);
		look(map, "the mapping");
		if (round % 2) {
			read_all(direct, buf, SIZE, 0);
			below = map_aligned(direct);
			look(below, "the lower mapping");
			others += collapse(below);
			look(below, "the lower mapping, collapsed");
		} else {
			own += collapse(map);
		}
		look(map, "the mapping, after it was collapsed");
		again = map_aligned(fd);
		look(again, "another mapping");
		later += collapse(again);
		look(again, "another mapping, collapsed");
		look(map, "the first mapping");

		/* A change must arrive wherever the bytes are now. */
		fill_bytes(model + 5 * PAGE, 2, 0, PAGE);
		write_all(writer, model + 5 * PAGE, PAGE, 5 * PAGE);
		fill_bytes(model + HUGE, 3, 0, PAGE);
		write_all(writer, model + HUGE, PAGE, HUGE);
		look(map, "the mapping, changed");
		look(again, "another mapping, changed");
		printf("%u %u %u\n", own, others, later);
		fflush(NULL);
		_exit(0);
	}
	return 0;
}
