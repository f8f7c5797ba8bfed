// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of fragments. See fragment.h.
 *
 * Two mails of 2020 ask for it: references are counted on the fragment, never
 * on its pages, so that one more file costs one more extent on a list.
 */
#include "fragment.h"
#include "sharemap.h"

/* Of all who could be read through, so many are asked whether they are fit. */
#define SOURCES_ASKED	32

static struct fold_fragment *to_frag(struct rb_node *rb)
{
	return rb ? container_of(rb, struct fold_fragment, rb) : NULL;
}

static struct fold_fragment *left_of(struct fold_fragment *frag)
{
	return to_frag(frag->rb.rb_left);
}

static struct fold_fragment *right_of(struct fold_fragment *frag)
{
	return to_frag(frag->rb.rb_right);
}

/* Returns true if nothing has changed, so that nothing above will. */
static bool frag_sum_up(struct fold_fragment *frag, bool exit)
{
	struct fold_fragment *side[2] = { left_of(frag), right_of(frag) };
	unsigned long last = frag->last;
	u64 born = frag->born;
	int i;

	for (i = 0; i < 2; i++) {
		if (!side[i])
			continue;
		last = max(last, side[i]->below.last);
		born = max(born, side[i]->below.born);
	}
	if (exit && frag->below.last == last && frag->below.born == born)
		return true;
	frag->below.last = last;
	frag->below.born = born;
	return false;
}

RB_DECLARE_CALLBACKS(static, frag_callbacks, struct fold_fragment, rb, below,
		     frag_sum_up)

#define FRAG_FIRST(frag)	((frag)->start)
#define FRAG_LAST(frag)		((frag)->last)

INTERVAL_TREE_DEFINE(struct fold_fragment, mapped_rb, unsigned long,
		     mapped_below, FRAG_FIRST, FRAG_LAST, static, mapped_tree)

/**
 * fold_table_init - make an empty table
 * @table: the table
 */
void fold_table_init(struct fold_table *table)
{
	table->tree = RB_ROOT;
	table->tails = RB_ROOT;
	table->mapped = RB_ROOT_CACHED;
	table->fragments = 0;
	table->references = 0;
}

/* The order of the tree. */
static int frag_order(const struct fold_fragment *frag, unsigned long start,
		      unsigned long last)
{
	if (frag->start != start)
		return frag->start < start ? -1 : 1;
	if (frag->last != last)
		return frag->last < last ? -1 : 1;
	return 0;
}

static struct fold_fragment *frag_exact(struct fold_table *table,
					unsigned long start, unsigned long last)
{
	struct fold_fragment *frag = to_frag(table->tree.rb_node);
	int order;

	while (frag) {
		order = frag_order(frag, start, last);
		if (!order)
			break;
		frag = order < 0 ? right_of(frag) : left_of(frag);
	}
	return frag;
}

static void frag_insert(struct fold_table *table, struct fold_fragment *new)
{
	struct rb_node **link = &table->tree.rb_node, *parent = NULL;
	struct fold_fragment *frag;

	while (*link) {
		parent = *link;
		frag = to_frag(parent);
		/* What is inserted below counts for all above. */
		frag->below.last = max(frag->below.last, new->last);
		frag->below.born = max(frag->below.born, new->born);
		if (frag_order(frag, new->start, new->last) < 0)
			link = &parent->rb_right;
		else
			link = &parent->rb_left;
	}
	new->below.last = new->last;
	new->below.born = new->born;
	rb_link_node(&new->rb, parent, link);
	rb_insert_augmented(&new->rb, &table->tree, &frag_callbacks);
}

static struct fold_fragment *to_tail(struct rb_node *rb)
{
	return rb ? container_of(rb, struct fold_fragment, tail_rb) : NULL;
}

static void tail_insert(struct fold_table *table, struct fold_fragment *new)
{
	struct rb_node **link = &table->tails.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (to_tail(parent)->last < new->last)
			link = &parent->rb_right;
		else
			link = &parent->rb_left;
	}
	rb_link_node(&new->tail_rb, parent, link);
	rb_insert_color(&new->tail_rb, &table->tails);
}

/* Of those that end inside of a page, the first that does from @page on. */
static struct fold_fragment *first_tail(struct fold_table *table,
					unsigned long page)
{
	struct fold_fragment *frag = to_tail(table->tails.rb_node), *best = NULL;

	while (frag) {
		if (frag->last < page) {
			frag = to_tail(frag->tail_rb.rb_right);
		} else {
			best = frag;
			frag = to_tail(frag->tail_rb.rb_left);
		}
	}
	return best;
}

/* The first that touches the range, of @frag and those below it. */
static struct fold_fragment *first_touching(struct fold_fragment *frag,
					    unsigned long start,
					    unsigned long last)
{
	struct fold_fragment *side;

	while (frag && frag->below.last >= start) {
		side = left_of(frag);
		if (side && side->below.last >= start) {
			/* It begins before all on the right side do. */
			frag = side;
			continue;
		}
		if (frag->start > last)
			return NULL;
		if (frag->last >= start)
			return frag;
		frag = right_of(frag);
	}
	return NULL;
}

/**
 * fold_table_first - the first fragment that touches a range of pages
 * @table: the table
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held.
 * Return: the fragment with the lowest start, or NULL.
 */
struct fold_fragment *fold_table_first(struct fold_table *table,
				       unsigned long start, unsigned long last)
{
	return first_touching(to_frag(table->tree.rb_node), start, last);
}

/**
 * fold_table_next - the next fragment that touches a range of pages
 * @frag: what fold_table_first() or this function returned
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held since.
 * Return: the fragment, in order of its start and then of its last page, or
 * NULL.
 */
struct fold_fragment *fold_table_next(struct fold_fragment *frag,
				      unsigned long start, unsigned long last)
{
	struct fold_fragment *side = right_of(frag);
	struct rb_node *prev;

	if (side && side->below.last >= start)
		return first_touching(side, start, last);
	for (;;) {
		do {
			prev = &frag->rb;
			frag = to_frag(rb_parent(prev));
			if (!frag)
				return NULL;
		} while (prev == frag->rb.rb_right);
		if (frag->start > last)
			return NULL;
		if (frag->last >= start)
			return frag;
		side = right_of(frag);
		if (side && side->below.last >= start)
			return first_touching(side, start, last);
	}
}

/**
 * fold_table_behind - go on where somebody stopped who let go of the semaphore
 * @table: the table
 * @start: first physical page of the last fragment that was visited
 * @last: its last physical page
 *
 * Context: the space's semaphore held.
 * Return: the first fragment behind it in order, or NULL.
 */
struct fold_fragment *fold_table_behind(struct fold_table *table,
					unsigned long start, unsigned long last)
{
	struct fold_fragment *frag = to_frag(table->tree.rb_node), *best = NULL;

	while (frag) {
		if (frag_order(frag, start, last) > 0) {
			best = frag;
			frag = left_of(frag);
		} else {
			frag = right_of(frag);
		}
	}
	return best;
}

/**
 * fold_table_first_mapped - the first mapped fragment that touches a range
 * @table: the table
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held.
 * Return: the fragment, whose list of mapped sharers is not empty, or NULL.
 */
struct fold_fragment *fold_table_first_mapped(struct fold_table *table,
					      unsigned long start,
					      unsigned long last)
{
	return mapped_tree_iter_first(&table->mapped, start, last);
}

/**
 * fold_table_next_mapped - the next one
 * @frag: what fold_table_first_mapped() or this function returned
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held since.
 * Return: the fragment, or NULL.
 */
struct fold_fragment *fold_table_next_mapped(struct fold_fragment *frag,
					     unsigned long start,
					     unsigned long last)
{
	return mapped_tree_iter_next(frag, start, last);
}

/**
 * fold_table_widest - of the fragments over a page the one that goes furthest
 * @table: the table
 * @page: a physical page
 *
 * Who needs some fragment over each page of a range, and as few as there can be,
 * asks for this one, and goes on behind its end.
 *
 * Context: the space's semaphore held.
 * Return: the fragment, or NULL if none covers the page.
 */
struct fold_fragment *fold_table_widest(struct fold_table *table,
					unsigned long page)
{
	struct fold_fragment *frag = to_frag(table->tree.rb_node), *side;
	struct fold_fragment *best = NULL, *under = NULL;

	/* All that begin at @page or before are left of the way down, or on it. */
	while (frag) {
		if (frag->start > page) {
			frag = left_of(frag);
			continue;
		}
		side = left_of(frag);
		if (side && (!under || side->below.last > under->below.last))
			under = side;
		if (!best || frag->last > best->last)
			best = frag;
		frag = right_of(frag);
	}
	if (under && under->below.last > best->last) {
		best = under;
		while (best->last != under->below.last) {
			side = left_of(best);
			if (!side || side->below.last != under->below.last)
				side = right_of(best);
			best = side;
		}
	}
	return best && best->last >= page ? best : NULL;
}

/**
 * fold_table_gap - the next part of a range that no fragment covers
 * @table: the table
 * @start: first physical page of the range; set to that of the gap
 * @last: last physical page of the range, inclusive
 * @gap_last: set to the last physical page of the gap
 *
 * Context: the space's semaphore held.
 * Return: false if all of the range is covered.
 */
bool fold_table_gap(struct fold_table *table, unsigned long *start,
		    unsigned long last, unsigned long *gap_last)
{
	struct fold_fragment *frag;

	while ((frag = fold_table_widest(table, *start))) {
		if (frag->last >= last)
			return false;
		*start = frag->last + 1;
	}
	frag = fold_table_first(table, *start, last);
	*gap_last = frag ? frag->start - 1 : last;
	return true;
}

/**
 * fold_table_covers - does some fragment cover each page of a range
 * @table: the table
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held.
 * Return: true if none of the pages is without a fragment.
 */
bool fold_table_covers(struct fold_table *table, unsigned long start,
		       unsigned long last)
{
	unsigned long gap_last;

	return !fold_table_gap(table, &start, last, &gap_last);
}

/**
 * fold_table_born - how old are the references to a range of pages
 * @table: the table
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held.
 * Return: the latest moment at which somebody referred to a page of the range
 * to which nobody referred before, or a later one up to which there was such a
 * moment beside the range; 0 if nobody refers to any.
 */
u64 fold_table_born(struct fold_table *table, unsigned long start,
		    unsigned long last)
{
	struct fold_fragment *frag = to_frag(table->tree.rb_node), *from;
	u64 born = 0;

	/*
	 * In order, but past all below which nothing is younger than what was
	 * found: what began of late is little.
	 */
	while (frag) {
		from = left_of(frag);
		if (from && from->below.last >= start &&
		    from->below.born > born) {
			frag = from;
			continue;
		}
visit:
		if (frag->start > last)
			return born;
		if (frag->last >= start)
			born = max(born, frag->born);
		from = right_of(frag);
		if (from && from->below.last >= start &&
		    from->below.born > born) {
			frag = from;
			continue;
		}
		do {
			from = frag;
			frag = to_frag(rb_parent(&from->rb));
			if (!frag)
				return born;
		} while (&from->rb == frag->rb.rb_right);
		goto visit;
	}
	return born;
}

/*
 * Where a file ends inside a page, what follows reads as zero for that file
 * only. All who share the page must agree on where that is.
 */
static bool tails_agree(struct fold_table *table, unsigned long start,
			unsigned long last, unsigned int tail)
{
	struct fold_fragment *frag = first_tail(table, start);

	if (frag && frag->last <= last)
		return frag->last == last && frag->tail == tail;
	/* Nobody ends here: those who have the last page have all of it. */
	return !tail || !fold_table_widest(table, last);
}

static void list_extent(struct fold_table *table, struct fold_extent *ext)
{
	struct fold_fragment *frag = ext->frag;

	if (!ext->mapped) {
		list_add_tail(&ext->sharer, &frag->sharers);
		return;
	}
	if (list_empty(&frag->mapped))
		mapped_tree_insert(frag, &table->mapped);
	list_add_tail(&ext->sharer, &frag->mapped);
}

static void unlist_extent(struct fold_table *table, struct fold_extent *ext)
{
	struct fold_fragment *frag = ext->frag;

	list_del(&ext->sharer);
	if (ext->mapped && list_empty(&frag->mapped))
		mapped_tree_remove(frag, &table->mapped);
}

/**
 * fold_table_attach - let an extent refer to a run of physical pages
 * @table: the table
 * @ext: the extent; its length is the run's
 * @start: first physical page
 * @tail: bytes of the last page that belong to the file, or 0 for all
 * @now: the cache's clock
 * @spare: a fragment to use if the table has none for this run; set to NULL
 *         if it was used
 *
 * Context: the space's semaphore held for writing.
 * Return: 0, or -EEXIST if another fragment holds a different end of file in
 * one of the pages.
 */
int fold_table_attach(struct fold_table *table, struct fold_extent *ext,
		      unsigned long start, unsigned int tail, u64 now,
		      struct fold_fragment **spare)
{
	unsigned long last = start + (ext->last - ext->index);
	struct fold_fragment *frag;

	if (!tails_agree(table, start, last, tail))
		return -EEXIST;
	frag = frag_exact(table, start, last);
	if (!frag) {
		frag = *spare;
		*spare = NULL;
		frag->start = start;
		frag->last = last;
		frag->tail = tail;
		frag->refs = 0;
		frag->seen = 0;
		frag->born = fold_table_covers(table, start, last) ?
			     fold_table_born(table, start, last) : now;
		INIT_LIST_HEAD(&frag->sharers);
		INIT_LIST_HEAD(&frag->mapped);
		frag_insert(table, frag);
		if (tail)
			tail_insert(table, frag);
		WRITE_ONCE(table->fragments, table->fragments + 1);
	}
	ext->frag = frag;
	ext->broken = false;
	list_extent(table, ext);
	frag->refs++;
	WRITE_ONCE(table->references, table->references + 1);
	return 0;
}

/**
 * fold_table_detach - end an extent's reference
 * @table: the table
 * @ext: the extent
 *
 * Context: the space's semaphore held for writing.
 * Return: the fragment, now out of the table and the caller's to free, if
 * that was its last reference; else NULL.
 */
struct fold_fragment *fold_table_detach(struct fold_table *table,
					struct fold_extent *ext)
{
	struct fold_fragment *frag = ext->frag;

	unlist_extent(table, ext);
	ext->frag = NULL;
	WRITE_ONCE(table->references, table->references - 1);
	if (--frag->refs)
		return NULL;
	rb_erase_augmented(&frag->rb, &table->tree, &frag_callbacks);
	if (frag->tail)
		rb_erase(&frag->tail_rb, &table->tails);
	WRITE_ONCE(table->fragments, table->fragments - 1);
	return frag;
}

/**
 * fold_table_map - somebody is about to map pages of an extent
 * @table: the table
 * @ext: the extent, attached
 *
 * Context: the space's semaphore held for writing, and map->lock.
 */
void fold_table_map(struct fold_table *table, struct fold_extent *ext)
{
	if (ext->mapped)
		return;
	list_del(&ext->sharer);
	WRITE_ONCE(ext->mapped, true);
	list_extent(table, ext);
}

/**
 * fold_table_unmap - nobody maps pages of an extent any more
 * @table: the table
 * @ext: the extent, attached
 *
 * Context: the space's semaphore and map->lock held for writing.
 */
void fold_table_unmap(struct fold_table *table, struct fold_extent *ext)
{
	if (!ext->mapped)
		return;
	unlist_extent(table, ext);
	WRITE_ONCE(ext->mapped, false);
	list_extent(table, ext);
}

/**
 * fold_fragment_sharer - go through all who refer to a fragment
 * @frag: the fragment
 * @prev: what was returned before, or NULL to begin
 *
 * Those whom nobody maps come first.
 *
 * Context: the space's semaphore held since.
 * Return: an extent, or NULL if there are no more.
 */
struct fold_extent *fold_fragment_sharer(struct fold_fragment *frag,
					 struct fold_extent *prev)
{
	struct list_head *at = prev ? &prev->sharer : &frag->sharers;

	at = at->next;
	if (at == &frag->sharers)
		at = frag->mapped.next;
	return at == &frag->mapped ? NULL :
	       container_of(at, struct fold_extent, sharer);
}

/**
 * fold_table_source - someone through whom a range of pages can be read
 * @table: the table
 * @start: first physical page
 * @last: last physical page, inclusive
 * @fit: who may be asked
 *
 * Of very many, only some are asked.
 *
 * Context: the space's semaphore held.
 * Return: an extent that covers the whole range, is not being broken, and is
 * fit; or NULL.
 */
struct fold_extent *fold_table_source(struct fold_table *table,
				      unsigned long start, unsigned long last,
				      bool (*fit)(struct fold_extent *ext))
{
	struct fold_fragment *widest = fold_table_widest(table, start);
	struct fold_fragment *frag = widest;
	unsigned int asked = 0;
	struct fold_extent *ext;

	if (!widest || widest->last < last)
		return NULL;
	while (frag) {
		if (frag->last < last)
			goto next;
		for (ext = fold_fragment_sharer(frag, NULL); ext;
		     ext = fold_fragment_sharer(frag, ext)) {
			if (!ext->broken && fit(ext))
				return ext;
			if (++asked == SOURCES_ASKED)
				return NULL;
		}
next:
		frag = frag == widest ? fold_table_first(table, start, start) :
					fold_table_next(frag, start, start);
		if (frag == widest)
			frag = fold_table_next(frag, start, start);
		if (++asked == SOURCES_ASKED)
			return NULL;
	}
	return NULL;
}
