/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLD_CORE_SHOOTDOWN_H
#define FOLD_CORE_SHOOTDOWN_H

#include "cache.h"

void fold_shootdown_locked(struct fold_space *space, struct folio *folio);
enum fold_use fold_shootdown_look(struct fold_space *space,
				  struct folio *folio, bool *absent);
void fold_shootdown_tidy(struct fold_space *space, unsigned long first,
			 unsigned long last);

#endif
