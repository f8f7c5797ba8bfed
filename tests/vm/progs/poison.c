// SPDX-License-Identifier: GPL-2.0-only
/*
 * poison A B WANT: clones A and B are mapped; the memory of one of their shared
 * pages fails (MADV_HWPOISON). Whoever looks at that page gets the right bytes or
 * SIGBUS (EIO), everything else is as WANT has it; and when those who had it mapped
 * have gone, both files can be read and mapped in full again.
 */
#include "util.h"
#include <setjmp.h>

#define AT	(100 * PAGE)

static sigjmp_buf no_page;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(no_page, 1);
}

static size_t len;
static char *want, *got;

static char *map_file(const char *path)
{
	int fd = sys(open(path, O_RDONLY));
	char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die_errno("mmap");
	close(fd);
	return map;
}

/* Returns how many of a mapping's pages cannot be looked at. */
static unsigned int look(const char *what, char *map)
{
	volatile unsigned int lost = 0;
	volatile size_t at;

	for (at = 0; at < len; at += PAGE) {
		if (sigsetjmp(no_page, 1)) {
			lost++;
			continue;
		}
		same_bytes(map + at, want + at, PAGE, what);
	}
	return lost;
}

static unsigned int read_pages(const char *path)
{
	int fd = sys(open(path, O_RDONLY));
	unsigned int lost = 0;
	size_t at;
	ssize_t n;

	for (at = 0; at < len; at += PAGE) {
		n = pread(fd, got, PAGE, at);
		if (n < 0 && (errno == EIO || errno == EHWPOISON)) {
			lost++;
			continue;
		}
		if (n != (ssize_t)PAGE)
			die_errno("%s: read of %zd bytes", path, n);
		same_bytes(got, want + at, PAGE, path);
	}
	close(fd);
	return lost;
}

static void victim(void *arg)
{
	char **argv = arg, *a = map_file(argv[1]), *b = map_file(argv[2]);
	unsigned int in_a, in_b, read_a, read_b;

	signal(SIGBUS, on_bus);
	if (look("a", a) || look("b", b))
		die("SIGBUS before anything has failed");
	if (madvise(a + AT, PAGE, 100 /* MADV_HWPOISON */) && errno != EBUSY &&
	    errno != EHWPOISON)		/* not unmapped, not split */
		die_errno("MADV_HWPOISON");
	in_a = look("a, mapped", a);
	in_b = look("b, mapped", b);
	read_a = read_pages(argv[1]);
	read_b = read_pages(argv[2]);
	printf("lost pages: %u and %u mapped, %u and %u read\n", in_a, in_b, read_a, read_b);
	/* A folio of 16 pages may go as a whole. */
	if (in_a > 16 || in_b > 16 || read_a > 16 || read_b > 16)
		die("one page failed, %u %u %u %u are lost", in_a, in_b, read_a, read_b);
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd;

	if (argc != 4)
		die("usage: poison A B WANT");
	fd = sys(open(argv[3], O_RDONLY));
	sys(fstat(fd, &st));
	len = st.st_size / PAGE * PAGE;
	want = malloc(len);
	got = malloc(PAGE);
	read_all(fd, want, len, 0);
	within(120, "the victim", victim, argv);
	signal(SIGBUS, on_bus);
	if (read_pages(argv[1]) || read_pages(argv[2]))
		die("pages are lost to readers, though nobody maps them any more");
	if (look("a, at last", map_file(argv[1])) || look("b, at last", map_file(argv[2])))
		die("pages are lost to mappings, though nobody maps them any more");
	return 0;
}
