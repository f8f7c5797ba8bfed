/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a file's references to fragments begin and end.
 */
#ifndef FOLD_CORE_REFER_H
#define FOLD_CORE_REFER_H

#include "cache.h"

/**
 * struct fold_claim - references that a join is going to make
 * @list: what was added, in order
 * @gen: map->gen when the proof began
 */
struct fold_claim {
	struct list_head list;
	unsigned long gen;
};

int fold_refer_init(void);
void fold_refer_exit(void);
bool fold_claim_begin(struct fold_claim *claim, struct fold_map *map);
int fold_claim_add(struct fold_claim *claim, struct fold_map *map,
		   unsigned long index, unsigned long nr, unsigned long start,
		   unsigned int tail);
unsigned long fold_claim_commit(struct fold_claim *claim, struct fold_map *map,
				unsigned long ino);
void fold_break(struct fold_map *map, unsigned long first, unsigned long last,
		unsigned long ino);
void fold_map_outside(struct fold_map *map);
void fold_map_reopen(struct fold_map *map);

#endif
