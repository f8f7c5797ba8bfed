// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shoot-down: a fragment's page is unmapped from every sharer.
 *
 * A foreign page is mapped into VMAs that hang on the lower files' mappings,
 * where the kernel's reverse map does not look for it. The fragments' lists of
 * mapped sharers are our reverse map: each sharer zaps its own file range. Those
 * whom nobody has mapped are not visited, however many there are. A sharer goes
 * on such a list before its first PTE is installed, and stays there when the last
 * process that had it mapped is gone, until somebody comes across it here.
 *
 * The folio is locked meanwhile. A fault locks it too, and keeps it locked
 * until its PTE is installed; fault-around only tries to lock it, and holds it
 * while it maps. So nobody maps the folio between the zap and the unlock.
 */
#include <linux/mm.h>

#include "cache.h"
#include "shootdown.h"
#include "trace.h"

struct part;

/* Returns true to stop the walk. */
typedef bool (*part_fn)(const struct part *part, void *arg);

/**
 * struct part - a sharer's part of a physical range
 * @map: the sharer
 * @index: page of the file
 * @phys: physical page
 * @nr: pages
 */
struct part {
	struct fold_map *map;
	unsigned long index;
	unsigned long phys;
	unsigned long nr;
};

static void walk_parts(struct fold_space *space, unsigned long first,
		       unsigned long last, part_fn fn, void *arg)
{
	struct fold_table *table = &space->table;
	struct fold_fragment *frag;
	struct fold_extent *ext;
	struct part part;

	lockdep_assert_held(&space->sem);
	for (frag = fold_table_first_mapped(table, first, last); frag;
	     frag = fold_table_next_mapped(frag, first, last)) {
		part.phys = max(first, frag->start);
		part.nr = min(last, frag->last) - part.phys + 1;
		list_for_each_entry(ext, &frag->mapped, sharer) {
			part.map = ext->map;
			part.index = ext->index + (part.phys - frag->start);
			if (fn(&part, arg))
				return;
		}
	}
}

/* Nobody maps the folio anew: it is locked. */
static bool zap_part(const struct part *part, void *arg)
{
	struct folio *folio = arg;

	part->map->ops->zap(part->map, part->index, part->nr);
	return !folio_mapped(folio);
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
	walk_parts(space, folio->index, folio_next_index(folio) - 1, zap_part,
		   folio);
	trace_foldfs_shootdown(space->cache->dev, folio->index,
			       folio_nr_pages(folio));
}

struct look {
	struct folio *folio;
	enum fold_use use;
	bool absent;
};

static bool look_at_part(const struct part *part, void *arg)
{
	struct look *look = arg;
	struct folio *folio = look->folio;
	enum fold_use use;

	use = part->map->ops->look(part->map, part->index, part->nr,
				   folio_page(folio,
					      part->phys - folio->index));
	look->absent |= use == FOLD_ABSENT;
	look->use = max(look->use, use);
	return use == FOLD_KEPT;
}

/**
 * fold_shootdown_look - how was a folio used by those who map it
 * @space: the space it belongs to
 * @folio: the folio, locked
 * @absent: set if some sharer is listed as mapped whom nobody maps any more
 *
 * PG_mlocked alone does not tell of mlock(): the kernel does not set it on a
 * large folio that a fault maps into a VM_LOCKED mapping.
 *
 * Context: reclaim; @space->sem held. Waits for no lock that is held across an
 * allocation.
 * Return: what is known of the most used page; forgotten for the next time.
 */
enum fold_use fold_shootdown_look(struct fold_space *space,
				  struct folio *folio, bool *absent)
{
	struct look look = { .folio = folio, .use = FOLD_IDLE };

	*absent = false;
	if (folio_test_mlocked(folio))
		return FOLD_KEPT;
	walk_parts(space, folio->index, folio_next_index(folio) - 1,
		   look_at_part, &look);
	*absent = look.absent;
	return look.use;
}

/* So many sharers are taken off the lists of mapped ones at a time. */
#define TIDIED_MOST	16

/* Returns false if somebody has it mapped. */
static bool unlist(struct fold_space *space, struct fold_extent *ext)
{
	struct fold_map *map = ext->map;

	if (!map->ops->bar_mappings(map))
		return false;
	/*
	 * Whoever has looked the extent up as a mapped one had it mapped, and so
	 * has let go of it. Whoever looks it up from here on lists it again.
	 */
	write_lock(&map->lock);
	WRITE_ONCE(map->seq, map->seq + 1);
	fold_table_unmap(&space->table, ext);
	write_unlock(&map->lock);
	map->ops->allow_mappings(map);
	return true;
}

/**
 * fold_shootdown_tidy - forget sharers of a folio whom nobody maps any more
 * @space: the space
 * @first: first physical page of the folio
 * @last: last physical page, inclusive
 *
 * Some of them; the next shoot-down comes across the others.
 *
 * Context: reclaim; the folio is locked, @space->sem is not held. No lock is
 * waited for.
 */
void fold_shootdown_tidy(struct fold_space *space, unsigned long first,
			 unsigned long last)
{
	struct fold_table *table = &space->table;
	struct fold_fragment *frag, *next;
	struct fold_extent *ext, *after;
	unsigned int visited = 0;

	if (!down_write_trylock(&space->sem))
		return;
	for (frag = fold_table_first_mapped(table, first, last); frag;
	     frag = next) {
		next = fold_table_next_mapped(frag, first, last);
		list_for_each_entry_safe(ext, after, &frag->mapped, sharer) {
			if (visited++ == TIDIED_MOST)
				goto unlock;
			/* Who is mapped is not in the way of the others again. */
			if (!unlist(space, ext) && visited < TIDIED_MOST)
				list_move_tail(&ext->sharer, &frag->mapped);
		}
	}
unlock:
	up_write(&space->sem);
}
