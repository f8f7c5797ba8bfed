// SPDX-License-Identifier: GPL-2.0-only
/*
 * Share maps: file pages to fragments. See sharemap.h.
 */
#include "sharemap.h"
#include "fragment.h"

#define EXT_FIRST(ext)	((ext)->index)
#define EXT_LAST(ext)	((ext)->last)

INTERVAL_TREE_DEFINE(struct fold_extent, rb, unsigned long, subtree_last,
		     EXT_FIRST, EXT_LAST, static, extent_tree)

/**
 * fold_map_init - make an empty share map
 * @map: the map
 * @cache: the cache its fragments live in, or NULL if it will never have any
 * @stats: counters of the mount that the file is seen through
 * @ops: how the sharer is shot down and read
 * @dev: the device number that its users know it by, for the trace
 *
 * Context: any; the map is not visible to others yet.
 */
void fold_map_init(struct fold_map *map, struct fold_cache *cache,
		   struct fold_stats *stats,
		   const struct fold_sharer_ops *ops, dev_t dev)
{
	mutex_init(&map->mutex);
	rwlock_init(&map->lock);
	map->tree = RB_ROOT_CACHED;
	map->nr = 0;
	map->seq = 0;
	map->gen = 0;
	map->changing = 0;
	map->outside = 0;
	map->closed = false;
	map->dev = dev;
	map->ops = ops;
	map->cache = cache;
	map->stats = stats;
}

/**
 * fold_map_link - add an extent to a map
 * @map: the map
 * @ext: the extent; overlaps none of the map's
 *
 * Context: map->mutex and map->lock for writing held.
 */
void fold_map_link(struct fold_map *map, struct fold_extent *ext)
{
	lockdep_assert_held_write(&map->lock);
	extent_tree_insert(ext, &map->tree);
	WRITE_ONCE(map->nr, map->nr + 1);
	WRITE_ONCE(map->seq, map->seq + 1);
}

/**
 * fold_map_unlink - take an extent out of its map
 * @map: the map
 * @ext: one of its extents
 *
 * Context: map->mutex and map->lock for writing held.
 */
void fold_map_unlink(struct fold_map *map, struct fold_extent *ext)
{
	lockdep_assert_held_write(&map->lock);
	extent_tree_remove(ext, &map->tree);
	WRITE_ONCE(map->nr, map->nr - 1);
	WRITE_ONCE(map->seq, map->seq + 1);
}

/**
 * fold_map_first - the first extent that touches a range of file pages
 * @map: the map
 * @first: first page
 * @last: last page, inclusive
 *
 * Context: map->mutex or map->lock held.
 * Return: the extent with the lowest index, or NULL.
 */
struct fold_extent *fold_map_first(struct fold_map *map, unsigned long first,
				   unsigned long last)
{
	return extent_tree_iter_first(&map->tree, first, last);
}

/**
 * fold_map_next - the next extent that touches a range of file pages
 * @ext: what fold_map_first() or this function returned
 * @first: first page
 * @last: last page, inclusive
 *
 * Context: map->mutex or map->lock held since.
 * Return: the extent, or NULL.
 */
struct fold_extent *fold_map_next(struct fold_extent *ext, unsigned long first,
				  unsigned long last)
{
	return extent_tree_iter_next(ext, first, last);
}

/**
 * fold_map_find - where one file page is
 * @map: the map
 * @index: page of the file
 * @run: what was found
 *
 * Context: map->lock held.
 * Return: true if the page is shared. Else @run->nr says for how many pages
 * from @index on nothing is shared, ULONG_MAX if to the end of the file.
 */
bool fold_map_find(struct fold_map *map, unsigned long index,
		   struct fold_run *run)
{
	struct fold_extent *ext = NULL;

	run->seq = map->seq;
	if (!map->closed)
		ext = fold_map_first(map, index, ULONG_MAX);
	if (!ext) {
		run->nr = ULONG_MAX;
		return false;
	}
	if (ext->index > index) {
		run->nr = ext->index - index;
		return false;
	}
	run->before = index - ext->index;
	run->phys = ext->frag->start + run->before;
	run->nr = ext->last - index + 1;
	run->mapped = READ_ONCE(ext->mapped);
	return true;
}

/**
 * fold_map_lookup - fold_map_find() for those who hold no lock
 * @map: the map
 * @index: page of the file
 * @run: what was found
 *
 * What is found may change at once. Who goes on to use a page at @run->phys
 * must have a reference on the folio and then see map->seq == @run->seq.
 *
 * Context: any but interrupts; takes map->lock.
 * Return: as fold_map_find().
 */
bool fold_map_lookup(struct fold_map *map, unsigned long index,
		     struct fold_run *run)
{
	bool shared;

	read_lock(&map->lock);
	shared = fold_map_find(map, index, run);
	read_unlock(&map->lock);
	return shared;
}

/**
 * fold_map_change_begin - announce a change of the file's bytes
 * @map: the map
 *
 * From here until fold_map_change_end() nothing new is joined, and a join
 * that is under way fails.
 *
 * Context: any but interrupts; takes map->lock.
 * Return: true if the map has extents, so that the caller must break those
 * that the change touches.
 */
bool fold_map_change_begin(struct fold_map *map)
{
	bool shared;

	write_lock(&map->lock);
	WRITE_ONCE(map->gen, map->gen + 1);
	map->changing++;
	shared = map->nr;
	write_unlock(&map->lock);
	return shared;
}

/**
 * fold_map_change_end - a change of the file's bytes is over
 * @map: the map
 *
 * Context: any but interrupts; takes map->lock.
 */
void fold_map_change_end(struct fold_map *map)
{
	write_lock(&map->lock);
	WARN_ON_ONCE(!map->changing);
	map->changing--;
	write_unlock(&map->lock);
}
