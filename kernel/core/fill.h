/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fills: bringing a fragment's pages in.
 */
#ifndef FOLD_CORE_FILL_H
#define FOLD_CORE_FILL_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/workqueue.h>

#include "cache.h"

#define FOLD_FILL_FOLIOS	32

/**
 * struct fold_fill - one read of adjacent pages, through one sharer
 * @iocb: for the sharer's use
 * @work: doing it again by copying
 * @cache: the cache
 * @space: the space
 * @refs: the read that was started, and the task that starts it, which may still
 *        be inside the lower filesystem when the read has ended
 * @source: the extent that it is read through, which has counted it
 * @outside: @source's count of outside changes before the read
 * @start: first physical page
 * @index: the same in the source's file
 * @nr: pages
 * @bytes: bytes that belong to the file; what follows is zero
 * @room: what @bvec has room for
 * @nr_folios: entries in @bvec
 * @bvec: the folios, whole: in the cache, locked, not up to date
 */
struct fold_fill {
	struct kiocb iocb;
	struct work_struct work;
	refcount_t refs;
	struct fold_cache *cache;
	struct fold_space *space;
	struct fold_extent *source;
	unsigned int outside;
	unsigned long start;
	unsigned long index;
	unsigned long nr;
	size_t bytes;
	unsigned int room;
	unsigned int nr_folios;
	struct bio_vec bvec[] __counted_by(room);
};

/**
 * fold_fill_folio - one of the folios that a fill brings in
 * @fill: the fill
 * @i: which, counted from 0 in the order of their pages
 *
 * Context: any.
 * Return: the folio.
 */
static inline struct folio *fold_fill_folio(const struct fold_fill *fill,
					    unsigned int i)
{
	return page_folio(fill->bvec[i].bv_page);
}

int fold_fill_init(void);
void fold_fill_exit(void);
void fold_fill_flush(void);
int fold_fill(struct fold_cache *cache, unsigned long start, unsigned long nr,
	      unsigned long mark);
void fold_fill_done(struct fold_fill *fill, long res);

#endif
