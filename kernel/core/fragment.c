// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of fragments. See fragment.h.
 *
 * Two mails of 2020 ask for it: references are counted on the fragment, never
 * on its pages, so that one more file costs one more extent on a list.
 */
#include "fragment.h"
#include "sharemap.h"

#define FRAG_FIRST(frag)	((frag)->start)
#define FRAG_LAST(frag)		((frag)->last)

INTERVAL_TREE_DEFINE(struct fold_fragment, rb, unsigned long, subtree_last,
		     FRAG_FIRST, FRAG_LAST, static, frag_tree)

/**
 * fold_table_init - make an empty table
 * @table: the table
 */
void fold_table_init(struct fold_table *table)
{
	table->tree = RB_ROOT_CACHED;
	table->fragments = 0;
	table->references = 0;
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
	return frag_tree_iter_first(&table->tree, start, last);
}

/**
 * fold_table_next - the next fragment that touches a range of pages
 * @frag: what fold_table_first() or this function returned
 * @start: first physical page
 * @last: last physical page, inclusive
 *
 * Context: the space's semaphore held since.
 * Return: the fragment, in order of its start, or NULL.
 */
struct fold_fragment *fold_table_next(struct fold_fragment *frag,
				      unsigned long start, unsigned long last)
{
	return frag_tree_iter_next(frag, start, last);
}

/*
 * Where a file ends inside a page, what follows reads as zero for that file
 * only. All who share the page must agree on where that is.
 */
static bool tail_agrees(const struct fold_fragment *frag, unsigned long start,
			unsigned long last, unsigned int tail)
{
	if (frag->last == last)
		return frag->tail == tail;
	if (frag->last < last)
		return !frag->tail || frag->last < start;
	return !tail || frag->start > last;
}

/**
 * fold_table_attach - let an extent refer to a run of physical pages
 * @table: the table
 * @ext: the extent; its length is the run's
 * @start: first physical page
 * @tail: bytes of the last page that belong to the file, or 0 for all
 * @spare: a fragment to use if the table has none for this run; set to NULL
 *         if it was used
 *
 * Context: the space's semaphore held for writing.
 * Return: 0, or -EEXIST if another fragment holds a different end of file in
 * one of the pages.
 */
int fold_table_attach(struct fold_table *table, struct fold_extent *ext,
		      unsigned long start, unsigned int tail,
		      struct fold_fragment **spare)
{
	unsigned long last = start + (ext->last - ext->index);
	struct fold_fragment *frag, *same = NULL;

	for (frag = fold_table_first(table, start, last); frag;
	     frag = fold_table_next(frag, start, last)) {
		if (!tail_agrees(frag, start, last, tail))
			return -EEXIST;
		if (frag->start == start && frag->last == last)
			same = frag;
	}
	if (!same) {
		same = *spare;
		*spare = NULL;
		same->start = start;
		same->last = last;
		same->tail = tail;
		same->refs = 0;
		same->seen_from = 0;
		same->seen_to = 0;
		INIT_LIST_HEAD(&same->sharers);
		frag_tree_insert(same, &table->tree);
		WRITE_ONCE(table->fragments, table->fragments + 1);
	}
	ext->frag = same;
	ext->broken = false;
	list_add_tail(&ext->sharer, &same->sharers);
	same->refs++;
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

	list_del(&ext->sharer);
	ext->frag = NULL;
	WRITE_ONCE(table->references, table->references - 1);
	if (--frag->refs)
		return NULL;
	frag_tree_remove(frag, &table->tree);
	WRITE_ONCE(table->fragments, table->fragments - 1);
	return frag;
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
	struct fold_fragment *frag;

	for (frag = fold_table_first(table, start, last); frag;
	     frag = fold_table_next(frag, start, last)) {
		if (frag->start > start)
			return false;
		if (frag->last >= last)
			return true;
		/* Ordered by start, but an earlier one may reach further. */
		start = max(start, frag->last + 1);
	}
	return false;
}

/**
 * fold_table_source - someone through whom a range of pages can be read
 * @table: the table
 * @start: first physical page
 * @last: last physical page, inclusive
 * @fit: who may be asked
 *
 * Context: the space's semaphore held.
 * Return: an extent that covers the whole range, is not being broken, and is
 * fit; or NULL.
 */
struct fold_extent *fold_table_source(struct fold_table *table,
				      unsigned long start, unsigned long last,
				      bool (*fit)(struct fold_extent *ext))
{
	struct fold_fragment *frag;
	struct fold_extent *ext;

	for (frag = fold_table_first(table, start, start); frag;
	     frag = fold_table_next(frag, start, start)) {
		if (frag->last < last)
			continue;
		list_for_each_entry(ext, &frag->sharers, sharer) {
			if (!ext->broken && fit(ext))
				return ext;
		}
	}
	return NULL;
}
