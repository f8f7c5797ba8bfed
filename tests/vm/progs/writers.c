// SPDX-License-Identifier: GPL-2.0-only
/*
 * writers DIR LOWER: long writes. Appended from memory they are whole, whoever
 * appends meanwhile; from a mapping that has to be read in, no byte is lost and
 * each writer's are in their order; up to memory that is not there, as much is
 * written as on XFS. What comes through a pipe in pieces is spliced over a file
 * that shares, and nothing of it is lost.
 */
#include "util.h"
#include <sys/sendfile.h>

#define WRITERS	4
#define ROUNDS	10
#define RECORD	(700UL * 1024)
#define WORDS	(RECORD / 8)

static const char *dir, *lower;

static uint64_t word(unsigned int writer, uint64_t n)
{
	return (uint64_t)(writer + 1) << 56 | n;
}

static void all_of_them(void (*one)(unsigned int writer, int fd))
{
	pid_t pids[WRITERS];
	int i, status;

	close(open_in(dir, "log", O_RDWR | O_CREAT | O_TRUNC));
	for (i = 0; i < WRITERS; i++) {
		pids[i] = sys(fork());
		if (!pids[i]) {
			one(i, open_in(dir, "log", O_WRONLY | O_APPEND));
			_exit(0);
		}
	}
	for (i = 0; i < WRITERS; i++) {
		sys(waitpid(pids[i], &status, 0));
		if (status)
			die("a writer has failed: %#x", status);
	}
}

static void append_record(int fd, const void *buf, const char *what)
{
	ssize_t n = write(fd, buf, RECORD);

	if (n != (ssize_t)RECORD)
		die("%s: write gave %zd: %s", what, n, strerror(errno));
}

static void from_memory(unsigned int writer, int fd)
{
	uint64_t *buf = malloc(RECORD), n = 0, i;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < WORDS; i++)
			buf[i] = word(writer, n++);
		append_record(fd, buf, "from memory");
	}
}

/* The source is a file of DIR that is not cached. */
static void from_mapping(unsigned int writer, int fd)
{
	char name[20];
	uint64_t *p;
	int round, src;

	snprintf(name, sizeof(name), "source%u", writer);
	src = open_in(dir, name, O_RDONLY);
	p = sys(mmap(NULL, ROUNDS * RECORD, PROT_READ, MAP_SHARED, src, 0));
	for (round = 0; round < ROUNDS; round++)
		append_record(fd, p + round * WORDS, "from a mapping");
}

static void look(bool whole, const char *what)
{
	size_t size = WRITERS * ROUNDS * RECORD;
	uint64_t *got = malloc(size + 8), next[WRITERS] = { }, i;
	int fd = open_in(dir, "log", O_RDONLY);
	unsigned int writer;

	if (read_all(fd, got, size + 8, 0) != size)
		die("%s: the size is not %zu", what, size);
	for (i = 0; i < size / 8; i++) {
		writer = (got[i] >> 56) - 1;
		if (writer >= WRITERS || got[i] != word(writer, next[writer]))
			die("%s: word %llu is %#llx", what, (unsigned long long)i,
			    (unsigned long long)got[i]);
		if (whole && i % WORDS && (got[i - 1] >> 56) - 1 != writer)
			die("%s: a record is not whole, at word %llu", what,
			    (unsigned long long)i);
		next[writer]++;
	}
	free(got);
	close(fd);
}

static ssize_t up_to_nowhere(const char *where, size_t hole, int flags)
{
	size_t len = 1 << 20;
	char *p = sys(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int fd = open_in(where, "partly", O_RDWR | O_CREAT | O_TRUNC | flags);
	struct stat st;
	ssize_t n;

	memset(p, 'p', len);
	sys(munmap(p + hole, len - hole));
	n = write(fd, p, len);
	sys(fstat(fd, &st));
	if (st.st_size != MAX(n, 0))
		die("the size is %lld after a write of %zd", (long long)st.st_size, n);
	close(fd);
	munmap(p, hole);
	return n;
}

#define SPLICED	(2UL * 1024 * 1024)

/* Pieces of all sizes, two at a time now and then, and pauses. */
static void feed(int fd, const char *bytes)
{
	size_t off = 0, n;
	unsigned int i;

	for (i = 0; off < SPLICED; i++, off += n) {
		n = MIN(mix(i) % (i % 3 ? 3000 : 100000) + 1, SPLICED - off);
		if (write(fd, bytes + off, n) != (ssize_t)n)
			die_errno("write to the pipe");
		if (i % 50 == 0)
			sleep_ms(5);
	}
}

static void splice_over(const char *bytes, int ends[2])
{
	char *got = malloc(SPLICED);
	int fd = open_in(dir, "spliced", O_RDWR), status;
	loff_t off = 0;
	ssize_t n;
	pid_t pid;

	errno = 0;
	if (splice(ends[0], NULL, fd, &off, PAGE, SPLICE_F_NONBLOCK) != -1 || errno != EAGAIN)
		die_errno("splice of nothing");
	pid = sys(fork());
	if (!pid) {
		close(ends[0]);
		feed(ends[1], bytes);
		_exit(0);
	}
	close(ends[1]);
	while ((n = sys(splice(ends[0], NULL, fd, &off, 300000, 0))))
		;
	sys(waitpid(pid, &status, 0));
	if (status || off != SPLICED)
		die("%lld bytes were spliced, of %lu", (long long)off, SPLICED);
	read_all(fd, got, SPLICED, 0);
	same_bytes(got, bytes, SPLICED, "what was spliced");
	free(got);
	close(fd);
}

static void spliced(void)
{
	char *bytes = malloc(SPLICED), *got = malloc(SPLICED);
	int round, src, fd, ends[2];
	loff_t off;
	size_t n;

	fill_bytes(bytes, 77, 0, SPLICED);
	make_file(dir, "bytes", 77, SPLICED);
	src = open_in(dir, "bytes", O_RDONLY);
	for (round = 0; round < 3; round++) {
		make_file(dir, "base", 5, SPLICED);
		fd = open_in(dir, "base", O_RDONLY);
		clone_to(fd, dir, "spliced");
		close(fd);
		drop_caches();
		fd = open_in(dir, "spliced", O_RDONLY);
		wait_joined(fd, "spliced");
		close(fd);
		sys(pipe(ends));
		if (round)
			sys(fcntl(ends[1], F_SETPIPE_SZ, round == 1 ? 4096 : 1 << 20));
		splice_over(bytes, ends);
		close(ends[0]);
	}
	/* By way of the kernel's own pipe. */
	fd = open_in(dir, "sent", O_RDWR | O_CREAT);
	for (off = 0, n = 0; n < SPLICED;)
		n += sys(sendfile(fd, src, &off, SPLICED - n));
	read_all(fd, got, SPLICED, 0);
	same_bytes(got, bytes, SPLICED, "what was sent");
	close(fd);
	free(bytes);
	free(got);
}

int main(int argc, char **argv)
{
	static const size_t holes[] = { 0, PAGE, 255 * 1024 / PAGE * PAGE, 64 * PAGE, 65 * PAGE,
					200 * PAGE };
	unsigned int i;
	uint64_t *buf = malloc(ROUNDS * RECORD), n;

	if (argc < 3)
		die("usage: writers DIR LOWER");
	dir = argv[1];
	lower = argv[2];
	all_of_them(from_memory);
	look(true, "from memory");

	for (i = 0; i < WRITERS; i++) {
		char name[20];
		int fd;

		for (n = 0; n < ROUNDS * WORDS; n++)
			buf[n] = word(i, n);
		snprintf(name, sizeof(name), "source%u", i);
		fd = open_in(dir, name, O_RDWR | O_CREAT | O_TRUNC);
		write_all(fd, buf, ROUNDS * RECORD, 0);
		sys(fsync(fd));
		close(fd);
	}
	drop_caches();
	all_of_them(from_mapping);
	look(false, "from a mapping");

	for (i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		ssize_t want = up_to_nowhere(lower, holes[i], 0);
		ssize_t got = up_to_nowhere(dir, holes[i], 0);

		if (got != want)
			die("memory ends after %zu: %zd bytes written, by XFS %zd", holes[i], got,
			    want);
	}
	spliced();
	return 0;
}
