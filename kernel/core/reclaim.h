/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLD_CORE_RECLAIM_H
#define FOLD_CORE_RECLAIM_H

#include "cache.h"

void fold_reclaim_hook(struct fold_space *space, struct folio *folio);
void fold_reclaim_mend(struct fold_space *space);
void fold_reclaim_asks(struct folio *folio, bool *dirty, bool *writeback);
bool fold_reclaim_release(struct folio *folio, gfp_t gfp);
void fold_reclaim_invalidate(struct folio *folio, size_t offset, size_t len);

#endif
