// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files whose pages say whose they are and which, and those who read them all
 * at the same time.
 *
 *	daxload make FILE PAGES OWNER	write the pages that OWNER has of his own:
 *					all for 0, every seventh for a clone
 *	daxload touch DIR CLONES PAGES	map base and clones (DIR/0 to DIR/CLONES),
 *					look at each page of each
 *	daxload run DIR CLONES PAGES PROCESSES OPERATIONS
 *					read at random: mapped, copied, copied into
 *					a private mapping of another of the files
 *	daxload poison DIR CLONES PAGES	tell the kernel that the memory below a page
 *					which all show has failed; they all show it still
 *	daxload pin DIR CLONES PAGES DEVICE NUMBER
 *					start an asynchronous direct write of the
 *					base's first NUMBER pages to DEVICE, unmap them,
 *					print "pinned"; end when it is over, after
 *					a line on standard input
 *
 * A wrong word ends it with a message. "run" prints how many pages were judged.
 */
#include "util.h"
#include <linux/aio_abi.h>

#define WORDS		(PAGE / sizeof(uint64_t))
#define MAX_FILES	64
#define LONGEST		96	/* pages of one read(2) */

static int fds[MAX_FILES];
static const uint64_t *maps[MAX_FILES];
static unsigned int files, pages;
static uint64_t state;

static bool owns(unsigned int owner, unsigned int page)
{
	return !owner || page % 7 == owner % 7;
}

static uint64_t word(unsigned int file, unsigned int page)
{
	return (uint64_t)(owns(file, page) ? file : 0) << 32 | (page + 1);
}

/* Each word of the page, so that half a page of another block is seen. */
static void judge(const uint64_t *data, unsigned int file, unsigned int page, const char *how)
{
	uint64_t want = word(file, page);
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		if (data[i] != want)
			die("%s: file %u page %u word %u is %llx, not %llx", how, file, page, i,
			    (unsigned long long)data[i], (unsigned long long)want);
}

static void make(const char *file, unsigned int owner)
{
	int fd = sys(open(file, O_RDWR | O_CREAT, 0644));
	uint64_t data[WORDS];
	unsigned int page, i;

	for (page = 0; page < pages; page++) {
		if (!owns(owner, page))
			continue;
		for (i = 0; i < WORDS; i++)
			data[i] = word(owner, page);
		if (pwrite(fd, data, PAGE, page * PAGE) != (ssize_t)PAGE)
			die("write %s: %s", file, strerror(errno));
	}
	sys(fsync(fd));
	close(fd);
}

static void open_all(const char *dir)
{
	char name[256];
	unsigned int f;

	for (f = 0; f < files; f++) {
		snprintf(name, sizeof(name), "%s/%u", dir, f);
		fds[f] = sys(open(name, O_RDONLY));
		maps[f] = sys(mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fds[f], 0));
	}
}

static unsigned int draw(unsigned int below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 33) % below;
}

static uint64_t *buffer;

static unsigned int read_some(uint64_t *to, unsigned int file, unsigned int page, unsigned int n,
			      const char *how)
{
	ssize_t got = pread(fds[file], to, n * PAGE, page * PAGE);
	unsigned int i;

	if (got != (ssize_t)(n * PAGE))
		die("%s: %zd of %lu bytes: %s", how, got, n * PAGE, strerror(errno));
	for (i = 0; i < n; i++)
		judge(to + i * WORDS, file, page + i, how);
	return n;
}

static unsigned int one(void)
{
	unsigned int file = draw(files), page = draw(pages), n, i, other;
	uint64_t *private;

	n = 1 + draw(MIN(LONGEST, pages - page));
	switch (draw(4)) {
	case 0:
		return read_some(buffer, file, page, n, "read");
	case 1:
		/* Faults in the middle of a copy, which copy pages of their own. */
		other = draw(files);
		private = sys(mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[other],
				   draw(pages - n + 1) * PAGE));
		read_some(private, file, page, n, "read into a private mapping");
		munmap(private, n * PAGE);
		return n;
	case 2:
		for (i = 0; i < n; i++)
			judge(maps[file] + (page + i) * WORDS, file, page + i, "mapped in a row");
		return n;
	default:
		for (i = 0; i < n; i++) {
			page = draw(pages);
			judge(maps[file] + page * WORDS, file, page, "mapped at random");
		}
		return n;
	}
}

static void run(unsigned int processes, unsigned long operations)
{
	uint64_t *judged = sys(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				    -1, 0));
	bool failed = false;
	unsigned int p;
	int status;

	for (p = 0; p < processes; p++) {
		if (fork())
			continue;
		state = p + 1;
		buffer = sys(mmap(NULL, LONGEST * PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		while (operations--)
			__atomic_fetch_add(judged, one(), __ATOMIC_RELAXED);
		exit(0);
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	if (failed)
		die("a reader failed");
	printf("%llu\n", (unsigned long long)*judged);
}

static void touch(void)
{
	unsigned int f, page;

	for (f = 0; f < files; f++)
		for (page = 0; page < pages; page++)
			judge(maps[f] + page * WORDS, f, page, "mapped");
}

static void poison(void)
{
	unsigned int f, page;

	/* One that no clone has of his own. */
	for (page = 0; page % 7 < files; page++)
		;
	for (f = 0; f < files; f++)
		judge(maps[f] + page * WORDS, f, page, "before");
	sys(madvise((void *)(maps[0] + page * WORDS), PAGE, MADV_HWPOISON));
	for (f = 0; f < files; f++)
		judge(maps[f] + page * WORDS, f, page, "after");
}

static void pin(const char *device, unsigned int number)
{
	struct iocb iocb = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_nbytes = number * PAGE };
	struct iocb *list[] = { &iocb };
	aio_context_t ctx = 0;
	struct io_event event;
	char line[16];
	void *map;

	map = sys(mmap(NULL, number * PAGE, PROT_READ, MAP_SHARED, fds[0], 0));
	iocb.aio_fildes = sys(open(device, O_RDWR | O_DIRECT));
	iocb.aio_buf = (uintptr_t)map;
	sys(syscall(SYS_io_setup, 1, &ctx));
	if (sys(syscall(SYS_io_submit, ctx, 1, list)) != 1)
		die("io_submit");
	munmap(map, number * PAGE);
	puts("pinned");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return;
	if (sys(syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL)) != 1 ||
	    event.res != (long)(number * PAGE))
		die("the write has not succeeded");
	puts("over");
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "make")) {
		pages = atoi(argv[3]);
		make(argv[2], atoi(argv[4]));
		return 0;
	}
	if (argc < 5)
		die("usage: daxload make|touch|run|poison|pin ...");
	files = atoi(argv[3]) + 1;
	pages = atoi(argv[4]);
	if (files > MAX_FILES)
		die("at most %d clones", MAX_FILES - 1);
	open_all(argv[2]);
	if (!strcmp(argv[1], "touch"))
		touch();
	else if (!strcmp(argv[1], "poison"))
		poison();
	else if (argc == 7 && !strcmp(argv[1], "run"))
		run(atoi(argv[5]), atol(argv[6]));
	else if (argc == 7 && !strcmp(argv[1], "pin"))
		pin(argv[5], atoi(argv[6]));
	else
		die("usage: daxload make|touch|run|poison|pin ...");
	return 0;
}
