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

/* One sharer's part of a folio. Returns true to stop the walk. */
typedef bool (*sharer_fn)(struct fold_map *map, unsigned long index,
			  unsigned long nr);

static bool for_each_sharer(struct fold_space *space, struct folio *folio,
			    sharer_fn fn)
{
	unsigned long first = folio->index;
	unsigned long last = folio_next_index(folio) - 1;
	struct fold_fragment *frag;
	struct fold_extent *ext;
	unsigned long from, to;

	lockdep_assert_held(&space->sem);
	for (frag = fold_table_first(&space->table, first, last); frag;
	     frag = fold_table_next(frag, first, last)) {
		from = max(first, frag->start) - frag->start;
		to = min(last, frag->last) - frag->start;
		list_for_each_entry(ext, &frag->sharers, sharer)
			if (fn(ext->map, ext->index + from, to - from + 1))
				return true;
	}
	return false;
}

static bool zap_sharer(struct fold_map *map, unsigned long index,
		       unsigned long nr)
{
	map->ops->zap(map, index, nr);
	return false;
}

static bool sharer_keeps(struct fold_map *map, unsigned long index,
			 unsigned long nr)
{
	return map->ops->keeps(map, index, nr);
}

/**
 * fold_shootdown_locked - unmap a folio from every sharer
 * @space: the space it belongs to
 * @folio: the folio, locked
 *
 * Context: may sleep. @space->sem held, for reading at least.
 */
void fold_shootdown_locked(struct fold_space *space, struct folio *folio)
{
	if (!folio_mapped(folio))
		return;
	for_each_sharer(space, folio, zap_sharer);
	trace_foldfs_shootdown(folio->index, folio_nr_pages(folio),
			       folio_mapped(folio));
}

/**
 * fold_shootdown_try - unmap a folio if no lock and no mlock() is in the way
 * @space: the space it belongs to
 * @folio: the folio, locked
 *
 * PG_mlocked alone does not tell: the kernel does not set it on a large folio
 * that a fault maps into a VM_LOCKED mapping.
 *
 * Context: reclaim; waits for no lock that is held across an allocation.
 * Return: true if the folio was mapped and no longer is.
 */
bool fold_shootdown_try(struct fold_space *space, struct folio *folio)
{
	bool kept;

	if (!folio_mapped(folio) || folio_test_mlocked(folio) ||
	    !down_read_trylock(&space->sem))
		return false;
	kept = for_each_sharer(space, folio, sharer_keeps);
	if (!kept)
		fold_shootdown_locked(space, folio);
	up_read(&space->sem);
	return !kept && !folio_mapped(folio);
}
