/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLDFS_MAPPED_H
#define FOLDFS_MAPPED_H

#include "../core/cache.h"

void fold_mapped_zap(struct fold_map *map, unsigned long index,
		     unsigned long nr);
bool fold_mapped_anywhere(struct fold_map *map);
bool fold_mapped_bar(struct fold_map *map);
void fold_mapped_allow(struct fold_map *map);
enum fold_use fold_mapping_look(struct address_space *mapping,
				unsigned long index, unsigned long nr,
				struct page *page);
enum fold_use fold_mapped_look(struct fold_map *map, unsigned long index,
			       unsigned long nr, struct page *page);

#endif
