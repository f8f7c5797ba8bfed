/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a file's references to fragments begin.
 */
#ifndef FOLD_CORE_CLAIM_H
#define FOLD_CORE_CLAIM_H

#include "cache.h"

struct claim_item;

/**
 * struct fold_claim - references that a join is going to make
 * @list: what was added, in order of the file's pages
 * @gen: map->gen when the proof began
 * @looked: when the file's extents had been looked at for the first time
 * @again: when they began to be looked at for the last time
 * @at: the range that is being examined; NULL: begin with the first
 * @pos: the first physical page of that range that is not proved yet
 * @asked: sharers of that page who have been asked in vain
 * @confirmed: how far the last look has come
 * @given_up: something was dropped that another time may bring
 */
struct fold_claim {
	struct list_head list;
	unsigned long gen;
	u64 looked;
	u64 again;
	struct claim_item *at;
	unsigned long pos;
	unsigned int asked;
	struct claim_item *confirmed;
	bool given_up;
};

/**
 * struct fold_meeting - a file that a claim would meet on some pages
 * @map: the file's share map, held by fold_sharer_ops.hold
 * @from: page of the file from which on it is worth while to look
 * @index: first page of its range
 * @nr: pages
 * @phys: where foldfs believes them to be
 * @gen: map->gen at that time
 */
struct fold_meeting {
	struct fold_map *map;
	unsigned long from;
	unsigned long index;
	unsigned long nr;
	unsigned long phys;
	unsigned long gen;
};

bool fold_claim_begin(struct fold_claim *claim, struct fold_map *map);
int fold_claim_add(struct fold_claim *claim, struct fold_map *map,
		   unsigned long index, unsigned long nr, unsigned long start,
		   unsigned int tail);
u64 fold_clock(struct fold_cache *cache);
void fold_claim_looked(struct fold_claim *claim, struct fold_map *map,
		       u64 from);
bool fold_claim_meets(struct fold_claim *claim, struct fold_map *map,
		      struct fold_meeting *meeting);
bool fold_claim_look_again(struct fold_claim *claim, struct fold_map *map,
			   unsigned long *first, unsigned long *last);
void fold_claim_seen(struct fold_claim *claim, unsigned long index,
		     unsigned long nr, unsigned long phys);
void fold_claim_looked_again(struct fold_claim *claim);
void fold_map_seen(const struct fold_meeting *meeting, unsigned long index,
		   unsigned long nr, unsigned long phys, u64 from);
bool fold_meeting_stale(const struct fold_meeting *meeting, u64 from);
unsigned long fold_claim_commit(struct fold_claim *claim, struct fold_map *map,
				unsigned long ino);
bool fold_claim_overlap(struct fold_claim *claim, struct fold_map *map,
			unsigned int n, unsigned long *index,
			struct fold_meeting *meeting);
void fold_claim_forget(struct fold_claim *claim, unsigned long index);
unsigned long fold_claim_end(struct fold_claim *claim);

#endif
