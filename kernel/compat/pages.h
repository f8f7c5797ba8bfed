/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page cache, page tables and VMAs.
 */
#ifndef FOLDFS_COMPAT_PAGES_H
#define FOLDFS_COMPAT_PAGES_H

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>

#include "series.h"

#ifdef FOLD_LINUX_6_12
#include <linux/pagevec.h>
#else
#include <linux/folio_batch.h>
#endif

/**
 * fold_pte_clear_young - was a page used through this entry since the last time
 * @vma: the mapping
 * @addr: the user address
 * @pte: the present entry of it, its table locked
 *
 * x86 does not export its ptep_test_and_clear_young().
 *
 * Return: true if it was.
 */
static inline bool fold_pte_clear_young(struct vm_area_struct *vma,
					unsigned long addr, pte_t *pte)
{
#ifdef CONFIG_X86
	return pte_young(ptep_get(pte)) &&
	       test_and_clear_bit(_PAGE_BIT_ACCESSED,
				  (unsigned long *)&pte->pte);
#else
	return ptep_test_and_clear_young(vma, addr, pte);
#endif
}

/**
 * fold_ra_unbounded - read pages of a lower file ahead
 * @ractl: from where, and for which file
 * @nr: pages
 *
 * Context: process context. Takes the mapping's invalidate_lock shared: the newest
 * kernel leaves that to the caller, and without it pages can come in between
 * a hole punch's zap and its end.
 */
static inline void fold_ra_unbounded(struct readahead_control *ractl,
				     unsigned long nr)
{
#ifdef FOLD_LINUX_6_12
	page_cache_ra_unbounded(ractl, nr, 0);
#else
	filemap_invalidate_lock_shared(ractl->mapping);
	page_cache_ra_unbounded(ractl, nr, 0);
	filemap_invalidate_unlock_shared(ractl->mapping);
#endif
}

/*
 * The newest kernel maps the whole folio of a page that ->fault returns, where no
 * lock of ours reaches.
 */
#ifdef FOLD_LINUX_6_12
#define FOLD_FAULT_MAPS_FOLIO	false
#else
#define FOLD_FAULT_MAPS_FOLIO	true
#endif

/**
 * fold_mkwrite_range - what a store makes writable, after ->page_mkwrite
 * @folio: the lower folio
 * @index: the page of the file that is stored to
 * @nr: set to the number of pages
 *
 * The newest kernel maps the whole folio, writable, if the page was not mapped
 * yet. Nothing keeps the folio as it is here: the lower filesystem looks at
 * it again with its lock held, and it can only get smaller.
 *
 * Return: the first page of the file.
 */
static inline unsigned long fold_mkwrite_range(struct folio *folio,
					       unsigned long index,
					       unsigned long *nr)
{
	unsigned long first = READ_ONCE(folio->index);
	unsigned long size = folio_nr_pages(folio);

	if (FOLD_FAULT_MAPS_FOLIO && index >= first && index - first < size) {
		*nr = size;
		return first;
	}
	*nr = 1;
	return index;
}

/**
 * fold_vma_keep_tables - let nobody throw page tables of a mapping away
 * @vma: a mapping that is about to show a foreign page
 *
 * The newest kernel collapses the pages of any regular file into a huge one upon
 * anybody's wish, unmaps them by the reverse map, takes the page tables of all
 * who map the file for empty then, and frees them. Foreign pages are not found
 * by the reverse map. Where guard markers may be it leaves the tables alone,
 * and looks once more with the table locked: so the mark has to be set before the
 * first foreign page is mapped. Its price is that fork copies such tables.
 *
 * Context: the VMA is locked, at least for reading.
 */
static inline void fold_vma_keep_tables(struct vm_area_struct *vma)
{
#ifndef FOLD_LINUX_6_12
	if (!vma_test_atomic_flag(vma, VMA_MAYBE_GUARD_BIT))
		vma_set_atomic_flag(vma, VMA_MAYBE_GUARD_BIT);
#endif
}

#ifdef FOLD_LINUX_6_12
#define fold_filemap_alloc_folio(gfp, order)	filemap_alloc_folio(gfp, order)
#define fold_mm_get_unmapped_area(file, addr, len, pgoff, flags)	\
	mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags)
#else
#define fold_filemap_alloc_folio(gfp, order)				\
	filemap_alloc_folio(gfp, order, NULL)
#define fold_mm_get_unmapped_area	mm_get_unmapped_area
#endif

#endif
