/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shared page cache of one lower filesystem: of all the mounts over it that
 * are of one trust domain. Files of two domains never meet, since each domain has
 * a cache of its own, and nothing in one leads to the other.
 *
 * It is a few spaces, each an address space of our own with a table of the
 * fragments whose pages it holds. A page's index in its space is its physical
 * page on the lower filesystem's device. Physical addresses are only trusted
 * while a fragment covers them, that is while some file that was proved to map
 * the blocks holds its lease; the last reference to a page takes the page out
 * of the cache before the blocks can change hands.
 */
#ifndef FOLD_CORE_CACHE_H
#define FOLD_CORE_CACHE_H

#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>

#include "fragment.h"
#include "sharemap.h"
#include "stats.h"

struct fold_cache;
struct fold_fill;
struct folio;
struct page;

/* Runs do not cross a multiple of this many pages (1 GiB). */
#define FOLD_SEGMENT_SHIFT	(30 - PAGE_SHIFT)
#define FOLD_SEGMENT_PAGES	(1UL << FOLD_SEGMENT_SHIFT)
#define FOLD_NR_SPACES		8

/*
 * Folios stay below the size of a PMD: the core maps those by PMD whether or
 * not file offset and index are congruent (seen: silent corruption).
 */
#define FOLD_MAX_ORDER		4

/**
 * enum fold_use - how much a mapped page is wanted
 * @FOLD_ABSENT: nobody has the file mapped, and so this page
 * @FOLD_IDLE: nobody has used it since the last look
 * @FOLD_USED: somebody has
 * @FOLD_KEPT: it is to stay, since a VM_LOCKED mapping shows it; or that could
 *	       not be told without waiting
 */
enum fold_use {
	FOLD_ABSENT,
	FOLD_IDLE,
	FOLD_USED,
	FOLD_KEPT,
};

/**
 * struct fold_sharer_ops - what a sharer does for the cache: the one upward edge
 * @zap: unmap @nr pages of the file from page @index on from every process;
 *       private copies stay. May sleep; called with a fragment's folio locked
 *       and the space's semaphore held.
 * @is_mapped: has any process the file mapped? Whoever has had it mapped since before
 *	       this call and has it still is found; may sleep.
 * @bar_mappings: if no process has the file mapped, keep it so until
 *		  @allow_mappings; waits for nothing. Called with the space's semaphore
 *		  held; map->lock and spinlocks are taken meanwhile.
 * @allow_mappings: see @bar_mappings
 * @look: how such a range, which shows one folio's pages from @page on, was used
 *        since the last look. Called like @zap, from reclaim.
 * @read: start to read a fill's pages from the lower file; ends in
 *        fold_fill_done(), perhaps from an interrupt and perhaps before it
 *        returns. Must not wait for any lock of the lower inode.
 * @copy: read them, waiting for the lower I/O; from a worker. Returns 0 or an
 *        error; takes no lock under which user memory is touched.
 * @hold: keep the sharer beyond the space's semaphore, which is held. Returns
 *        false if it is going away.
 * @in_use: is the sharer needed by anybody, or kept for its pages? Called with the
 *          space's semaphore held.
 * @disturbed: may somebody be changing the file around the mount just now? If
 *             not, whoever began to before this call has been noted in
 *             map->outside. From interrupts too.
 */
struct fold_sharer_ops {
	void (*zap)(struct fold_map *map, unsigned long index,
		    unsigned long nr);
	bool (*is_mapped)(struct fold_map *map);
	bool (*bar_mappings)(struct fold_map *map);
	void (*allow_mappings)(struct fold_map *map);
	enum fold_use (*look)(struct fold_map *map, unsigned long index,
			      unsigned long nr, struct page *page);
	void (*read)(struct fold_map *map, struct fold_fill *fill);
	int (*copy)(struct fold_map *map, struct fold_fill *fill);
	bool (*hold)(struct fold_map *map);
	bool (*in_use)(struct fold_map *map);
	bool (*disturbed)(struct fold_map *map);
};

/**
 * struct fold_space - one shared address space and its fragments
 * @cache: the cache it is a part of; immutable
 * @sem: protects @table and everything in it. Nothing is allocated under it:
 *       reclaim evicts inodes, and that takes it for writing.
 * @table: the fragments
 * @file: keeps @mapping; immutable
 * @mapping: the pages; immutable
 */
struct fold_space {
	struct fold_cache *cache;
	struct rw_semaphore sem;
	struct fold_table table;
	struct file *file;
	struct address_space *mapping;
};

/**
 * struct fold_cache - the shared page cache of one domain over a lower filesystem
 * @space: by physical address; immutable
 * @stats: counters of what concerns pages, and no one mount
 * @ra_pages: pages of the greatest readahead, as the latest mount has it
 * @id: tells this cache from all others; immutable
 * @owner: whose physical addresses these are; immutable
 * @domain: the trust domain's name, empty for mounts without one; the cache owns
 *	    it; immutable
 * @dev: the lower filesystem's device number, for the trace; immutable
 * @users: mounts; protected as @entry is
 * @entry: in the table of caches, by which a mount finds that of its owner and
 *	   domain
 * @clock: counts looks at extents, so that what was seen has a time
 * @spared: folios in a row that reclaim found in use
 */
struct fold_cache {
	struct fold_space space[FOLD_NR_SPACES];
	struct fold_stats stats;
	unsigned int ra_pages;
	unsigned long id;
	const void *owner;
	const char *domain;
	dev_t dev;
	unsigned int users;
	struct list_head entry;
	atomic64_t clock;
	atomic_t spared;
};

static inline struct fold_space *fold_space(struct fold_cache *cache,
					    unsigned long phys)
{
	return &cache->space[(phys >> FOLD_SEGMENT_SHIFT) % FOLD_NR_SPACES];
}

int fold_cache_init(void);
void fold_cache_exit(void);
struct fold_cache *fold_cache_get(const void *owner, const char *domain,
				  dev_t dev, unsigned int ra_pages);
void fold_cache_put(struct fold_cache *cache);
unsigned long fold_cache_pages(struct fold_cache *cache);
unsigned long fold_cache_saved(struct fold_cache *cache);
unsigned long fold_cache_count(struct fold_cache *cache, unsigned long start,
			       unsigned long last);
void fold_cache_drop(struct fold_cache *cache, unsigned long start,
		     unsigned long last);
bool fold_cache_strays(struct fold_space *space, unsigned long start,
		       unsigned long last);
void fold_cache_give_back(struct fold_cache *cache);
void fold_cache_discard(struct fold_space *space, struct folio *folio);
bool fold_cache_needs(struct fold_map *map, unsigned long *from, bool *more);
void fold_cache_wait(struct fold_cache *cache, unsigned long start,
		     unsigned long last);

#endif
