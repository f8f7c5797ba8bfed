// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a file's references to fragments begin.
 *
 * A join proves, outside of all locks here, that a range of the file is a run
 * of physical pages. It commits the claim only if no change of the file was
 * announced since: gen has not moved and nothing is changing. An announcement
 * and a commit exclude one another by map->lock, so either the commit sees the
 * announcement, or the announcer sees the extents and breaks them.
 *
 * Where others refer to the same pages already, that they are on the same
 * blocks is not believed but looked at. Their bytes cannot have changed, but
 * the blocks below can be others: deduplication may exchange them without a
 * lease knowing, and what was freed may hold anybody's bytes by now. So the
 * newcomer is looked at, then one of those who refer to the fragment, then the
 * newcomer again: at the time of the second look both were on these blocks,
 * and both have the bytes that they had then. The cache's clock tells whether
 * looks came in this order, also if different joins made them.
 */
#include <linux/slab.h>

#include "claim.h"
#include "refer.h"
#include "trace.h"

/* One reference to be made. */
struct claim_item {
	struct list_head entry;
	struct fold_extent *ext;
	struct fold_fragment *spare;
	unsigned long start;
	unsigned int tail;
	bool seen;		/* the last look has confirmed it */
};

static void claim_item_free(struct claim_item *item)
{
	list_del(&item->entry);
	fold_extent_free(item->ext);
	fold_fragment_free(item->spare);
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
	claim->looked = 0;
	claim->again = 0;
	claim->until = 0;
	claim->at = &claim->list;
	claim->skip = 0;
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
	struct claim_item *item;

	item = kmalloc(sizeof(*item), GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
				      __GFP_NORETRY);
	if (!item)
		return -ENOMEM;
	item->ext = fold_extent_alloc(map, index, index + nr - 1, &item->spare);
	if (!item->ext) {
		kfree(item);
		return -ENOMEM;
	}
	item->start = start;
	item->tail = tail;
	item->seen = true;
	list_add_tail(&item->entry, &claim->list);
	return 0;
}

/**
 * fold_clock - the time, for what is seen on the disk
 * @cache: the cache
 *
 * Return: a moment later than each that was returned before.
 */
u64 fold_clock(struct fold_cache *cache)
{
	return atomic64_inc_return(&cache->clock);
}

/**
 * fold_claim_looked - all of a file's extents have been looked at, and claimed
 * @claim: the claim
 * @map: the file's share map
 * @from: when the look began
 */
void fold_claim_looked(struct fold_claim *claim, struct fold_map *map,
		       u64 from)
{
	claim->looked = fold_clock(map->cache);
	claim->again = from;
	claim->until = claim->looked;
}

/* The fragment's sharers were on its blocks when the claiming file was. */
static bool claim_agrees(const struct fold_claim *claim,
			 const struct fold_fragment *frag)
{
	if (frag->seen_from == claim->again && frag->seen_to == claim->until)
		return true;	/* the claim's own */
	return frag->seen_from >= claim->looked &&
	       frag->seen_to <= claim->again;
}

/* The next one on the item's pages whose sharers nobody has looked at since. */
static struct fold_fragment *item_unproved(const struct fold_claim *claim,
					   const struct claim_item *item,
					   struct fold_table *table,
					   struct fold_fragment *frag)
{
	unsigned long last = item->start + (item->ext->last - item->ext->index);

	frag = frag ? fold_table_next(frag, item->start, last) :
		      fold_table_first(table, item->start, last);
	while (frag && frag->seen_from >= claim->looked)
		frag = fold_table_next(frag, item->start, last);
	return frag;
}

static bool frag_meeting(struct fold_fragment *frag, unsigned int skip,
			 struct fold_meeting *meeting)
{
	struct fold_extent *ext;

	list_for_each_entry(ext, &frag->sharers, sharer) {
		if (skip && skip--)
			continue;
		meeting->seq = READ_ONCE(ext->map->seq);
		/* The sequence first: a break moves it and then marks. */
		smp_rmb();
		if (ext->broken || !ext->map->ops->hold(ext->map))
			continue;
		meeting->map = ext->map;
		meeting->index = ext->index;
		meeting->nr = ext->last - ext->index + 1;
		meeting->phys = frag->start;
		return true;
	}
	return false;
}

/**
 * fold_claim_meets - whose extents does a claim make necessary to look at
 * @claim: the claim
 * @map: the file's share map
 * @skip: pass so many sharers of each fragment over; with another number than
 *	  before, all fragments are gone through again
 * @meeting: one who refers to claimed pages; nobody has looked at a sharer of
 *	     that fragment since fold_claim_looked(). The caller lets go of what
 *	     fold_sharer_ops.hold holds.
 *
 * Context: may sleep; takes a space's semaphore.
 * Return: false if there is nobody, or nobody more who could be asked.
 */
bool fold_claim_meets(struct fold_claim *claim, struct fold_map *map,
		      unsigned int skip, struct fold_meeting *meeting)
{
	struct fold_fragment *frag;
	struct fold_space *space;
	struct claim_item *item;
	bool found = false;

	if (claim->skip != skip)
		claim->at = &claim->list;
	claim->skip = skip;
	item = claim->at == &claim->list ?
	       list_first_entry(&claim->list, struct claim_item, entry) :
	       list_entry(claim->at, struct claim_item, entry);
	list_for_each_entry_from(item, &claim->list, entry) {
		claim->at = &item->entry;
		space = fold_space(map->cache, item->start);
		frag = NULL;
		down_read(&space->sem);
		while (!found && (frag = item_unproved(claim, item,
						       &space->table, frag)))
			found = frag_meeting(frag, skip, meeting);
		up_read(&space->sem);
		if (found)
			return true;
	}
	return false;
}

/**
 * fold_map_seen - pages of a file were seen on the disk
 * @meeting: the file; what was found out before it was looked at
 * @index: first page in the file
 * @nr: pages
 * @phys: first physical page
 * @from: when the look began
 * @to: when it was over
 *
 * Context: may sleep; takes spaces' semaphores.
 */
void fold_map_seen(const struct fold_meeting *meeting, unsigned long index,
		   unsigned long nr, unsigned long phys, u64 from, u64 to)
{
	unsigned long last = index + nr - 1, at = index;
	struct fold_map *map = meeting->map;
	struct fold_fragment *frag;
	struct fold_space *space;
	struct fold_extent *ext;

	while (at <= last) {
		space = fold_space(map->cache, phys + (at - index));
		down_write(&space->sem);
		read_lock(&map->lock);
		ext = map->seq == meeting->seq ?
		      fold_map_first(map, at, last) : NULL;
		if (!ext) {
			at = last + 1;
		} else if (ext->index > at) {
			at = ext->index;	/* perhaps of another space */
		} else {
			/* It stays: who detaches it has unlinked it before. */
			frag = ext->frag;
			if (ext->index == at && ext->last <= last &&
			    frag->start == phys + (at - index)) {
				frag->seen_from = from;
				frag->seen_to = to;
			}
			at = ext->last + 1;
		}
		read_unlock(&map->lock);
		up_write(&space->sem);
	}
}

/**
 * fold_meeting_stale - was a file seen elsewhere than foldfs believed
 * @meeting: the file and what was believed
 * @from: when it was looked at
 *
 * Context: may sleep; takes a space's semaphore.
 * Return: true if the file's map has not changed, and yet the range has not
 * been seen where it should be.
 */
bool fold_meeting_stale(const struct fold_meeting *meeting, u64 from)
{
	struct fold_map *map = meeting->map;
	struct fold_space *space = fold_space(map->cache, meeting->phys);
	struct fold_extent *ext;
	bool stale = false;

	down_read(&space->sem);
	read_lock(&map->lock);
	if (map->seq == meeting->seq) {
		ext = fold_map_first(map, meeting->index, meeting->index);
		stale = ext && ext->frag->seen_from < from;
	}
	read_unlock(&map->lock);
	up_read(&space->sem);
	return stale;
}

/**
 * fold_claim_look_again - the claiming file is about to be looked at once more
 * @claim: the claim
 * @map: the file's share map
 */
void fold_claim_look_again(struct fold_claim *claim, struct fold_map *map)
{
	struct claim_item *item;

	claim->again = fold_clock(map->cache);
	claim->at = &claim->list;
	list_for_each_entry(item, &claim->list, entry)
		item->seen = false;
}

/**
 * fold_claim_seen - pages of the claiming file were seen once more
 * @claim: the claim
 * @index: first page in the file
 * @nr: pages
 * @phys: first physical page
 */
void fold_claim_seen(struct fold_claim *claim, unsigned long index,
		     unsigned long nr, unsigned long phys)
{
	unsigned long last = index + nr - 1;
	struct claim_item *item;

	item = claim->at == &claim->list ?
	       list_first_entry(&claim->list, struct claim_item, entry) :
	       list_entry(claim->at, struct claim_item, entry);
	list_for_each_entry_from(item, &claim->list, entry) {
		claim->at = &item->entry;
		if (item->ext->index > last)
			return;
		if (item->ext->index >= index && item->ext->last <= last &&
		    item->start == phys + (item->ext->index - index))
			item->seen = true;
	}
}

/**
 * fold_claim_looked_again - the last look is over
 * @claim: the claim; what the look has not confirmed is no longer claimed
 * @map: the file's share map
 */
void fold_claim_looked_again(struct fold_claim *claim, struct fold_map *map)
{
	struct claim_item *item, *next;

	claim->until = fold_clock(map->cache);
	claim->at = &claim->list;
	list_for_each_entry_safe(item, next, &claim->list, entry)
		if (!item->seen)
			claim_item_free(item);
}

/**
 * fold_claim_overlap - what a claim has in common with what is there
 * @claim: the claim
 * @map: the file's share map
 * @n: the number of the overlap, from 0 on
 * @index: first page of it in the claiming file
 * @meeting: the same in another file, which the caller lets go of
 *
 * Context: may sleep; takes a space's semaphore.
 * Return: false if there are no more than @n.
 */
bool fold_claim_overlap(struct fold_claim *claim, struct fold_map *map,
			unsigned int n, unsigned long *index,
			struct fold_meeting *meeting)
{
	unsigned long last, from, to;
	struct fold_fragment *frag;
	struct fold_space *space;
	struct claim_item *item;
	bool found = false;

	list_for_each_entry(item, &claim->list, entry) {
		space = fold_space(map->cache, item->start);
		last = item->start + (item->ext->last - item->ext->index);
		down_read(&space->sem);
		for (frag = fold_table_first(&space->table, item->start, last);
		     frag && !found;
		     frag = fold_table_next(frag, item->start, last)) {
			if ((n && n--) || !frag_meeting(frag, 0, meeting))
				continue;
			from = max(item->start, frag->start);
			to = min(last, frag->last);
			*index = item->ext->index + (from - item->start);
			meeting->index += from - frag->start;
			meeting->nr = to - from + 1;
			found = true;
		}
		up_read(&space->sem);
		if (found)
			return true;
	}
	return false;
}

/**
 * fold_claim_forget - no longer claim something
 * @claim: the claim
 * @index: a page in the file; the range that it lies in is forgotten
 */
void fold_claim_forget(struct fold_claim *claim, unsigned long index)
{
	struct claim_item *item, *next;

	list_for_each_entry_safe(item, next, &claim->list, entry)
		if (item->ext->index <= index && index <= item->ext->last)
			claim_item_free(item);
	claim->at = &claim->list;
}

/**
 * fold_claim_end - give up what could not be committed
 * @claim: the claim; empty afterwards
 *
 * Return: number of ranges.
 */
unsigned long fold_claim_end(struct fold_claim *claim)
{
	struct claim_item *item, *next;
	unsigned long nr = 0;

	list_for_each_entry_safe(item, next, &claim->list, entry) {
		claim_item_free(item);
		nr++;
	}
	return nr;
}

enum outcome { COMMITTED, PASSED, UNPROVED, CHANGED };

static bool item_agrees(const struct fold_claim *claim,
			const struct claim_item *item, struct fold_table *table)
{
	unsigned long last = item->start + (item->ext->last - item->ext->index);
	struct fold_fragment *frag;

	for (frag = fold_table_first(table, item->start, last); frag;
	     frag = fold_table_next(frag, item->start, last))
		if (!claim_agrees(claim, frag))
			return false;
	return true;
}

/* An extent that overlaps one that is there already is passed over. */
static enum outcome claim_item_commit(struct fold_claim *claim,
				      struct claim_item *item,
				      struct fold_map *map)
{
	struct fold_space *space = fold_space(map->cache, item->start);
	struct fold_extent *ext = item->ext;
	enum outcome outcome = PASSED;
	struct fold_fragment *dead;
	bool quiet;

	if (fold_map_first(map, ext->index, ext->last))
		return PASSED;
	down_write(&space->sem);
	if (!item_agrees(claim, item, &space->table)) {
		outcome = UNPROVED;
		goto unlock;
	}
	/* The last who referred to pages may not have taken them along yet. */
	if (fold_cache_strays(space, item->start,
			      item->start + (ext->last - ext->index)) ||
	    fold_table_attach(&space->table, ext, item->start, item->tail,
			      &item->spare))
		goto unlock;
	/* Nobody can have used the extent yet: the space is locked. */
	write_lock(&map->lock);
	quiet = map->gen == claim->gen && !map->changing && !map->closed;
	if (quiet) {
		fold_map_link(map, ext);
		ext->frag->seen_from = claim->again;
		ext->frag->seen_to = claim->until;
		item->ext = NULL;
		outcome = COMMITTED;
	}
	write_unlock(&map->lock);
	if (!quiet) {
		outcome = CHANGED;
		/* Nothing is dead, and the spare is unused, if others have it. */
		dead = fold_table_detach(&space->table, ext);
		if (dead)
			item->spare = dead;
	}
unlock:
	up_write(&space->sem);
	return outcome;
}

/**
 * fold_claim_commit - make a claim's references, unless the file has changed
 * @claim: the claim; what remains in it would meet somebody who came meanwhile
 * @map: the file's share map
 * @ino: the file's inode number, for the trace
 *
 * Context: may sleep; takes map->mutex.
 * Return: number of pages that the file now refers to by this claim.
 */
unsigned long fold_claim_commit(struct fold_claim *claim, struct fold_map *map,
				unsigned long ino)
{
	enum outcome outcome = PASSED;
	struct claim_item *item, *next;
	unsigned long pages = 0, index, nr;

	mutex_lock(&map->mutex);
	list_for_each_entry_safe(item, next, &claim->list, entry) {
		index = item->ext->index;
		nr = item->ext->last - index + 1;
		if (outcome != CHANGED)
			outcome = claim_item_commit(claim, item, map);
		if (outcome == UNPROVED)
			continue;	/* asked again */
		if (outcome == COMMITTED) {
			trace_foldfs_join(map->dev, ino, index, nr,
					  item->start);
			fold_stat_add(map->stats, FOLD_STAT_JOINS, 1);
			pages += nr;
		}
		claim_item_free(item);
	}
	mutex_unlock(&map->mutex);
	claim->at = &claim->list;
	return pages;
}
