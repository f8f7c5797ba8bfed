// SPDX-License-Identifier: GPL-2.0-only
/*
 * starve make DIR: clones of one file, half of each to be written.
 * starve run DIR SECONDS: reads, maps and writes them while allocations may fail.
 * What fails with ENOMEM (or kills a child by SIGBUS, in a fault) has failed; what
 * succeeds has the right bytes.
 * starve check DIR: everything, when nothing fails.
 */
#include "util.h"

#define CLONES	6
#define PAGES	256UL
#define SIZE	(PAGES * PAGE)

static const char *dir;
static uint64_t failed, done;

static char *name_of(unsigned int i)
{
	static char name[16];

	sprintf(name, "c%u", i);
	return name;
}

/* Pages of the second half may hold any version of their own: each says which. */
static void right_page(unsigned int i, unsigned long page, const char *got, const char *what)
{
	uint64_t version;
	char want[PAGE];

	fill_bytes(want, 5, page * PAGE, PAGE);
	if (page >= PAGES / 2) {
		memcpy(&version, got, 8);
		if (version >> 32 == 0xc0de) {
			fill_bytes(want, 1000 + i, page * PAGE, PAGE);
			memcpy(want, &version, 8);
		}
	}
	if (memcmp(got, want, PAGE))
		die("%s: page %lu of clone %u has bytes of somebody else", what, page, i);
}

static bool gave_up(long ret)
{
	if (ret >= 0)
		return false;
	if (errno != ENOMEM && errno != EAGAIN && errno != EINTR)
		die_errno("unexpected error");
	failed++;
	return true;
}

static void by_read(unsigned int i, unsigned long page)
{
	char path[256], got[PAGE];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name_of(i));
	fd = open(path, O_RDONLY);
	if (gave_up(fd))
		return;
	n = pread(fd, got, PAGE, page * PAGE);
	if (!gave_up(n)) {
		if (n != (ssize_t)PAGE)
			die("read of %zd bytes", n);
		right_page(i, page, got, "read");
		done++;
	}
	close(fd);
}

static void by_mapping(unsigned int i, unsigned long page)
{
	char path[256], *map;
	int fd, status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", dir, name_of(i));
	fd = open(path, O_RDONLY);
	if (gave_up(fd))
		return;
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (gave_up(map == MAP_FAILED ? -1 : 0))
		return;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		right_page(i, page, map + page * PAGE, "mapped");
		_exit(0);
	}
	munmap(map, SIZE);
	if (gave_up(pid))
		return;
	sys(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGKILL))
		failed++;
	else if (status)
		die("a child ended with status %#x", status);
	else
		done++;
}

static void by_write(unsigned int i, unsigned long page, uint64_t n)
{
	char path[256], bytes[PAGE];
	uint64_t version = 0xc0deULL << 32 | (uint32_t)n;
	ssize_t ret;
	int fd;

	page = PAGES / 2 + page / 2;
	fill_bytes(bytes, 1000 + i, page * PAGE, PAGE);
	memcpy(bytes, &version, 8);
	snprintf(path, sizeof(path), "%s/%s", dir, name_of(i));
	fd = open(path, O_WRONLY);
	if (gave_up(fd))
		return;
	ret = pwrite(fd, bytes, PAGE, page * PAGE);
	if (!gave_up(ret))
		done++;
	close(fd);
}

static void run(unsigned int seconds)
{
	uint64_t end = now_us() + seconds * 1000000ULL, n, r;
	int drop = sys(open("/proc/sys/vm/drop_caches", O_WRONLY));

	for (n = 0; now_us() < end; n++) {
		r = mix(n * 77);
		switch (r >> 50 & 7) {
		case 0:
			by_write(r % CLONES, (r >> 8) % PAGES, n);
			break;
		case 1: case 2:
			by_mapping(r % CLONES, (r >> 8) % PAGES);
			break;
		default:
			by_read(r % CLONES, (r >> 8) % PAGES);
		}
		if (n % 64 == 0 && write(drop, n % 256 ? "1" : "3", 1) < 0)
			failed++;
	}
	close(drop);
}

int main(int argc, char **argv)
{
	unsigned long page;
	unsigned int i;
	int fd;

	if (argc < 3)
		die("usage: starve make|run|check DIR [SECONDS]");
	dir = argv[2];
	if (!strcmp(argv[1], "make")) {
		make_file(dir, "c0", 5, SIZE);
		fd = open_in(dir, "c0", O_RDONLY);
		for (i = 1; i < CLONES; i++)
			clone_to(fd, dir, name_of(i));
		sync();
	} else if (!strcmp(argv[1], "run")) {
		run(atoi(argv[3]));
		printf("%llu operations, %llu more failed\n", (unsigned long long)done,
		       (unsigned long long)failed);
		if (!done)
			die("nothing succeeded");
	} else {
		for (i = 0; i < CLONES; i++)
			for (page = 0; page < PAGES; page++)
				by_read(i, page);
		if (failed)
			die("%llu reads failed", (unsigned long long)failed);
	}
	return 0;
}
