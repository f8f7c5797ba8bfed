// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim of mapped shared pages.
 *
 * The kernel's reclaim takes folios off the ends of its lists and asks the
 * reverse map two things: has a program used this one lately, and will all who
 * map it let go? For a shared page the reverse map has no answer, since the
 * VMAs hang on the lower files. Left alone, reclaim would take the page for
 * unused, fail to unmap it, and call it active: it would stay for ever.
 *
 * So both questions are answered here. Of a folio with PG_private reclaim asks
 * the filesystem, just before those questions and with the folio locked,
 * whether its flags tell the truth about dirt and writeback
 * (->is_dirty_writeback). They do; but this is the moment to look at the
 * accessed bits of those who map it, and to shoot the folio down if nobody has
 * used it since the last look. Reclaim then finds it unmapped and frees it.
 * If it is in use, reclaim fails to unmap it, and so puts it among the active
 * ones: what it does with a used program page anywhere.
 *
 * Which folios come up, in which order and for which memory cgroup is all the
 * kernel's choice: shared pages age as other file pages do. But where programs use
 * all pages faster than reclaim gets round, none would ever be free: so after many
 * folios in a row that are in use some go all the same.
 *
 * PG_private has to be given up before reclaim can free a folio, and the last
 * step may fail then because somebody holds a reference for a moment. Such
 * folios are marked in the page cache's tree and get the flag back with the
 * next fill; until then they can be reclaimed only if they are not mapped.
 */
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "reclaim.h"
#include "shootdown.h"

/* Pages of ours are never written, so the mark is free for this. */
#define UNHOOKED	PAGECACHE_TAG_TOWRITE

/* So many folios in a row are spared, and so many go then: reclaim's batch. */
#define SPARED_MOST	1024
#define SPARED_NOT	32

/* The test build loses the flag each time, as if the last step always failed. */
#ifdef FOLDFS_TEST
static bool release_in_vain;
module_param(release_in_vain, bool, 0644);
MODULE_PARM_DESC(release_in_vain, "shared pages give up PG_private and stay");

static bool in_vain(void)
{
	return READ_ONCE(release_in_vain);
}
#else
static bool in_vain(void)
{
	return false;
}
#endif

static struct fold_space *to_space(struct folio *folio)
{
	return folio->mapping->host->i_private;
}

static void mark(struct folio *folio, bool unhooked)
{
	XA_STATE(xas, &folio->mapping->i_pages, folio->index);

	xas_lock_irq(&xas);
	xas_load(&xas);
	if (unhooked)
		xas_set_mark(&xas, UNHOOKED);
	else
		xas_clear_mark(&xas, UNHOOKED);
	xas_unlock_irq(&xas);
}

/**
 * fold_reclaim_hook - let reclaim ask about a folio
 * @space: the space it has just been added to
 * @folio: the folio, locked
 *
 * Context: any but interrupts.
 */
void fold_reclaim_hook(struct fold_space *space, struct folio *folio)
{
	folio_attach_private(folio, space);
}

/**
 * fold_reclaim_mend - hook folios again that reclaim failed to free
 * @space: the space
 *
 * Those that are locked just now wait for the next time.
 *
 * Context: process context. Waits for no lock.
 */
void fold_reclaim_mend(struct fold_space *space)
{
	struct folio_batch batch;
	pgoff_t next = 0;
	unsigned int i;

	if (likely(!mapping_tagged(space->mapping, UNHOOKED)))
		return;
	folio_batch_init(&batch);
	while (filemap_get_folios_tag(space->mapping, &next, ULONG_MAX,
				      UNHOOKED, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];

			if (!folio_trylock(folio))
				continue;
			if (folio->mapping == space->mapping) {
				if (!folio_test_private(folio))
					fold_reclaim_hook(space, folio);
				mark(folio, false);
			}
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

static void shoot(struct fold_space *space, struct folio *folio)
{
	fold_shootdown_locked(space, folio);
	if (!folio_mapped(folio))
		fold_stat_add(&space->cache->stats, FOLD_STAT_SHOOTDOWNS,
			      folio_nr_pages(folio));
}

/* Is a folio to go, used like that? Races cost a folio that is in use at most. */
static bool to_be_shot(struct fold_cache *cache, enum fold_use use)
{
	int row;

	if (use == FOLD_KEPT)
		return false;
	if (use == FOLD_IDLE) {
		if (atomic_read(&cache->spared))
			atomic_set(&cache->spared, 0);
		return true;
	}
	row = atomic_inc_return(&cache->spared);
	if (row >= SPARED_MOST + SPARED_NOT)
		atomic_set(&cache->spared, 0);
	return row > SPARED_MOST;
}

/**
 * fold_reclaim_asks - ->is_dirty_writeback: reclaim is about to judge a folio
 * @folio: the folio, locked, off the lists
 * @dirty: whether it is to be written; says no already
 * @writeback: whether it is being written; says no already
 *
 * Context: reclaim. Waits for no lock that is held across an allocation.
 */
void fold_reclaim_asks(struct folio *folio, bool *dirty, bool *writeback)
{
	struct fold_space *space = to_space(folio);
	bool absent;

	if (!folio_mapped(folio) || !down_read_trylock(&space->sem))
		return;
	if (to_be_shot(space->cache,
		       fold_shootdown_look(space, folio, &absent)))
		shoot(space, folio);
	up_read(&space->sem);
	if (absent)
		fold_shootdown_tidy(space, folio->index,
				    folio_next_index(folio) - 1);
}

/**
 * fold_reclaim_release - ->release_folio: give up PG_private, to be freed
 * @folio: the folio, locked
 * @gfp: what may be done for it; nothing needs to be
 *
 * Context: any but interrupts.
 * Return: true if it was given up.
 */
bool fold_reclaim_release(struct folio *folio, gfp_t gfp)
{
	/* The cache's, this one, and the caller's: else it will not be freed. */
	if (folio_mapped(folio) ||
	    folio_ref_count(folio) != folio_nr_pages(folio) + 2)
		return false;
	mark(folio, true);
	folio_detach_private(folio);
	return !in_vain();
}

/**
 * fold_reclaim_invalidate - ->invalidate_folio: give up PG_private for good
 * @folio: the folio, locked, about to leave the cache as a whole
 * @offset: 0
 * @len: all of it, in bytes
 */
void fold_reclaim_invalidate(struct folio *folio, size_t offset, size_t len)
{
	folio_detach_private(folio);
}

static void shoot_all(struct fold_space *space)
{
	struct folio_batch batch;
	unsigned long next = 0;
	unsigned int i;
	bool absent;

	folio_batch_init(&batch);
	while (!fatal_signal_pending(current) &&
	       filemap_get_folios(space->mapping, &next, ULONG_MAX, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];

			if (!folio_mapped(folio) || !folio_trylock(folio))
				continue;
			down_read(&space->sem);
			if (folio->mapping == space->mapping &&
			    fold_shootdown_look(space, folio, &absent) !=
			    FOLD_KEPT)
				shoot(space, folio);
			up_read(&space->sem);
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/**
 * fold_cache_give_back - shoot down and free all pages that can be
 * @cache: the cache
 *
 * What reclaim would do if memory were very short. Pages of VM_LOCKED mappings
 * stay, and pages that somebody holds at this moment.
 *
 * Context: process context; may take seconds; ends early on a fatal signal.
 */
void fold_cache_give_back(struct fold_cache *cache)
{
	struct fold_space *space;
	int i;

	for (i = 0; i < FOLD_NR_SPACES; i++) {
		space = &cache->space[i];
		shoot_all(space);
		invalidate_mapping_pages(space->mapping, 0, ULONG_MAX);
	}
}
