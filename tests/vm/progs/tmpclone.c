// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmpclone HOW DIR [TIMES]: clones on a filesystem in memory.
 *
 *	moment	a file that threads store to in order is cloned: the clone has all
 *		stores of each thread up to some point, and none after it, and stays so
 *	pipe	what a pipe has of one file does not show what another one writes
 *	direct	a device that writes into a mapping writes into it, and not into a clone
 *	ways	ranges, deduplication and copies, with mappings on both sides
 *	around	a fault maps the pages around as well, each of them the file's own, also
 *		where a clone of it has changed some; prints how many faults there were
 *	cost	prints ns of a clone of FILE 'big', unmapped, and of one mapped as a whole
 */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "util.h"

#define PAGES	256UL
#define SIZE	(PAGES * PAGE)

static const char *dir;

static char *map(int fd, int prot, size_t size)
{
	char *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die_errno("mmap");
	return p;
}

static int create(const char *name)
{
	return open_in(dir, name, O_RDWR | O_CREAT | O_TRUNC);
}

static void clone_file(int src, int dst)
{
	sys(ioctl(dst, FICLONE, src));
}

/* ---- one moment ------------------------------------------------------------------ */

#define WRITERS	2

static struct {
	uint64_t *map;
	int stop;
} storing;

/* Round and round: the nth store puts n into the writer's word of page n % PAGES. */
static void *store(void *arg)
{
	unsigned long me = (unsigned long)arg, n;

	for (n = 1; !__atomic_load_n(&storing.stop, __ATOMIC_RELAXED); n++)
		__atomic_store_n(&storing.map[n % PAGES * (PAGE / 8) + me], n, __ATOMIC_RELEASE);
	return NULL;
}

/* Returns the last store of one writer that the clone has. */
static uint64_t check_moment(const uint64_t *words, unsigned int writer)
{
	uint64_t last = 0, n, got;
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		last = MAX(last, words[i * (PAGE / 8) + writer]);
	for (n = last; n && n + PAGES > last; n--) {
		got = words[n % PAGES * (PAGE / 8) + writer];
		if (got != n)
			die("writer %u: the clone has store %llu, and of %llu what came with %llu", writer,
			    (unsigned long long)last, (unsigned long long)n, (unsigned long long)got);
	}
	return last;
}

static void moment(int times)
{
	uint64_t *words = malloc(SIZE), *again = malloc(SIZE), before[WRITERS] = { 0 }, moved = 0;
	pthread_t threads[WRITERS];
	int src = create("src"), i, dst;
	unsigned long w;

	sys(ftruncate(src, SIZE));
	storing.map = (uint64_t *)map(src, PROT_READ | PROT_WRITE, SIZE);
	for (w = 0; w < WRITERS; w++)
		if (pthread_create(&threads[w], NULL, store, (void *)w))
			die("no thread");
	for (i = 0; i < times || moved < 20; i++) {
		dst = create("clone");
		clone_file(src, dst);
		if (read_all(dst, (char *)words, SIZE, 0) != SIZE)
			die("a short clone");
		for (w = 0; w < WRITERS; w++) {
			uint64_t last = check_moment(words, w);

			if (last < before[w])
				die("a clone is older than the one before");
			moved += last != before[w];
			before[w] = last;
		}
		sched_yield();
		if (read_all(dst, (char *)again, SIZE, 0) != SIZE)
			die("a short clone");
		same_bytes((char *)again, (char *)words, SIZE, "a clone, read once more");
		close(dst);
	}
	storing.stop = 1;
	for (w = 0; w < WRITERS; w++)
		pthread_join(threads[w], NULL);
	printf("%d clones, %llu stores\n", i, (unsigned long long)(before[0] + before[1]));
}

/* ---- in hand ----------------------------------------------------------------------- */

static void in_pipe(size_t pages)
{
	char old[PAGE], new[PAGE], got[PAGE], *m;
	int a = create("a"), b = create("b"), ends[2];
	struct iovec iov;

	memset(old, 'o', PAGE);
	memset(new, 'n', PAGE);
	write_all(a, old, PAGE, 0);
	sys(pwrite(a, old, PAGE, (pages - 1) * PAGE));
	clone_file(a, b);
	sys(pipe(ends));
	m = map(a, PROT_READ, PAGE);
	iov = (struct iovec){ m, PAGE };
	if (*(volatile char *)m != 'o' || sys(vmsplice(ends[1], &iov, 1, 0)) != PAGE)
		die("vmsplice");
	munmap(m, PAGE);
	close(a);
	sys(unlink(path_of(dir, "a")));
	/* The page is b's alone now, but for the pipe. */
	write_all(b, new, PAGE, 0);
	if (sys(read(ends[0], got, PAGE)) != PAGE)
		die("a short read");
	same_bytes(got, old, PAGE, "the pipe");
	if (read_all(b, got, PAGE, 0) != PAGE)
		die("a short file");
	same_bytes(got, new, PAGE, "the file");
	close(b);
	close(ends[0]);
	close(ends[1]);
}

/*
 * A page of a's mapping is in the kernel's hand for writing when a is cloned: it is read
 * into from a pipe, which has half of what is asked for.
 */
struct reading {
	int fd;
	char *to;
};

static void *read_into(void *arg)
{
	struct reading *r = arg;
	struct iovec to = { r->to, PAGE };

	/* The page is pinned for the time of the read. */
	sys(readv(r->fd, &to, 1));
	return NULL;
}

static void direct(const char *disk)
{
	char want[PAGE], got[PAGE];
	int fd = sys(open(disk, O_RDWR | O_CREAT | O_DIRECT, 0644)), a = create("a"), b, i;
	char *buf = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct reading r = { fd, NULL };
	pthread_t thread;

	fill_bytes(want, 3, 0, PAGE);
	memcpy(buf, want, PAGE);
	sys(pwrite(fd, buf, PAGE, 0));
	for (i = 0; i < 200; i++) {
		sys(ftruncate(a, 0));
		sys(ftruncate(a, PAGE));
		r.to = map(a, PROT_READ | PROT_WRITE, PAGE);
		r.to[0] = 'x';
		sys(lseek(fd, 0, SEEK_SET));
		if (pthread_create(&thread, NULL, read_into, &r))
			die("no thread");
		b = create("b");
		clone_file(a, b);
		r.to[PAGE - 1] = r.to[PAGE - 1];
		pthread_join(thread, NULL);
		same_bytes(r.to, want, PAGE - 1, "what a device has read into a mapping");
		if (read_all(a, got, PAGE, 0) != PAGE)
			die("a short file");
		same_bytes(got, want, PAGE - 1, "the file that was mapped");
		munmap(r.to, PAGE);
		close(b);
	}
}

/* ---- ranges, deduplication, copies --------------------------------------------------- */

static void range(int src, off_t from, int dst, off_t to, size_t len)
{
	struct file_clone_range r = { src, from, len, to };

	sys(ioctl(dst, FICLONERANGE, &r));
}

static int dedupe(int src, off_t from, int dst, off_t to, size_t len)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} d = { { from, len, 1, 0, 0 }, { dst, to, 0, 0, 0 } };

	sys(ioctl(src, FIDEDUPERANGE, &d));
	return d.info.status;
}

static void is(int fd, const char *m, const char *want, size_t size, const char *what)
{
	char *got = malloc(size);

	if (read_all(fd, got, size, 0) != size)
		die("%s: short", what);
	same_bytes(got, want, size, what);
	if (m)
		same_bytes(m, want, size, what);
	free(got);
}

static void ways(void)
{
	char *A = malloc(SIZE), *B = malloc(SIZE), *ma, *mb;
	int a = create("a"), b = create("b");
	off_t from = 3 * PAGE, to = 100 * PAGE;
	unsigned int i;

	fill_bytes(A, 1, 0, SIZE);
	fill_bytes(B, 2, 0, SIZE);
	write_all(a, A, SIZE, 0);
	write_all(b, B, SIZE, 0);
	ma = map(a, PROT_READ | PROT_WRITE, SIZE);
	mb = map(b, PROT_READ | PROT_WRITE, SIZE);
	is(a, ma, A, SIZE, "a");
	is(b, mb, B, SIZE, "b");

	range(a, from, b, to, 70 * PAGE);
	memcpy(B + to, A + from, 70 * PAGE);
	is(b, mb, B, SIZE, "b, with a range of a");
	/* Stores to either side, to what is shared and what is not. */
	for (i = 0; i < PAGES; i += 3) {
		ma[i * PAGE + i] = A[i * PAGE + i] = 'a';
		mb[i * PAGE + 7] = B[i * PAGE + 7] = 'b';
	}
	is(a, ma, A, SIZE, "a, stored to");
	is(b, mb, B, SIZE, "b, stored to");
	/* Inside one file, and over what is mapped. */
	range(a, 0, a, 128 * PAGE, 64 * PAGE);
	memcpy(A + 128 * PAGE, A, 64 * PAGE);
	ma[5] = A[5] = '5';
	is(a, ma, A, SIZE, "a, with a range of its own");

	if (dedupe(a, 0, b, 0, 4 * PAGE) != FILE_DEDUPE_RANGE_DIFFERS)
		die("what differs was deduplicated");
	memcpy(mb, A, 4 * PAGE);
	memcpy(B, A, 4 * PAGE);
	if (dedupe(a, 0, b, 0, 4 * PAGE) != FILE_DEDUPE_RANGE_SAME)
		die("what is the same was not deduplicated");
	is(b, mb, B, SIZE, "b, deduplicated");
	ma[0] = A[0] = '0';
	is(b, mb, B, SIZE, "b, after a store to a");
	is(a, ma, A, SIZE, "a, after a store");

	/* A whole clone over a mapped file; an odd end; holes. */
	clone_file(a, b);
	memcpy(B, A, SIZE);
	is(b, mb, B, SIZE, "b, a clone");
	sys(ftruncate(a, SIZE / 2 + 100));
	sys(fallocate(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * PAGE + 1, 2 * PAGE));
	memset(A + 10 * PAGE + 1, 0, 2 * PAGE);
	is(b, mb, B, SIZE, "b, after a was cut");
	is(a, NULL, A, SIZE / 2 + 100, "a, cut");
	sys(ftruncate(b, 0));
	clone_file(a, b);
	is(b, NULL, A, SIZE / 2 + 100, "b, a clone of a short file");
	for (i = 0; i < 1000; i++) {
		from = rand() % 100 * PAGE;
		to = (100 + rand() % 100) * PAGE;
		range(a, from, b, to, PAGE);
		sys(pwrite(a, &i, sizeof(i), from));
		sys(pwrite(b, &i, sizeof(i), to + 4));
	}
	/* copy_file_range(2) clones what it can. */
	sys(ftruncate(b, 0));
	if (syscall(SYS_copy_file_range, a, &(loff_t){ 0 }, b, &(loff_t){ 0 }, 64 * PAGE, 0) !=
	    64 * PAGE)
		die_errno("copy_file_range");
	if (read_all(a, A, 64 * PAGE, 0) != 64 * PAGE)
		die("a short file");
	is(b, NULL, A, 64 * PAGE, "a copy");
	munmap(ma, SIZE);
	munmap(mb, SIZE);
}

/* ---- cost ----------------------------------------------------------------------------- */

static long faults(void)
{
	struct rusage usage;

	sys(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt;
}

/* Looks at the first word of each page, which is to be @add and the page's number. */
static long look_around(int fd, uint64_t add, unsigned int changed)
{
	volatile const uint64_t *words = (void *)map(fd, PROT_READ, SIZE);
	long before = faults();

	for (unsigned long i = 0; i < PAGES; i++) {
		uint64_t want = i + (changed && i % changed == 0 ? add : 0);

		if (words[i * PAGE / 8] != want)
			die("page %lu: %llu, not %llu", i,
			    (unsigned long long)words[i * PAGE / 8],
			    (unsigned long long)want);
	}
	before = faults() - before;
	munmap((void *)words, SIZE);
	return before;
}

static void around(void)
{
	int fd = create("a"), clone = create("b");
	long own, cloned;

	for (uint64_t i = 0; i < PAGES; i++)
		if (pwrite(fd, &i, sizeof(i), i * PAGE) != sizeof(i))
			die_errno("pwrite");
	own = look_around(fd, 0, 0);
	clone_file(fd, clone);
	for (uint64_t i = 0; i < PAGES; i += 5) {
		uint64_t word = i + 1000;

		if (pwrite(clone, &word, sizeof(word), i * PAGE) != sizeof(word))
			die_errno("pwrite");
	}
	cloned = look_around(clone, 1000, 5);
	look_around(fd, 0, 0);
	/* The first fault in each batch of 64 maps its page alone. */
	if (own > (long)PAGES / 4)
		die("%ld faults for %lu pages", own, PAGES);
	printf("%ld faults for %lu pages, %ld in a clone that differs in one of five\n", own,
	       PAGES, cloned);
}

static uint64_t clone_ns(int src)
{
	struct timespec a, z;
	int dst = create("clone");

	clock_gettime(CLOCK_MONOTONIC, &a);
	clone_file(src, dst);
	clock_gettime(CLOCK_MONOTONIC, &z);
	close(dst);
	sys(unlink(path_of(dir, "clone")));
	return (z.tv_sec - a.tv_sec) * 1000000000ULL + z.tv_nsec - a.tv_nsec;
}

static void cost(void)
{
	int fd = open_in(dir, "big", O_RDWR), i;
	off_t size = lseek(fd, 0, SEEK_END), at;
	uint64_t best = ~0ULL;
	char *m;

	for (i = 0; i < 20; i++)
		best = MIN(best, clone_ns(fd));
	m = map(fd, PROT_READ | PROT_WRITE, size);
	for (at = 0; at < size; at += PAGE)
		m[at]++;
	printf("%llu %llu\n", (unsigned long long)best, (unsigned long long)clone_ns(fd));
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: tmpclone moment|pipe|direct|ways|around|cost DIR [TIMES or FILE]");
	dir = argv[2];
	if (!strcmp(argv[1], "moment"))
		moment(atoi(argv[3]));
	else if (!strcmp(argv[1], "pipe"))
		for (size_t pages = 1; pages < 100000; pages *= 40)
			in_pipe(pages);
	else if (!strcmp(argv[1], "direct"))
		direct(argv[3]);
	else if (!strcmp(argv[1], "ways"))
		ways();
	else if (!strcmp(argv[1], "around"))
		around();
	else if (!strcmp(argv[1], "cost"))
		cost();
	else
		die("what is %s?", argv[1]);
	return 0;
}
