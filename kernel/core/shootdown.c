// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shoot-down: a fragment's page is unmapped from every sharer.
 *
 * A foreign page is mapped into VMAs that hang on the lower files' mappings,
 * where the kernel's reverse map does not look for it. The fragment's list of
 * sharers is our reverse map: each sharer zaps its own file range.
 *
 * The folio is locked meanwhile. A fault locks it too, and keeps it locked
 * until its PTE is installed; fault-around only tries to lock it, and holds it
 * while it maps. So nobody maps the folio between the zap and the unlock.
 */
#include <linux/mm.h>

#include "cache.h"
#include "shootdown.h"
#include "trace.h"

/**
 * fold_shootdown_locked - unmap a folio from every sharer
 * @space: the space it belongs to
 * @folio: the folio, locked
 *
 * Context: may sleep. @space->sem held, for reading at least.
 */
void fold_shootdown_locked(struct fold_space *space, struct folio *folio)
{
	unsigned long first = folio->index;
	unsigned long last = folio_next_index(folio) - 1;
	struct fold_fragment *frag;
	struct fold_extent *ext;
	unsigned long from, to;

	lockdep_assert_held(&space->sem);
	if (!folio_mapped(folio))
		return;
	for (frag = fold_table_first(&space->table, first, last); frag;
	     frag = fold_table_next(frag, first, last)) {
		from = max(first, frag->start) - frag->start;
		to = min(last, frag->last) - frag->start;
		list_for_each_entry(ext, &frag->sharers, sharer)
			ext->map->ops->zap(ext->map, ext->index + from,
					   to - from + 1);
	}
	trace_foldfs_shootdown(first, last - first + 1, folio_mapped(folio));
}

/**
 * fold_shootdown_try - unmap a folio from every sharer if no lock is in the way
 * @space: the space it belongs to
 * @folio: the folio, locked
 *
 * Context: reclaim; waits for no lock that is held across an allocation.
 * Return: true if the folio was mapped and no longer is.
 */
bool fold_shootdown_try(struct fold_space *space, struct folio *folio)
{
	if (!folio_mapped(folio) || !down_read_trylock(&space->sem))
		return false;
	fold_shootdown_locked(space, folio);
	up_read(&space->sem);
	return !folio_mapped(folio);
}
