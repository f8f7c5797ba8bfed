/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a file's references to fragments begin.
 */
#ifndef FOLD_CORE_CLAIM_H
#define FOLD_CORE_CLAIM_H

#include "cache.h"

/**
 * struct fold_claim - references that a join is going to make
 * @list: what was added, in order
 * @gen: map->gen when the proof began
 * @looked: when the file's extents had been looked at for the first time
 * @again: when they began to be looked at for the last time; what else is on
 *         the pages must have been seen there between the two
 * @until: when that last look was over
 * @at: how far a look has come; what was added goes up in the file
 * @skip: of the last fold_claim_meets()
 */
struct fold_claim {
	struct list_head list;
	unsigned long gen;
	u64 looked;
	u64 again;
	u64 until;
	struct list_head *at;
	unsigned int skip;
};

/**
 * struct fold_meeting - a file that a claim would meet on some pages
 * @map: the file's share map, held by fold_sharer_ops.hold
 * @index: first page of its range
 * @nr: pages
 * @phys: where foldfs believes them to be
 * @seq: map->seq at that time
 */
struct fold_meeting {
	struct fold_map *map;
	unsigned long index;
	unsigned long nr;
	unsigned long phys;
	unsigned long seq;
};

bool fold_claim_begin(struct fold_claim *claim, struct fold_map *map);
int fold_claim_add(struct fold_claim *claim, struct fold_map *map,
		   unsigned long index, unsigned long nr, unsigned long start,
		   unsigned int tail);
u64 fold_clock(struct fold_cache *cache);
void fold_claim_looked(struct fold_claim *claim, struct fold_map *map,
		       u64 from);
bool fold_claim_meets(struct fold_claim *claim, struct fold_map *map,
		      unsigned int skip, struct fold_meeting *meeting);
void fold_claim_look_again(struct fold_claim *claim, struct fold_map *map);
void fold_claim_seen(struct fold_claim *claim, unsigned long index,
		     unsigned long nr, unsigned long phys);
void fold_claim_looked_again(struct fold_claim *claim, struct fold_map *map);
void fold_map_seen(const struct fold_meeting *meeting, unsigned long index,
		   unsigned long nr, unsigned long phys, u64 from, u64 to);
bool fold_meeting_stale(const struct fold_meeting *meeting, u64 from);
unsigned long fold_claim_commit(struct fold_claim *claim, struct fold_map *map,
				unsigned long ino);
bool fold_claim_overlap(struct fold_claim *claim, struct fold_map *map,
			unsigned int n, unsigned long *index,
			struct fold_meeting *meeting);
void fold_claim_forget(struct fold_claim *claim, unsigned long index);
unsigned long fold_claim_end(struct fold_claim *claim);

#endif
