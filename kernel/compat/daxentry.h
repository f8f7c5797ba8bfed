/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fs/dax.c keeps in a file's i_pages, which no header tells: a value
 * entry with four bits of state below the page's number. dm-fold reads it,
 * to find who maps a frame, and never writes it.
 *
 * From 6.15 on a DAX page is a folio with a count that begins at 0, and an
 * entry's page is unmapped in another order: dm-fold is built for 6.12 only
 * (kernel/Kbuild sees to it).
 */
#ifndef FOLDFS_COMPAT_DAXENTRY_H
#define FOLDFS_COMPAT_DAXENTRY_H

#include <linux/mm.h>
#include <linux/xarray.h>

#include "series.h"

#define FOLD_DAX_ENTRY_SHIFT	4
#define FOLD_DAX_ENTRY_PMD	BIT(1)
#define FOLD_DAX_ENTRY_ZERO	BIT(2)
#define FOLD_DAX_ENTRY_EMPTY	BIT(3)

/*
 * The page that @entry shows, or ULONG_MAX if it shows none of a device's: the
 * zero page, or nothing yet. dm-fold hands out single pages to faults, so a
 * huge entry is none of its own.
 */
static inline unsigned long fold_dax_entry_pfn(const void *entry)
{
	unsigned long value;

	if (!xa_is_value(entry))
		return ULONG_MAX;
	value = xa_to_value(entry);
	if (value & (FOLD_DAX_ENTRY_PMD | FOLD_DAX_ENTRY_ZERO |
		     FOLD_DAX_ENTRY_EMPTY))
		return ULONG_MAX;
	return value >> FOLD_DAX_ENTRY_SHIFT;
}

/*
 * Whether an idle device page is one that no file's entry shows and nobody
 * holds. fs/dax.c sets ->mapping when it puts the first entry for a page
 * somewhere and clears it with the last; the count of an unused page is 1.
 */
static inline bool fold_dax_page_shown(const struct page *page)
{
	return READ_ONCE(page->mapping);
}

static inline bool fold_dax_page_pinned(const struct page *page)
{
	return page_ref_count(page) > 1;
}

#endif
