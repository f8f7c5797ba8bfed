// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages a file has: a tree that files share.
 *
 * It is a radix tree by the page's number in the file, whose nodes have counts of
 * references. A clone of a file is one more reference to its root, and nothing is
 * walked. Before a file changes a page its path from the root to the leaf is made its
 * own: a node with several referrers is copied, and then its children have one
 * referrer more. So a change costs what the path costs, whoever shares the rest, and
 * a leaf that nobody refers to any more lets go of its pages.
 *
 * A node belongs to one file alone if it has one reference and all above it have one.
 * Others can only go away then, never come: who would refer to it would have to come
 * by a path through it. Everything else is immutable, and may be read by whoever
 * refers to it.
 *
 * Who has a page in hand through one file (a pipe, a pin, a read under way) must not see
 * what another one writes to it in place, when the first has gone. So what was shared is
 * marked: with a node all that is below it, until a file that has it for itself comes by
 * and hands the mark down on its path, to the pages in the end (ftmp_map_ease()).
 *
 * As with any radix tree, a file of one page needs no node.
 */
#include <linux/slab.h>

#include "tree.h"

static struct kmem_cache *node_cache;

/**
 * ftmp_tree_cache_init - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int __init ftmp_tree_cache_init(void)
{
	node_cache = kmem_cache_create("foldfs_tmp_node",
				       sizeof(struct ftmp_node), 0,
				       SLAB_ACCOUNT, NULL);
	return node_cache ? 0 : -ENOMEM;
}

/**
 * ftmp_tree_cache_exit - when it is unloaded
 */
void ftmp_tree_cache_exit(void)
{
	kmem_cache_destroy(node_cache);
}

static struct ftmp_node *as_node(unsigned long entry)
{
	return (struct ftmp_node *)entry;
}

/* Of a page number: which slot of a node of that level. */
static unsigned int slot_of(pgoff_t index, unsigned int level)
{
	return (index >> ((level - 1) * FTMP_BITS)) % FTMP_BATCH;
}

/* Pages that an entry below so many levels of nodes covers, less one. */
static pgoff_t span_mask(unsigned int levels)
{
	return (1UL << (levels * FTMP_BITS)) - 1;
}

static bool covers(const struct ftmp_map *map, pgoff_t index)
{
	return index <= span_mask(map->levels);
}

static struct ftmp_node *node_new(unsigned int level, gfp_t gfp)
{
	struct ftmp_node *node = kmem_cache_zalloc(node_cache, gfp);

	if (node) {
		refcount_set(&node->refs, 1);
		node->level = level;
	}
	return node;
}

/* Lets go of an entry below so many levels. */
static void entry_put(unsigned long entry, unsigned int levels,
		      struct ftmp_drop *drop)
{
	struct ftmp_node *node;
	unsigned int i;

	if (!entry)
		return;
	if (!levels) {
		ftmp_page_put(entry, drop);
		return;
	}
	node = as_node(entry);
	if (!refcount_dec_and_test(&node->refs))
		return;
	for (i = 0; i < FTMP_BATCH && node->used; i++) {
		if (node->slot[i]) {
			entry_put(node->slot[i], levels - 1, drop);
			node->used--;
		}
	}
	if (node->home)
		ftmp_batch_put(node->home);
	kmem_cache_free(node_cache, node);
	cond_resched();
}

static void entry_get(unsigned long entry, unsigned int levels)
{
	if (!entry)
		return;
	if (!levels) {
		ftmp_page_get(entry);
		return;
	}
	WRITE_ONCE(as_node(entry)->once, true);
	refcount_inc(&as_node(entry)->refs);
}

/*
 * The node at @entry, in a node that is the file's own, becomes the file's own, too. Its
 * former referrer was this file among others; if they have gone since, its children
 * lose with it what they have just got.
 */
static int entry_own(unsigned long *entry, struct ftmp_drop *drop, gfp_t gfp)
{
	struct ftmp_node *old = as_node(*entry), *node;
	unsigned int i;

	/* Pairs with what the others' last references did before they went. */
	if (refcount_read(&old->refs) == 1) {
		smp_acquire__after_ctrl_dep();
		return 0;
	}
	node = node_new(old->level, gfp);
	if (!node)
		return -ENOMEM;
	node->used = old->used;
	node->pages = old->pages;
	for (i = 0; i < FTMP_BATCH; i++) {
		node->slot[i] = old->slot[i];
		entry_get(node->slot[i], node->level - 1);
	}
	*entry = (unsigned long)node;
	entry_put((unsigned long)old, old->level, drop);
	return 0;
}

/**
 * ftmp_map_pages - how many pages a file has
 * @map: its map
 *
 * Context: map_sem held, for reading at least; or a guess.
 * Return: the number.
 */
unsigned long ftmp_map_pages(const struct ftmp_map *map)
{
	if (!map->root)
		return 0;
	return map->levels ? as_node(map->root)->pages : 1;
}

/**
 * ftmp_map_find - look a page up
 * @map: the file's map
 * @index: page of the file
 * @alone: set to whether nobody but this file refers to the page, and it is known to
 *	be marked if others did; may be NULL
 *
 * Context: map_sem held, for reading at least. While it is, others cannot begin to
 * refer to a page that they do not refer to.
 * Return: the page, or 0 for a hole.
 */
unsigned long ftmp_map_find(const struct ftmp_map *map, pgoff_t index,
			    bool *alone)
{
	unsigned long entry = map->root;
	unsigned int level;
	bool own = true;

	if (alone)
		*alone = false;
	if (!covers(map, index))
		return 0;
	for (level = map->levels; level && entry; level--) {
		own = own && refcount_read(&as_node(entry)->refs) == 1 &&
		      !READ_ONCE(as_node(entry)->once);
		entry = as_node(entry)->slot[slot_of(index, level)];
	}
	if (alone && entry && own && ftmp_page_sole(entry)) {
		/* Whoever has gone has read the page for the last time. */
		smp_acquire__after_ctrl_dep();
		*alone = true;
	}
	return entry;
}

/* The node belongs to one file alone. */
static void hand_down(struct ftmp_node *node)
{
	unsigned int i;

	if (!node->once)
		return;
	for (i = 0; i < FTMP_BATCH; i++) {
		if (!node->slot[i])
			continue;
		if (node->level > 1)
			WRITE_ONCE(as_node(node->slot[i])->once, true);
		else
			ftmp_page_mark(node->slot[i]);
	}
	WRITE_ONCE(node->once, false);
}

/**
 * ftmp_map_ease - hand the marks of what was shared down to a page
 * @map: the file's map
 * @index: page of the file
 *
 * As far as nodes are the file's own. ftmp_map_find() can tell then whether the page
 * is.
 *
 * Context: map_sem held for writing.
 */
void ftmp_map_ease(struct ftmp_map *map, pgoff_t index)
{
	unsigned long entry = map->root;
	unsigned int level;

	if (!covers(map, index))
		return;
	for (level = map->levels; level && entry; level--) {
		if (refcount_read(&as_node(entry)->refs) != 1)
			return;
		hand_down(as_node(entry));
		entry = as_node(entry)->slot[slot_of(index, level)];
	}
}

static int grow(struct ftmp_map *map, pgoff_t index)
{
	struct ftmp_node *node;

	while (!covers(map, index)) {
		if (map->root) {
			node = node_new(map->levels + 1, GFP_KERNEL);
			if (!node)
				return -ENOMEM;
			node->slot[0] = map->root;
			node->used = 1;
			node->pages = ftmp_map_pages(map);
			map->root = (unsigned long)node;
		}
		map->levels++;
	}
	return 0;
}

/**
 * ftmp_map_own - make the path to a page the file's own
 * @map: the file's map
 * @index: page of the file
 * @path: set to the path, valid until map_sem is let go
 * @drop: collects what leaves the store
 *
 * Context: map_sem held for writing. May sleep for memory.
 * Return: 0 or -ENOMEM; then part of the path may be made, which changes nothing.
 */
int ftmp_map_own(struct ftmp_map *map, pgoff_t index, struct ftmp_path *path,
		 struct ftmp_drop *drop)
{
	unsigned long *entry = &map->root;
	struct ftmp_node *node, *parent = NULL;
	unsigned int level;
	int err;

	err = grow(map, index);
	if (err)
		return err;
	path->levels = map->levels;
	for (level = map->levels; level; level--) {
		if (*entry) {
			err = entry_own(entry, drop, GFP_KERNEL);
			if (err)
				return err;
			node = as_node(*entry);
			hand_down(node);
		} else {
			node = node_new(level, GFP_KERNEL);
			if (!node)
				return -ENOMEM;
			*entry = (unsigned long)node;
			if (parent)
				parent->used++;
		}
		path->node[level - 1] = node;
		parent = node;
		entry = &node->slot[slot_of(index, level)];
	}
	path->slot = entry;
	return 0;
}

/**
 * ftmp_map_put - put a page into its place
 * @path: of the place, from ftmp_map_own()
 * @slot: the page; the map takes the caller's count over
 *
 * Context: map_sem held for writing, since ftmp_map_own().
 * Return: what was there, whose count is the caller's now; or 0.
 */
unsigned long ftmp_map_put(struct ftmp_path *path, unsigned long slot)
{
	unsigned long old = *path->slot;
	unsigned int i;

	*path->slot = slot;
	if (old)
		return old;
	if (path->levels)
		path->node[0]->used++;
	for (i = 0; i < path->levels; i++)
		path->node[i]->pages++;
	return 0;
}

/* Takes @first to @last out of an entry that covers @levels; counts what is gone. */
static unsigned long entry_clear(unsigned long *entry, unsigned int levels,
				 pgoff_t first, pgoff_t last,
				 struct ftmp_drop *drop)
{
	pgoff_t mask = span_mask(levels), below;
	struct ftmp_node *node;
	unsigned long gone = 0;
	unsigned int i, end;

	if (!*entry)
		return 0;
	if (!levels || (!(first & mask) && (last & mask) == mask)) {
		gone = levels ? as_node(*entry)->pages : 1;
		entry_put(*entry, levels, drop);
		*entry = 0;
		return gone;
	}
	/* Two nodes of each level at most: memory that is there for certain. */
	entry_own(entry, drop, GFP_KERNEL | __GFP_NOFAIL);
	node = as_node(*entry);
	below = span_mask(levels - 1);
	end = slot_of(last, levels);
	for (i = slot_of(first, levels); i <= end; i++) {
		pgoff_t from = i == slot_of(first, levels) ? first & below : 0;
		pgoff_t to = i == end ? last & below : below;

		if (!node->slot[i])
			continue;
		gone += entry_clear(&node->slot[i], levels - 1, from, to, drop);
		if (!node->slot[i])
			node->used--;
	}
	node->pages -= gone;
	if (!node->used) {
		entry_put(*entry, levels, drop);
		*entry = 0;
	}
	return gone;
}

/**
 * ftmp_map_clear - take pages out of a map
 * @map: the map
 * @first: first page of the file
 * @last: last one, inclusive
 * @drop: collects what leaves the store
 *
 * Context: map_sem held for writing. May sleep for memory, and does not fail.
 */
void ftmp_map_clear(struct ftmp_map *map, pgoff_t first, pgoff_t last,
		    struct ftmp_drop *drop)
{
	pgoff_t mask = span_mask(map->levels);

	if (!map->root || first > mask)
		return;
	entry_clear(&map->root, map->levels, first, min(last, mask), drop);
	if (!map->root)
		map->levels = 0;
}

/**
 * ftmp_map_share - make a map the clone of another
 * @dst: an empty one
 * @src: the other one
 *
 * Walks nothing.
 *
 * Context: map_sem of both held for writing.
 */
void ftmp_map_share(struct ftmp_map *dst, const struct ftmp_map *src)
{
	entry_get(src->root, src->levels);
	*dst = *src;
}

/**
 * ftmp_map_next - find the next page
 * @map: the map
 * @index: where to begin; set to where it is
 * @last: where to end, inclusive
 *
 * Context: map_sem held, for reading at least.
 * Return: the page, or 0 if there is none.
 */
unsigned long ftmp_map_next(const struct ftmp_map *map, pgoff_t *index,
			    pgoff_t last)
{
	pgoff_t at = *index, mask;
	unsigned long entry;
	unsigned int level;

	last = min(last, span_mask(map->levels));
	while (at <= last) {
		entry = map->root;
		for (level = map->levels; level && entry; level--)
			entry = as_node(entry)->slot[slot_of(at, level)];
		if (entry) {
			*index = at;
			return entry;
		}
		mask = span_mask(level);
		if ((at | mask) >= last)
			break;
		at = (at | mask) + 1;
	}
	return 0;
}

/**
 * ftmp_map_next_hole - find the next page that is not there
 * @map: the map
 * @index: where to begin
 * @last: where to end, inclusive
 *
 * Context: map_sem held, for reading at least.
 * Return: where it is; @last + 1 if there is none.
 */
pgoff_t ftmp_map_next_hole(const struct ftmp_map *map, pgoff_t index,
			   pgoff_t last)
{
	unsigned long entry;
	unsigned int level;
	pgoff_t mask;

	while (index <= last && covers(map, index)) {
		entry = map->root;
		for (level = map->levels; level && entry; level--) {
			if (as_node(entry)->pages > span_mask(level))
				break;
			entry = as_node(entry)->slot[slot_of(index, level)];
		}
		if (!entry)
			return index;
		mask = span_mask(level);
		if ((index | mask) >= last)
			return last + 1;
		index = (index | mask) + 1;
	}
	return min(index, last + 1);
}
