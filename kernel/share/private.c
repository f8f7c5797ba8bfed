// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readahead for the private ranges of a file that shares others.
 *
 * The lower filesystem's own readahead knows nothing of share maps: one private
 * page that is faulted in would bring in a window of its neighbours, private
 * copies of what the shared cache holds already. So the pages of a private
 * range are read here, no further than the range goes, and the lower
 * filesystem then finds them cached.
 *
 * However much is asked for, no more than two windows are under way: pages that
 * are being read are locked, and a single read could lock all memory there is.
 */
#include <linux/backing-dev.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "upper.h"

static bool is_cached(struct address_space *mapping, unsigned long index)
{
	struct folio *folio = filemap_get_folio(mapping, index);

	if (IS_ERR(folio))
		return false;
	folio_put(folio);
	return true;
}

/* As the kernel bounds its own: the file's readahead, or what the disk takes. */
static unsigned long window(struct file *file, unsigned long want)
{
	unsigned long max = max(READ_ONCE(file->f_ra.ra_pages), 1U);
	unsigned long io = inode_to_bdi(file_inode(file))->io_pages;

	if (want > max && io > max)
		max = min(want, io);
	return max;
}

static void read_window(struct address_space *mapping, struct file *file,
			unsigned long index, unsigned long nr)
{
	DEFINE_READAHEAD(ractl, file, &file->f_ra, mapping, index);

	if (!is_cached(mapping, index))
		fold_ra_unbounded(&ractl, nr);
}

/**
 * fold_private_read_ahead - start to read a private range of a file
 * @inode: the upper inode; its share map has extents
 * @file: the lower file that reads
 * @index: page of the file
 * @nr: pages that are private from there on
 * @want: pages to read
 *
 * Starts to read a window of them, and the next one, so that the disk is busy
 * while the first is used. Does nothing for a window whose first page is cached.
 * What lies behind the end of the file is left alone.
 *
 * Context: process context; mmap locks may be held. Takes the lower mapping's
 * invalidate_lock shared.
 * Return: pages of a window: so many from @index on should be used before this
 * is called for the next ones.
 */
unsigned long fold_private_read_ahead(struct inode *inode, struct file *file,
				      unsigned long index, unsigned long nr,
				      unsigned long want)
{
	struct inode *lower = FOLD_I(inode)->lower;
	unsigned long end = DIV_ROUND_UP_ULL(i_size_read(lower), PAGE_SIZE);
	unsigned long step = window(file, want), ahead;

	if (index >= end)
		return step;
	nr = min3(nr, want, end - index);
	if (!nr)
		return step;
	read_window(lower->i_mapping, file, index, min(step, nr));
	if (nr > step) {
		ahead = min(step, nr - step);
		read_window(lower->i_mapping, file, index + step, ahead);
	}
	return step;
}
