// SPDX-License-Identifier: GPL-2.0-only
/*
 * outside DIR LOWER: writers that go around the mount. Clones A and B are open
 * and mapped through DIR; each time a call on LOWER that changes A has returned,
 * DIR shows the new bytes of A, everywhere, and the old ones of B.
 */
#include "util.h"
#include <linux/io_uring.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE + 100)
#define ROOM	(80 * PAGE)
#define ID	13

static const char *dir, *lower, *what;
static int a, b, donor;
static char *ma, *mb;
static char want_a[ROOM], want_b[ROOM];
static size_t size_a;

static void look(void)
{
	static char buf[ROOM];
	struct stat st;

	if (read_all(a, buf, ROOM, 0) != size_a)
		die("%s: the file's size is not %zu through the mount", what, size_a);
	same_bytes(buf, want_a, size_a, what);
	same_bytes(ma, want_a, ALIGN(size_a, PAGE), what);
	sys(fstat(a, &st));
	if ((size_t)st.st_size != size_a)
		die("%s: fstat says %lld bytes, not %zu", what, (long long)st.st_size, size_a);
	if (read_all(b, buf, ROOM, 0) != SIZE)
		die("%s: short read", what);
	same_bytes(buf, want_b, SIZE, what);
	same_bytes(mb, want_b, ALIGN(SIZE, PAGE), what);
}

static void by_write(void)
{
	int fd = open_in(lower, "a", O_RDWR);

	write_all(fd, "outside", 7, 5 * PAGE - 3);
	memcpy(want_a + 5 * PAGE - 3, "outside", 7);
	look();
	/* And on, as long as it is open. */
	write_all(fd, "again", 5, 40 * PAGE);
	memcpy(want_a + 40 * PAGE, "again", 5);
	look();
	close(fd);
	look();
}

static void by_mapping(void)
{
	int fd = open_in(lower, "a", O_RDWR);
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	p[9 * PAGE] = want_a[9 * PAGE] = '!';
	look();
	sleep_ms(300);		/* nobody has it open now, but it can be written */
	look();
	p[9 * PAGE + 1] = want_a[9 * PAGE + 1] = '?';
	p[33 * PAGE + 1] = want_a[33 * PAGE + 1] = '?';
	look();
	munmap(p, SIZE);
}

static void by_direct(void)
{
	int fd = open_in(lower, "a", O_WRONLY | O_DIRECT);
	char *buf = aligned_alloc(PAGE, PAGE);

	memset(buf, 'd', PAGE);
	write_all(fd, buf, PAGE, 6 * PAGE);
	memset(want_a + 6 * PAGE, 'd', PAGE);
	look();
	close(fd);
	free(buf);
}

static void resize(size_t size)
{
	if (size < size_a)
		memset(want_a + size, 0, size_a - size);
	size_a = size;
}

static void by_truncate(void)
{
	char *path = path_of(lower, "a");

	sys(truncate(path, 7 * PAGE + 9));
	resize(7 * PAGE + 9);
	look();
	sys(truncate(path, SIZE));
	resize(SIZE);
	look();
	free(path);
}

static void by_open_trunc(void)
{
	close(open_in(lower, "a", O_WRONLY | O_TRUNC));
	resize(0);
	look();
}

/* Truncates, yet breaks no lease: the open is for reading. */
static void by_rdonly_trunc(void)
{
	close(open_in(lower, "a", O_RDONLY | O_TRUNC));
	resize(0);
	look();
}

static void by_clone(void)
{
	struct file_clone_range r = { donor, 0, 4 * PAGE, 20 * PAGE };
	int fd = open_in(lower, "a", O_WRONLY);

	sys(ioctl(fd, FICLONERANGE, &r));
	read_all(donor, want_a + 20 * PAGE, 4 * PAGE, 0);
	look();
	close(fd);
}

static void by_punch(void)
{
	int fd = open_in(lower, "a", O_RDWR);

	sys(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * PAGE + 5, 9000));
	memset(want_a + 3 * PAGE + 5, 0, 9000);
	look();
	close(fd);
}

/* As coreutils' truncate opens: it neither waits for a lease nor is sent away. */
static void by_nonblock(void)
{
	int fd = open_in(lower, "a", O_RDWR | O_NONBLOCK);

	look();
	write_all(fd, "nb", 2, 77);
	memcpy(want_a + 77, "nb", 2);
	look();
	sys(ftruncate(fd, 6 * PAGE + 1));
	resize(6 * PAGE + 1);
	look();
	close(fd);
}

/* A descriptor for reading, opened for writing again through /proc. */
static void by_reopen(void)
{
	int rd = open_in(lower, "a", O_RDONLY), fd;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", rd);
	fd = sys(open(path, O_WRONLY));
	write_all(fd, "r", 1, 11 * PAGE);
	want_a[11 * PAGE] = 'r';
	look();
	close(fd);
	close(rd);
}

/* One write by io_uring, not waited for. Returns the ring. */
static int ring_write(int fd, const void *buf, size_t len, off_t off, struct io_uring_params *p)
{
	int ring = sys(syscall(SYS_io_uring_setup, 4, memset(p, 0, sizeof(*p))));
	struct io_uring_sqe *sqe;
	char *sq;

	sq = mmap(NULL, p->sq_off.array + p->sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, p->sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || (void *)sqe == MAP_FAILED)
		die_errno("io_uring");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_WRITE;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->off = off;
	*(uint32_t *)(sq + p->sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(sq + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (sys(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0)) != 1)
		die("io_uring took nothing");
	return ring;
}

/* Waits for its end, and returns its result. */
static int ring_end(int ring, const struct io_uring_params *p)
{
	struct io_uring_cqe *cqe;
	char *cq;

	sys(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	cq = mmap(NULL, p->cq_off.cqes + p->cq_entries * sizeof(*cqe), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	if (cq == MAP_FAILED)
		die_errno("io_uring");
	cqe = (struct io_uring_cqe *)(cq + p->cq_off.cqes);
	close(ring);
	return cqe->res;
}

/*
 * The descriptor is closed while the write is on its way; readers make the file
 * join whenever it can. Meanwhile the page is old or new, then it is new.
 */
static void by_ring(int flags)
{
	char *buf = aligned_alloc(PAGE, PAGE), got[PAGE];
	struct io_uring_params p;
	unsigned int i;
	int fd, ring;

	for (i = 0; i < 20; i++) {
		fd = open_in(lower, "a", O_WRONLY | flags);
		memset(buf, 'A' + i, PAGE);
		ring = ring_write(fd, buf, PAGE, (6 + i) * PAGE, &p);
		close(fd);
		if (pread(a, got, PAGE, (6 + i) * PAGE) != (ssize_t)PAGE)
			die_errno("%s: pread", what);
		if (memcmp(got, want_a + (6 + i) * PAGE, PAGE) && memcmp(got, buf, PAGE))
			die("%s: neither old nor new", what);
		if (ring_end(ring, &p) != (int)PAGE)
			die("%s: the write failed", what);
		memset(want_a + (6 + i) * PAGE, 'A' + i, PAGE);
		look();
	}
	free(buf);
}

static void by_ring_direct(void)
{
	by_ring(O_DIRECT);
}

static void by_ring_buffered(void)
{
	by_ring(0);
}

/* Bytes that are the same already, by descriptors that break no lease, and by others. */
static void by_dedupe(void)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} d = { .range = { .src_length = 32 * PAGE, .dest_count = 1 } };
	int same = open_in(lower, "same", O_RDWR | O_CREAT | O_TRUNC), fd;

	write_all(same, want_a, 32 * PAGE, 0);
	sys(fsync(same));
	fd = open_in(lower, "a", O_RDONLY);
	d.info.dest_fd = fd;
	sys(ioctl(same, FIDEDUPERANGE, &d));
	if (d.info.status != FILE_DEDUPE_RANGE_SAME)
		die("dedupe: status %d", d.info.status);
	look();
	close(fd);
	fd = open_in(lower, "a", O_RDWR);
	d.info.dest_fd = fd;
	sys(ioctl(same, FIDEDUPERANGE, &d));
	look();
	close(fd);
	close(same);
}

static void names_and_modes(void)
{
	char *from = path_of(lower, "a"), *to = path_of(lower, "renamed");
	long before = fold_state(a) >= 0 ? counter(a, "outside_writers") : 0;

	sys(chmod(from, 0600));
	sys(rename(from, to));
	sys(link(to, from));
	sys(unlink(to));
	look();
	if (fold_state(a) >= 0 && counter(a, "outside_writers") != before)
		die("chmod, rename, link or unlink broke the lease");
	if (fold_state(a) >= 0 && fold_state(a) != FOLDFS_STATE_JOINED)
		die("chmod, rename, link or unlink ended the sharing");
	free(from);
	free(to);
}

/* Not from outside: whoever would have to wait would break the lease, which is counted. */
static void own_writers(void)
{
	long before = fold_state(a) >= 0 ? counter(a, "outside_writers") : 0;
	char *path = path_of(dir, "a");
	int fd = open_in(dir, "a", O_RDWR);

	write_all(fd, "own", 3, 50 * PAGE);
	memcpy(want_a + 50 * PAGE, "own", 3);
	close(fd);
	sys(truncate(path, SIZE - 3000));
	resize(SIZE - 3000);
	sys(chmod(path, 0640));
	look();
	if (fold_state(a) >= 0 && counter(a, "outside_writers") != before)
		die("own writers count as writers from outside");
	free(path);
}

static void set_up(void)
{
	make_file(dir, "a", ID, SIZE);
	a = open_in(dir, "a", O_RDONLY);
	clone_to(a, dir, "b");
	b = open_in(dir, "b", O_RDONLY);
	drop_caches();
	if (fold_state(a) >= 0) {
		wait_joined(a, "a");
		wait_joined(b, "b");
	}
	ma = mmap(NULL, ROOM, PROT_READ, MAP_SHARED, a, 0);
	mb = mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE, b, 0);
	if (ma == MAP_FAILED || mb == MAP_FAILED)
		die_errno("mmap");
	memset(want_a, 0, ROOM);
	fill_bytes(want_a, ID, 0, SIZE);
	memcpy(want_b, want_a, ROOM);
	size_a = SIZE;
	look();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
		bool outside;
	} tests[] = {
		{ "names and modes", names_and_modes, false },
		{ "own writers", own_writers, false },
		{ "write", by_write, true }, { "mapped write", by_mapping, true },
		{ "direct write", by_direct, true }, { "truncate", by_truncate, true },
		{ "O_WRONLY|O_TRUNC", by_open_trunc, true },
		{ "O_RDONLY|O_TRUNC", by_rdonly_trunc, true },
		{ "FICLONERANGE", by_clone, true }, { "punch", by_punch, true },
		{ "O_NONBLOCK", by_nonblock, true }, { "reopened descriptor", by_reopen, true },
		{ "io_uring, direct", by_ring_direct, true },
		{ "io_uring, buffered", by_ring_buffered, true }, { "dedupe", by_dedupe, true },
	};
	const char *only = argc > 3 ? argv[3] : NULL;
	uint64_t start;
	unsigned int i;
	long before = 0;

	if (argc < 3)
		die("usage: outside DIR LOWER [NAME]");
	dir = argv[1];
	lower = argv[2];
	make_file(lower, "donor", 99, SIZE);
	donor = open_in(lower, "donor", O_RDONLY);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		what = tests[i].name;
		if (only && strcmp(only, what))
			continue;
		set_up();
		if (fold_state(a) >= 0)
			before = counter(a, "outside_writers");
		start = now_us();
		tests[i].fn();
		printf("%s: %llu ms\n", what, (unsigned long long)(now_us() - start) / 1000);
		/* The count follows the end of the sharing, from a worker. */
		waits_for("outside_writers to move");
		while (tests[i].outside && fold_state(a) >= 0 &&
		       counter(a, "outside_writers") == before)
			sleep_ms(10);
		waits_for(NULL);
		/* The writer has gone: what is still shared on the disk is shared again. */
		if (tests[i].outside && fold_state(a) >= 0 && size_a == SIZE) {
			sync();
			wait_joined(a, what);
			look();
		}
		munmap(ma, ROOM);
		munmap(mb, ROOM);
		close(a);
		close(b);
	}
	return 0;
}
