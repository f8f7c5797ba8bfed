// SPDX-License-Identifier: GPL-2.0-only
/*
 * chaos SECONDS SEED DIR: processes that read, map, write and clone a few files
 * in DIR, and that are killed at random moments. In the end the untouched clones
 * hold what they held.
 */
#include "util.h"
#include <sys/prctl.h>

#define NR	6			/* clones; the first two are only read */
#define WORKERS	5
#define SIZE	(1UL << 20)
#define ID	31

static const char *dir;
static uint64_t seed;

static uint64_t draw(void)
{
	return seed = mix(seed);
}

static void do_read(int fd, char *buf)
{
	size_t off = draw() % SIZE;

	if (pread(fd, buf, draw() % (SIZE / 4), off) < 0)
		die_errno("pread");
}

static void do_touch(int fd)
{
	volatile char *p = mmap(NULL, SIZE, PROT_READ, draw() & 1 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	struct stat st;
	size_t i;

	if (p == MAP_FAILED)
		die_errno("mmap");
	/* Files that are written may be shorter at times. */
	sys(fstat(fd, &st));
	for (i = 0; i < 64 && st.st_size == (off_t)SIZE; i++)
		(void)p[draw() % SIZE];
	munmap((void *)p, SIZE);
}

static void do_store(int fd)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	size_t i;

	if (p == MAP_FAILED)
		die_errno("mmap");
	for (i = 0; i < 16; i++)
		p[draw() % SIZE] = i;
	munmap(p, SIZE);
}

/* Works until it is killed. */
static void work(void)
{
	char *buf = aligned_alloc(PAGE, SIZE), name[2][16];
	struct stat st;
	int fd, src;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(buf, 'c', SIZE);
	for (;;) {
		unsigned int i = draw() % NR, way = draw() % 12;
		bool change = way >= 6 && i >= 2;
		off_t off = draw() % SIZE;

		sprintf(name[0], "f%u", i);
		sprintf(name[1], "f%u", (unsigned int)(draw() % NR));
		fd = open_in(dir, name[0], (change ? O_RDWR : O_RDONLY) |
			     (change && way == 7 ? O_DIRECT : 0));
		if (!change) {
			if (way & 1)
				do_read(fd, buf);
			else
				do_touch(fd);
			if (way == 11)
				drop_caches();
		} else if (way == 6 || way == 8) {
			sys(pwrite(fd, buf, draw() % (SIZE / 8), off));
		} else if (way == 7) {
			sys(pwrite(fd, buf, 8 * PAGE, off & -PAGE));
		} else if (way == 9) {
			sys(ftruncate(fd, off));
			sys(ftruncate(fd, SIZE));
		} else if (way == 10) {
			src = open_in(dir, name[1], O_RDONLY);
			if (strcmp(name[0], name[1]) && ioctl(fd, FICLONE, src) && errno != EINVAL &&
			    errno != EINTR)
				die_errno("FICLONE");
			close(src);
		} else {
			sys(fstat(fd, &st));
			if (st.st_size == (off_t)SIZE)
				do_store(fd);
		}
		close(fd);
	}
}

int main(int argc, char **argv)
{
	char *want = malloc(SIZE), *got = malloc(SIZE), name[16];
	unsigned int kills = 0, alive = 0, i;
	pid_t pids[WORKERS] = { };
	uint64_t end;
	int fd, status;

	if (argc != 4)
		die("usage: chaos SECONDS SEED DIR");
	dir = argv[3];
	seed = mix(strtoull(argv[2], NULL, 0));
	make_file(dir, "f0", ID, SIZE);
	fd = open_in(dir, "f0", O_RDONLY);
	for (i = 1; i < NR; i++) {
		sprintf(name, "f%u", i);
		clone_to(fd, dir, name);
	}
	close(fd);
	end = now_us() + strtoul(argv[1], NULL, 0) * 1000000ULL;
	while (now_us() < end) {
		i = draw() % WORKERS;
		if (pids[i]) {
			kill(pids[i], SIGKILL);
			status = reap_within(pids[i], 20, "a killed worker");
			if (!WIFSIGNALED(status))
				die("a worker failed, wait status %#x", status);
			kills++;
			alive--;
		}
		pids[i] = sys(fork());
		if (!pids[i]) {
			seed = mix(seed + kills * 64 + i);
			work();
		}
		alive++;
		usleep(draw() % 60000);
	}
	for (i = 0; i < WORKERS; i++)
		if (pids[i]) {
			kill(pids[i], SIGKILL);
			reap_within(pids[i], 20, "a killed worker");
		}
	fill_bytes(want, ID, 0, SIZE);
	for (i = 0; i < 2; i++) {
		sprintf(name, "f%u", i);
		fd = open_in(dir, name, O_RDONLY);
		if (read_all(fd, got, SIZE, 0) != SIZE)
			die("%s: short read", name);
		same_bytes(got, want, SIZE, name);
		close(fd);
	}
	printf("%u\n", kills);
	return 0;
}
