/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The share map of one file: which of its pages are references to a fragment.
 *
 * What no extent covers is private and belongs to the lower file. Extents of
 * one map never overlap. An extent refers to exactly one fragment, of the same
 * length; cutting an extent means new, shorter fragments for what remains.
 */
#ifndef FOLD_CORE_SHAREMAP_H
#define FOLD_CORE_SHAREMAP_H

#include "kernel.h"

struct fold_cache;
struct fold_fragment;
struct fold_sharer_ops;
struct fold_stats;
struct fold_map;

/**
 * struct fold_extent - one reference: a run of file pages to a fragment
 * @rb: in the map's tree; map->lock
 * @index: first page of the run in the file; immutable while linked
 * @last: last page of the run, inclusive; immutable while linked
 * @subtree_last: greatest @last below @rb; map->lock
 * @map: the map it belongs to; immutable
 * @frag: the fragment; space->sem
 * @sharer: on one of the fragment's lists of sharers; space->sem
 * @broken: a break is under way: shot down like any sharer, but never again
 *          the source of a fill; space->sem
 * @mapped: somebody may have mapped pages of the run through this file: no
 *	    process has unless this says so; space->sem, and map->lock keeps it
 *	    from becoming false. May be read without either as a hint.
 * @fills: fills that read through it, and tasks that started one and are still
 *	   inside the lower filesystem; new ones under space->sem, if not broken
 */
struct fold_extent {
	struct rb_node rb;
	unsigned long index;
	unsigned long last;
	unsigned long subtree_last;
	struct fold_map *map;
	struct fold_fragment *frag;
	struct list_head sharer;
	bool broken;
	bool mapped;
	atomic_t fills;
};

/**
 * struct fold_map - share map of one file
 * @mutex: serialises everything that changes the tree; may sleep
 * @lock: protects what follows, against lookups; nests inside everything but
 *        page table locks
 * @tree: extents by file page
 * @nr: number of extents; may be read without @lock as a hint, and so is
 *      written by WRITE_ONCE(), as what else is read without it
 * @seq: moves with each change of the tree, before the change has an effect
 *       outside of it; may be read without @lock to validate a lookup
 * @gen: moves with each change of the file's bytes that is announced, and when the
 *	 lease ends, without which none would be; may be read without @lock to be
 *	 compared
 * @changing: changes of the file's bytes under way
 * @outside: changes that did not wait for us (writers around the mount); may be
 *           read without @lock, to be compared
 * @closed: no lookup finds anything: a writer around the mount has come; may be
 *          read without @lock as a hint
 * @dev: the sharer's device number, for the trace; immutable
 * @ops: how the sharer is shot down and read; immutable
 * @cache: the cache its fragments live in; immutable
 * @stats: counters of the mount that the file is seen through; immutable
 */
struct fold_map {
	struct mutex mutex;
	rwlock_t lock;
	struct rb_root_cached tree;
	unsigned long nr;
	unsigned long seq;
	unsigned long gen;
	unsigned int changing;
	unsigned int outside;
	bool closed;
	dev_t dev;
	const struct fold_sharer_ops *ops;
	struct fold_cache *cache;
	struct fold_stats *stats;
};

/**
 * struct fold_run - what a lookup found
 * @phys: physical page of the page that was asked for
 * @nr: pages of the run from there on; of a private range: pages until the
 *      next extent
 * @before: pages of the same run in front of it
 * @seq: map->seq at that time
 * @mapped: the run is known as one that may be mapped
 */
struct fold_run {
	unsigned long phys;
	unsigned long nr;
	unsigned long before;
	unsigned long seq;
	bool mapped;
};

void fold_map_init(struct fold_map *map, struct fold_cache *cache,
		   struct fold_stats *stats,
		   const struct fold_sharer_ops *ops, dev_t dev);
void fold_map_link(struct fold_map *map, struct fold_extent *ext);
void fold_map_unlink(struct fold_map *map, struct fold_extent *ext);
struct fold_extent *fold_map_first(struct fold_map *map, unsigned long first,
				   unsigned long last);
struct fold_extent *fold_map_next(struct fold_extent *ext, unsigned long first,
				  unsigned long last);
bool fold_map_find(struct fold_map *map, unsigned long index,
		   struct fold_run *run);
bool fold_map_lookup(struct fold_map *map, unsigned long index,
		     struct fold_run *run);
bool fold_map_change_begin(struct fold_map *map);
void fold_map_change_end(struct fold_map *map);

#endif
