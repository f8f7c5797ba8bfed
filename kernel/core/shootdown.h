/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLD_CORE_SHOOTDOWN_H
#define FOLD_CORE_SHOOTDOWN_H

#include "cache.h"

void fold_shootdown_locked(struct fold_space *space, struct folio *folio);
void fold_shootdown_range(struct fold_space *space, unsigned long first,
			  unsigned long last);
enum fold_use fold_shootdown_look(struct fold_space *space,
				  struct folio *folio);
int fold_shrinker_init(void);
void fold_shrinker_exit(void);
int fold_shrinker_note(struct fold_cache *cache, unsigned long phys);
int fold_shrinker_register(struct fold_cache *cache);
void fold_shrinker_unregister(struct fold_cache *cache);

#endif
