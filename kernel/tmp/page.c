// SPDX-License-Identifier: GPL-2.0-only
/*
 * One page of a file: made, and copied before it changes.
 *
 * A page that nobody but one file refers to is written in place. If others have
 * referred to it before, somebody may still have it in hand through one of those (a
 * read that is under way, a pin, a pipe), and would see this file's new bytes; so
 * then it must be clear that nobody has.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>

#include "foldtmp.h"

/**
 * ftmp_page_free_to_write - may a page be written where it is
 * @slot: the page, which belongs to one file alone
 * @folio: its memory, locked, with the caller's reference
 *
 * Context: the file's map_sem held, for reading at least.
 * Return: true if nobody can have it in hand through another file.
 */
bool ftmp_page_free_to_write(unsigned long slot, struct folio *folio)
{
	struct ftmp_batch *batch = ftmp_slot_batch(slot);
	unsigned int nr = ftmp_slot_nr(slot);

	if (likely(!test_bit(nr, &batch->shared)))
		return true;
	/* The page cache's, the caller's, and one for each PTE: of this file. */
	if (folio_ref_count(folio) != 2 + folio_mapcount(folio))
		return false;
	clear_bit(nr, &batch->shared);
	return true;
}

/**
 * ftmp_page_make - make a page, without putting it into its place
 * @ti: the file
 * @index: where it will be
 * @sgp: SGP_CACHE for a cleared page, SGP_WRITE for one that is not up to date
 * @path: set to the path to the place
 * @slot: set to the page, with a count; undone by ftmp_page_put()
 * @foliop: set to its memory, locked, with a reference
 *
 * Context: map_sem held for writing, until ftmp_map_put(). May sleep for memory.
 * Return: 0, -ENOSPC, -ENOMEM.
 */
int ftmp_page_make(struct ftmp_inode *ti, pgoff_t index, enum sgp_type sgp,
		   struct ftmp_path *path, unsigned long *slot,
		   struct folio **foliop)
{
	struct ftmp_drop drop = { };
	int err;

	err = ftmp_map_own(&ti->map, index, path, &drop);
	ftmp_drop_end(&drop);
	if (!err)
		err = ftmp_page_new(ti, path->levels ? path->node[0] : NULL,
				    index, slot);
	if (err)
		return err;
	err = ftmp_page_lock(*slot, sgp, foliop);
	if (err) {
		ftmp_page_put(*slot, &drop);
		ftmp_drop_end(&drop);
	}
	return err;
}

/**
 * ftmp_page_replace - put a page into its place, and let go of what was there
 * @ti: the file
 * @index: page of the file
 * @path: of the place
 * @slot: the page, whose count the file takes over
 *
 * Context: map_sem held for writing since ftmp_map_own(); no folio locked.
 */
void ftmp_page_replace(struct ftmp_inode *ti, pgoff_t index,
		       struct ftmp_path *path, unsigned long slot)
{
	struct ftmp_drop drop = { };
	unsigned long old;

	if (*path->slot)
		ftmp_unmap(ti, index, index);
	old = ftmp_map_put(path, slot);
	if (old) {
		ftmp_page_put(old, &drop);
		ftmp_drop_end(&drop);
	}
}

/**
 * ftmp_page_own - make a page of a file one that it may change
 * @ti: the file
 * @index: the page; made, if it is a hole
 * @copy: copy it even if nobody else refers to it
 *
 * Context: map_sem held for writing. May sleep for memory and for swap.
 * Return: 0, -ENOSPC, -ENOMEM, -EIO, -EHWPOISON.
 */
int ftmp_page_own(struct ftmp_inode *ti, pgoff_t index, bool copy)
{
	struct folio *folio, *from = NULL;
	struct ftmp_path path;
	unsigned long slot, old;
	bool alone;
	int err;

	ftmp_map_ease(&ti->map, index);
	old = ftmp_map_find(&ti->map, index, &alone);
	if (alone && !copy)
		return 0;
	if (old) {
		err = ftmp_page_find(old, &from);
		if (err)
			return err;
	}
	err = ftmp_page_make(ti, index, old ? SGP_WRITE : SGP_CACHE, &path,
			     &slot, &folio);
	if (err)
		goto put;
	if (from) {
		copy_highpage(folio_page(folio, 0), folio_page(from, 0));
		folio_mark_uptodate(folio);
	}
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	ftmp_page_replace(ti, index, &path, slot);
put:
	if (from)
		folio_put(from);
	return err;
}
