/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a file's page to the shared page that holds it.
 */
#ifndef FOLD_CORE_PAGES_H
#define FOLD_CORE_PAGES_H

#include "cache.h"

/**
 * struct fold_page - a shared page, found
 * @folio: the folio, with a reference
 * @run: the run it was found in; if there is none, what is private
 */
struct fold_page {
	struct folio *folio;
	struct fold_run run;
};

int fold_pages_find(struct fold_map *map, unsigned long index,
		    unsigned long want, struct file_ra_state *ra,
		    bool nowait, struct fold_page *page);
bool fold_pages_valid(struct fold_map *map, const struct fold_page *page);
bool fold_pages_map(struct fold_map *map, const struct fold_page *page,
		    unsigned long index);
void fold_pages_fill_around(struct fold_map *map, const struct fold_run *run,
			    unsigned long index, struct file_ra_state *ra,
			    bool random);
void fold_pages_fill_ahead(struct fold_map *map, const struct fold_run *run,
			   unsigned long index, struct file_ra_state *ra,
			   struct folio *folio);

#endif
