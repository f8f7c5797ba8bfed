// SPDX-License-Identifier: GPL-2.0-only
/*
 * advice - give a piece of advice about a file, or ask what is in memory of it
 *
 *	advice FILE CALL
 *
 * Mappings are compared with what read(2) says. Prints a number of pages for
 * mincore, touch_mincore (after each page was read), pageout_mincore (after they were
 * read, and said to be wanted no more) and cachestat. "hold" maps the
 * file, makes /tmp/held, waits for SIGUSR1, and fails if the mapping has changed.
 */
#include "util.h"

static int fd;
static size_t size;

static unsigned char *map_file(void)
{
	return sys(mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0));
}

static void compare(const unsigned char *map)
{
	unsigned char *buf = malloc(size);

	if (read_all(fd, buf, size, 0) != size || memcmp(buf, map, size))
		die("the mapping has other bytes than read(2)");
	free(buf);
}

static size_t resident(unsigned char *map)
{
	size_t pages = size / PAGE, n = 0;
	unsigned char *vec = malloc(pages);

	sys(mincore(map, size, vec));
	for (size_t i = 0; i < pages; i++)
		n += vec[i] & 1;
	free(vec);
	return n;
}

static size_t touch(const unsigned char *map)
{
	size_t total = 0;

	for (size_t i = 0; i < size; i += PAGE)
		total += ((const volatile unsigned char *)map)[i];
	return total;
}

static void advise_mapping(const char *how, int advice)
{
	unsigned char *map = map_file();

	if (strcmp(how, "madv_willneed")) {
		touch(map);
		compare(map);
	}
	sys(madvise(map, size, advice));
	if (strcmp(how, "madv_willneed"))
		compare(map);
}

static void hold(void)
{
	unsigned char *map = map_file(), *copy = malloc(size);
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	memcpy(copy, map, size);
	close(sys(open("/tmp/held", O_CREAT | O_WRONLY, 0644)));
	sigwait(&set, &sig);
	if (memcmp(copy, map, size))
		die("the mapping has changed");
	free(copy);
}

int main(int argc, char **argv)
{
	struct { uint64_t off, len; } range = { 0, 0 };
	uint64_t stat_pages[5];
	const char *call;
	struct stat st;

	if (argc != 3)
		die("usage: advice FILE CALL");
	fd = sys(open(argv[1], O_RDONLY));
	sys(fstat(fd, &st));
	size = st.st_size;
	call = argv[2];
	if (!strcmp(call, "readahead")) {
		sys(readahead(fd, 0, size));
	} else if (!strcmp(call, "willneed")) {
		sys(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	} else if (!strcmp(call, "dontneed")) {
		sys(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	} else if (!strcmp(call, "map_dontneed")) {
		touch(map_file());
		sys(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	} else if (!strcmp(call, "madv_willneed")) {
		advise_mapping(call, MADV_WILLNEED);
	} else if (!strcmp(call, "madv_populate_read")) {
		sys(madvise(map_file(), size, MADV_POPULATE_READ));
	} else if (!strcmp(call, "madv_dontneed")) {
		advise_mapping(call, MADV_DONTNEED);
	} else if (!strcmp(call, "madv_pageout")) {
		advise_mapping(call, MADV_PAGEOUT);
	} else if (!strcmp(call, "pageout_mincore")) {
		unsigned char *map = map_file();

		touch(map);
		sys(madvise(map, size, MADV_PAGEOUT));
		printf("%zu\n", resident(map));
	} else if (!strcmp(call, "mincore")) {
		printf("%zu\n", resident(map_file()));
	} else if (!strcmp(call, "touch_mincore")) {
		unsigned char *map = map_file();

		touch(map);
		printf("%zu\n", resident(map));
	} else if (!strcmp(call, "cachestat")) {
		sys(syscall(__NR_cachestat, fd, &range, stat_pages, 0));
		printf("%llu\n", (unsigned long long)stat_pages[0]);
	} else if (!strcmp(call, "sync_file_range")) {
		sys(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE |
				    SYNC_FILE_RANGE_WAIT_AFTER));
	} else if (!strcmp(call, "hold")) {
		hold();
	} else {
		die("no such call: %s", call);
	}
	return 0;
}
