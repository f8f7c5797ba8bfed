// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readahead for the private ranges of a file that shares others.
 *
 * The lower filesystem's own readahead knows nothing of share maps: one private
 * page that is faulted in would bring in a window of its neighbours, private
 * copies of what the shared cache holds already. So the pages of a private
 * range are read here, no further than the range goes, and the lower
 * filesystem then finds them cached.
 */
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

/**
 * fold_private_read_ahead - start to read a private range of a file
 * @inode: the upper inode; its share map has extents
 * @file: the lower file that reads
 * @index: page of the file
 * @nr: pages that are private from there on
 * @want: pages to read
 *
 * Does nothing if the first page is cached. What lies behind the end of the
 * file is left alone.
 *
 * Context: process context; mmap locks may be held. Takes the lower mapping's
 * invalidate_lock shared.
 */
void fold_private_read_ahead(struct inode *inode, struct file *file,
			     unsigned long index, unsigned long nr,
			     unsigned long want)
{
	struct inode *lower = FOLD_I(inode)->lower;
	struct address_space *mapping = lower->i_mapping;
	unsigned long end = DIV_ROUND_UP_ULL(i_size_read(lower), PAGE_SIZE);

	if (index >= end || is_cached(mapping, index))
		return;
	nr = min3(nr, want, end - index);
	if (nr) {
		DEFINE_READAHEAD(ractl, file, &file->f_ra, mapping, index);

		fold_ra_unbounded(&ractl, nr);
	}
}
