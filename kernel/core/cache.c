// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared page cache of one lower filesystem: making it, taking pages out of
 * it, looking at it. See cache.h for what it is.
 *
 * The spaces' inodes live on a pseudo filesystem of the module's, so that
 * drop_caches and memory failure find their pages as they find any others.
 */
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "cache.h"
#include "fill.h"
#include "reclaim.h"
#include "shootdown.h"
#include "window.h"

/* The test build makes a count of what is saved last. */
static unsigned int count_delay_ms;
#ifdef FOLDFS_TEST
module_param(count_delay_ms, uint, 0644);
MODULE_PARM_DESC(count_delay_ms, "sleep between the slices of pages_saved");
#endif

#define FOLD_CACHE_MAGIC	0x464f4c43

static struct vfsmount *cache_mnt __ro_after_init;

/* All caches, with their users; few, since only root makes a mount. */
static LIST_HEAD(caches);
static unsigned long last_id;
static DEFINE_MUTEX(caches_mutex);	/* protects both */

/*
 * Shared pages are clean, always: nobody may dirty one, whatever it was
 * mapped or pinned for.
 */
static bool space_dirty_folio(struct address_space *mapping,
			      struct folio *folio)
{
	return false;
}

static const struct address_space_operations space_aops = {
	.dirty_folio		= space_dirty_folio,
	.is_dirty_writeback	= fold_reclaim_asks,
	.release_folio		= fold_reclaim_release,
	.invalidate_folio	= fold_reclaim_invalidate,
	.migrate_folio		= filemap_migrate_folio,
	.error_remove_folio	= generic_error_remove_folio,
};

static const struct file_operations space_fops = { };

static int cache_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, FOLD_CACHE_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type cache_fs = {
	.name			= "foldfs_cache",
	.init_fs_context	= cache_fs_init_context,
	.kill_sb		= kill_anon_super,
};

/**
 * fold_cache_init - what all caches share: at module load
 *
 * Return: 0 or a negative errno.
 */
int __init fold_cache_init(void)
{
	int err = fold_fill_init();

	if (err)
		return err;
	cache_mnt = kern_mount(&cache_fs);
	if (!IS_ERR(cache_mnt))
		return 0;
	fold_fill_exit();
	return PTR_ERR(cache_mnt);
}

/**
 * fold_cache_exit - undo fold_cache_init(); no cache is left
 */
void fold_cache_exit(void)
{
	kern_unmount(cache_mnt);
	fold_fill_exit();
}

static int space_init(struct fold_space *space, struct fold_cache *cache)
{
	struct inode *inode;
	struct file *file;

	space->cache = cache;
	init_rwsem(&space->sem);
	fold_table_init(&space->table);
	inode = new_inode(cache_mnt->mnt_sb);
	if (!inode)
		return -ENOMEM;
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0400;
	inode->i_size = MAX_LFS_FILESIZE;
	inode->i_private = space;
	inode->i_mapping->a_ops = &space_aops;
	/*
	 * Not movable: the reverse map cannot find foreign mappings, so a
	 * mapped page is one that compaction cannot move.
	 */
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_folio_order_range(inode->i_mapping, 0, FOLD_MAX_ORDER);
	file = alloc_file_pseudo(inode, cache_mnt, "foldfs", O_RDONLY,
				 &space_fops);
	if (IS_ERR(file)) {
		iput(inode);
		return PTR_ERR(file);
	}
	space->file = file;
	space->mapping = inode->i_mapping;
	return 0;
}

static void space_exit(struct fold_space *space)
{
	if (!space->file)
		return;
	WARN_ON_ONCE(space->table.fragments);
	/* Waits for fills that nobody refers to any more. */
	truncate_inode_pages(space->mapping, 0);
	__fput_sync(space->file);
}

/*
 * First the pages go, which waits for fills on their way; then the workers that
 * may still hold a fill.
 */
static void cache_destroy(struct fold_cache *cache)
{
	int i;

	for (i = 0; i < FOLD_NR_SPACES; i++)
		space_exit(&cache->space[i]);
	fold_fill_flush();
	kfree(cache->domain);
	kfree(cache);
}

static struct fold_cache *cache_create(const void *owner, const char *domain,
				       dev_t dev)
{
	struct fold_cache *cache;
	int i, err;

	cache = kzalloc(sizeof(*cache), GFP_KERNEL);
	if (!cache)
		return ERR_PTR(-ENOMEM);
	cache->owner = owner;
	cache->dev = dev;
	err = -ENOMEM;
	cache->domain = kstrdup(domain, GFP_KERNEL);
	if (!cache->domain)
		goto destroy;
	for (i = 0; i < FOLD_NR_SPACES; i++) {
		err = space_init(&cache->space[i], cache);
		if (err)
			goto destroy;
	}
	return cache;

destroy:
	cache_destroy(cache);
	return ERR_PTR(err);
}

static struct fold_cache *find_cache(const void *owner, const char *domain)
{
	struct fold_cache *cache;

	list_for_each_entry(cache, &caches, entry)
		if (cache->owner == owner && !strcmp(cache->domain, domain))
			return cache;
	return NULL;
}

/**
 * fold_cache_get - the cache of a trust domain over a lower filesystem
 * @owner: whose physical addresses its pages are found by; only compared. The
 *	   caller sees to it that it stays what it is until fold_cache_put().
 * @domain: the domain's name; mounts whose names are equal get one cache. Copied.
 * @dev: the lower filesystem's device number, for the trace
 * @ra_pages: greatest readahead, in pages
 *
 * Context: process context.
 * Return: the cache, made now if nobody else uses it, with a reference; or an
 * ERR_PTR() for lack of memory.
 */
struct fold_cache *fold_cache_get(const void *owner, const char *domain,
				  dev_t dev, unsigned int ra_pages)
{
	struct fold_cache *cache;

	mutex_lock(&caches_mutex);
	cache = find_cache(owner, domain);
	if (!cache) {
		cache = cache_create(owner, domain, dev);
		if (IS_ERR(cache))
			goto unlock;
		cache->id = ++last_id;
		list_add(&cache->entry, &caches);
	}
	cache->users++;
	WRITE_ONCE(cache->ra_pages, max(ra_pages, 1U));
unlock:
	mutex_unlock(&caches_mutex);
	return cache;
}

/**
 * fold_cache_put - undo fold_cache_get()
 * @cache: the cache; no map of the caller's refers to it any more
 *
 * The last one to leave frees it. Whoever mounts meanwhile makes another one,
 * which is sound: in this one nothing is referred to any more.
 *
 * Context: process context; may wait for I/O.
 */
void fold_cache_put(struct fold_cache *cache)
{
	bool last;

	mutex_lock(&caches_mutex);
	last = !--cache->users;
	if (last)
		list_del(&cache->entry);
	mutex_unlock(&caches_mutex);
	if (last)
		cache_destroy(cache);
}

/* Is any of the pages cached? */
static bool range_cached(struct fold_space *space, unsigned long start,
			 unsigned long last)
{
	return filemap_range_has_page(space->mapping,
				      (loff_t)start << PAGE_SHIFT,
				      ((loff_t)last << PAGE_SHIFT) +
				      PAGE_SIZE - 1);
}

/* Takes what no fragment covers any more; all of @start to @last may be such. */
static void drop_uncovered(struct fold_space *space, unsigned long start,
			   unsigned long last)
{
	struct folio_batch batch;
	struct folio *folio;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(space->mapping, &start, last, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			folio = batch.folios[i];
			folio_lock(folio);
			if (folio->mapping != space->mapping)
				goto unlock;
			down_read(&space->sem);
			if (!fold_table_covers(&space->table, folio->index,
					       folio_next_index(folio) - 1)) {
				fold_shootdown_locked(space, folio);
				generic_error_remove_folio(space->mapping,
							   folio);
			}
			up_read(&space->sem);
unlock:
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/**
 * fold_cache_drop - take pages without a fragment out of the cache
 * @cache: the cache
 * @start: first physical page of a range inside one segment
 * @last: last physical page, inclusive
 *
 * To be called after a reference to the range has ended, and before the blocks
 * may change. A folio goes as a whole: where a part of it is still covered, the
 * sharers of that part are shot down first. What is covered is not looked at.
 *
 * Context: process context; waits for fills of what is not covered.
 */
void fold_cache_drop(struct fold_cache *cache, unsigned long start,
		     unsigned long last)
{
	struct fold_space *space = fold_space(cache, start);
	unsigned long gap_last;
	bool gap;

	for (;;) {
		down_read(&space->sem);
		gap = fold_table_gap(&space->table, &start, last, &gap_last);
		up_read(&space->sem);
		if (!gap)
			return;
		drop_uncovered(space, start, gap_last);
		if (gap_last == last)
			return;
		start = gap_last + 1;
		cond_resched();
	}
}

/**
 * fold_cache_strays - are there cached pages that no fragment covers
 * @space: the space
 * @start: first physical page of a range inside one segment
 * @last: last physical page, inclusive
 *
 * There are between the end of the last reference to a page and
 * fold_cache_drop(). Nobody answers for their bytes any more: the file that
 * they were read through may have ended in the page, or may have been moved off
 * the blocks unnoticed, and then the blocks may be another's by now. So nobody
 * new may refer to them.
 *
 * Context: the space's semaphore held.
 * Return: true if there are.
 */
bool fold_cache_strays(struct fold_space *space, unsigned long start,
		       unsigned long last)
{
	unsigned long gap_last;

	lockdep_assert_held(&space->sem);
	while (fold_table_gap(&space->table, &start, last, &gap_last)) {
		if (range_cached(space, start, gap_last))
			return true;
		if (gap_last == last)
			break;
		start = gap_last + 1;
	}
	return false;
}

/**
 * fold_cache_discard - take a folio whose memory has failed out of the cache
 * @space: the space it was found in
 * @folio: the folio; a reference is held
 *
 * The kernel cannot unmap foreign pages, so it leaves such a folio where it is.
 * It is clean: whoever wants its bytes reads them again into another one. A large
 * folio keeps one reference for ever: the allocator takes a bad page aside only
 * if it is freed alone, and would give this one out again. Who has a bad page
 * mapped and uses it all the same gets a signal from the processor.
 *
 * Context: process context, mmap locks may be held; waits for the folio's lock.
 */
void fold_cache_discard(struct fold_space *space, struct folio *folio)
{
	folio_lock(folio);
	if (folio->mapping == space->mapping) {
		down_read(&space->sem);
		fold_shootdown_locked(space, folio);
		generic_error_remove_folio(space->mapping, folio);
		up_read(&space->sem);
		if (folio_test_large(folio))
			folio_get(folio);
	}
	folio_unlock(folio);
}

/**
 * fold_cache_wait - wait for those who hold a page locked
 * @cache: the cache
 * @start: first physical page of a range inside one segment
 * @last: last physical page, inclusive
 *
 * A fault hands its page locked to the core, which installs the PTE and only
 * then unlocks it. When this returns, each fault that found the range before
 * the caller moved map->seq has its PTE installed, where a zap finds it.
 *
 * Context: process context; waits for fills in the range.
 */
void fold_cache_wait(struct fold_cache *cache, unsigned long start,
		     unsigned long last)
{
	struct fold_space *space = fold_space(cache, start);
	struct folio_batch batch;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(space->mapping, &start, last, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			folio_lock(batch.folios[i]);
			folio_unlock(batch.folios[i]);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/**
 * fold_cache_pages - how much is cached
 * @cache: the cache
 *
 * Return: pages.
 */
unsigned long fold_cache_pages(struct fold_cache *cache)
{
	unsigned long pages = 0;
	int i;

	for (i = 0; i < FOLD_NR_SPACES; i++)
		pages += READ_ONCE(cache->space[i].mapping->nrpages);
	return pages;
}

/**
 * fold_cache_count - how much of a range is cached
 * @cache: the cache
 * @start: first physical page of a range inside one segment
 * @last: last physical page, inclusive
 *
 * Context: any that may sleep; walks the cached folios of the range.
 * Return: pages.
 */
unsigned long fold_cache_count(struct fold_cache *cache, unsigned long start,
			       unsigned long last)
{
	struct fold_space *space = fold_space(cache, start);
	XA_STATE(xas, &space->mapping->i_pages, start);
	unsigned long pages = 0, first;
	struct folio *folio;

	rcu_read_lock();
	xas_for_each(&xas, folio, last) {
		if (xas_retry(&xas, folio))
			continue;
		/* Racy without a reference: a figure, not a decision. */
		if (!xa_is_value(folio) && folio_test_uptodate(folio)) {
			first = max(start, folio->index);
			pages += min(last + 1, folio_next_index(folio)) -
				 min(first, last + 1);
		}
		if (need_resched()) {
			xas_pause(&xas);
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
	}
	rcu_read_unlock();
	return pages;
}

/* So many fragments, or pages of them, are counted without a pause. */
#define SAVED_SLICE	4096

/* How far a count has come. */
struct count {
	unsigned long start;	/* of the fragment that was counted last */
	unsigned long last;
	unsigned long edge;	/* what is cached in front of it is counted */
	unsigned long pages;	/* that all references show */
	unsigned long once;	/* that any shows */
};

/* Counts a slice. Returns false at the end. */
static bool count_some(struct fold_space *space, struct count *count,
		       struct fold_fragment *frag)
{
	unsigned long cached, room = SAVED_SLICE;

	for (; frag; frag = fold_table_next(frag, 0, ULONG_MAX)) {
		cached = fold_cache_count(space->cache, frag->start,
					  frag->last);
		count->pages += frag->refs * cached;
		if (frag->last >= count->edge) {
			count->once += frag->start >= count->edge ? cached :
				       fold_cache_count(space->cache,
							count->edge,
							frag->last);
			count->edge = frag->last + 1;
		}
		count->start = frag->start;
		count->last = frag->last;
		if (cached + 1 >= room)
			return true;
		room -= cached + 1;
	}
	return false;
}

/**
 * fold_cache_saved - what the sharers would hold beyond what is cached
 * @cache: the cache
 *
 * Each reference to a cached page beyond the first one is a page saved. It is
 * counted anew at each call, by walking fragments and their cached pages: the
 * price is paid by who asks. Nobody waits for more than a slice of it, so what
 * changes meanwhile is counted as it was or is.
 *
 * Context: may sleep; takes the spaces' semaphores for reading, for moments.
 * Return: pages.
 */
unsigned long fold_cache_saved(struct fold_cache *cache)
{
	unsigned long saved = 0;
	struct fold_space *space;
	struct count count;
	bool more;
	int i;

	for (i = 0; i < FOLD_NR_SPACES; i++) {
		space = &cache->space[i];
		memset(&count, 0, sizeof(count));
		down_read(&space->sem);
		more = count_some(space, &count,
				  fold_table_first(&space->table, 0,
						   ULONG_MAX));
		up_read(&space->sem);
		while (more && !fatal_signal_pending(current)) {
			fold_widen_window(&count_delay_ms);
			cond_resched();
			down_read(&space->sem);
			more = count_some(space, &count,
					  fold_table_behind(&space->table,
							    count.start,
							    count.last));
			up_read(&space->sem);
		}
		saved += count.pages - min(count.pages, count.once);
	}
	return saved;
}

/* So many extents are gone through at a time, and of each so many sharers. */
#define EXTENTS_ASKED	512
#define SHARERS_ASKED	16

/* Would cached pages go with this reference? Also true if that cannot be told. */
static bool extent_needed(struct fold_extent *ext)
{
	/* It changes only under the map's mutex, which the caller holds. */
	struct fold_fragment *frag = ext->frag;
	struct fold_space *space = fold_space(ext->map->cache, frag->start);
	unsigned int asked = 0;
	bool needed = true;
	struct fold_extent *other;

	if (!range_cached(space, frag->start, frag->last))
		return false;
	down_read(&space->sem);
	for (other = fold_fragment_sharer(frag, NULL);
	     other && needed && asked++ < SHARERS_ASKED;
	     other = fold_fragment_sharer(frag, other)) {
		if (other->map != ext->map)
			needed = other->broken ||
				 !other->map->ops->in_use(other->map);
	}
	up_read(&space->sem);
	return needed;
}

/**
 * fold_cache_needs - would cached pages go if a file stopped to refer to them
 * @map: the file's share map
 * @from: page of the file from which on to ask; moved on
 * @more: set if nothing was found and the end was not reached: to be asked again
 *
 * Where others refer to all of the same fragments and are in use, they keep the
 * pages. Only some of the others are asked, and if it cannot be told, the file is
 * needed.
 *
 * Context: process context, not reclaim; takes map->mutex and a space's semaphore,
 * for moments.
 * Return: true if they would.
 */
bool fold_cache_needs(struct fold_map *map, unsigned long *from, bool *more)
{
	struct fold_extent *ext;
	unsigned int asked = 0;
	bool needed = false;

	*more = false;
	mutex_lock(&map->mutex);
	for (ext = fold_map_first(map, *from, ULONG_MAX); ext && !needed;
	     ext = fold_map_next(ext, *from, ULONG_MAX)) {
		if (asked++ == EXTENTS_ASKED) {
			*from = ext->index;
			*more = true;
			break;
		}
		needed = extent_needed(ext);
	}
	mutex_unlock(&map->mutex);
	return needed;
}
