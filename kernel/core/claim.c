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
 * newcomer is looked at, then one of those who refer to the page, then the
 * newcomer again: in between both were on these blocks, and both have the
 * bytes that they had then.
 *
 * What is proved is the page. All who refer to a page have the same bytes, since
 * each of them was proved to have those of somebody who did before; where they
 * are by now does not matter. So of all fragments over a page one is enough, and
 * of its sharers one, and those that cover most are asked. A look at a file
 * serves whoever needs it: the fragments remember when a sharer was last seen,
 * and any newcomer who was looked at before that, and is looked at once more
 * after it, has his proof. Clones that begin together so look at the first of
 * them, and a clone among a thousand that have drifted apart at one or two.
 *
 * That holds as long as somebody refers to the page. If the last one leaves and
 * another comes, bytes and block may be others. The fragments remember when that
 * happened last (fold_table_born()), and if it was after the sharers of a page
 * were examined, they are examined anew. The cache's clock tells the order of
 * looks, examinations and births.
 */
#include <linux/slab.h>

#include "claim.h"
#include "refer.h"
#include "trace.h"

/*
 * How many who refer to a page are asked, if one after the other is busy: so
 * many of the fragment that goes furthest, and so many in all.
 */
#define WIDEST_ASKED	8
#define SHARERS_ASKED	64
/*
 * So many ranges at most are examined or committed while a space is locked: those
 * who fault in other files wait meanwhile, but who takes the lock for each of a
 * thousand ranges waits a thousand times for those who do the same.
 */
#define RANGES_LOCKED	32
/* So many extents in front of the one that is met are looked at as well. */
#define LOOK_BACK	128

/* One reference to be made. */
struct claim_item {
	struct list_head entry;
	struct fold_extent *ext;
	struct fold_fragment *spare;
	unsigned long start;
	unsigned int tail;
	bool met;		/* others refer to some of the pages */
	bool seen;		/* the last look has confirmed it */
	u64 sighted;		/* when that look at it began */
	u64 examined;		/* when it began to be asked who refers */
};

static void claim_item_free(struct claim_item *item)
{
	list_del(&item->entry);
	fold_extent_free(item->ext);
	fold_fragment_free(item->spare);
	kfree(item);
}

static unsigned long item_last(const struct claim_item *item)
{
	return item->start + (item->ext->last - item->ext->index);
}

static struct claim_item *item_next(struct fold_claim *claim,
				    struct claim_item *item)
{
	struct list_head *next = item ? item->entry.next : claim->list.next;

	return next == &claim->list ? NULL :
	       container_of(next, struct claim_item, entry);
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
	claim->at = NULL;
	claim->pos = 0;
	claim->asked = 0;
	claim->confirmed = NULL;
	claim->given_up = false;
	read_lock(&map->lock);
	claim->gen = map->gen;
	quiet = !map->changing && !map->closed;
	read_unlock(&map->lock);
	return quiet;
}

static struct claim_item *item_alloc(struct fold_map *map, unsigned long index,
				     unsigned long last, unsigned long start,
				     unsigned int tail)
{
	struct claim_item *item;

	item = kmalloc(sizeof(*item), GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
				      __GFP_NORETRY);
	if (!item)
		return NULL;
	item->ext = fold_extent_alloc(map, index, last, &item->spare);
	if (!item->ext) {
		kfree(item);
		return NULL;
	}
	item->start = start;
	item->tail = tail;
	item->met = false;
	item->seen = true;
	item->sighted = 0;
	item->examined = 0;
	return item;
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

	item = item_alloc(map, index, index + nr - 1, start, tail);
	if (!item)
		return -ENOMEM;
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
	struct claim_item *item = NULL;

	claim->looked = fold_clock(map->cache);
	while ((item = item_next(claim, item)))
		item->sighted = from;
}

/*
 * A look brings some hundred extents from a place on. Where the pages that are
 * claimed go up and those of the sharer down, each look would tell of one that is
 * new: so it begins with some that were not seen yet, in front of the one that is
 * asked for.
 */
static unsigned long look_from(struct fold_extent *ext, u64 looked)
{
	struct fold_map *map = ext->map;
	struct fold_extent *before;
	struct rb_node *prev;
	unsigned int n = 0;

	read_lock(&map->lock);
	for (prev = rb_prev(&ext->rb); prev && n++ < LOOK_BACK;
	     prev = rb_prev(prev)) {
		/* Its fragment stays: who detaches it has unlinked it before. */
		before = container_of(prev, struct fold_extent, rb);
		if (READ_ONCE(before->frag->seen) >= looked)
			break;
		ext = before;
	}
	read_unlock(&map->lock);
	return ext->index;
}

static bool extent_meeting(struct fold_extent *ext, u64 looked,
			   struct fold_meeting *meeting)
{
	meeting->gen = READ_ONCE(ext->map->gen);
	/* In this order: it moves before a break marks. */
	smp_rmb();
	if (ext->broken || !ext->map->ops->hold(ext->map))
		return false;
	meeting->map = ext->map;
	meeting->from = look_from(ext, looked);
	meeting->index = ext->index;
	meeting->nr = ext->last - ext->index + 1;
	meeting->phys = ext->frag->start;
	return true;
}

/*
 * Who refers to the page that the claim has come to, and was not asked yet: those
 * of the fragment that goes furthest, then one of each other fragment.
 */
static bool next_meeting(struct fold_claim *claim, struct fold_table *table,
			 struct fold_fragment *widest,
			 struct fold_meeting *meeting)
{
	struct fold_fragment *frag;
	struct fold_extent *ext;
	unsigned int n = 0;

	for (ext = fold_fragment_sharer(widest, NULL); ext && n < WIDEST_ASKED;
	     ext = fold_fragment_sharer(widest, ext)) {
		if (n++ < claim->asked)
			continue;
		claim->asked = n;
		if (extent_meeting(ext, claim->looked, meeting))
			return true;
	}
	n = WIDEST_ASKED;
	for (frag = fold_table_first(table, claim->pos, claim->pos);
	     frag && n < SHARERS_ASKED;
	     frag = fold_table_next(frag, claim->pos, claim->pos)) {
		if (n++ < claim->asked || frag == widest)
			continue;
		claim->asked = n;
		if (extent_meeting(fold_fragment_sharer(frag, NULL),
				   claim->looked, meeting))
			return true;
	}
	return false;
}

/* Of those whom next_meeting() has had asked, one who was seen; or NULL. */
static struct fold_fragment *other_seen(struct fold_claim *claim,
					struct fold_table *table)
{
	struct fold_fragment *frag;
	unsigned int n = WIDEST_ASKED;

	for (frag = fold_table_first(table, claim->pos, claim->pos);
	     frag && n < claim->asked;
	     frag = fold_table_next(frag, claim->pos, claim->pos)) {
		n++;
		if (READ_ONCE(frag->seen) >= claim->looked)
			return frag;
	}
	return NULL;
}

enum examined {
	PROVED,		/* all of it, as far as anybody refers to it */
	MEETS,		/* somebody has to be looked at */
	IN_VAIN,	/* nobody who refers to the next page can be asked */
};

static enum examined item_examine(struct fold_claim *claim,
				  struct claim_item *item,
				  struct fold_table *table,
				  struct fold_meeting *meeting,
				  unsigned long *stuck)
{
	unsigned long last = item_last(item);
	struct fold_fragment *frag, *seen;

	for (;;) {
		frag = fold_table_widest(table, claim->pos);
		if (!frag) {
			frag = fold_table_first(table, claim->pos, last);
			if (!frag)
				return PROVED;
			claim->pos = frag->start;
			continue;
		}
		item->met = true;
		seen = frag;
		if (READ_ONCE(frag->seen) < claim->looked)
			seen = other_seen(claim, table);
		if (!seen) {
			*stuck = min(last, frag->last);
			return next_meeting(claim, table, frag, meeting) ?
			       MEETS : IN_VAIN;
		}
		if (seen->last >= last)
			return PROVED;
		claim->pos = seen->last + 1;
		claim->asked = 0;
	}
}

/* No longer claims what lies from @claim->pos to @stuck. */
static void item_give_up(struct fold_claim *claim, struct claim_item *item,
			 struct fold_map *map, unsigned long stuck)
{
	unsigned long first = item->ext->index, last = item->ext->last;
	struct claim_item *rest;

	claim->given_up = true;
	if (stuck < item_last(item)) {
		rest = item_alloc(map, first + (stuck + 1 - item->start), last,
				  stuck + 1, item->tail);
		if (rest) {
			rest->sighted = item->sighted;
			list_add_tail(&rest->entry, item->entry.next);
		}
	}
	claim->at = item_next(claim, item);
	if (claim->pos > item->start) {
		item->ext->last = first + (claim->pos - 1 - item->start);
		item->tail = 0;
	} else {
		claim_item_free(item);
	}
}

/* The next range is the one to be examined. */
static void claim_examine(struct fold_claim *claim, struct fold_map *map,
			  struct claim_item *item)
{
	claim->at = item;
	claim->asked = 0;
	if (!item)
		return;
	claim->pos = item->start;
	item->examined = fold_clock(map->cache);
}

/**
 * fold_claim_meets - who has to be looked at before a claim can be committed
 * @claim: the claim
 * @map: the file's share map
 * @meeting: one who refers to claimed pages; no sharer of those has been seen since
 *	     fold_claim_looked(). The caller looks at him, if he can, reports what
 *	     he saw by fold_map_seen(), lets go of what fold_sharer_ops.hold
 *	     holds, and asks again.
 *
 * Where nobody can be looked at, the pages are no longer claimed.
 *
 * Context: may sleep; takes a space's semaphore.
 * Return: false if there is nobody more; what is still claimed is proved if it
 * is seen once more.
 */
bool fold_claim_meets(struct fold_claim *claim, struct fold_map *map,
		      struct fold_meeting *meeting)
{
	struct fold_space *space;
	struct claim_item *item;
	enum examined found;
	unsigned long stuck;
	unsigned int n;

	if (!claim->at)
		claim_examine(claim, map, item_next(claim, NULL));
	while ((item = claim->at)) {
		space = fold_space(map->cache, item->start);
		down_read(&space->sem);
		for (n = 0; n < RANGES_LOCKED; n++) {
			found = item_examine(claim, item, &space->table,
					     meeting, &stuck);
			if (found != PROVED)
				break;
			claim_examine(claim, map, item_next(claim, item));
			item = claim->at;
			if (!item || fold_space(map->cache, item->start) != space)
				break;
		}
		up_read(&space->sem);
		if (found == MEETS)
			return true;
		if (found == IN_VAIN) {
			item_give_up(claim, item, map, stuck);
			claim_examine(claim, map, claim->at);
		}
		cond_resched();
	}
	return false;
}

/**
 * fold_map_seen - pages of a file were seen on the disk
 * @meeting: the file; what was found out before it was looked at
 * @index: first page in the file
 * @nr: pages
 * @phys: first physical page
 * @from: when the look began, which is over
 *
 * Serves all extents that lie in what was seen, also those that the file got while
 * it was looked at: as long as no change was announced, and the lease was held,
 * its bytes are those that were there.
 *
 * Context: any but interrupts; takes map->lock.
 */
void fold_map_seen(const struct fold_meeting *meeting, unsigned long index,
		   unsigned long nr, unsigned long phys, u64 from)
{
	unsigned long last = index + nr - 1, at = index;
	struct fold_map *map = meeting->map;
	struct fold_fragment *frag;
	struct fold_extent *ext;

	while (at <= last) {
		read_lock(&map->lock);
		ext = map->gen == meeting->gen ?
		      fold_map_first(map, at, last) : NULL;
		if (!ext) {
			at = last + 1;
		} else {
			/* It stays: who detaches it has to unlink it before. */
			frag = ext->frag;
			if (ext->index >= index && ext->last <= last &&
			    frag->start == phys + (ext->index - index) &&
			    READ_ONCE(frag->seen) < from)
				WRITE_ONCE(frag->seen, from);
			at = ext->last + 1;
		}
		read_unlock(&map->lock);
	}
}

/**
 * fold_meeting_stale - was a file seen elsewhere than foldfs believed
 * @meeting: the file and what was believed
 * @from: when it was looked at
 *
 * Context: any but interrupts; takes map->lock.
 * Return: true if nothing of the file has changed, and yet the range has not
 * been seen where it should be.
 */
bool fold_meeting_stale(const struct fold_meeting *meeting, u64 from)
{
	struct fold_map *map = meeting->map;
	struct fold_extent *ext;
	bool stale = false;

	read_lock(&map->lock);
	if (map->gen == meeting->gen) {
		ext = fold_map_first(map, meeting->index, meeting->index);
		stale = ext && READ_ONCE(ext->frag->seen) < from;
	}
	read_unlock(&map->lock);
	return stale;
}

/**
 * fold_claim_look_again - the claiming file is about to be looked at once more
 * @claim: the claim
 * @map: the file's share map
 * @first: set to the first page of the file that is to be seen again
 * @last: set to the last one
 *
 * Return: false if there is no need to, since nobody is met.
 */
bool fold_claim_look_again(struct fold_claim *claim, struct fold_map *map,
			   unsigned long *first, unsigned long *last)
{
	struct claim_item *item = NULL;
	bool any = false;

	claim->again = fold_clock(map->cache);
	claim->confirmed = NULL;
	while ((item = item_next(claim, item))) {
		item->seen = !item->met;
		if (item->seen)
			continue;
		*first = any ? min(*first, item->ext->index) : item->ext->index;
		*last = any ? max(*last, item->ext->last) : item->ext->last;
		any = true;
	}
	return any;
}

/**
 * fold_claim_seen - pages of the claiming file were seen once more
 * @claim: the claim
 * @index: first page in the file; goes up from call to call
 * @nr: pages
 * @phys: first physical page
 */
void fold_claim_seen(struct fold_claim *claim, unsigned long index,
		     unsigned long nr, unsigned long phys)
{
	unsigned long last = index + nr - 1;
	struct claim_item *item;

	item = claim->confirmed ? claim->confirmed : item_next(claim, NULL);
	for (; item && item->ext->index <= last; item = item_next(claim, item)) {
		claim->confirmed = item;
		if (item->ext->index >= index && item->ext->last <= last &&
		    item->start == phys + (item->ext->index - index)) {
			item->seen = true;
			item->sighted = claim->again;
		}
	}
}

/**
 * fold_claim_looked_again - the last look is over
 * @claim: the claim; what the look has not confirmed is no longer claimed
 */
void fold_claim_looked_again(struct fold_claim *claim)
{
	struct claim_item *item, *next;

	claim->confirmed = NULL;
	list_for_each_entry_safe(item, next, &claim->list, entry) {
		if (item->seen)
			continue;
		claim->given_up = true;
		claim_item_free(item);
	}
}

/**
 * fold_claim_overlap - what a claim has in common with what is there
 * @claim: the claim
 * @map: the file's share map
 * @n: the number of the overlap, from 0 on
 * @index: first page of it in the claiming file
 * @meeting: the same in another file, which the caller lets go of
 *
 * Goes through all of them each time: for those who compare bytes.
 *
 * Context: may sleep; takes a space's semaphore.
 * Return: false if there are no more than @n.
 */
bool fold_claim_overlap(struct fold_claim *claim, struct fold_map *map,
			unsigned int n, unsigned long *index,
			struct fold_meeting *meeting)
{
	struct claim_item *item = NULL;
	unsigned long last, from, to;
	struct fold_fragment *frag;
	struct fold_space *space;
	struct fold_extent *ext;
	bool found = false;

	while ((item = item_next(claim, item))) {
		space = fold_space(map->cache, item->start);
		last = item_last(item);
		down_read(&space->sem);
		for (frag = fold_table_first(&space->table, item->start, last);
		     frag && !found;
		     frag = fold_table_next(frag, item->start, last)) {
			if (n && n--)
				continue;
			ext = fold_fragment_sharer(frag, NULL);
			while (ext && !extent_meeting(ext, 0, meeting))
				ext = fold_fragment_sharer(frag, ext);
			if (!ext)
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
	claim->at = NULL;
	return nr;
}

enum outcome { COMMITTED, PASSED, UNPROVED, CHANGED };

/*
 * An extent that overlaps one that is there already is passed over. The space is
 * locked for writing.
 */
static enum outcome claim_item_commit(struct fold_claim *claim,
				      struct claim_item *item,
				      struct fold_map *map)
{
	struct fold_space *space = fold_space(map->cache, item->start);
	struct fold_table *table = &space->table;
	unsigned long last = item_last(item);
	struct fold_extent *ext = item->ext;
	enum outcome outcome = PASSED;
	struct fold_fragment *dead;
	bool quiet;

	if (fold_map_first(map, ext->index, ext->last))
		return PASSED;
	if (fold_table_born(table, item->start, last) > item->examined)
		return UNPROVED;
	/* The last who referred to pages may not have taken them along yet. */
	if (fold_cache_strays(space, item->start, last)) {
		claim->given_up = true;
		return PASSED;
	}
	if (fold_table_attach(table, ext, item->start, item->tail,
			      fold_clock(map->cache), &item->spare))
		return PASSED;
	/* Nobody can have used the extent yet: the space is locked. */
	write_lock(&map->lock);
	quiet = map->gen == claim->gen && !map->changing && !map->closed;
	if (quiet) {
		fold_map_link(map, ext);
		if (READ_ONCE(ext->frag->seen) < item->sighted)
			WRITE_ONCE(ext->frag->seen, item->sighted);
		item->ext = NULL;
		outcome = COMMITTED;
	}
	write_unlock(&map->lock);
	if (!quiet) {
		outcome = CHANGED;
		/* Nothing is dead, and the spare is unused, if others have it. */
		dead = fold_table_detach(table, ext);
		if (dead)
			item->spare = dead;
	}
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
	struct fold_space *space = NULL, *next_space;
	enum outcome outcome = PASSED;
	struct claim_item *item, *next;
	unsigned long pages = 0, index, nr;
	unsigned int locked = 0;

	mutex_lock(&map->mutex);
	list_for_each_entry_safe(item, next, &claim->list, entry) {
		index = item->ext->index;
		nr = item->ext->last - index + 1;
		next_space = fold_space(map->cache, item->start);
		if (next_space != space || locked++ == RANGES_LOCKED) {
			if (space)
				up_write(&space->sem);
			cond_resched();
			space = next_space;
			down_write(&space->sem);
			locked = 1;
		}
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
	if (space)
		up_write(&space->sem);
	mutex_unlock(&map->mutex);
	claim->given_up |= outcome == CHANGED;
	claim->at = NULL;
	return pages;
}
