// SPDX-License-Identifier: GPL-2.0-only
/*
 * A skewed workload on mapped files that do not fit into memory.
 *
 *	zipf LABEL ACCESSES FILE...
 *
 * One process for each FILE maps it shared and read-only. The first process touches
 * every page once, so that memory is full; then each reads a word of a page ACCESSES
 * times to warm up and as often again to be measured. Pages are chosen by Zipf's
 * law with exponent 0.9, the hot ones scattered over the file; all processes have
 * the same hot pages, in another order of accesses. Every word is checked.
 *
 *	RESULT LABEL key value
 */
#include <err.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define EXPONENT 0.9

static double *cumulated;	/* chance of one of the pages up to this rank */
static uint32_t *page_of_rank;
static size_t pages;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void prepare(void)
{
	uint64_t state = 0x9e3779b97f4a7c15ULL;
	double sum = 0;

	cumulated = malloc(pages * sizeof(*cumulated));
	page_of_rank = malloc(pages * sizeof(*page_of_rank));
	if (!cumulated || !page_of_rank)
		err(1, "%zu pages", pages);
	for (size_t i = 0; i < pages; i++) {
		sum += pow(i + 1, -EXPONENT);
		cumulated[i] = sum;
		page_of_rank[i] = i;
	}
	for (size_t i = 0; i < pages; i++)
		cumulated[i] /= sum;
	for (size_t i = pages - 1; i; i--) {
		size_t j = next_random(&state) % (i + 1);
		uint32_t page = page_of_rank[i];

		page_of_rank[i] = page_of_rank[j];
		page_of_rank[j] = page;
	}
}

static size_t choose(uint64_t *state)
{
	double x = (next_random(state) >> 11) * 0x1p-53;
	size_t low = 0, high = pages - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (cumulated[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return page_of_rank[low];
}

/* The file's pages begin with their own number, see reclaim.sh. */
static void look(const volatile char *map, size_t page)
{
	uint64_t word = *(const volatile uint64_t *)(map + page * PAGE);

	if (word != page)
		errx(1, "page %zu holds %llu", page, (unsigned long long)word);
}

static void run(const volatile char *map, long accesses, uint64_t *state)
{
	while (accesses--)
		look(map, choose(state));
}

static long vmstat(const char *key)
{
	FILE *file = fopen("/proc/vmstat", "re");
	char name[64];
	long value;

	if (!file)
		err(1, "/proc/vmstat");
	while (fscanf(file, "%63s %ld", name, &value) == 2)
		if (!strcmp(name, key)) {
			fclose(file);
			return value;
		}
	fclose(file);
	return 0;
}

/* Seconds that the processors have not been idle, since boot. */
static double busy(void)
{
	FILE *file = fopen("/proc/stat", "re");
	long user, nice, system, idle, wait, irq, softirq;

	if (!file || fscanf(file, "cpu %ld %ld %ld %ld %ld %ld %ld", &user, &nice, &system,
			    &idle, &wait, &irq, &softirq) != 7)
		err(1, "/proc/stat");
	fclose(file);
	return (double)(user + nice + system + irq + softirq) / sysconf(_SC_CLK_TCK);
}

/* Waits at a pipe until the parent has read the counters between two phases. */
static void child(const char *file, int nr, long accesses, int ready, int go)
{
	uint64_t state = 88172645463325252ULL + nr * 977;
	struct rusage warm, all;
	const char *map;
	double start;
	char byte;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", file);
	map = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s", file);
	if (!nr)
		for (size_t page = 0; page < pages; page++)
			look(map, page);
	run(map, accesses, &state);
	getrusage(RUSAGE_SELF, &warm);
	if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 1)
		err(1, "pipe");
	start = now();
	run(map, accesses, &state);
	start = now() - start;
	getrusage(RUSAGE_SELF, &all);
	dprintf(ready, "%ld %ld %f\n", all.ru_majflt - warm.ru_majflt,
		all.ru_minflt - warm.ru_minflt, start);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const char *const keys[] = {
		"workingset_refault_file", "workingset_activate_file", "pgsteal_kswapd",
		"pgsteal_direct", "pgpgin", "pgscan_file", "pgactivate", "pgdeactivate",
		"pgrotated",
	};
	enum { NR_KEYS = sizeof(keys) / sizeof(keys[0]) };
	long before[NR_KEYS], after[NR_KEYS], accesses, major = 0, minor = 0;
	double seconds = 0, cpu;
	int files = argc - 3, ready[2], go[2], failed = 0;
	struct stat st;
	FILE *answers;
	char byte;

	if (files < 1 || (accesses = atol(argv[2])) < 1)
		errx(2, "usage: zipf LABEL ACCESSES FILE...");
	if (stat(argv[3], &st))
		err(1, "%s", argv[3]);
	pages = st.st_size / PAGE;
	prepare();
	if (pipe(ready) || pipe(go))
		err(1, "pipe");
	fflush(stdout);
	for (int i = 0; i < files; i++)
		if (!fork())
			child(argv[3 + i], i, accesses, ready[1], go[0]);
	close(ready[1]);

	for (int i = 0; i < files; i++)
		if (read(ready[0], &byte, 1) != 1)
			errx(1, "a process has ended early");
	for (int k = 0; k < NR_KEYS; k++)
		before[k] = vmstat(keys[k]);
	cpu = busy();
	for (int i = 0; i < files; i++)
		if (write(go[1], "", 1) != 1)
			err(1, "pipe");

	answers = fdopen(ready[0], "r");
	for (int i = 0; i < files; i++) {
		long one_major, one_minor;
		double one_seconds;

		if (fscanf(answers, "%ld %ld %lf", &one_major, &one_minor, &one_seconds) != 3)
			errx(1, "a process has ended early");
		major += one_major;
		minor += one_minor;
		seconds += one_seconds / files;
	}
	cpu = busy() - cpu;
	for (int k = 0; k < NR_KEYS; k++)
		after[k] = vmstat(keys[k]);
	for (int i = 0; i < files; i++) {
		int status;

		if (wait(&status) < 0 || status)
			failed = 1;
	}

	printf("RESULT %s accesses %ld\n", argv[1], accesses * files);
	printf("RESULT %s major_faults %ld\n", argv[1], major);
	printf("RESULT %s minor_faults %ld\n", argv[1], minor);
	printf("RESULT %s seconds %.3f\n", argv[1], seconds);
	printf("RESULT %s busy_seconds %.3f\n", argv[1], cpu);
	for (int k = 0; k < NR_KEYS; k++)
		printf("RESULT %s %s %ld\n", argv[1], keys[k], after[k] - before[k]);
	return failed;
}
