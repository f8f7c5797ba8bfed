// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a file's references to fragments end. How they begin: claim.c.
 *
 * A break, for each extent that the change touches:
 *  1. what remains of the extent gets fragments of its own, the extent is
 *     marked broken and leaves the tree: map->seq moves, no lookup finds it,
 *     no fill chooses to read through it;
 *  2. fills that read through it are waited for, and those who started them and
 *     are still inside the lower filesystem;
 *  3. if somebody has it mapped: each cached folio of the touched run is locked
 *     and unlocked, so that faults that were faster have their PTE now; then the
 *     file's mappings of the range are zapped;
 *  4. the extent is detached, and pages that no fragment covers any more are
 *     dropped. In between, nobody new may refer to them: see
 *     fold_cache_strays().
 * Then the change may happen. Up to step 4 the extent is still on its
 * fragment's list, so that a shoot-down reaches mappings not zapped yet.
 *
 * What is cached costs a break nothing unless it was mapped through this file,
 * or goes with it.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "refer.h"
#include "trace.h"
#include "window.h"

/* The test build makes the time between a break's last two steps long. */
static unsigned int break_delay_ms;
#ifdef FOLDFS_TEST
module_param(break_delay_ms, uint, 0644);
MODULE_PARM_DESC(break_delay_ms, "sleep before a break's pages are dropped");
#endif

/*
 * Who makes a file refer to fragments, or cuts what it refers to, pays for that.
 * If his memory cgroup is full sharing is lost, and nobody is killed for it.
 */
#define EXTENT_GFP	(GFP_NOFS | __GFP_NOWARN | __GFP_NORETRY)

static struct kmem_cache *extent_slab __ro_after_init;
static struct kmem_cache *fragment_slab __ro_after_init;

/**
 * fold_refer_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_refer_init(void)
{
	extent_slab = kmem_cache_create("foldfs_extent",
					sizeof(struct fold_extent), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					NULL);
	if (!extent_slab)
		return -ENOMEM;
	fragment_slab = kmem_cache_create("foldfs_fragment",
					  sizeof(struct fold_fragment), 0,
					  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					  NULL);
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

/**
 * fold_extent_alloc - an extent that refers to nothing yet
 * @map: the map it is for
 * @index: first page of the run in the file
 * @last: last page of the run, inclusive
 * @spare: set to a fragment, for fold_table_attach() to use if it needs one
 *
 * Context: may sleep.
 * Return: the extent, or NULL.
 */
struct fold_extent *fold_extent_alloc(struct fold_map *map,
				      unsigned long index, unsigned long last,
				      struct fold_fragment **spare)
{
	struct fold_extent *ext;

	ext = kmem_cache_alloc(extent_slab, EXTENT_GFP);
	if (!ext)
		return NULL;
	*spare = kmem_cache_alloc(fragment_slab, EXTENT_GFP);
	if (!*spare) {
		kmem_cache_free(extent_slab, ext);
		return NULL;
	}
	ext->map = map;
	ext->index = index;
	ext->last = last;
	ext->frag = NULL;
	ext->broken = false;
	ext->mapped = false;
	atomic_set(&ext->fills, 0);
	return ext;
}

/**
 * fold_extent_free - free an extent that refers to nothing
 * @ext: the extent, or NULL
 */
void fold_extent_free(struct fold_extent *ext)
{
	if (ext)
		kmem_cache_free(extent_slab, ext);
}

/**
 * fold_fragment_free - free a fragment that is in no table
 * @frag: the fragment, or NULL
 */
void fold_fragment_free(struct fold_fragment *frag)
{
	if (frag)
		kmem_cache_free(fragment_slab, frag);
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
		left = fold_extent_alloc(map, ext->index, *first - 1, &spare[0]);
	if (ext->last > *last)
		right = fold_extent_alloc(map, *last + 1, ext->last, &spare[1]);
	*first = left ? *first : ext->index;
	*last = right ? *last : ext->last;

	down_write(&space->sem);
	/*
	 * Parts of a fragment agree with its neighbours as it did itself, and are
	 * as old: @ext covers them still.
	 */
	if (left) {
		left->mapped = ext->mapped;
		WARN_ON_ONCE(fold_table_attach(&space->table, left, frag->start,
					       0, 0, &spare[0]));
	}
	if (right) {
		right->mapped = ext->mapped;
		WARN_ON_ONCE(fold_table_attach(&space->table, right,
					       frag->last -
					       (right->last - right->index),
					       frag->tail, 0, &spare[1]));
	}
	ext->broken = true;
	write_lock(&map->lock);
	fold_map_unlink(map, ext);
	if (left)
		fold_map_link(map, left);
	if (right)
		fold_map_link(map, right);
	write_unlock(&map->lock);
	up_write(&space->sem);

	fold_fragment_free(spare[0]);
	fold_fragment_free(spare[1]);
}

/**
 * fold_fill_leaves - somebody who was counted in an extent's fills is through
 * @ext: the extent; perhaps gone afterwards
 *
 * Context: any, interrupts included.
 */
void fold_fill_leaves(struct fold_extent *ext)
{
	atomic_t *fills = &ext->fills;

	/* Whoever waits may free it at once: only the address is used then. */
	if (atomic_dec_and_test(fills))
		wake_up_var(fills);
}

/*
 * Steps 2 and 3. Who maps a page through the file has marked the extent first,
 * under the lock that a lookup's truth is checked under: see fold_map_map().
 */
static void extent_quiesce(struct fold_map *map, struct fold_extent *ext,
			   unsigned long from, unsigned long to)
{
	unsigned long start = ext->frag->start + (from - ext->index);

	wait_var_event(&ext->fills, !atomic_read(&ext->fills));
	if (!READ_ONCE(ext->mapped) || !map->ops->is_mapped(map))
		return;
	fold_cache_wait(map->cache, start, start + (to - from));
	map->ops->zap(map, from, to - from + 1);
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
 * lower inode's i_rwsem and mmap_lock may be held. Never from reclaim, which
 * could be what a fill waits for.
 */
void fold_break(struct fold_map *map, unsigned long first, unsigned long last,
		unsigned long ino)
{
	unsigned long from, to, start;
	struct fold_fragment *dead;
	struct fold_extent *ext;
	struct fold_space *space;

	might_alloc(GFP_KERNEL);
	mutex_lock(&map->mutex);
	while ((ext = fold_map_first(map, first, last))) {
		from = max(first, ext->index);
		to = min(last, ext->last);
		space = fold_space(map->cache, ext->frag->start);
		extent_cut(map, ext, &from, &to);
		start = ext->frag->start + (from - ext->index);
		extent_quiesce(map, ext, from, to);

		down_write(&space->sem);
		dead = fold_table_detach(&space->table, ext);
		up_write(&space->sem);
		fold_widen_window(&break_delay_ms);
		fold_cache_drop(map->cache, start, start + (to - from));

		trace_foldfs_break(map->dev, ino, from, to - from + 1, start);
		fold_stat_add(map->stats, FOLD_STAT_BREAKS, 1);
		fold_fragment_free(dead);
		fold_extent_free(ext);
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
	WRITE_ONCE(map->closed, true);
	WRITE_ONCE(map->seq, map->seq + 1);
	WRITE_ONCE(map->gen, map->gen + 1);
	WRITE_ONCE(map->outside, map->outside + 1);
	write_unlock(&map->lock);
}

/**
 * fold_map_close - nothing may join from here on
 * @map: the file's share map
 * @empty: only if it has no extents
 *
 * No lookup finds anything, and no claim is committed, until fold_map_reopen().
 *
 * Context: any but interrupts; takes map->lock.
 * Return: true if the map has no extents.
 */
bool fold_map_close(struct fold_map *map, bool empty)
{
	bool is_empty;

	write_lock(&map->lock);
	is_empty = !map->nr;
	if (is_empty || !empty) {
		WRITE_ONCE(map->closed, true);
		WRITE_ONCE(map->seq, map->seq + 1);
		/* Of what changes from here on nobody tells. */
		WRITE_ONCE(map->gen, map->gen + 1);
	}
	write_unlock(&map->lock);
	return is_empty;
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
	WRITE_ONCE(map->closed, false);
	write_unlock(&map->lock);
}
