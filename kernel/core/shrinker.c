// SPDX-License-Identifier: GPL-2.0-only
/*
 * When memory is short, mapped shared pages are shot down.
 *
 * The kernel reclaims unmapped pages of our spaces by itself. Mapped ones it
 * cannot unmap, so they would stay for ever. The shrinker unmaps them at the
 * pace that reclaim asks for and frees nothing itself.
 *
 * Unmapping a page costs a flush of the TLBs, and a fault for each process that
 * goes on to use it. So only those are chosen that the kernel's lists have
 * coming up for reclaim and that nobody has used since the last look: what the
 * kernel would have chosen if it could unmap them. But what everybody uses all
 * the time must go when there is no other way, so every few looks everything
 * goes.
 *
 * A memory cgroup at its limit only asks shrinkers for what is its own. So the
 * pages are found by chunks of the physical range, small objects that are
 * charged to whoever first filled a page there, as the pages are, on a list
 * that the kernel keeps by cgroup. Chunks stay as long as the cache, which
 * makes them safe to look at without a lock: about 100 bytes for each 2 MiB
 * that was ever shared.
 *
 * Pages of VM_LOCKED mappings are left alone.
 */
#include <linux/list_lru.h>
#include <linux/pagevec.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>

#include "cache.h"
#include "lru.h"
#include "shootdown.h"

#define CHUNK_SHIFT	9
#define CHUNK_PAGES	(1UL << CHUNK_SHIFT)

/*
 * One look in so many takes every page for a victim. Reclaim looks at everything
 * more often than that before it gives up.
 */
#define CHUNK_MERCY	8

/**
 * struct fold_chunk - a part of a space that reclaim may look at
 * @lru: on the cache's list
 * @space: the space; immutable
 * @start: first physical page; immutable
 * @looks: how often reclaim has looked; racy, which costs no more than a look
 */
struct fold_chunk {
	struct list_head lru;
	struct fold_space *space;
	unsigned long start;
	unsigned int looks;
};

/* Chunks to look at, chosen under the list's lock. */
struct chunk_batch {
	unsigned int nr;
	struct fold_chunk *chunk[16];
};

static struct kmem_cache *chunk_slab __ro_after_init;

/**
 * fold_shrinker_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_shrinker_init(void)
{
	chunk_slab = kmem_cache_create("foldfs_chunk",
				       sizeof(struct fold_chunk), 0,
				       SLAB_ACCOUNT, NULL);
	return chunk_slab ? 0 : -ENOMEM;
}

/**
 * fold_shrinker_exit - at module unload; no cache is left
 */
void fold_shrinker_exit(void)
{
	kmem_cache_destroy(chunk_slab);
}

/**
 * fold_shrinker_note - a page is about to be cached
 * @cache: the cache
 * @phys: physical page
 *
 * Context: process context, may allocate.
 * Return: 0 or -ENOMEM.
 */
int fold_shrinker_note(struct fold_cache *cache, unsigned long phys)
{
	struct fold_space *space = fold_space(cache, phys);
	struct fold_chunk *chunk;
	int err;

	if (xa_load(&space->chunks, phys >> CHUNK_SHIFT))
		return 0;
	chunk = kmem_cache_alloc_lru(chunk_slab, &cache->lru, GFP_KERNEL);
	if (!chunk)
		return -ENOMEM;
	INIT_LIST_HEAD(&chunk->lru);
	chunk->space = space;
	chunk->start = round_down(phys, CHUNK_PAGES);
	chunk->looks = 0;
	err = xa_insert(&space->chunks, phys >> CHUNK_SHIFT, chunk, GFP_KERNEL);
	if (err) {
		kmem_cache_free(chunk_slab, chunk);
		return err == -EBUSY ? 0 : err;
	}
	list_lru_add_obj(&cache->lru, &chunk->lru);
	return 0;
}

static unsigned long shrinker_count(struct shrinker *shrinker,
				    struct shrink_control *sc)
{
	struct fold_cache *cache = shrinker->private_data;
	unsigned long chunks = list_lru_shrink_count(&cache->lru, sc);

	return chunks ? chunks << CHUNK_SHIFT : SHRINK_EMPTY;
}

static enum lru_status chunk_choose(struct list_head *item,
				    struct list_lru_one *list, spinlock_t *lock,
				    void *arg)
{
	struct chunk_batch *batch = arg;

	batch->chunk[batch->nr++] = container_of(item, struct fold_chunk, lru);
	return LRU_ROTATE;
}

/* Is the folio mapped and to be shot down? Then it is locked. */
static bool choose_victim(struct fold_space *space, struct folio *folio,
			  bool desperate)
{
	enum fold_use use;

	if (!folio_mapped(folio) || !folio_trylock(folio))
		return false;
	if (folio->mapping == space->mapping &&
	    (desperate || fold_folio_is_next(folio))) {
		use = fold_shootdown_look(space, folio);
		if (use == FOLD_USED)
			folio_mark_accessed(folio);
		if (use == FOLD_IDLE || (use == FOLD_USED && desperate))
			return true;
	}
	folio_unlock(folio);
	return false;
}

/*
 * Shoots the victims of a batch down, those that are neighbours at once.
 * Returns the pages that are no longer mapped.
 */
static unsigned long shoot(struct fold_space *space, struct folio **victim,
			   unsigned int nr)
{
	unsigned long first, end, zapped = 0;
	unsigned int i = 0, j;

	while (i < nr) {
		first = victim[i]->index;
		end = first;
		for (j = i; j < nr && victim[j]->index == end; j++)
			end = folio_next_index(victim[j]);
		fold_shootdown_range(space, first, end - 1);
		for (; i < j; i++) {
			if (!folio_mapped(victim[i]))
				zapped += folio_nr_pages(victim[i]);
			folio_unlock(victim[i]);
		}
	}
	return zapped;
}

/* Returns the pages that were mapped and no longer are. */
static unsigned long scan_range(struct fold_space *space, unsigned long next,
				unsigned long last, bool desperate)
{
	struct folio *victim[PAGEVEC_SIZE];
	unsigned long zapped = 0;
	struct folio_batch batch;
	unsigned int i, nr;

	folio_batch_init(&batch);
	while (filemap_get_folios(space->mapping, &next, last, &batch)) {
		nr = 0;
		if (down_read_trylock(&space->sem)) {
			for (i = 0; i < folio_batch_count(&batch); i++)
				if (choose_victim(space, batch.folios[i],
						  desperate))
					victim[nr++] = batch.folios[i];
			zapped += shoot(space, victim, nr);
			up_read(&space->sem);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return zapped;
}

static unsigned long shrinker_scan(struct shrinker *shrinker,
				   struct shrink_control *sc)
{
	struct fold_cache *cache = shrinker->private_data;
	unsigned long want = DIV_ROUND_UP(sc->nr_to_scan, CHUNK_PAGES);
	struct chunk_batch batch = { };
	unsigned long zapped = 0;
	unsigned int i;

	want = min_t(unsigned long, want, ARRAY_SIZE(batch.chunk));
	list_lru_walk_one(&cache->lru, sc->nid, sc->memcg, chunk_choose, &batch,
			  &want);
	for (i = 0; i < batch.nr; i++)
		zapped += scan_range(batch.chunk[i]->space,
				     batch.chunk[i]->start,
				     batch.chunk[i]->start + CHUNK_PAGES - 1,
				     ++batch.chunk[i]->looks %
				     CHUNK_MERCY == 0);
	sc->nr_scanned = max(sc->nr_to_scan,
			     (unsigned long)batch.nr << CHUNK_SHIFT);
	fold_stat_add(&cache->stats, FOLD_STAT_SHOOTDOWNS, zapped);
	return batch.nr ? zapped : SHRINK_STOP;
}

/**
 * fold_cache_give_back - shoot down and free all pages that can be
 * @cache: the cache
 *
 * What the shrinker and the kernel's reclaim would do together if memory were
 * very short. Pages of VM_LOCKED mappings stay, and pages that somebody uses
 * at this moment.
 *
 * Context: process context; may take seconds; ends early on a fatal signal.
 */
void fold_cache_give_back(struct fold_cache *cache)
{
	struct fold_space *space;
	unsigned long zapped = 0;
	int i;

	for (i = 0; i < FOLD_NR_SPACES; i++) {
		if (fatal_signal_pending(current))
			break;
		space = &cache->space[i];
		zapped += scan_range(space, 0, ULONG_MAX, true);
		invalidate_mapping_pages(space->mapping, 0, ULONG_MAX);
	}
	fold_stat_add(&cache->stats, FOLD_STAT_SHOOTDOWNS, zapped);
}

/**
 * fold_shrinker_register - let reclaim find a cache
 * @cache: the cache
 *
 * Return: 0 or -ENOMEM.
 */
int fold_shrinker_register(struct fold_cache *cache)
{
	struct shrinker *shrinker;
	int err;

	shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE |
				  SHRINKER_NONSLAB, "foldfs");
	if (!shrinker)
		return -ENOMEM;
	err = list_lru_init_memcg(&cache->lru, shrinker);
	if (err) {
		shrinker_free(shrinker);
		return err;
	}
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;
	/*
	 * As many looks for each page that reclaim scans as it takes to be
	 * ahead of it: what it finds mapped it thinks of as used.
	 */
	shrinker->seeks = 1;
	shrinker->batch = CHUNK_PAGES;
	shrinker->private_data = cache;
	cache->shrinker = shrinker;
	shrinker_register(shrinker);
	return 0;
}

/**
 * fold_shrinker_unregister - undo fold_shrinker_register(), if it was done
 * @cache: the cache; nothing is filled any more
 *
 * Context: process context; waits for scans on their way.
 */
void fold_shrinker_unregister(struct fold_cache *cache)
{
	struct fold_chunk *chunk;
	unsigned long index;
	int i;

	if (!cache->shrinker)
		return;
	shrinker_free(cache->shrinker);
	cache->shrinker = NULL;
	for (i = 0; i < FOLD_NR_SPACES; i++) {
		xa_for_each(&cache->space[i].chunks, index, chunk) {
			list_lru_del_obj(&cache->lru, &chunk->lru);
			kmem_cache_free(chunk_slab, chunk);
		}
		xa_destroy(&cache->space[i].chunks);
	}
	list_lru_destroy(&cache->lru);
}
