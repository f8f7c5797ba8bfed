// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap DIR: calls that act on a mapping's file behind the back of a stacking
 * filesystem. On two clones A and B; only A changes, and its mappings, its
 * descriptors and B must agree with that.
 */
#include "util.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

#define PAGES	64UL
#define SIZE	(PAGES * PAGE)
#define ID	3

static const char *dir;
static int a, b;		/* open for reading */
static char *ra, *rb, *wa;	/* mappings: read-only of A and B, writable of A */
static int fd_w;
static char *want_a, *want_b;

static void look(const char *what)
{
	static char buf[SIZE];

	if (read_all(a, buf, SIZE, 0) != SIZE)
		die("%s: short read", what);
	same_bytes(buf, want_a, SIZE, what);
	same_bytes(ra, want_a, SIZE, what);
	same_bytes(wa, want_a, SIZE, what);
	if (read_all(b, buf, SIZE, 0) != SIZE)
		die("%s: short read", what);
	same_bytes(buf, want_b, SIZE, what);
	same_bytes(rb, want_b, SIZE, what);
}

static char *map(int fd, int prot)
{
	char *p = mmap(NULL, SIZE, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die_errno("mmap");
	return p;
}

static void set_up(void)
{
	make_file(dir, "a", ID, SIZE);
	a = open_in(dir, "a", O_RDONLY);
	clone_to(a, dir, "b");
	b = open_in(dir, "b", O_RDONLY);
	drop_caches();
	if (fold_state(a) >= 0) {
		wait_joined(a, "a");
		wait_joined(b, "b");
	}
	fd_w = open_in(dir, "a", O_RDWR);
	/* Only what may become writable can be remapped. */
	ra = map(fd_w, PROT_READ);
	rb = map(b, PROT_READ);
	wa = map(fd_w, PROT_READ | PROT_WRITE);
	fill_bytes(want_a, ID, 0, SIZE);
	fill_bytes(want_b, ID, 0, SIZE);
	look("at the beginning");
}

static void tear_down(void)
{
	munmap(ra, SIZE);
	munmap(rb, SIZE);
	munmap(wa, SIZE);
	close(a);
	close(b);
	close(fd_w);
}

static void do_remove(void)
{
	sys(madvise(wa + 8 * PAGE, 4 * PAGE, MADV_REMOVE));
	memset(want_a + 8 * PAGE, 0, 4 * PAGE);
	look("MADV_REMOVE");
}

static void do_remap(void)
{
	unsigned long i;

	/* Pages 20..23 show what lies at 40..43. */
	if (syscall(SYS_remap_file_pages, ra + 20 * PAGE, 4 * PAGE, 0, 40, 0))
		die_errno("remap_file_pages");
	if (syscall(SYS_remap_file_pages, wa + 20 * PAGE, 4 * PAGE, 0, 40, 0))
		die_errno("remap_file_pages");
	same_bytes(ra + 20 * PAGE, want_a + 40 * PAGE, 4 * PAGE, "remapped pages");
	same_bytes(wa + 20 * PAGE, want_a + 40 * PAGE, 4 * PAGE, "remapped writable pages");
	/* A write(2), and a store through the remapped pages, change both. */
	write_all(fd_w, "written", 7, 40 * PAGE + 5);
	memcpy(want_a + 40 * PAGE + 5, "written", 7);
	same_bytes(ra + 20 * PAGE, want_a + 40 * PAGE, 4 * PAGE, "remapped pages after a write");
	same_bytes(wa + 20 * PAGE, want_a + 40 * PAGE, 4 * PAGE, "remapped pages after a write");
	wa[21 * PAGE + 9] = want_a[41 * PAGE + 9] = 's';
	same_bytes(ra + 20 * PAGE, want_a + 40 * PAGE, 4 * PAGE, "remapped pages after a store");
	for (i = 20; i < 24; i++)	/* back again */
		if (syscall(SYS_remap_file_pages, ra + i * PAGE, PAGE, 0, i, 0) ||
		    syscall(SYS_remap_file_pages, wa + i * PAGE, PAGE, 0, i, 0))
			die_errno("remap_file_pages");
	look("remap_file_pages");
}

static void do_advice(void)
{
	static const int advice[] = { MADV_DONTNEED, MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT,
				      MADV_SEQUENTIAL, MADV_RANDOM, MADV_NORMAL };
	unsigned int i;

	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		sys(madvise(ra, SIZE, advice[i]));
		sys(madvise(rb, SIZE, advice[i]));
		sys(madvise(wa, SIZE, advice[i]));
		look("advice");
	}
	sys(posix_fadvise(a, 0, SIZE, POSIX_FADV_DONTNEED));
	sys(posix_fadvise(a, 0, SIZE, POSIX_FADV_WILLNEED));
	look("POSIX_FADV");
	if (fold_state(a) >= 0 && fold_state(a) != FOLDFS_STATE_JOINED)
		die("advice ended the sharing");
}

/* How many pages of the mapping are mapped now. */
static unsigned long mapped(const char *p)
{
	int fd = sys(open("/proc/self/pagemap", O_RDONLY));
	uint64_t entries[PAGES];
	unsigned long i, n = 0;

	if (pread(fd, entries, sizeof(entries), (uintptr_t)p / PAGE * 8) != sizeof(entries))
		die_errno("/proc/self/pagemap");
	close(fd);
	for (i = 0; i < PAGES; i++)
		n += entries[i] >> 63;
	return n;
}

static void do_populate(void)
{
	sys(madvise(ra, SIZE, MADV_DONTNEED));
	if (mapped(ra))
		die("MADV_DONTNEED leaves %lu pages mapped", mapped(ra));
	sys(madvise(ra, SIZE, MADV_POPULATE_READ));
	if (mapped(ra) != PAGES)
		die("MADV_POPULATE_READ mapped %lu pages of %lu", mapped(ra), PAGES);
	look("MADV_POPULATE_READ");
	if (fold_state(a) >= 0 && fold_state(a) != FOLDFS_STATE_JOINED)
		die("MADV_POPULATE_READ ended the sharing");
	sys(madvise(wa, SIZE / 2, MADV_POPULATE_WRITE));
	look("MADV_POPULATE_WRITE");
	/* Those pages can be stored to without a fault, and still only A changes. */
	memset(wa, 'p', SIZE / 2);
	memset(want_a, 'p', SIZE / 2);
	look("stores after MADV_POPULATE_WRITE");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} tests[] = {
		{ "advice", do_advice }, { "MADV_REMOVE", do_remove },
		{ "remap_file_pages", do_remap }, { "MADV_POPULATE", do_populate },
	};
	unsigned int i;

	if (argc != 2)
		die("usage: remap DIR");
	dir = argv[1];
	want_a = malloc(SIZE);
	want_b = malloc(SIZE);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		printf("%s\n", tests[i].name);
		set_up();
		tests[i].fn();
		tear_down();
	}
	/* What the disk has is what was last seen. */
	drop_caches();
	a = open_in(dir, "a", O_RDONLY);
	if (read_all(a, want_b, SIZE, 0) != SIZE)
		die("short read");
	same_bytes(want_b, want_a, SIZE, "A, from the disk");
	return 0;
}
