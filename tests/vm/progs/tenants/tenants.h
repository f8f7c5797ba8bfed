/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of tenants share: see main.c.
 */
#ifndef TENANTS_H
#define TENANTS_H

#include "../util.h"

#define IMAGE_PAGES	512UL		/* of the image that all clone */
#define FILE_PAGES	128UL		/* of a tenant's files */
#define WORDS		(PAGE / 8)

/* ---- what the bystander measures --------------------------------------------------- */

enum op { OPEN, READ, REOPEN, WRITE, STAT, RENAME, IDLE, NR_OPS };

/*
 * IDLE is a stat of a file in another filesystem, which no tenant can do anything about:
 * it tells how long the bystander waits for a processor.
 */
#define OP_NAMES { "open", "read", "open rw", "write", "stat", "rename", "(idle)" }

/* A bucket is a sixteenth of a power of two, in ns. */
#define NR_BUCKETS	(64 * 16)

struct figures {
	uint64_t n, max;			/* ns */
	uint64_t hist[NR_BUCKETS];
};

/* [0]: with no freeze on its way; [1]: begun, ended or lived through while there was. */
struct results {
	struct figures of[2][NR_OPS];
};

/* ---- what all processes share -------------------------------------------------------- */

enum count { MIXED, HELD, KILLED, CROWDED, FREEZES, BYSTOOD, NR_COUNTS };

struct shared {
	int stop;
	uint64_t freezing;			/* odd while somebody freezes or has frozen */
	uint64_t done[NR_COUNTS];
	/* What the bystander does, and since when (us); 0: nothing that is measured. */
	uint64_t since;
	int op;
};

extern struct shared *shm;
extern const char *base;			/* the directory in the mount under test */
extern uint64_t seed;

static inline bool stopped(void)
{
	return __atomic_load_n(&shm->stop, __ATOMIC_RELAXED);
}

static inline void count(enum count what)
{
	__atomic_add_fetch(&shm->done[what], 1, __ATOMIC_RELAXED);
}

/* ---- chance, of each process its own ---------------------------------------------------- */

extern uint64_t chance;

static inline uint64_t random_below(uint64_t n)
{
	chance = mix(chance);
	return chance % n;
}

/* Sleep, but no longer than the run goes on. */
static inline void rest_ms(unsigned int ms)
{
	uint64_t end = now_us() + ms * 1000ULL;

	while (!stopped() && now_us() < end)
		sleep_ms(MIN(ms, 20U));
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* A page is known by its key; 0 is a page of zeroes. */
#define IMAGE_KEY(page)	(1000 + (page))

static inline uint64_t word_of(uint64_t key, unsigned int w)
{
	return key ? mix(key) + w : 0;
}

void page_make(void *buf, uint64_t key);
void page_check(const void *buf, uint64_t key, const char *what, const char *file,
		unsigned long page);
void make_clone(int src, const char *dir, const char *name, unsigned long pages, uid_t owner);

/* ---- roles; each ends when the run stops ------------------------------------------------------ */

void mixer(const char *dir);			/* load.c */
void crowd_setup(int image, const char *dir, uid_t owner);
void crowd_fault(const char *dir);
void crowd_allocate(const char *dir);
void crowd_read(const char *dir);
void freezer(const char *const *where, unsigned int nr);
void holder(const char *dir);			/* hold.c */
void queuer(const char *dir);
void fuse_daemon(int fd);
void bystander(const char *dir, struct results *results);	/* bystander.c */
int report(const char *native, const char *stacked);

#define HELD_FILES	4
#define MIXED_FILES	8
#define IDLE_FILE	"/tmp/idle"
#define FUSE_DIR	"/mnt/held"
#define FUSE_PAGES	256UL

#endif
