/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every word of every file may be at this moment, in memory that all
 * processes of the oracle share.
 *
 * A word of the model is 8 bytes of a file. It has a value and, while a change
 * of its block is under way, the value it is about to have. Whoever changes
 * files holds the locks of all blocks that he changes, and of those whose bytes
 * he copies; readers take no lock at all. Each block counts the beginnings and
 * the ends of changes: an odd count means that one is under way.
 *
 * A reader notes values and counts before it reads and again afterwards. What it
 * read must be one of the values that it noted. Only if more changes went by
 * than the two notes can tell (see blurred()), it does not judge the block.
 *
 * The end of a file is part of the model: words behind it are GONE. The lock of
 * a file's size is held by everybody who may move it.
 */
#ifndef ORACLE_MODEL_H
#define ORACLE_MODEL_H

#include "util.h"
#include <pthread.h>

#define NR_FILES	12
#define NR_BLOCKS	48
#define WORDS		512			/* in a block */
#define NR_WORDS	(NR_BLOCKS * WORDS)
#define GONE		(~0ULL)			/* behind the end of the file */

/* One change of a block, for those who ask what happened to it. */
struct event {
	uint64_t begin, end;			/* us; 0 while it is under way */
	uint64_t nr;				/* the operation's number */
	char name[24];
	uint16_t who, from, to;			/* words of the file */
};

#define NR_EVENTS	16			/* the last ones of each block */

struct block {
	pthread_mutex_t lock;
	uint32_t count;
	uint32_t nr_events;			/* under lock */
	uint64_t val[WORDS], next[WORDS];
	struct event events[NR_EVENTS];
};

struct file {
	pthread_mutex_t size_lock;
	pthread_rwlock_t direct_lock;		/* shared: stores; exclusive: direct writes */
	uint64_t size;				/* in words; under size_lock */
	uint32_t gen;				/* moves when another file gets the name */
	uint64_t old_ino, old_size;		/* the file that had it before, and its bytes */
	uint64_t old[NR_WORDS];
	struct block blocks[NR_BLOCKS];
};

struct shared {
	struct file files[NR_FILES];
	uint64_t judged, blurred;		/* words */
	uint64_t checked;			/* operations whose words were all judged */
	uint64_t done[32];			/* operations, by kind */
	uint64_t beat[32];			/* operations, by process */
	pid_t pids[32];
	int stop;
};

static struct shared *shm;

/* The current operation: numbers drawn before it starts, whatever becomes of it. */
static struct {
	uint64_t r[8];
	uint64_t nr;
	const char *name;
	int file;
} op;

static unsigned int me;				/* which process this is */

/* ---- tokens: a word names its writer and the place it was written for ------------ */

static inline uint64_t token(unsigned int writer, unsigned int file, unsigned int word,
			     uint32_t version)
{
	return (uint64_t)(writer + 1) << 58 | (uint64_t)(file & 0x3f) << 52 |
	       (uint64_t)word << 32 | version;
}

static inline const char *spell(uint64_t t, char text[80])
{
	if (t == GONE)
		return "(behind the end)";
	if (!t)
		return "0";
	sprintf(text, "%#llx (writer %d, for file %d byte %d, version %u)", (unsigned long long)t,
		(int)(t >> 58) - 1, (int)(t >> 52) & 0x3f, (int)(t >> 32 & 0xfffff) * 8,
		(uint32_t)t);
	return text;
}

/* ---- locks ------------------------------------------------------------------------ */

static inline void shared_mutex(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(m, &attr);
}

static inline void model_init(void)
{
	pthread_rwlockattr_t attr;
	int i, j;

	shm = sys(mmap(NULL, sizeof(*shm), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	for (i = 0; i < NR_FILES; i++) {
		shared_mutex(&shm->files[i].size_lock);
		pthread_rwlock_init(&shm->files[i].direct_lock, &attr);
		for (j = 0; j < NR_BLOCKS; j++) {
			shared_mutex(&shm->files[i].blocks[j].lock);
			memset(shm->files[i].blocks[j].val, 0xff, sizeof(uint64_t) * WORDS);
			memset(shm->files[i].blocks[j].next, 0xff, sizeof(uint64_t) * WORDS);
		}
	}
}

/* The words [from, to) of one file, in the model's order of locks. */
struct range {
	int file;
	unsigned int from, to;
};

static inline void lock_blocks(struct range r)
{
	unsigned int b;

	for (b = r.from / WORDS; b * WORDS < r.to; b++)
		pthread_mutex_lock(&shm->files[r.file].blocks[b].lock);
}

static inline void unlock_blocks(struct range r)
{
	unsigned int b;

	for (b = r.from / WORDS; b * WORDS < r.to; b++)
		pthread_mutex_unlock(&shm->files[r.file].blocks[b].lock);
}

static inline bool before(struct range a, struct range b)
{
	return a.file < b.file || (a.file == b.file && a.from < b.from);
}

/* Two ranges; they must not meet in a block. Either may be empty. */
static inline void lock_two(struct range a, struct range b)
{
	lock_blocks(before(a, b) ? a : b);
	lock_blocks(before(a, b) ? b : a);
}

/* ---- changes ------------------------------------------------------------------------ */

static inline uint64_t value_of(int file, unsigned int word)
{
	return shm->files[file].blocks[word / WORDS].val[word % WORDS];
}

/*
 * A change of the range is about to begin, with the new values in NEXT (indexed
 * from the range's first word). The blocks are locked.
 */
static inline void change_begin(struct range r, const uint64_t *next)
{
	unsigned int w, b;

	for (b = r.from / WORDS; b * WORDS < r.to; b++) {
		struct block *block = &shm->files[r.file].blocks[b];
		struct event *event = &block->events[block->nr_events++ % NR_EVENTS];

		*event = (struct event){ .begin = now_us(), .nr = op.nr, .who = me,
					 .from = MAX(b * WORDS, r.from),
					 .to = MIN((b + 1) * WORDS, r.to) };
		snprintf(event->name, sizeof(event->name), "%s", op.name);
		/* Nobody may see the new values without the odd count. */
		__atomic_add_fetch(&block->count, 1, __ATOMIC_SEQ_CST);
		for (w = MAX(b * WORDS, r.from); w < MIN((b + 1) * WORDS, r.to); w++)
			__atomic_store_n(&block->next[w % WORDS], next[w - r.from],
					 __ATOMIC_SEQ_CST);
	}
}

/* The change is done, but only as far as the word UPTO. */
static inline void change_end(struct range r, unsigned int upto)
{
	unsigned int w, b;

	for (b = r.from / WORDS; b * WORDS < r.to; b++) {
		struct block *block = &shm->files[r.file].blocks[b];

		for (w = MAX(b * WORDS, r.from) % WORDS + b * WORDS;
		     w < MIN((b + 1) * WORDS, r.to); w++) {
			uint64_t *val = &block->val[w % WORDS], *next = &block->next[w % WORDS];

			if (w < upto)
				__atomic_store_n(val, *next, __ATOMIC_SEQ_CST);
			else
				__atomic_store_n(next, *val, __ATOMIC_SEQ_CST);
		}
		__atomic_add_fetch(&block->count, 1, __ATOMIC_SEQ_CST);
		block->events[(block->nr_events - 1) % NR_EVENTS].end = now_us();
	}
}

/* ---- judging ------------------------------------------------------------------------- */

struct note {
	uint32_t count;
	uint64_t val[WORDS], next[WORDS];
};

/* Of the words [from, to) of a block. */
static inline void take_note(struct note *n, int file, unsigned int b, unsigned int from,
			     unsigned int to)
{
	struct block *block = &shm->files[file].blocks[b];
	size_t len = (to - from) * sizeof(uint64_t);
	uint32_t again;

	do {
		n->count = __atomic_load_n(&block->count, __ATOMIC_SEQ_CST);
		memcpy(n->val + from, block->val + from, len);
		memcpy(n->next + from, block->next + from, len);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		again = __atomic_load_n(&block->count, __ATOMIC_SEQ_CST);
	} while (again != n->count);
}

/*
 * Two steps of the count after an even one, three after an odd one: that far,
 * each value in between is in one of the notes, as the current or the next one,
 * even if the second note was taken in the middle of change_end().
 */
static inline bool blurred(const struct note *a, const struct note *z)
{
	return z->count - a->count > 2 + (a->count & 1);
}

enum manner { COPIED, MAPPED, SPLICED };

/*
 * May this word have been read between the notes? A word that was just being
 * changed may also be torn, since the kernel copies bytes; and where the end of
 * the file moved across it, the kernel may have shown the zeros behind the end.
 * Pages in a pipe or a mapping are the page cache's own: where a change takes a part
 * of a large folio away, the kernel clears that part there, and a fault may still find
 * it (seen on plain XFS while a range was collapsed).
 */
static inline bool possible(uint64_t got, const struct note *a, const struct note *z,
			    unsigned int w, enum manner manner)
{
	uint64_t may[5] = { a->val[w], a->next[w], z->val[w], z->next[w] };
	int nr = 4, i, byte;
	bool gone = false, present = false;

	for (i = 0; i < 4; i++) {
		if (may[i] == got)
			return true;
		gone |= may[i] == GONE;
		present |= may[i] != GONE;
	}
	if (got == GONE || !present)		/* all behind the end: zeros in a mapping */
		return gone && manner == MAPPED && !got;
	if (gone || (manner != COPIED && (a->count != z->count || a->count & 1))) {
		may[nr++] = 0;
		if (!got)
			return true;
	}
	for (i = 1; i < nr && (may[i] == may[0]); i++)
		;
	if (i == nr)				/* nothing was under way */
		return false;
	for (byte = 0; byte < 64; byte += 8) {
		for (i = 0; i < nr; i++)
			if (may[i] != GONE && (may[i] >> byte & 0xff) == (got >> byte & 0xff))
				break;
		if (i == nr)
			return false;
	}
	return true;
}

static void evidence(int file, unsigned int word);

/*
 * Judge the words [from, to) of block B, which were read into GOT. Returns false
 * if that was not possible.
 */
static inline bool judge(int file, unsigned int b, unsigned int from, unsigned int to,
			 const uint64_t *got, const struct note *a, enum manner manner,
			 const char *how)
{
	char t[6][80];
	struct note z;
	unsigned int w;

	take_note(&z, file, b, from, to);
	if (blurred(a, &z)) {
		__atomic_add_fetch(&shm->blurred, to - from, __ATOMIC_RELAXED);
		return false;
	}
	for (w = from; w < to; w++)
		if (!possible(got[w - from], a, &z, w, manner)) {
			evidence(file, b * WORDS + w);
			die("%s: file %d byte %u is %s; it may be %s or %s at first (count %u), "
			    "%s or %s at last (count %u)", how, file, (b * WORDS + w) * 8,
			    spell(got[w - from], t[0]), spell(a->val[w], t[1]),
			    spell(a->next[w], t[2]), a->count, spell(z.val[w], t[3]),
			    spell(z.next[w], t[4]), z.count);
		}
	__atomic_add_fetch(&shm->judged, to - from, __ATOMIC_RELAXED);
	return true;
}

#endif
