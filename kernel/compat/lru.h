/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a folio stands on the kernel's lists, which no interface tells. The
 * layout of what is read here is known to modules of this series by its
 * headers.
 */
#ifndef FOLDFS_LRU_H
#define FOLDFS_LRU_H

#include <linux/memcontrol.h>
#include <linux/mm_inline.h>

/**
 * fold_folio_is_next - is reclaim going to look at a folio before long
 * @folio: the folio, locked, so that its memory cgroup is stable
 *
 * With the classic lists that is a folio on the inactive one; with MGLRU one of
 * the oldest generation, or of the next one if the oldest can be evicted now.
 *
 * Context: any but interrupts. Racy: the answer is a hint.
 * Return: true if so.
 */
static inline bool fold_folio_is_next(struct folio *folio)
{
#ifdef CONFIG_LRU_GEN
	int gen = folio_lru_gen(folio);
	struct mem_cgroup *memcg;
	struct lruvec *lruvec;
	unsigned long min, max;

	if (gen >= 0) {
		memcg = folio_memcg(folio);
#ifdef CONFIG_MEMCG
		if (memcg)
			lruvec = &memcg->nodeinfo[folio_nid(folio)]->lruvec;
		else
#endif
			lruvec = &folio_pgdat(folio)->__lruvec;
		min = READ_ONCE(lruvec->lrugen.min_seq[LRU_GEN_FILE]);
		max = READ_ONCE(lruvec->lrugen.max_seq);
		return gen == lru_gen_from_seq(min) ||
		       (min + MIN_NR_GENS <= max &&
			gen == lru_gen_from_seq(min + 1));
	}
#endif
	return !folio_test_active(folio);
}

#endif
