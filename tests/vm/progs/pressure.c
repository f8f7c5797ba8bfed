// SPDX-License-Identifier: GPL-2.0-only
/*
 * pressure MIB ANON FILE...: one process for each FILE (clones of so many MiB
 * that `pressure make MIB FILE` wrote) maps it and keeps looking at it, while
 * ANON MiB of anonymous memory are wanted, used and given back. Prints how many
 * pages all processes looked at during and after that.
 *
 * With -w, the process of every second FILE writes to it instead, by write(2) and
 * by stores, and looks at what it has written.
 */
#include "util.h"

#define ID	41
#define MOST	128

static struct {
	int stop;
	uint64_t looked, rounds[MOST];
} *shm;

static void make(const char *path, size_t mib)
{
	int fd = sys(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	char *buf = malloc(1 << 20);
	size_t i;

	for (i = 0; i < mib; i++) {
		fill_bytes(buf, ID, i << 20, 1 << 20);
		write_all(fd, buf, 1 << 20, i << 20);
	}
	sys(fsync(fd));
	close(fd);
}

/* One word of each page, and all of some pages. */
static void look(const char *map, size_t pages, uint64_t round)
{
	char want[PAGE];
	uint64_t word;
	size_t i, at;

	for (i = 0; i < pages; i++) {
		at = i * PAGE + (round * 8 + i * 64) % PAGE;
		fill_bytes(&word, ID, at, 8);
		if (memcmp(map + at, &word, 8))
			die("page %zu is wrong at byte %zu", i, at % PAGE);
		if (i % 512 == round % 512) {
			fill_bytes(want, ID, i * PAGE, PAGE);
			same_bytes(map + i * PAGE, want, PAGE, "a page of a mapping");
		}
		if (i % 1024 == 0)
			__atomic_add_fetch(&shm->looked, 1024, __ATOMIC_RELAXED);
	}
}

static void mapper(const char *path, size_t mib, int me)
{
	int fd = sys(open(path, O_RDONLY));
	char *map = mmap(NULL, mib << 20, PROT_READ, me & 1 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	uint64_t round;

	if (map == MAP_FAILED)
		die_errno("mmap");
	for (round = 0; !__atomic_load_n(&shm->stop, __ATOMIC_RELAXED); round++) {
		look(map, (mib << 20) / PAGE, round);
		__atomic_store_n(&shm->rounds[me], round + 1, __ATOMIC_RELAXED);
		sleep_ms(500);
	}
	_exit(0);
}

/* A round writes 64 pages and looks at those of the round before. */
static void writer(const char *path, size_t mib, int me)
{
	size_t pages = (mib << 20) / PAGE, page;
	int fd = sys(open(path, O_RDWR)), i;
	char *map = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char bytes[PAGE];
	uint64_t round;

	if (map == MAP_FAILED)
		die_errno("mmap");
	for (round = 0; !__atomic_load_n(&shm->stop, __ATOMIC_RELAXED); round++) {
		for (i = 0; i < 64; i++) {
			page = mix(me * 1000003ULL + round * 64 + i) % pages;
			fill_bytes(bytes, ID + 2 + me, page * PAGE, PAGE);
			if (i & 1)
				memcpy(map + page * PAGE, bytes, PAGE);
			else
				write_all(fd, bytes, PAGE, page * PAGE);
		}
		for (i = 0; round && i < 64; i++) {
			page = mix(me * 1000003ULL + (round - 1) * 64 + i) % pages;
			fill_bytes(bytes, ID + 2 + me, page * PAGE, PAGE);
			same_bytes(map + page * PAGE, bytes, PAGE, "a page that was written");
		}
		__atomic_store_n(&shm->rounds[me], round + 1, __ATOMIC_RELAXED);
		sleep_ms(50);
	}
	_exit(0);
}

static void wait_rounds(int nr, uint64_t more)
{
	uint64_t want[MOST];
	int i;

	waits_for("each process to get through its mapping");

	for (i = 0; i < nr; i++)
		want[i] = __atomic_load_n(&shm->rounds[i], __ATOMIC_RELAXED) + more;
	for (i = 0; i < nr; i++)
		while (__atomic_load_n(&shm->rounds[i], __ATOMIC_RELAXED) < want[i]) {
			if (waitpid(-1, NULL, WNOHANG) > 0)
				die("a process ended early");
			sleep_ms(50);
		}
	waits_for(NULL);
}

int main(int argc, char **argv)
{
	size_t mib, anon, i;
	uint64_t during;
	pid_t pids[MOST];
	int nr, writers;
	char *p;

	if (argc == 4 && !strcmp(argv[1], "make")) {
		make(argv[3], strtoul(argv[2], NULL, 0));
		return 0;
	}
	writers = argc > 1 && !strcmp(argv[1], "-w");
	argc -= writers;
	argv += writers;
	nr = argc - 3;
	if (nr < 1 || nr > MOST)
		die("usage: pressure [-w] MIB ANON FILE..., or pressure make MIB FILE");
	mib = strtoul(argv[1], NULL, 0);
	anon = strtoul(argv[2], NULL, 0) << 20;
	shm = sys(mmap(NULL, sizeof(*shm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (i = 0; i < (size_t)nr; i++) {
		pids[i] = sys(fork());
		if (pids[i])
			continue;
		if (writers && i & 1)
			writer(argv[3 + i], mib, i);
		mapper(argv[3 + i], mib, i);
	}
	wait_rounds(nr, 2);	/* twice: joined in between */

	during = __atomic_load_n(&shm->looked, __ATOMIC_RELAXED);
	p = sys(mmap(NULL, anon, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (i = 0; i < anon; i += PAGE)
		fill_bytes(p + i, ID + 1, i, 64);
	for (i = 0; i < anon; i += PAGE) {
		char want[64];

		fill_bytes(want, ID + 1, i, 64);
		same_bytes(p + i, want, 64, "anonymous memory");
	}
	during = __atomic_load_n(&shm->looked, __ATOMIC_RELAXED) - during;
	munmap(p, anon);

	wait_rounds(nr, 2);	/* every page of every mapping comes back */
	shm->stop = 1;
	for (i = 0; i < (size_t)nr; i++)
		if (reap_within(pids[i], 60, "a process with a mapping"))
			die("a process with a mapping failed");
	printf("%llu %llu\n", (unsigned long long)during, (unsigned long long)shm->looked);
	return 0;
}
