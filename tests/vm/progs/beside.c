// SPDX-License-Identifier: GPL-2.0-only
/*
 * beside DIR LOWER: what lies beside a shared run in the same large folio is not
 * this file's.
 *
 * Clones of a file that is cached in large folios have single pages rewritten, and
 * some are made so long that no end of file keeps a kernel from mapping whole
 * folios. Mapped in all ways they must show their own bytes everywhere, wherever
 * they are touched first; and a store next to shared pages, in a folio that the
 * lower file has for all of them, must not open those to stores that nobody sees.
 */
#include "util.h"

#define PAGES	1024UL
#define SIZE	(PAGES * PAGE)
#define LONG	(1ULL << 40)

#define KPF_COMPOUND_TAIL	16

static const char *dir, *lower;
static unsigned char model[SIZE];

static bool is_own(unsigned long page)
{
	return page % 16 == 3 || page % 16 == 7 || page % 16 == 12;
}

static void read_ahead(int fd)
{
	static unsigned char buf[SIZE];

	read_all(fd, buf, SIZE, 0);
}

/* How many pages of the mapping are tails of large folios. */
static unsigned long large_pages(const unsigned char *map)
{
	int pagemap = sys(open("/proc/self/pagemap", O_RDONLY));
	int flags = sys(open("/proc/kpageflags", O_RDONLY));
	unsigned long i, found = 0;
	uint64_t entry, flag;

	for (i = 0; i < PAGES; i++) {
		if (sys(pread(pagemap, &entry, 8, ((unsigned long)map / PAGE + i) * 8)) != 8)
			die("a short read of pagemap");
		entry &= (1ULL << 55) - 1;
		if (!entry)
			continue;
		if (sys(pread(flags, &flag, 8, entry * 8)) != 8)
			die("a short read of kpageflags");
		found += flag >> KPF_COMPOUND_TAIL & 1;
	}
	close(flags);
	close(pagemap);
	return found;
}

static void touch(const volatile unsigned char *map, unsigned long page)
{
	(void)map[page * PAGE];
}

/* One clone with pages of its own, looked at through one kind of mapping. */
static void look(int base, const char *name, int prot, int flags, bool is_long, bool backwards)
{
	unsigned char *map;
	unsigned long i;
	int fd;

	clone_to(base, dir, name);
	fd = open_in(dir, name, O_RDWR);
	fill_bytes(model, 1, 0, SIZE);
	for (i = 0; i < PAGES; i++) {
		if (!is_own(i))
			continue;
		fill_bytes(model + i * PAGE, 2, i * PAGE, PAGE);
		write_all(fd, model + i * PAGE, PAGE, i * PAGE);
	}
	if (is_long)
		sys(ftruncate(fd, LONG));
	sys(fsync(fd));
	close(fd);
	fd = open_in(dir, name, O_RDONLY);
	wait_joined(fd, name);
	close(fd);

	fd = open_in(dir, name, prot & PROT_WRITE && flags == MAP_SHARED ? O_RDWR : O_RDONLY);
	map = sys(mmap(NULL, SIZE, prot, flags, fd, 0));
	/* What is shared first; then all must be right. */
	for (i = 0; i < PAGES; i++)
		if (!is_own(i))
			touch(map, backwards ? PAGES - 1 - i : i);
	same_bytes(map, model, SIZE, name);

	/* A change beside a page that is mapped, seen at once and nowhere else. */
	for (i = 1; i < PAGES; i += 32) {
		int writer = open_in(dir, name, O_WRONLY);

		fill_bytes(model + i * PAGE, 3, i * PAGE, PAGE);
		write_all(writer, model + i * PAGE, PAGE, i * PAGE);
		close(writer);
		touch(map, i + 1);
		touch(map, i - 1);
	}
	same_bytes(map, model, SIZE, name);
	sys(munmap(map, SIZE));
	close(fd);
}

/* A store in a large folio of the lower file must end the sharing of all of it. */
static void store(int base)
{
	static unsigned char buf[SIZE];
	volatile unsigned char *map;
	unsigned char *low;
	unsigned long i;
	int fd, below;

	clone_to(base, dir, "store");
	fd = open_in(dir, "store", O_RDONLY);
	wait_joined(fd, "store");
	map = sys(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       open_in(dir, "store", O_RDWR), 0));
	/*
	 * Not through the mount, where these pages are shared; and last, since a
	 * join, as an open may want one, takes the copies away again.
	 */
	below = open_in(lower, "store", O_RDONLY);
	/* Bit by bit: one large read gets no readahead, and so no large folios. */
	for (i = 0; i < PAGES; i += 4)
		read_all(below, buf, 4 * PAGE, i * PAGE);
	low = sys(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, below, 0));
	fill_bytes(model, 1, 0, SIZE);
	same_bytes(low, model, SIZE, "the lower file");
	/* With none this shows less: which folios XFS takes is its own affair. */
	printf("%lu of %lu pages of the lower file are in large folios\n", large_pages(low), PAGES);
	for (i = 5; i < PAGES; i += 16) {
		map[i * PAGE] = model[i * PAGE] = i;
		map[(i + 1) * PAGE] = model[(i + 1) * PAGE] = i + 1;
		map[(i - 1) * PAGE] = model[(i - 1) * PAGE] = i - 1;
	}
	read_all(fd, buf, SIZE, 0);
	same_bytes(buf, model, SIZE, "what was stored, read");
	same_bytes((const void *)map, model, SIZE, "what was stored, mapped");
	same_bytes(low, model, SIZE, "what was stored, below");
	sys(munmap(low, SIZE));
	sys(munmap((void *)map, SIZE));
	close(below);
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned char *map;
	int base;

	if (argc != 3)
		die("usage: beside DIR LOWER");
	dir = argv[1];
	lower = argv[2];
	make_file(dir, "base", 1, SIZE);
	base = open_in(dir, "base", O_RDONLY);
	clone_to(base, dir, "other");
	wait_joined(base, "base");
	sys(posix_fadvise(base, 0, 0, POSIX_FADV_DONTNEED));
	read_ahead(base);
	map = sys(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, base, 0));
	fill_bytes(model, 1, 0, SIZE);
	same_bytes(map, model, SIZE, "base");
	if (large_pages(map) < PAGES / 2)
		die("only %lu of %lu pages are in large folios: this shows nothing",
		    large_pages(map), PAGES);

	look(base, "private", PROT_READ, MAP_PRIVATE, false, false);
	look(base, "private-long", PROT_READ, MAP_PRIVATE, true, false);
	look(base, "private-exec", PROT_READ | PROT_EXEC, MAP_PRIVATE, true, true);
	look(base, "private-write", PROT_READ | PROT_WRITE, MAP_PRIVATE, true, false);
	look(base, "shared", PROT_READ, MAP_SHARED, false, true);
	look(base, "shared-long", PROT_READ, MAP_SHARED, true, false);
	look(base, "shared-write", PROT_READ | PROT_WRITE, MAP_SHARED, true, true);
	store(base);

	fill_bytes(model, 1, 0, SIZE);
	same_bytes(map, model, SIZE, "base, in the end");
	return 0;
}
