// SPDX-License-Identifier: GPL-2.0-only
/*
 * aging HOT COLD FILE: maps FILE and uses one page in 64 of its first HOT MiB again
 * and again while it goes once over the COLD MiB behind them. Prints how many major
 * faults the hot pages took, once all of them had been there, and how many the cold
 * ones.
 *
 * aging hold MIB FILE: maps the first MIB MiB, touches every page, writes its process
 * ID and how often it has done so to /tmp/held, and does so again when it is sent
 * SIGUSR1.
 */
#include <signal.h>
#include <sys/resource.h>

#include "util.h"

/* Further apart than one fault's readahead reaches. */
#define APART	64

static volatile char sink;

static char *map_file(const char *path, size_t pages)
{
	int fd = sys(open(path, O_RDONLY));
	char *map = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die_errno("mmap");
	return map;
}

static long major_faults(void)
{
	struct rusage usage;

	sys(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_majflt;
}

static void hold(size_t pages, const char *path)
{
	char *map = map_file(path, pages);
	unsigned int times = 0;
	sigset_t set;
	FILE *held;
	size_t i;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		for (i = 0; i < pages; i++)
			sink = map[i * PAGE];
		held = fopen("/tmp/held.new", "w");
		if (!held || fprintf(held, "%d %u\n", getpid(), ++times) < 0 || fclose(held))
			die_errno("/tmp/held");
		sys(rename("/tmp/held.new", "/tmp/held"));
		sigwait(&set, &sig);
	}
}

/*
 * Has the processor forget its translations, by unmapping a lot of pages. An
 * emulated one remembers all of them for ever, and then sees no use of a page again
 * after its accessed bit was cleared.
 */
static void forget(char *scratch)
{
	size_t i;

	for (i = 0; i < 64; i++)
		scratch[i * PAGE] = 1;
	sys(madvise(scratch, 64 * PAGE, MADV_DONTNEED));
}

int main(int argc, char **argv)
{
	size_t hot, cold, i, j, next = 0;
	long before, hot_faults = 0, cold_faults = 0;
	char *map, *scratch;

	if (argc != 4)
		die("usage: aging HOT COLD FILE | aging hold MIB FILE");
	if (!strcmp(argv[1], "hold"))
		hold(atol(argv[2]) * 256, argv[3]);
	hot = atol(argv[1]) * 256;
	cold = atol(argv[2]) * 256;
	map = map_file(argv[3], hot + cold);
	scratch = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scratch == MAP_FAILED)
		die_errno("mmap");
	for (i = 0; i < hot; i += APART)
		sink = map[i * PAGE];
	for (i = 0; i < cold; i++) {
		before = major_faults();
		sink = map[(hot + i) * PAGE];
		cold_faults += major_faults() - before;
		/* Every hot page once for so many cold ones. */
		if (i % 16)
			continue;
		before = major_faults();
		for (j = 0; j < 64; j++, next++)
			sink = map[next * APART % hot * PAGE];
		hot_faults += major_faults() - before;
		forget(scratch);
	}
	printf("%ld %ld\n", hot_faults, cold_faults);
	return 0;
}
