// SPDX-License-Identifier: GPL-2.0-only
/*
 * lookups SOURCE FILE JOINS ROUNDS
 *
 * While three processes read FILE, by read(2) and through mappings, it becomes a
 * clone of SOURCE ROUNDS times, joins, as the file JOINS counts, and is then written
 * to page by page, so that its share map grows and shrinks under their lookups. What
 * they read is SOURCE's, but for each page's first byte.
 */
#include "util.h"

#define READERS	3

static char *source;
static unsigned long pages;

static void check(const char *page, unsigned long nr, const char *how)
{
	if (page[0] != 'x' && page[0] != source[nr * PAGE])
		die("page %lu, %s: the first byte is %d", nr, how, page[0]);
	if (memcmp(page + 1, source + nr * PAGE + 1, PAGE - 1))
		die("page %lu, %s: another's bytes", nr, how);
}

static void __attribute__((noreturn)) read_on(const char *path, uint64_t seed)
{
	char page[PAGE];

	for (;;) {
		int fd = sys(open(path, O_RDONLY));
		char *map = sys(mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0));

		for (unsigned long i = 0; i < 64; i++) {
			unsigned long nr = (seed = mix(seed)) % pages;

			if (i % 2) {
				check(map + nr * PAGE, nr, "mapped");
			} else {
				if (pread(fd, page, PAGE, nr * PAGE) != PAGE)
					die_errno("pread");
				check(page, nr, "read");
			}
		}
		munmap(map, pages * PAGE);
		close(fd);
	}
}

static unsigned long count(const char *path)
{
	int fd = sys(open(path, O_RDONLY));
	char text[32] = "";

	sys(read(fd, text, sizeof(text) - 1));
	close(fd);
	return strtoul(text, NULL, 10);
}

static void change(const char *path, int from, const char *joins)
{
	unsigned long had = count(joins);
	int fd = sys(open(path, O_WRONLY));

	sys(ioctl(fd, FICLONE, from));
	close(fd);
	while (count(joins) == had)
		usleep(1000);
	for (unsigned long i = 0; i < pages; i++) {
		fd = sys(open(path, O_WRONLY));
		/* No two in a row: each cuts an extent in two. */
		write_all(fd, "x", 1, i * 37 % pages * PAGE);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	pid_t readers[READERS];
	struct stat st;
	int from;

	if (argc != 5)
		die("usage: see the source");
	from = sys(open(argv[1], O_RDONLY));
	sys(fstat(from, &st));
	pages = st.st_size / PAGE;
	source = malloc(pages * PAGE);
	if (!source || read_all(from, source, pages * PAGE, 0) != pages * PAGE)
		die("cannot read %s", argv[1]);
	for (int i = 0; i < READERS; i++) {
		readers[i] = sys(fork());
		if (!readers[i])
			read_on(argv[2], i);
	}
	for (long i = 0; i < atol(argv[4]); i++)
		change(argv[2], from, argv[3]);
	for (int i = 0; i < READERS; i++) {
		int status;

		kill(readers[i], SIGKILL);
		sys(waitpid(readers[i], &status, 0));
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			die("a reader has ended");
	}
	return 0;
}
