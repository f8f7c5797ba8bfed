// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills: a fragment's pages are read through one of its sharers.
 *
 * Life of a fill. fold_fill() puts new, locked folios into the cache, chooses
 * a source under the space's semaphore and starts the sharer's asynchronous
 * read. fold_fill_done(), often in an interrupt, makes the folios up to date
 * and unlocks them. A read that fails, or that an outside writer may have
 * overtaken, is done again by a worker that copies out of the lower page
 * cache. What cannot be filled leaves the cache, and those who waited for it
 * go to the lower file, whose answer is always right.
 *
 * Why a source cannot deceive: a break marks its extents under the space's
 * semaphore, then waits for the fills that each of them has counted, then lets
 * the change proceed. A fill that chose this source before finishes first; one
 * that comes later does not choose it. Only writers around the mount do not
 * wait, and for them map->outside is compared afterwards.
 *
 * Who starts a read is counted as well until it has come back: the read may be
 * over, its folios unlocked and the file broken, unlinked and gone, while the
 * lower filesystem has not yet unlocked the inode in the task that asked it.
 */
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "fill.h"
#include "reclaim.h"
#include "refer.h"
#include "trace.h"
#include "window.h"

/* The test build keeps a task inside the lower filesystem, as it were. */
static unsigned int submit_delay_ms;
#ifdef FOLDFS_TEST
module_param(submit_delay_ms, uint, 0644);
MODULE_PARM_DESC(submit_delay_ms, "sleep after each fill's read was started");
#endif

static struct workqueue_struct *fill_wq __ro_after_init;

/**
 * fold_fill_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_fill_init(void)
{
	/* Evicting an inode in reclaim may have to wait for a fill. */
	fill_wq = alloc_workqueue("foldfs_fill", WQ_UNBOUND | WQ_MEM_RECLAIM,
				  0);
	return fill_wq ? 0 : -ENOMEM;
}

/**
 * fold_fill_exit - at module unload; no cache is left
 */
void fold_fill_exit(void)
{
	destroy_workqueue(fill_wq);
}

/**
 * fold_fill_flush - wait until no worker holds a fill that was queued before
 */
void fold_fill_flush(void)
{
	flush_workqueue(fill_wq);
}

static void fill_put(struct fold_fill *fill)
{
	if (refcount_dec_and_test(&fill->refs))
		kfree(fill);
}

/* No longer reads through its source. */
static void fill_leave_source(struct fold_fill *fill)
{
	struct fold_extent *source = fill->source;

	fill->source = NULL;
	fold_fill_leaves(source);
}

/* The folios leave the cache: nobody can or should fill them. */
static void fill_abort(struct fold_fill *fill)
{
	struct folio *folio;
	unsigned int i;

	for (i = 0; i < fill->nr_folios; i++) {
		folio = fold_fill_folio(fill, i);
		generic_error_remove_folio(fill->space->mapping, folio);
		folio_unlock(folio);
		folio_put(folio);
	}
	fill_put(fill);
}

static void fill_finish(struct fold_fill *fill)
{
	size_t end = fill->nr << PAGE_SHIFT, pos;
	struct folio *folio;
	unsigned int i;

	/* What a file ends with inside a page reads as zero beyond. */
	folio = fold_fill_folio(fill, fill->nr_folios - 1);
	pos = end - folio_size(folio);
	if (fill->bytes < end)
		folio_zero_range(folio, fill->bytes - pos, end - fill->bytes);
	fold_stat_add(&fill->cache->stats, FOLD_STAT_FILLS, fill->nr);
	for (i = 0; i < fill->nr_folios; i++) {
		folio = fold_fill_folio(fill, i);
		folio_mark_uptodate(folio);
		folio_unlock(folio);
		folio_put(folio);
	}
	fill_leave_source(fill);
	fill_put(fill);
}

static bool is_quiet(struct fold_extent *ext)
{
	return !ext->map->ops->disturbed(ext->map);
}

static bool fill_choose_source(struct fold_fill *fill)
{
	unsigned long last = fill->start + fill->nr - 1;
	struct fold_extent *ext;

	down_read(&fill->space->sem);
	ext = fold_table_source(&fill->space->table, fill->start, last,
				is_quiet);
	if (ext) {
		/* Whoever breaks it marks it first, with the space locked. */
		atomic_inc(&ext->fills);
		fill->source = ext;
		fill->outside = READ_ONCE(ext->map->outside);
		fill->index = ext->index + (fill->start - ext->frag->start);
		fill->bytes = fill->nr << PAGE_SHIFT;
		if (ext->frag->tail && ext->frag->last == last)
			fill->bytes -= PAGE_SIZE - ext->frag->tail;
	}
	up_read(&fill->space->sem);
	return ext;
}

/*
 * A truncation that no lease sees is noted when it is done and before whoever
 * made it gives up his write access. While he has that, what was read may be
 * what he leaves, and it would be shown to others.
 */
static bool fill_overtaken(struct fold_fill *fill)
{
	struct fold_map *map = fill->source->map;

	if (map->ops->disturbed(map))
		return true;
	/* Pairs with the lock under which an outside change is noted. */
	smp_rmb();
	return READ_ONCE(map->outside) != fill->outside;
}

static void fill_copy(struct work_struct *work)
{
	struct fold_fill *fill = container_of(work, struct fold_fill, work);
	/*
	 * The folios are locked, and so is the lower mapping's invalidate_lock.
	 * Whoever waits for them may be what writes the pages out that an
	 * allocation would wait for: a loop device over a file that shares.
	 */
	unsigned int noio = memalloc_noio_save();
	unsigned int tries = 0;
	int err;

	fold_stat_add(&fill->cache->stats, FOLD_STAT_REFILLS, 1);
	while (tries++ < 4 && fill_choose_source(fill)) {
		err = fill->source->map->ops->copy(fill->source->map, fill);
		if (!err && !fill_overtaken(fill)) {
			fill_finish(fill);
			goto out;
		}
		fill_leave_source(fill);
		if (err)
			break;
	}
	fill_abort(fill);
out:
	memalloc_noio_restore(noio);
}

/**
 * fold_fill_done - a sharer's read has ended
 * @fill: the fill; gone afterwards
 * @res: bytes read, or a negative errno
 *
 * Context: any, interrupts included.
 */
void fold_fill_done(struct fold_fill *fill, long res)
{
	trace_foldfs_fill(fill->source->map->dev, fill->start, fill->index,
			  fill->nr, res);
	if (res >= 0 && (size_t)res >= fill->bytes && !fill_overtaken(fill)) {
		fill_finish(fill);
		return;
	}
	fill_leave_source(fill);
	INIT_WORK(&fill->work, fill_copy);
	queue_work(fill_wq, &fill->work);
}

/* A fault's miss is mostly one page: a small one is got, and cleared, sooner. */
static struct fold_fill *fill_alloc(struct fold_cache *cache,
				    unsigned long start, unsigned long nr)
{
	unsigned int room = min_t(unsigned long, nr, FOLD_FILL_FOLIOS);
	struct fold_fill *fill;

	fill = kmalloc(struct_size(fill, bvec, room), GFP_KERNEL);
	if (!fill)
		return NULL;
	refcount_set(&fill->refs, 1);
	fill->room = room;
	fill->cache = cache;
	fill->space = fold_space(cache, start);
	fill->source = NULL;
	fill->start = start;
	fill->nr = 0;
	fill->nr_folios = 0;
	return fill;
}

static void fill_submit(struct fold_fill *fill)
{
	unsigned int noio = memalloc_noio_save();
	struct fold_extent *source;

	if (!fill->nr_folios) {
		fill_put(fill);
	} else if (!fill_choose_source(fill)) {
		fill_abort(fill);
	} else {
		source = fill->source;
		/* For this task, until it is back from the lower filesystem. */
		atomic_inc(&source->fills);
		refcount_inc(&fill->refs);
		source->map->ops->read(source->map, fill);
		fold_widen_window(&submit_delay_ms);
		fill_put(fill);
		fold_fill_leaves(source);
	}
	memalloc_noio_restore(noio);
}

/* If a page is cached, the one behind its folio; else the page itself. */
static unsigned long fill_skip(struct fold_space *space, unsigned long phys)
{
	struct folio *folio = filemap_get_folio(space->mapping, phys);

	if (IS_ERR(folio))
		return phys;
	phys = folio_next_index(folio);
	folio_put(folio);
	return phys;
}

/*
 * Adds a new folio that begins at @phys and is at most @nr pages long. Others of
 * the same fill are locked already if @more, and anybody may wait for those: then
 * nothing is written out for its memory, and no effort made. Who waits may be a loop
 * device over a file that shares, and swap or somebody's dirty pages be behind it;
 * and nobody is to wait while a tenant looks for memory in his full memory cgroup.
 * The fill goes without what is not there to be had, as readahead does.
 * Returns it locked, with a reference.
 */
static struct folio *fill_add_folio(struct fold_cache *cache,
				    unsigned long phys, unsigned long nr,
				    bool more)
{
	unsigned int noio = memalloc_flags_save(more ? PF_MEMALLOC_NOIO : 0);
	struct fold_space *space = fold_space(cache, phys);
	gfp_t effort = more ? __GFP_NORETRY : 0;
	gfp_t gfp = mapping_gfp_mask(space->mapping) | __GFP_NOWARN | effort;
	unsigned int order = min_t(unsigned int, ilog2(nr), FOLD_MAX_ORDER);
	struct folio *folio;
	int err;

	if (phys)
		order = min_t(unsigned int, order, __ffs(phys));
	for (;;) {
		/* A large folio is a bonus: no effort for it. */
		folio = fold_filemap_alloc_folio(order ? gfp | __GFP_NORETRY :
							 gfp, order);
		if (folio) {
			err = filemap_add_folio(space->mapping, folio, phys,
						GFP_KERNEL | effort);
			if (!err) {
				fold_reclaim_hook(space, folio);
				break;
			}
			folio_put(folio);
		} else {
			err = -ENOMEM;
		}
		if (!order) {
			folio = ERR_PTR(err);
			break;
		}
		order = 0;
	}
	memalloc_flags_restore(noio);
	return folio;
}

/**
 * fold_fill - start to bring a range of pages in
 * @cache: the cache
 * @start: first physical page
 * @nr: pages; the range is inside one fragment's run
 * @mark: page at which the next readahead is to start, or ULONG_MAX
 *
 * Pages that are cached already, up to date or on their way, are passed over.
 * Returns when the reads have been started; who wants a page waits for its
 * lock.
 *
 * Context: process context, may allocate; mmap_lock may be held. Takes no lock
 * of a lower inode that anyone holds while touching user memory.
 * Return: 0, or -ENOMEM if not even the first page could be added.
 */
int fold_fill(struct fold_cache *cache, unsigned long start, unsigned long nr,
	      unsigned long mark)
{
	unsigned long next = start, end = start + nr;
	/* Keep short what reclaim may do for us, since others wait. */
	unsigned int nofs = memalloc_nofs_save();
	struct fold_space *space = fold_space(cache, start);
	struct fold_fill *fill = NULL;
	struct folio *folio;
	unsigned long past;
	int err = 0;

	fold_reclaim_mend(space);
	while (next < end) {
		past = fill_skip(space, next);
		if (past != next) {
			if (fill)
				fill_submit(fill);
			fill = NULL;
			next = past;
			continue;
		}
		if (!fill) {
			fill = fill_alloc(cache, next, end - next);
			if (!fill) {
				err = -ENOMEM;
				break;
			}
		}
		folio = fill_add_folio(cache, next, end - next,
				       fill->nr_folios);
		if (IS_ERR(folio)) {
			err = PTR_ERR(folio);
			if (err != -EEXIST)
				break;
			/* Somebody was faster, just now. */
			continue;
		}
		if (mark >= next && mark < folio_next_index(folio))
			folio_set_readahead(folio);
		bvec_set_folio(&fill->bvec[fill->nr_folios++], folio,
			       folio_size(folio), 0);
		fill->nr += folio_nr_pages(folio);
		next = folio_next_index(folio);
		if (fill->nr_folios == fill->room) {
			fill_submit(fill);
			fill = NULL;
		}
	}
	if (fill)
		fill_submit(fill);
	memalloc_nofs_restore(nofs);
	return err == -ENOMEM && next == start ? err : 0;
}
