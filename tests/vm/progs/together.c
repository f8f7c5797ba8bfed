// SPDX-License-Identifier: GPL-2.0-only
/*
 * together WAY BUSY ID KIB FILE...: a process for each file, all of which map
 * their files, never read before, at the same moment, and touch every page.
 * BUSY more processes do nothing but keep the processors busy. Files hold the
 * bytes of the data set ID, as "together make ID KIB PIECE FILE" writes them: in
 * pieces of PIECE KiB that lie in disorder on the disk, or in order if it is 0.
 *
 * WAY is private, shared or exec. When all have touched everything, waits until
 * the page cache has grown by no more than 1.02 times the size of one file,
 * while they hold their mappings, and touches every page again. Prints by how
 * much it had grown when the last had touched everything (kB), and for how long
 * it was waited then (ms).
 */
#include "util.h"

static uint64_t id;
static size_t size;
static int go[2], ready[2];

static void touch_all(const char *map, const char *file)
{
	uint64_t base = mix(id);
	size_t off;

	for (off = 0; off < size; off += PAGE)
		if (*(volatile uint64_t *)(map + off) != mix(base + off / 8))
			die("%s: byte %zu or one of the next is wrong", file, off);
}

/* Touches when told so, as often as told, until killed. */
static void map_and_touch(const char *way, const char *file)
{
	int prot = PROT_READ, flags = MAP_PRIVATE, fd;
	char *map = NULL, c;

	if (!strcmp(way, "shared"))
		flags = MAP_SHARED;
	else if (!strcmp(way, "exec"))
		prot |= PROT_EXEC;
	else if (strcmp(way, "private"))
		die("%s is no way to map", way);
	while (read(go[0], &c, 1) == 1) {
		if (!map) {
			fd = sys(open(file, O_RDONLY));
			map = sys(mmap(NULL, size, prot, flags, fd, 0));
			close(fd);
		}
		touch_all(map, file);
		sys(write(ready[1], "x", 1));
		/* Another one's word is not for us. */
		sleep_ms(1);
	}
	_exit(0);
}

static void all_touch(int nr)
{
	char c[64] = { 0 };
	int i;

	sys(write(go[1], c, nr));
	for (i = 0; i < nr; i++)
		if (sys(read(ready[0], c, 1)) != 1)
			die("a process has failed");
}

/* Writes the file, or one with its pieces in disorder, of which it is cloned. */
static void make(const char *file, size_t piece)
{
	size_t n = piece ? size / piece : 0, i;
	char *buf = malloc(size), *source;
	int fd = sys(open(file, O_RDWR | O_CREAT | O_TRUNC, 0644)), from = fd;

	fill_bytes(buf, id, 0, size);
	if (piece) {
		if (asprintf(&source, "%s.pieces", file) < 0)
			die("no memory");
		from = sys(open(source, O_RDWR | O_CREAT | O_TRUNC, 0644));
	}
	write_all(from, buf, size, 0);
	for (i = 0; i < n; i++)		/* n is even: the last comes first */
		write_all(from, buf + i * piece, piece, (n - 1 - i) * piece);
	sys(fsync(from));
	for (i = 0; i < n; i++) {
		struct file_clone_range range = {
			.src_fd = from, .src_offset = (n - 1 - i) * piece,
			.src_length = piece, .dest_offset = i * piece,
		};

		sys(ioctl(fd, FICLONERANGE, &range));
	}
	sys(fsync(fd));
	if (piece)
		sys(unlink(source));
	close(fd);
}

int main(int argc, char **argv)
{
	pid_t pids[128];
	long before, limit, grown;
	int nr = 0, i, busy;
	uint64_t start;

	if (argc == 6 && !strcmp(argv[1], "make")) {
		id = strtoull(argv[2], NULL, 0);
		size = strtoul(argv[3], NULL, 0) * 1024;
		make(argv[5], strtoul(argv[4], NULL, 0) * 1024);
		return 0;
	}
	if (argc < 6 || argc > 64)
		die("usage: together WAY BUSY ID KIB FILE...");
	busy = atoi(argv[2]);
	id = strtoull(argv[3], NULL, 0);
	size = strtoul(argv[4], NULL, 0) * 1024;
	sys(pipe(go));
	sys(pipe(ready));
	for (i = 5; i < argc; i++) {
		pids[nr] = sys(fork());
		if (!pids[nr++]) {
			close(go[1]);
			close(ready[0]);
			map_and_touch(argv[1], argv[i]);
		}
	}
	close(ready[1]);
	for (i = 0; i < busy; i++) {
		pids[nr] = sys(fork());
		if (!pids[nr++])
			for (;;)
				;
	}
	before = cached_kb();
	limit = size / 1024 * 102 / 100;
	all_touch(argc - 5);
	start = now_us();
	grown = cached_kb() - before;
	while (cached_kb() - before > limit)
		sleep_ms(20);
	printf("%ld %llu\n", grown, (unsigned long long)(now_us() - start) / 1000);
	fflush(stdout);
	/* What has replaced it is right as well. */
	all_touch(argc - 5);
	for (i = 0; i < nr; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return 0;
}
