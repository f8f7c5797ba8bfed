/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLDFS_MAPPED_H
#define FOLDFS_MAPPED_H

#include "../core/cache.h"

void fold_mapped_zap(struct fold_map *map, unsigned long index,
		     unsigned long nr);
enum fold_use fold_mapped_look(struct fold_map *map, unsigned long index,
			       unsigned long nr, struct page *page);

#endif
