// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking copies of shared pages out of the lower page cache.
 *
 * A file's own page cache may hold what it shares: from before it joined, or
 * because a read was on its way to the lower file when it did. While a join is
 * made up, no page of the range may be there; afterwards it is a copy that
 * nobody needs.
 *
 * The kernel's own invalidation takes pages out that are pinned as well. What
 * a device still writes to such a page is lost then, where the lower filesystem
 * alone would have kept the page: nobody drops the cache under it. So here a
 * pinned page stays, and its part of the file is private until the pin is gone.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "upper.h"

/*
 * Takes a locked folio out, if nothing but page tables keeps it. References of
 * other kinds do not: a page that was just read sits in a batch of the
 * processor's for as long as it likes, and who reads it keeps the bytes.
 */
static bool drop_folio(struct address_space *mapping, struct folio *folio)
{
	if (folio_test_dirty(folio) || folio_test_writeback(folio))
		return false;
	if (folio_mapped(folio))
		unmap_mapping_pages(mapping, folio->index,
				    folio_nr_pages(folio), false);
	/*
	 * Who pins a page without locks looks again whether it is still mapped
	 * once he has his pin: either he finds it gone, or his pin is seen here.
	 */
	smp_mb();
	if (folio_mapped(folio) || folio_test_dirty(folio) ||
	    folio_test_writeback(folio) || folio_maybe_dma_pinned(folio))
		return false;
	return !generic_error_remove_folio(mapping, folio);
}

/**
 * fold_copies_drop_range - take a range out of a lower page cache
 * @mapping: of the lower inode, a regular file
 * @index: first page
 * @last: last page, inclusive
 *
 * Folios that reach out of the range go as a whole. Nothing that is dirty,
 * under writeback or pinned goes.
 *
 * Context: process context; mmap locks may be held, but no lower folio's lock.
 * Waits for pages that are being read, as long as the disk takes.
 * Return: true if no page of the range is left but those that came meanwhile.
 */
bool fold_copies_drop_range(struct address_space *mapping, unsigned long index,
			    unsigned long last)
{
	struct folio_batch batch;
	bool unmapped = false, all = true;
	struct folio *folio;
	unsigned int i;

	if (!READ_ONCE(mapping->nrpages))
		return true;
	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &index, last, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			folio = batch.folios[i];
			/* At once what would be unmapped page by page. */
			if (!unmapped && folio_mapped(folio)) {
				unmap_mapping_pages(mapping, folio->index,
						    last - folio->index + 1,
						    false);
				unmapped = true;
			}
			folio_lock(folio);
			if (folio->mapping == mapping)
				all &= drop_folio(mapping, folio);
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return all;
}

/**
 * fold_drop_copies - take copies of shared pages out of the lower page cache
 * @inode: the upper inode
 * @index: first page of the file to look at
 * @last: last one
 *
 * Faults and reads that were on their way to the lower file when a join was
 * committed bring pages into the lower page cache. They are right, but they are
 * copies; from now on everybody finds the shared page.
 *
 * Context: process context; mmap locks may be held, but no folio's lock. Waits
 * for pages that are being read.
 */
void fold_drop_copies(struct inode *inode, unsigned long index,
		      unsigned long last)
{
	struct fold_inode *fi = FOLD_I(inode);
	struct address_space *mapping = fi->lower->i_mapping;
	struct fold_run run;
	unsigned long end;

	while (index <= last && READ_ONCE(mapping->nrpages)) {
		bool shared = fold_map_lookup(&fi->share.map, index, &run);

		end = run.nr - 1 < last - index ? index + run.nr - 1 : last;
		if (shared)
			fold_copies_drop_range(mapping, index, end);
		if (end == last)
			return;
		index = end + 1;
		cond_resched();
	}
}

/**
 * fold_reads_wait - wait for those who are reading pages into a page cache
 * @mapping: of the lower inode
 * @index: first page
 * @last: last page, inclusive
 *
 * When it returns, whoever had asked the lower filesystem before where the bytes of
 * one of the pages are has had his answer, and is through with it.
 *
 * Context: process context, no folio's lock held. Waits as long as the disk takes;
 * looks at each cached page of the range.
 */
void fold_reads_wait(struct address_space *mapping, unsigned long index,
		     unsigned long last)
{
	struct folio_batch batch;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &index, last, &batch)) {
		/* Who reads has the folio locked. */
		for (i = 0; i < folio_batch_count(&batch); i++)
			folio_wait_locked(batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
}

/**
 * fold_joined_since - may copies have been made of what has joined meanwhile
 * @share: sharing state of the upper inode
 * @seq: share->map.seq from before it was decided to go to the lower file
 *
 * To be asked when what was read from the lower file is in its page cache: who
 * joins has his references first, and takes the copies out then.
 *
 * Return: true if the share map has changed.
 */
bool fold_joined_since(struct fold_share *share, unsigned long seq)
{
	/* Pairs with the one that a join has before it drops copies. */
	smp_mb();
	return READ_ONCE(share->map.seq) != seq;
}
