/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a file's references to fragments end.
 */
#ifndef FOLD_CORE_REFER_H
#define FOLD_CORE_REFER_H

#include "cache.h"

int fold_refer_init(void);
void fold_refer_exit(void);
struct fold_extent *fold_extent_alloc(struct fold_map *map,
				      unsigned long index, unsigned long last,
				      struct fold_fragment **spare);
void fold_extent_free(struct fold_extent *ext);
void fold_fragment_free(struct fold_fragment *frag);
void fold_fill_leaves(struct fold_extent *ext);
void fold_break(struct fold_map *map, unsigned long first, unsigned long last,
		unsigned long ino);
void fold_map_outside(struct fold_map *map);
bool fold_map_close(struct fold_map *map, bool empty);
void fold_map_reopen(struct fold_map *map);

#endif
