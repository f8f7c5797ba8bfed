// SPDX-License-Identifier: GPL-2.0-only
/*
 * stall DIR LOWER: one process stops in the middle of something, or holds
 * something for ever. Others must go on with the same file and with its clones,
 * reclaim must go on, and the process must die when it is killed.
 */
#include "util.h"
#include <linux/userfaultfd.h>
#include <sys/uio.h>

#define PAGES	256UL
#define SIZE	(PAGES * PAGE)
#define ID	21
#define DEADLINE 20		/* s; the machine may be slow, a stall is for ever */

static const char *dir, *lower;
static char *want;
static int ready[2];		/* a pipe: the holder has got where it wants to be */

/* Memory whose first touch stops whoever touches it, for ever. */
static char *trap(size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;
	int uffd = sys(syscall(SYS_userfaultfd, O_CLOEXEC));
	char *p = sys(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	sys(ioctl(uffd, UFFDIO_API, &api));
	reg = (struct uffdio_register){
		.range = { (uintptr_t)p, len }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	sys(ioctl(uffd, UFFDIO_REGISTER, &reg));
	return p;
}

static void report(void)
{
	sys(write(ready[1], "x", 1));
}

/* ---- what the holder does ------------------------------------------------------- */

static void stop_in_write(void)
{
	int fd = open_in(dir, "a", O_RDWR);
	char *p = trap(SIZE);

	report();
	pwrite(fd, p, 16 * PAGE, 8 * PAGE);
}

static void stop_in_direct_write(void)
{
	int fd = open_in(dir, "a", O_RDWR | O_DIRECT);
	char *p = trap(SIZE);

	report();
	pwrite(fd, p, 16 * PAGE, 8 * PAGE);
}

static void stop_in_read(void)
{
	int fd = open_in(dir, "a", O_RDONLY);
	char *p = trap(SIZE);

	report();
	pread(fd, p, SIZE, 0);
}

static void stop_in_direct_read(void)
{
	int fd = open_in(dir, "a", O_RDONLY | O_DIRECT);
	char *p = trap(SIZE);

	report();
	pread(fd, p, SIZE, 0);
}

/* The pages of a mapping, pinned by a pipe that nobody reads. */
static void hold_pins(void)
{
	int fd = open_in(dir, "a", O_RDONLY), ends[2];
	char *p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	struct iovec iov = { p, 16 * PAGE };
	off_t off = 64 * PAGE;

	same_bytes(p, want, SIZE, "the holder's mapping");
	sys(pipe(ends));
	sys(vmsplice(ends[1], &iov, 1, 0));
	sys(pipe(ends));
	sys(splice(fd, &off, ends[1], NULL, 16 * PAGE, 0));
	report();
	pause();
}

static void hold_mapping(void)
{
	int fd = open_in(dir, "a", O_RDONLY);
	char *p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	sys(mlock(p, SIZE));
	same_bytes(p, want, SIZE, "the holder's mapping");
	report();
	pause();
}

/* Stopped by a signal, not by itself. */
static void be_stopped(void)
{
	int fd = open_in(dir, "a", O_RDWR);
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	same_bytes(p, want, SIZE, "the holder's mapping");
	report();
	raise(SIGSTOP);
}

static void hold_leases(void)
{
	int fd = open_in(dir, "a", O_RDONLY), below = open_in(lower, "a", O_RDONLY);

	signal(SIGIO, SIG_IGN);
	sys(fcntl(fd, F_SETLEASE, F_RDLCK));
	sys(fcntl(below, F_SETLEASE, F_RDLCK));
	report();
	for (;;)
		pause();
}

/* ---- what others do meanwhile ----------------------------------------------------- */

static void read_file(const char *where, const char *name)
{
	int fd = open_in(where, name, O_RDONLY);
	char *buf = malloc(SIZE);

	if (read_all(fd, buf, SIZE, 0) != SIZE)
		die("%s: short read", name);
	same_bytes(buf, want, SIZE, name);
	free(buf);
	close(fd);
}

static void map_file(const char *name)
{
	int fd = open_in(dir, name, O_RDONLY);
	char *p = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		die_errno("mmap");
	same_bytes(p, want, SIZE, name);
	munmap(p, SIZE);
	close(fd);
}

static void others_read(void *name)
{
	read_file(dir, name);
}

static void others_map(void *name)
{
	map_file(name);
}

static void others_reclaim(void *unused)
{
	(void)unused;
	drop_caches();
}

static void others_open(void *name)
{
	struct stat st;
	int fd;

	close(open_in(dir, name, O_RDONLY));
	close(open_in(dir, name, O_RDONLY | O_DIRECT));
	fd = open_in(dir, name, O_RDWR);
	sys(fstat(fd, &st));
	close(fd);
}

static void others_write(void *name)
{
	int fd = open_in(dir, name, O_RDWR);

	write_all(fd, want, PAGE, 0);		/* what is there already */
	sys(fsync(fd));
	close(fd);
}

static void everybody_goes_on(const char *holder, bool open_for_writing)
{
	static const char *const names[] = { "a", "b" };
	char what[100];
	int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 2; i++) {
			void *name = (void *)names[i];

			snprintf(what, sizeof(what), "%s: read %s", holder, names[i]);
			within(DEADLINE, what, others_read, name);
			snprintf(what, sizeof(what), "%s: map %s", holder, names[i]);
			within(DEADLINE, what, others_map, name);
			snprintf(what, sizeof(what), "%s: open %s", holder, names[i]);
			if (open_for_writing || i)
				within(DEADLINE, what, others_open, name);
		}
		snprintf(what, sizeof(what), "%s: write the clone", holder);
		if (round)
			within(DEADLINE, what, others_write, (void *)"b");
		snprintf(what, sizeof(what), "%s: drop caches", holder);
		within(DEADLINE, what, others_reclaim, NULL);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*hold)(void);
		bool open_for_writing;		/* others may, natively */
	} tests[] = {
		{ "stopped in a write", stop_in_write, true },
		{ "stopped in a direct write", stop_in_direct_write, true },
		{ "stopped in a read", stop_in_read, true },
		{ "stopped in a direct read", stop_in_direct_read, true },
		{ "holding pins", hold_pins, true },
		{ "holding a locked mapping", hold_mapping, true },
		{ "stopped by a signal", be_stopped, true },
		{ "holding leases", hold_leases, false },
	};
	const char *only = argc > 3 ? argv[3] : NULL;
	unsigned int i, cold;
	uint64_t start;
	pid_t pid;
	char c;
	int fd;

	if (argc < 3)
		die("usage: stall DIR LOWER [NAME]");
	dir = argv[1];
	lower = argv[2];
	want = malloc(SIZE);
	fill_bytes(want, ID, 0, SIZE);
	sys(pipe(ready));
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		for (cold = 0; cold < 2; cold++) {
			if (only && strcmp(only, tests[i].name))
				continue;
			start = now_us();
			make_file(dir, "a", ID, SIZE);
			fd = open_in(dir, "a", O_RDONLY);
			clone_to(fd, dir, "b");
			drop_caches();
			if (!cold && fold_state(fd) >= 0)
				wait_joined(fd, "a");
			close(fd);
			pid = sys(fork());
			if (!pid) {
				tests[i].hold();
				die("%s: it did not stop", tests[i].name);
			}
			sys(read(ready[0], &c, 1));
			sleep_ms(100);
			everybody_goes_on(tests[i].name, tests[i].open_for_writing);
			sys(kill(pid, SIGKILL));
			reap_within(pid, 10, tests[i].name);
			within(DEADLINE, "a write after the holder is gone", others_write,
			       (void *)"a");
			printf("%s (%s): %llu ms\n", tests[i].name, cold ? "never read" : "joined",
			       (unsigned long long)(now_us() - start) / 1000);
			fflush(NULL);
		}
	return 0;
}
