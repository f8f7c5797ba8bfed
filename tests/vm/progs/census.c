// SPDX-License-Identifier: GPL-2.0-only
/*
 * census FILE...: a process for each FILE maps it shared and read-only and touches
 * every page. Prints, as the kernel has it while all of them are mapped:
 *
 *	how many different physical pages they show, how many mappings of those
 *	pages there are (/proc/kpagecount), the sum of the mappings' Rss and of their
 *	Pss (kB)
 *
 * census -b SIZE FILE: which blocks of memory of SIZE bytes have pages of FILE, and how
 * many each, those with most pages first.
 */
#include "util.h"

struct mapper {
	pid_t pid;
	unsigned long addr;
	unsigned long pages;
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t entry_of(const char *file, uint64_t nr)
{
	int fd = sys(open(file, O_RDONLY));
	uint64_t entry;

	if (pread(fd, &entry, sizeof(entry), nr * sizeof(entry)) != sizeof(entry))
		die_errno("%s", file);
	close(fd);
	return entry;
}

static void start(struct mapper *m, const char *path)
{
	int ready[2], fd = sys(open(path, O_RDONLY));
	volatile char sink;
	struct stat st;
	char *map, done;
	size_t i;

	sys(fstat(fd, &st));
	m->pages = ALIGN(st.st_size, PAGE) / PAGE;
	map = mmap(NULL, m->pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	m->addr = (unsigned long)map;
	sys(pipe(ready));
	m->pid = sys(fork());
	if (!m->pid) {
		for (i = 0; i < m->pages; i++)
			sink = map[i * PAGE];
		(void)sink;
		sys(write(ready[1], "", 1));
		pause();
		_exit(0);
	}
	/* Only the child's is to count. */
	sys(munmap(map, m->pages * PAGE));
	close(fd);
	close(ready[1]);
	if (read(ready[0], &done, 1) != 1)
		die("%s: its process ended", path);
	close(ready[0]);
}

/* A figure of one mapping in smaps, in kB. */
static unsigned long smaps(const struct mapper *m, const char *key)
{
	char path[64], line[512], first[32];
	unsigned long kb = 0;
	bool here = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", m->pid);
	snprintf(first, sizeof(first), "%lx-", m->addr);
	f = fopen(path, "r");
	if (!f)
		die_errno("%s", path);
	while (fgets(line, sizeof(line), f)) {
		if (strchr("0123456789abcdef", line[0]))
			here = !strncmp(line, first, strlen(first));
		else if (here && !strncmp(line, key, strlen(key)))
			kb = strtoul(line + strlen(key), NULL, 10);
	}
	fclose(f);
	return kb;
}

struct block {
	uint64_t nr;
	unsigned long pages;
};

static int fuller(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return x->pages > y->pages ? -1 : x->pages < y->pages;
}

/* The frames are in order. */
static void print_blocks(const uint64_t *frames, unsigned long all, unsigned long size)
{
	struct block *blocks = calloc(all, sizeof(*blocks)), *b = blocks;
	unsigned long i;

	for (i = 0; i < all; i++) {
		if (i && frames[i] * PAGE / size != b->nr)
			b++;
		b->nr = frames[i] * PAGE / size;
		b->pages++;
	}
	qsort(blocks, all, sizeof(*blocks), fuller);
	for (b = blocks; b < blocks + all && b->pages; b++)
		printf("%llu %lu\n", (unsigned long long)b->nr, b->pages);
}

int main(int argc, char **argv)
{
	unsigned long all = 0, distinct = 0, mappings = 0, rss = 0, pss = 0, i;
	struct mapper *mappers = calloc(argc, sizeof(*mappers)), *m;
	uint64_t *frames = NULL, entry;
	unsigned long block = 0;
	char path[64];

	if (argc == 4 && !strcmp(argv[1], "-b")) {
		block = strtoul(argv[2], NULL, 0);
		argv += 2;
		argc -= 2;
	}
	if (argc < 2)
		die("usage: census FILE... | census -b SIZE FILE");
	for (m = mappers; m < mappers + argc - 1; m++)
		start(m, argv[1 + (m - mappers)]);
	for (m = mappers; m < mappers + argc - 1; m++) {
		frames = realloc(frames, (all + m->pages) * sizeof(*frames));
		snprintf(path, sizeof(path), "/proc/%d/pagemap", m->pid);
		for (i = 0; i < m->pages; i++) {
			entry = entry_of(path, m->addr / PAGE + i);
			if (entry >> 63)
				frames[all++] = entry & ((1ULL << 55) - 1);
		}
		rss += smaps(m, "Rss:");
		pss += smaps(m, "Pss:");
	}
	qsort(frames, all, sizeof(*frames), compare);
	for (i = 0; i < all; i++) {
		if (i && frames[i] == frames[i - 1])
			continue;
		distinct++;
		mappings += entry_of("/proc/kpagecount", frames[i]);
	}
	for (m = mappers; m < mappers + argc - 1; m++)
		kill(m->pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	if (block)
		print_blocks(frames, all, block);
	else
		printf("%lu %lu %lu %lu\n", distinct, mappings, rss, pss);
	return 0;
}
