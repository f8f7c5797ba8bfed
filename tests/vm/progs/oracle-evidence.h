/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of oracle.c: what can still be seen when a word was wrong. All other
 * processes are stopped first, so that it is as near as can be to what it was.
 */
#ifndef ORACLE_EVIDENCE_H
#define ORACLE_EVIDENCE_H

static uint64_t number_of(const char *file, uint64_t nr)
{
	int fd = open(file, O_RDONLY);
	uint64_t entry = 0;

	if (fd >= 0 && pread(fd, &entry, sizeof(entry), nr * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry;
}

static void show_page(const char *when, int file, unsigned int word)
{
	const char *at = maps[file] + word * 8UL;
	uint64_t pfn = number_of("/proc/self/pagemap", (uintptr_t)at / PAGE) & ((1ULL << 55) - 1);

	fprintf(stderr, "evidence: %s: page %#llx, mapped %llu times, flags %#llx\n", when,
		(unsigned long long)pfn, (unsigned long long)number_of("/proc/kpagecount", pfn),
		(unsigned long long)number_of("/proc/kpageflags", pfn));
}

static void show_word(const char *what, uint64_t got)
{
	char text[80];

	fprintf(stderr, "evidence: %s: %s\n", what, spell(got, text));
}

static void look_at(const char *what, int file, unsigned int word)
{
	uint64_t got = GONE;

	from_page(&got, maps[file] + word * 8UL, 8);
	show_word(what, got);
}

static void read_word(const char *what, int fd, unsigned int word)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	uint64_t got = GONE;
	ssize_t n = pread(fd, page, PAGE, word / WORDS * PAGE);

	if (n >= (ssize_t)(word % WORDS + 1) * 8)
		memcpy(&got, page + word % WORDS * 8, 8);
	show_word(what, got);
}

static void show_events(int file, unsigned int word)
{
	struct block *block = &shm->files[file].blocks[word / WORDS];
	uint64_t now = now_us();
	unsigned int i;

	for (i = block->nr_events - MIN(block->nr_events, (uint32_t)NR_EVENTS);
	     i < block->nr_events; i++) {
		struct event *e = &block->events[i % NR_EVENTS];

		fprintf(stderr, "evidence: %lld us ago, for %lld us: process %u, operation %llu, "
			"%s, words %u to %u\n", (long long)(now - e->begin),
			e->end ? (long long)(e->end - e->begin) : -1, e->who,
			(unsigned long long)e->nr, e->name, e->from, e->to);
	}
}

static void show_map(const char *command, const char *where, int file)
{
	char line[512];

	snprintf(line, sizeof(line), "echo 'evidence: %s %s/f%d'; %s %s/f%d 2>&1 | head -n 80",
		 command, where, file, command, where, file);
	fflush(NULL);
	if (system(line))
		fprintf(stderr, "evidence: none\n");
}

/* The word of the file that was wrong in this process's mapping, or in its descriptor. */
static void evidence(int file, unsigned int word)
{
	unsigned int i;
	char name[8];
	int fd;

	for (i = 0; i < 32; i++)
		if (shm->pids[i] && i != me)
			kill(shm->pids[i], SIGSTOP);
	fprintf(stderr, "evidence: word %u of file %d, size %llu; the last changes of its block:\n",
		word, file, (unsigned long long)shm->files[file].size);
	show_events(file, word);
	show_page("the page", file, word);
	look_at("mapped, again", file, word);
	show_page("the page, afterwards", file, word);
	show_map("foldctl map", dir, file);
	read_word("read", fds[file], word);
	look_at("mapped, after the read", file, word);
	sprintf(name, "f%d", file);
	fd = open_in(lower, name, O_RDONLY | O_DIRECT);
	read_word("below, direct", fd, word);
	close(fd);
	show_map("xfs_io -r -c fiemap", lower, file);
	madvise(maps[file], NR_WORDS * 8, MADV_DONTNEED);
	look_at("mapped anew", file, word);
	show_page("the page", file, word);
}

#endif
