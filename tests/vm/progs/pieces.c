// SPDX-License-Identifier: GPL-2.0-only
/*
 * pieces make DIR	files A, B and C, and others made of pieces of them
 * pieces list		their names
 * pieces read DIR	compare each with what it must hold; prints by how much the
 *			page cache grew, in kB
 * pieces map DIR	the same through mappings
 */
#include "util.h"

#define NR_SOURCES	3
#define SOURCE_PAGES	512

struct piece {
	int source;			/* A, B, C, or -1: bytes of its own */
	unsigned int from, to, pages;	/* in pages */
	unsigned int cut;		/* bytes that the last page lacks at the file's end */
};

static const struct {
	const char *name;
	struct piece pieces[6];
} files[] = {
	/* one range at another offset, with an odd number of pages in front */
	{ "moved", { { -1, 0, 0, 7, 0 }, { 0, 130, 7, 200, 0 } } },
	/* one range from the middle to the beginning */
	{ "front", { { 1, 257, 0, 101, 0 } } },
	/* three files, at odd offsets, with private pages between */
	{ "three", { { 0, 3, 0, 65, 0 }, { 1, 400, 65, 33, 0 }, { -1, 0, 98, 3, 0 },
		     { 2, 17, 101, 300, 0 }, { 0, 11, 401, 1, 0 } } },
	/* the same range twice in one file */
	{ "twice", { { 2, 64, 0, 64, 0 }, { 2, 64, 64, 64, 0 } } },
	/* a hole, then a range that ends with the source's own tail */
	{ "tail", { { 2, 500, 20, 12, 1000 } } },
	/* a part of what others share, beginning inside their run */
	{ "part", { { 0, 150, 0, 20, 0 }, { 1, 300, 40, 8, 0 } } },
};

#define NR_FILES	(sizeof(files) / sizeof(files[0]))
#define SOURCE_SIZE	(SOURCE_PAGES * PAGE - 1000)

static const char *const sources[NR_SOURCES] = { "A", "B", "C" };

/* The bytes of file I; returns its size. */
static size_t plan(unsigned int i, char *buf)
{
	const struct piece *p;
	size_t size = 0, len;

	memset(buf, 0, SOURCE_PAGES * PAGE);
	for (p = files[i].pieces; p->pages; p++) {
		len = p->pages * PAGE - p->cut;
		fill_bytes(buf + p->to * PAGE, p->source < 0 ? 100 + i : (unsigned int)p->source + 1,
			   p->source < 0 ? p->to * PAGE : p->from * PAGE, len);
		size = p->to * PAGE + len;
	}
	return size;
}

static void make(const char *dir)
{
	static char buf[SOURCE_PAGES * PAGE];
	int src[NR_SOURCES];
	unsigned int i;

	for (i = 0; i < NR_SOURCES; i++) {
		make_file(dir, sources[i], i + 1, SOURCE_SIZE);
		src[i] = open_in(dir, sources[i], O_RDONLY);
	}
	for (i = 0; i < NR_FILES; i++) {
		int fd = open_in(dir, files[i].name, O_RDWR | O_CREAT | O_TRUNC);
		const struct piece *p;

		plan(i, buf);
		for (p = files[i].pieces; p->pages; p++) {
			struct file_clone_range r = {
				p->source < 0 ? 0 : src[p->source], p->from * PAGE,
				p->pages * PAGE - p->cut, p->to * PAGE,
			};

			if (p->source < 0)
				write_all(fd, buf + p->to * PAGE, p->pages * PAGE, p->to * PAGE);
			else
				sys(ioctl(fd, FICLONERANGE, &r));
		}
		sys(fsync(fd));
		close(fd);
	}
}

static void check(const char *dir, bool map)
{
	static char want[SOURCE_PAGES * PAGE], got[SOURCE_PAGES * PAGE + PAGE];
	long before = cached_kb();
	unsigned int i, round;

	for (round = 0; round < 3; round++)
		for (i = 0; i < NR_FILES + NR_SOURCES; i++) {
			const char *name = i < NR_FILES ? files[i].name : sources[i - NR_FILES];
			int fd = open_in(dir, name, O_RDONLY);
			size_t size, n;
			char *p;

			if (i < NR_FILES) {
				size = plan(i, want);
			} else {
				size = SOURCE_SIZE;
				fill_bytes(want, i - NR_FILES + 1, 0, size);
			}
			if (map) {
				p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
				if (p == MAP_FAILED)
					die_errno("mmap");
				same_bytes(p, want, size, name);
				if (round == 2)	/* the joins have happened meanwhile */
					munmap(p, size);
			} else {
				n = read_all(fd, got, sizeof(got), 0);
				if (n != size)
					die("%s has %zu bytes, expected %zu", name, n, size);
				same_bytes(got, want, size, name);
			}
			close(fd);
			if (map && i == NR_FILES + NR_SOURCES - 1)
				sleep_ms(700);
		}
	printf("%ld\n", cached_kb() - before);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 3 && !strcmp(argv[1], "make"))
		make(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "read"))
		check(argv[2], false);
	else if (argc == 3 && !strcmp(argv[1], "map"))
		check(argv[2], true);
	else if (argc == 2 && !strcmp(argv[1], "list"))
		for (i = 0; i < NR_FILES + NR_SOURCES; i++)
			printf("%s\n", i < NR_FILES ? files[i].name : sources[i - NR_FILES]);
	else
		die("usage: pieces make|read|map DIR, or pieces list");
	return 0;
}
