// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a file's references to fragments begin and end.
 *
 * A join proves, outside of all locks here, that a range of the file is a run
 * of physical pages. It commits the claim only if no change of the file was
 * announced since: gen has not moved and nothing is changing. An announcement
 * and a commit exclude one another by map->lock, so either the commit sees the
 * announcement, or the announcer sees the extents and breaks them.
 *
 * A break, for each extent that the change touches:
 *  1. what remains of the extent gets fragments of its own, the extent is
 *     marked broken and leaves the tree: map->seq moves, no lookup finds it,
 *     no fill reads through it;
 *  2. each cached folio of the touched run is locked and unlocked: faults that
 *     were faster have their PTE now, fills through this file are over;
 *  3. the file's mappings of the range are zapped;
 *  4. the extent is detached, and pages that no fragment covers are dropped.
 * Then the change may happen. Up to step 4 the extent is still on its
 * fragment's list, so that a shoot-down reaches mappings not zapped yet.
 */
#include <linux/slab.h>

#include "refer.h"
#include "trace.h"

static struct kmem_cache *extent_slab __ro_after_init;
static struct kmem_cache *fragment_slab __ro_after_init;

/* One reference to be made. */
struct claim_item {
	struct list_head entry;
	struct fold_extent *ext;
	struct fold_fragment *spare;
	unsigned long start;
	unsigned int tail;
};

/**
 * fold_refer_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_refer_init(void)
{
	extent_slab = kmem_cache_create("foldfs_extent",
					sizeof(struct fold_extent), 0,
					SLAB_RECLAIM_ACCOUNT, NULL);
	if (!extent_slab)
		return -ENOMEM;
	fragment_slab = kmem_cache_create("foldfs_fragment",
					  sizeof(struct fold_fragment), 0,
					  SLAB_RECLAIM_ACCOUNT, NULL);
	if (!fragment_slab) {
		kmem_cache_destroy(extent_slab);
		return -ENOMEM;
	}
	return 0;
}

/**
 * fold_refer_exit - at module unload; no map and no cache is left
 */
void fold_refer_exit(void)
{
	kmem_cache_destroy(fragment_slab);
	kmem_cache_destroy(extent_slab);
}

/* Not GFP_KERNEL: a map's mutex is taken when reclaim evicts an inode. */
static struct fold_extent *extent_alloc(struct fold_map *map,
					unsigned long index, unsigned long last,
					struct fold_fragment **spare)
{
	struct fold_extent *ext;

	ext = kmem_cache_alloc(extent_slab, GFP_NOFS | __GFP_NOWARN);
	if (!ext)
		return NULL;
	*spare = kmem_cache_alloc(fragment_slab, GFP_NOFS | __GFP_NOWARN);
	if (!*spare) {
		kmem_cache_free(extent_slab, ext);
		return NULL;
	}
	ext->map = map;
	ext->index = index;
	ext->last = last;
	ext->frag = NULL;
	ext->broken = false;
	return ext;
}

static void fragment_free(struct fold_fragment *frag)
{
	if (frag)
		kmem_cache_free(fragment_slab, frag);
}

static void claim_item_free(struct claim_item *item)
{
	list_del(&item->entry);
	if (item->ext)
		kmem_cache_free(extent_slab, item->ext);
	fragment_free(item->spare);
	kfree(item);
}

/**
 * fold_claim_begin - begin to prove that a file's ranges are shared
 * @claim: the claim
 * @map: the file's share map
 *
 * Context: any but interrupts; takes map->lock.
 * Return: false if the file is being changed, so that nothing can be proved.
 */
bool fold_claim_begin(struct fold_claim *claim, struct fold_map *map)
{
	bool quiet;

	INIT_LIST_HEAD(&claim->list);
	read_lock(&map->lock);
	claim->gen = map->gen;
	quiet = !map->changing && !map->closed;
	read_unlock(&map->lock);
	return quiet;
}

/**
 * fold_claim_add - claim a run
 * @claim: the claim
 * @map: the file's share map
 * @index: first page of the run in the file
 * @nr: pages, inside one segment
 * @start: first physical page
 * @tail: bytes of the last page that belong to the file, or 0 for all
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int fold_claim_add(struct fold_claim *claim, struct fold_map *map,
		   unsigned long index, unsigned long nr, unsigned long start,
		   unsigned int tail)
{
	struct claim_item *item = kmalloc(sizeof(*item), GFP_KERNEL);

	if (!item)
		return -ENOMEM;
	item->ext = extent_alloc(map, index, index + nr - 1, &item->spare);
	if (!item->ext) {
		kfree(item);
		return -ENOMEM;
	}
	item->start = start;
	item->tail = tail;
	list_add_tail(&item->entry, &claim->list);
	return 0;
}

/*
 * Returns false if the file has changed meanwhile. An extent that cannot be
 * attached, or overlaps one that is there already, is passed over.
 */
static bool claim_item_commit(struct claim_item *item, struct fold_map *map,
			      unsigned long gen)
{
	struct fold_space *space = fold_space(map->cache, item->start);
	struct fold_extent *ext = item->ext;
	struct fold_fragment *dead;
	bool quiet = true;

	if (fold_map_first(map, ext->index, ext->last))
		return true;
	down_write(&space->sem);
	if (fold_table_attach(&space->table, ext, item->start, item->tail,
			      &item->spare))
		goto unlock;
	/* Nobody can have used the extent yet: the space is locked. */
	write_lock(&map->lock);
	quiet = map->gen == gen && !map->changing && !map->closed;
	if (quiet) {
		fold_map_link(map, ext);
		item->ext = NULL;
	}
	write_unlock(&map->lock);
	if (!quiet) {
		/* Nothing is dead, and the spare is unused, if others have it. */
		dead = fold_table_detach(&space->table, ext);
		if (dead)
			item->spare = dead;
	}
unlock:
	up_write(&space->sem);
	return quiet;
}

/**
 * fold_claim_commit - make a claim's references, unless the file has changed
 * @claim: the claim; empty afterwards
 * @map: the file's share map
 * @ino: the file's inode number, for the trace
 *
 * Context: may sleep; takes map->mutex.
 * Return: number of pages that the file now refers to by this claim.
 */
unsigned long fold_claim_commit(struct fold_claim *claim, struct fold_map *map,
				unsigned long ino)
{
	struct claim_item *item, *next;
	unsigned long pages = 0, index, nr;
	bool quiet = true;

	mutex_lock(&map->mutex);
	list_for_each_entry_safe(item, next, &claim->list, entry) {
		index = item->ext->index;
		nr = item->ext->last - index + 1;
		if (quiet)
			quiet = claim_item_commit(item, map, claim->gen);
		if (!item->ext) {
			trace_foldfs_join(ino, index, nr, item->start);
			fold_stat_add(map->stats, FOLD_STAT_JOINS, 1);
			pages += nr;
		}
		claim_item_free(item);
	}
	mutex_unlock(&map->mutex);
	return pages;
}

/* Step 1: takes @ext out of the map, leaves what is outside of the range. */
static void extent_cut(struct fold_map *map, struct fold_extent *ext,
		       unsigned long *first, unsigned long *last)
{
	struct fold_fragment *frag = ext->frag, *spare[2] = { NULL, NULL };
	struct fold_space *space = fold_space(map->cache, frag->start);
	struct fold_extent *left = NULL, *right = NULL;

	/* Without memory for the remains, sharing of them is lost. */
	if (ext->index < *first)
		left = extent_alloc(map, ext->index, *first - 1, &spare[0]);
	if (ext->last > *last)
		right = extent_alloc(map, *last + 1, ext->last, &spare[1]);
	*first = left ? *first : ext->index;
	*last = right ? *last : ext->last;

	down_write(&space->sem);
	/* Parts of a fragment agree with its neighbours as it did itself. */
	if (left)
		WARN_ON_ONCE(fold_table_attach(&space->table, left, frag->start,
					       0, &spare[0]));
	if (right)
		WARN_ON_ONCE(fold_table_attach(&space->table, right,
					       frag->last -
					       (right->last - right->index),
					       frag->tail, &spare[1]));
	ext->broken = true;
	write_lock(&map->lock);
	fold_map_unlink(map, ext);
	if (left)
		fold_map_link(map, left);
	if (right)
		fold_map_link(map, right);
	write_unlock(&map->lock);
	up_write(&space->sem);

	fragment_free(spare[0]);
	fragment_free(spare[1]);
}

/**
 * fold_break - end a file's references in a range
 * @map: the file's share map
 * @first: first page of the file
 * @last: last page, inclusive
 * @ino: the file's inode number, for the trace
 *
 * When it returns, no process has a page of the range mapped through this
 * file, no lookup finds one, and no fill reads the range through this file.
 * The caller has announced the change, so nothing joins meanwhile.
 *
 * Context: may sleep, and waits for fills in the range; takes map->mutex. A
 * lower inode's i_rwsem and mmap_lock may be held.
 */
void fold_break(struct fold_map *map, unsigned long first, unsigned long last,
		unsigned long ino)
{
	unsigned long from, to, start, end;
	struct fold_fragment *dead;
	struct fold_extent *ext;
	struct fold_space *space;

	mutex_lock(&map->mutex);
	while ((ext = fold_map_first(map, first, last))) {
		from = max(first, ext->index);
		to = min(last, ext->last);
		space = fold_space(map->cache, ext->frag->start);
		extent_cut(map, ext, &from, &to);
		start = ext->frag->start + (from - ext->index);
		end = start + (to - from);

		fold_cache_wait(map->cache, start, end);
		map->ops->zap(map, from, to - from + 1);

		down_write(&space->sem);
		dead = fold_table_detach(&space->table, ext);
		up_write(&space->sem);
		fold_cache_drop(map->cache, start, end);

		trace_foldfs_break(ino, from, to - from + 1, start);
		fold_stat_add(map->stats, FOLD_STAT_BREAKS, 1);
		fragment_free(dead);
		kmem_cache_free(extent_slab, ext);
		cond_resched();
	}
	mutex_unlock(&map->mutex);
}

/**
 * fold_map_outside - someone changes the file without waiting for us
 * @map: the file's share map
 *
 * No lookup finds anything from here on, and fills on their way through this
 * file are discarded. The extents are still there: a break follows.
 *
 * Context: any but interrupts; takes map->lock.
 */
void fold_map_outside(struct fold_map *map)
{
	write_lock(&map->lock);
	map->closed = true;
	map->seq++;
	map->gen++;
	map->outside++;
	write_unlock(&map->lock);
}

/**
 * fold_map_reopen - the file may be shared again
 * @map: the file's share map; it has no extents
 *
 * Context: any but interrupts; takes map->lock.
 */
void fold_map_reopen(struct fold_map *map)
{
	write_lock(&map->lock);
	map->closed = false;
	write_unlock(&map->lock);
}
