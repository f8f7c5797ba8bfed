/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * difftest - the same random system calls on two filesystems, compared one by one
 *
 * A *call* is decided by the seed and its index alone, so any part of a sequence
 * can be made again without the rest: that is how a difference is minimised. A
 * *side* is one of the two filesystems. On each side the calls are made by the
 * same few *actors*, processes with different rights that live in a chroot on
 * their filesystem, one call at a time. What a call answered, and what can be
 * seen afterwards of the file it was about, is its *result*.
 */
#ifndef DIFFTEST_H
#define DIFFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SIDES		2
#define ACTORS		5
#define SLOTS		4	/* descriptors that an actor keeps */
#define MAPS		2	/* mappings that an actor keeps */
#define BLOCK		4096
#define BUFSIZE		(1 << 19)
#define STRETCH		1024	/* calls between two looks at the whole trees */
#define FACTS		26

/* What a seed dwells on; the seed modulo their number says which. */
enum profile { BYTES_MOSTLY, NAMES_MOSTLY, ATTRIBUTES_MOSTLY, SHARING, PROFILES };

/* ---- calls ---------------------------------------------------------------- */

struct kind;

/**
 * struct call - one call, the same on both sides
 * @index: its place in the endless sequence of its seed
 * @actor: who makes it
 * @kind: what it is; which of the fields below mean something depends on that
 */
struct call {
	unsigned int index;
	int actor;
	const struct kind *kind;
	char path[2][300];
	int slot[2], map;
	int flags, mode;
	off_t off[2];
	size_t len;
	uint32_t fill;
	unsigned int pick[3];
};

/* A named number that belongs to a result; @name is a literal. */
struct fact {
	const char *name;
	uint64_t value;
};

/**
 * struct result - what a call answered on one side
 * @ret: its return value
 * @err: errno, if @ret is negative
 * @digest: of the bytes that it returned
 * @nr: facts in @fact
 * @fact: what else is to be compared
 * @text: the call in C, if somebody is going to read it
 */
struct result {
	long ret;
	int err;
	uint64_t digest;
	int nr;
	struct fact fact[FACTS];
	char text[400];
};

/**
 * struct kind - a kind of call
 * @name: of the system call
 * @make: makes it
 * @weight: how often, for each profile
 * @after: what to look at afterwards
 */
struct kind {
	const char *name;
	long (*make)(const struct call *c, struct result *r);
	int weight[PROFILES];
	enum { NOTHING, PATH, SLOT, SLOT1, BYTES } after;
};

#define ONE_OF(array, n) ((array)[(n) % (sizeof(array) / sizeof(*(array)))])
#define CALL(name)						\
	static long name(const struct call *c __attribute__((unused)),	\
			 struct result *r)

extern const struct kind data_kinds[], name_kinds[], attribute_kinds[], held_kinds[];
extern const struct kind odd_kinds[];

/* sequence.c */
void decide(uint64_t seed, unsigned int index, struct call *c);
int actor_of(uint64_t seed, unsigned int index);

/* actor.c: state of the process that makes the calls */
struct mapping {
	unsigned char *p;
	size_t len;
	int fd;
	off_t off;
	bool shared;
};

extern int fds[SLOTS];
extern struct mapping maps[MAPS];
extern int proc_fds;		/* /proc/self/fd, opened before the chroot */
extern int elsewhere;		/* the tree by the other way, or -1 */
extern unsigned char *buffer;
extern bool tracing;
extern const char *const actor_names[ACTORS];

void trace(struct result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fact(struct result *r, const char *name, uint64_t value);
void fact_stat(struct result *r, int dirfd, const char *path, int flags);
void fill(uint32_t seed, size_t n);
uint64_t digest(uint64_t h, const void *p, size_t n);
void put_slot(int slot, int fd);
void drop_map(int map);
const char *open_flags(int flags);
/* Runs @fn and says by which signal it was stopped, or 0. */
int guarded(void (*fn)(void *arg), void *arg);
void actor_run(int side, int actor, const char *root) __attribute__((noreturn));

/* stage.c: both sides and their actors */
struct stage {
	unsigned int n;			/* calls in this stretch */
	unsigned int index[STRETCH];
	uint32_t turn[SIDES];		/* the call whose turn it is */
	uint32_t bell[SIDES][ACTORS];
	uint32_t done;			/* sides that have made all calls */
	uint32_t ready;			/* actors that wait for a call */
	uint32_t mapped[SIDES];		/* IDs are mapped: go on */
	bool quit;
	struct result result[SIDES][STRETCH];
};

extern struct stage *stage;
extern uint64_t seed;
extern const char *roots[SIDES];
extern const char *ways[SIDES];	/* other mounts of the same trees, or NULL */

void ring(uint32_t *bell);
bool wait_while(uint32_t *bell, uint32_t value, int seconds);
void stage_open(void);
bool stage_play(const unsigned int *index, unsigned int n);
void stage_close(void);

/* compare.c */
bool same_result(const struct result *a, const struct result *b);
void print_result(const char *name, const struct result *r);
bool same_trees(bool tell);

/* minimise.c */
void minimise(const unsigned int *index, unsigned int n, unsigned long limit);
int replay(const unsigned int *index, unsigned int n, bool tell);

#endif
