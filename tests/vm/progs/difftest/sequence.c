// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which call comes at which place of a seed's sequence. Nothing here depends on
 * what a call before has answered.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "difftest.h"

struct random {
	uint64_t state;
};

static uint32_t rnd(struct random *r, uint32_t n)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ (z >> 31)) >> 16) % n;
}

static void decide_path(struct random *r, char *path, bool deep)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	int depth = 1 + (rnd(r, 4) == 0) + (rnd(r, 5) == 0);

	if (!deep)
		depth = 1 + (rnd(r, 8) == 0);
	path[0] = 0;
	switch (rnd(r, 80)) {
	case 0:
		strcpy(path, "../");
		break;
	case 1:
		strcpy(path, "/");
		break;
	case 2:		/* the longest name, and one that is too long */
		memset(path, 'n', 256);
		path[255 + rnd(r, 2)] = 0;
		return;
	}
	strcat(path, names[rnd(r, 5)]);
	while (--depth > 0) {
		strcat(path, rnd(r, 60) ? "/" : "/../");
		strcat(path, names[rnd(r, 5)]);
	}
	if (!rnd(r, 60))
		strcat(path, rnd(r, 2) ? "/" : "/.");
}

static off_t decide_offset(struct random *r)
{
	off_t off = rnd(r, rnd(r, 3) ? 40000 : 200000);

	return rnd(r, 3) ? off : off & -BLOCK;
}

static const struct kind *decide_kind(struct random *r, int profile)
{
	static const struct kind *const tables[] = {
		data_kinds, name_kinds, attribute_kinds, held_kinds, odd_kinds,
	};
	static int total[PROFILES];
	const struct kind *k;
	int n, t;

	if (!total[profile])
		for (t = 0; t < 5; t++)
			for (k = tables[t]; k->name; k++)
				total[profile] += k->weight[profile];
	n = rnd(r, total[profile]);
	for (t = 0; ; t++)
		for (k = tables[t]; k->name; k++) {
			n -= k->weight[profile];
			if (n < 0)
				return k;
		}
}

/* An actor makes some calls on end: handing over costs more than a call. */
int actor_of(uint64_t seed, unsigned int index)
{
	struct random r = { .state = seed * 1000003 + (index >> 3) };

	/* Root can do most, so it does most. */
	return rnd(&r, 2) ? 0 : 1 + rnd(&r, ACTORS - 1);
}

void decide(uint64_t seed, unsigned int index, struct call *c)
{
	static const int access[] = {
		O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR,
	};
	static const int extra[] = {
		O_CREAT, O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND,
		O_CREAT | O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_DIRECT, O_DSYNC,
		O_NOATIME, O_PATH, O_CREAT | O_APPEND, O_SYNC | O_CREAT,
		O_PATH | O_NOFOLLOW, 0, 0, 0, 0,
	};
	struct random r = { .state = (seed << 32) ^ index };
	int profile = seed % PROFILES, i;

	memset(c, 0, offsetof(struct call, path));
	c->index = index;
	c->actor = actor_of(seed, index);
	c->kind = decide_kind(&r, profile);
	for (i = 0; i < 2; i++) {
		decide_path(&r, c->path[i], profile != SHARING);
		c->slot[i] = rnd(&r, SLOTS);
		c->off[i] = decide_offset(&r);
	}
	c->map = rnd(&r, MAPS);
	c->flags = access[rnd(&r, 5)] | extra[rnd(&r, 20)];
	/* While somebody has a file open for writing, it does not join. */
	if (profile == SHARING && rnd(&r, 5))
		c->flags &= ~O_ACCMODE;
	if (rnd(&r, 2))
		c->flags &= ~(O_DIRECTORY | O_EXCL);
	c->mode = rnd(&r, 4) ? 0777 : rnd(&r, 010000);
	c->len = rnd(&r, 5) ? rnd(&r, 16000) : rnd(&r, 150000);
	if (c->len && !rnd(&r, 3))
		c->len = (c->len & -BLOCK) + BLOCK;
	c->fill = rnd(&r, 1u << 31);
	for (i = 0; i < 3; i++)
		c->pick[i] = rnd(&r, 1u << 30);
}
