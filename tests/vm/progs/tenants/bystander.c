// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bystander: a user with files of his own, who takes the time that each of his
 * calls takes, and what becomes of his figures.
 */
#include "tenants.h"

#define FILES	16
#define PAGES	64UL
#define GOT_ON	20			/* calls of each kind, or he has not got on */

static const char *const op_names[] = OP_NAMES;
static struct results *to;
static uint64_t started;		/* ns */
static uint64_t frozen;			/* shm->freezing then */
static uint64_t keys[FILES][PAGES];
static int names[FILES];		/* the name, as a number, that a file has */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static unsigned int bucket(uint64_t ns)
{
	unsigned int top = 63 - __builtin_clzll(ns | 16);

	return top * 16 + ((ns >> (top - 4)) & 15);
}

static double bucket_end(unsigned int b)
{
	return (double)(1ULL << (b / 16)) * (1 + (b % 16 + 1) / 16.0);
}

static void begin(enum op op)
{
	frozen = __atomic_load_n(&shm->freezing, __ATOMIC_SEQ_CST);
	shm->op = op;
	__atomic_store_n(&shm->since, now_us(), __ATOMIC_SEQ_CST);
	started = now_ns();
}

static void end(void)
{
	uint64_t took = now_ns() - started;
	bool froze = frozen & 1 || __atomic_load_n(&shm->freezing, __ATOMIC_SEQ_CST) != frozen;
	struct figures *f = &to->of[froze][shm->op];

	__atomic_store_n(&shm->since, 0, __ATOMIC_SEQ_CST);
	f->n++;
	f->max = MAX(f->max, took);
	f->hist[bucket(took)]++;
}

static const char *name_of(int file)
{
	static char name[16];

	sprintf(name, "f%d", names[file]);
	return name;
}

static void one_round(int dirfd)
{
	int file = random_below(FILES), fd, other;
	unsigned long page = random_below(PAGES);
	static int next_name = FILES;
	char buf[PAGE], name[16];
	struct stat st;

	begin(OPEN);
	fd = openat(dirfd, name_of(file), O_RDONLY);
	end();
	if (fd < 0)
		die_errno("the bystander's open of %s", name_of(file));

	/* One in eight reads is cold. */
	if (!random_below(8))
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	begin(READ);
	sys(pread(fd, buf, PAGE, page * PAGE));
	end();
	page_check(buf, keys[file][page], "the bystander", name_of(file), page);

	close(fd);

	begin(REOPEN);
	fd = openat(dirfd, name_of(file), O_RDWR);
	end();
	if (fd < 0)
		die_errno("the bystander's open of %s for writing", name_of(file));
	page = random_below(PAGES);
	page_make(buf, keys[file][page] = 1 + mix(chance) / 2);
	begin(WRITE);
	if (pwrite(fd, buf, PAGE, page * PAGE) != (ssize_t)PAGE)
		die_errno("the bystander's write");
	end();

	begin(STAT);
	sys(fstatat(dirfd, name_of(file), &st, 0));
	end();

	sprintf(name, "f%d", next_name);
	begin(RENAME);
	sys(renameat(dirfd, name_of(file), dirfd, name));
	end();
	names[file] = next_name++;

	begin(IDLE);
	sys(stat(IDLE_FILE, &st));
	end();

	/* What he has written over begins to share again, now and then. */
	if (!random_below(32)) {
		other = sys(openat(dirfd, "own", O_RDONLY));
		sys(ioctl(fd, FICLONE, other));
		close(other);
		for (page = 0; page < PAGES; page++)
			keys[file][page] = IMAGE_KEY(page);
	}
	close(fd);
}

void bystander(const char *dir, struct results *results)
{
	int dirfd = sys(open(dir, O_RDONLY | O_DIRECTORY)), own, i;
	unsigned long page;

	to = results;
	own = sys(openat(dirfd, "own", O_RDONLY));
	for (i = 0; i < FILES; i++) {
		names[i] = i;
		make_clone(own, dir, name_of(i), PAGES, -1);
		for (page = 0; page < PAGES; page++)
			keys[i][page] = IMAGE_KEY(page);
	}
	close(own);
	while (!stopped()) {
		one_round(dirfd);
		count(BYSTOOD);
		sleep_ms(2);
	}
}

/* ---- the report ------------------------------------------------------------------------ */

static const struct results *results_in(const char *file)
{
	int fd = sys(open(file, O_RDONLY));
	void *p = mmap(NULL, sizeof(struct results), PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die_errno("%s", file);
	return p;
}

/* In us: that many in a thousand were faster, or as fast. */
static double quantile(const struct figures *f, unsigned int in_1000)
{
	uint64_t left = f->n * in_1000 / 1000;
	unsigned int b;

	for (b = 0; b < NR_BUCKETS - 1 && left >= f->hist[b]; b++)
		left -= f->hist[b];
	return MIN(bucket_end(b), (double)f->max) / 1000;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

/*
 * Prints the figures side by side. Returns 1 if the bystander has not got on with
 * each call on each side.
 */
int report(const char *native, const char *stacked)
{
	const struct results *n = results_in(native), *s = results_in(stacked);
	int froze, op, bad = 0;

	for (froze = 0; froze < 2; froze++) {
		printf("note: bystander, %s (us; XFS / foldfs = ratio)\n",
		       froze ? "while somebody froze" : "while nobody froze");
		for (op = 0; op < NR_OPS; op++) {
			const struct figures *a = &n->of[froze][op], *b = &s->of[froze][op];

			printf("note: %-7s calls %llu / %llu, median %.0f / %.0f = %.2f, "
			       "p99.9 %.0f / %.0f = %.2f, longest %.0f / %.0f = %.2f\n",
			       op_names[op], (unsigned long long)a->n, (unsigned long long)b->n,
			       quantile(a, 500), quantile(b, 500),
			       ratio(quantile(b, 500), quantile(a, 500)),
			       quantile(a, 999), quantile(b, 999),
			       ratio(quantile(b, 999), quantile(a, 999)),
			       a->max / 1e3, b->max / 1e3, ratio(b->max, a->max));
			if (!froze && (a->n < GOT_ON || b->n < GOT_ON))
				bad = 1;
		}
	}
	return bad;
}
