// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a file's page to the shared page that holds it: lookup, readahead,
 * waiting for a fill.
 *
 * A lookup in the share map is a guess: the map may change before the folio is
 * found, and the physical page may by then hold another file's bytes. What
 * makes it a fact is map->seq, compared after a reference on the folio was
 * taken: if it has not moved, this file referred to the page at the moment the
 * folio was in the cache.
 */
#include <linux/pagemap.h>

#include "fill.h"
#include "pages.h"
#include "window.h"

/* The test build makes the time from guess to fact long enough for a test. */
static unsigned int read_delay_ms;
#ifdef FOLDFS_TEST
module_param(read_delay_ms, uint, 0644);
MODULE_PARM_DESC(read_delay_ms, "sleep in each read of a shared page");
#endif

/* So many more faults that miss than hit mean that reading around is in vain. */
#define FAULT_MISSES	100

/**
 * fold_pages_valid - is a page that was found still this file's
 * @map: the file's share map
 * @page: what fold_pages_find() or a lookup found; a reference is held
 *
 * Return: true if the map has not changed since the lookup.
 */
bool fold_pages_valid(struct fold_map *map, const struct fold_page *page)
{
	/* The folio was looked up before; pairs with map->lock of a change. */
	smp_rmb();
	return READ_ONCE(map->seq) == page->run.seq;
}

/**
 * fold_pages_map - a page that was found is about to be mapped
 * @map: the file's share map
 * @page: what a lookup found; a reference is held, and the folio's lock
 * @index: page of the file
 *
 * Shoot-down will visit the file from here on.
 *
 * Context: a fault; may sleep, takes the space's semaphore if the run was not
 * mapped before.
 * Return: true if the map has not changed since the lookup.
 */
bool fold_pages_map(struct fold_map *map, const struct fold_page *page,
		    unsigned long index)
{
	struct fold_space *space = fold_space(map->cache, page->run.phys);
	bool valid;

	/* As long as the map has not moved it is still listed. */
	if (page->run.mapped)
		return fold_pages_valid(map, page);
	down_write(&space->sem);
	read_lock(&map->lock);
	valid = map->seq == page->run.seq;
	if (valid)
		fold_table_map(&space->table, fold_map_first(map, index, index));
	read_unlock(&map->lock);
	up_write(&space->sem);
	return valid;
}

/*
 * Who reads through one open file, or faults in one mapping, shares its readahead
 * state, and no lock protects that. It is a hint: a window that is mixed from two
 * is one that nobody asked for, of pages that are this file's all the same.
 */
static void set_window(struct file_ra_state *ra, unsigned long start,
		       unsigned long size, unsigned long ahead)
{
	WRITE_ONCE(ra->start, start);
	WRITE_ONCE(ra->size, size);
	WRITE_ONCE(ra->async_size, ahead);
}

/* How much of the last window is left from page @index on. */
static unsigned long window_left(const struct file_ra_state *ra,
				 unsigned long index)
{
	unsigned long end = READ_ONCE(ra->start) + READ_ONCE(ra->size);

	return end > index ? end - index : 0;
}

/*
 * Readahead for reads, in pages of the file: doubling windows while the reads
 * go on where the last window ended, what is asked for otherwise. Returns the
 * pages to fill from @index on; *mark is the page whose use starts the next
 * window.
 */
static unsigned long window(struct file_ra_state *ra, unsigned long max,
			    unsigned long index, unsigned long want,
			    unsigned long *mark)
{
	unsigned long start = READ_ONCE(ra->start), size = READ_ONCE(ra->size);
	unsigned long ahead;

	want = clamp(want, 1UL, max);
	if (!index || (index > start && index <= start + size)) {
		size = index ? 2 * size : 4;
		size = clamp(max(size, want), 1UL, max);
		ahead = size > want ? size - want : size / 2;
	} else {
		size = want;
		ahead = 0;
	}
	set_window(ra, index, size, ahead);
	*mark = ahead ? index + size - ahead : ULONG_MAX;
	return size;
}

static unsigned long to_phys(const struct fold_run *run, unsigned long index,
			     unsigned long mark)
{
	return mark == ULONG_MAX ? mark : run->phys + (mark - index);
}

/**
 * fold_pages_find - the shared page that holds a page of a file
 * @map: the file's share map
 * @index: page of the file
 * @want: pages that the caller will go on to ask for, this one included
 * @ra: readahead state of the open file
 * @nowait: only what is cached and up to date: start nothing, wait for nothing
 * @page: what was found
 *
 * Context: process context. No lock of the lower inode's is waited for, mmap
 * locks may be held. Waits, killably, for the page's fill unless @nowait.
 * Return: 0: @page->folio is up to date and the caller's to put;
 * -ENOENT: the page is private, as are the next @page->run.nr pages;
 * -EAGAIN: not without waiting; -EINTR: killed; -EIO, -ENOMEM: the fill failed,
 * the lower file knows better.
 */
int fold_pages_find(struct fold_map *map, unsigned long index,
		    unsigned long want, struct file_ra_state *ra,
		    bool nowait, struct fold_page *page)
{
	struct fold_cache *cache = map->cache;
	unsigned long max, nr, mark;
	struct fold_space *space;
	struct folio *folio;
	int err, tries = 0;

again:
	if (!fold_map_lookup(map, index, &page->run))
		return -ENOENT;
	fold_widen_window(&read_delay_ms);
	space = fold_space(cache, page->run.phys);
	max = min_t(unsigned long, page->run.nr, READ_ONCE(cache->ra_pages));
	folio = filemap_get_folio(space->mapping, page->run.phys);
	if (IS_ERR(folio)) {
		if (nowait)
			return -EAGAIN;
		if (++tries > 4)
			return -EIO;
		nr = window(ra, max, index, want, &mark);
		err = fold_fill(cache, page->run.phys, nr,
				to_phys(&page->run, index, mark));
		if (err)
			return err;
		goto again;
	}
	if (unlikely(folio_contain_hwpoisoned_page(folio))) {
		if (!nowait)
			fold_cache_discard(space, folio);
		folio_put(folio);
		if (nowait)
			return -EAGAIN;
		if (++tries > 4)
			return -EIO;
		goto again;
	}
	if (folio_test_readahead(folio) && !nowait) {
		folio_clear_readahead(folio);
		nr = window_left(ra, index);
		if (nr < page->run.nr) {
			struct fold_run next = page->run;

			next.phys += nr;
			next.nr -= nr;
			max = min_t(unsigned long, next.nr,
				    READ_ONCE(cache->ra_pages));
			nr = window(ra, max, index + nr, 1, &mark);
			fold_fill(cache, next.phys, nr, next.phys);
		}
	}
	if (!folio_test_uptodate(folio)) {
		err = nowait ? -EAGAIN : folio_wait_locked_killable(folio);
		if (err) {
			folio_put(folio);
			return err;
		}
		if (!folio_test_uptodate(folio)) {
			folio_put(folio);
			if (++tries > 4)
				return -EIO;
			goto again;
		}
	}
	page->folio = folio;
	if (!fold_pages_valid(map, page)) {
		folio_put(folio);
		goto again;
	}
	return 0;
}

/**
 * fold_pages_fill_around - a fault has missed: bring in what it wants
 * @map: the file's share map
 * @run: what a lookup of the faulting page found
 * @index: the faulting page of the file
 * @ra: readahead state of the mapped file
 * @random: only that page
 *
 * Around the page, since programs' faults go either way; and where faults have
 * missed much more often than hit, that page alone, since what is read around
 * it would only push out what is wanted. The kernel reads around faults of
 * other mappings by the same rules.
 *
 * Context: process context, mmap locks may be held.
 */
void fold_pages_fill_around(struct fold_map *map, const struct fold_run *run,
			    unsigned long index, struct file_ra_state *ra,
			    bool random)
{
	unsigned long first = run->phys - run->before;
	unsigned long max = READ_ONCE(map->cache->ra_pages);
	unsigned long large = 1UL << FOLD_MAX_ORDER;
	unsigned int missed = READ_ONCE(ra->mmap_miss);
	unsigned long start, nr;

	if (!random && missed < 10 * FAULT_MISSES)
		WRITE_ONCE(ra->mmap_miss, ++missed);
	if (random || missed > FAULT_MISSES) {
		fold_fill(map->cache, run->phys, 1, ULONG_MAX);
		return;
	}
	/* From where the largest folio fits, the page about in the middle. */
	start = max < large ? run->phys - min(run->before, max / 2) :
		round_down(run->phys - min(run->before, (max - large) / 2),
			   large);
	start = max(start, first);
	nr = min(max, run->phys + run->nr - start);
	set_window(ra, index - (run->phys - start), nr, nr / 4);
	fold_fill(map->cache, start, nr,
		  nr >= 4 ? start + nr - nr / 4 : ULONG_MAX);
}

/**
 * fold_pages_fill_ahead - a fault has found its page: go on ahead of it
 * @map: the file's share map
 * @run: what the lookup of the page found
 * @index: the faulting page of the file
 * @ra: readahead state of the mapped file
 * @folio: the page's folio, with a reference
 *
 * Context: process context, mmap locks may be held.
 */
void fold_pages_fill_ahead(struct fold_map *map, const struct fold_run *run,
			   unsigned long index, struct file_ra_state *ra,
			   struct folio *folio)
{
	unsigned int missed = READ_ONCE(ra->mmap_miss);
	unsigned long skip, nr;

	if (missed)
		WRITE_ONCE(ra->mmap_miss, missed - 1);
	if (!folio_test_readahead(folio))
		return;
	folio_clear_readahead(folio);
	/* Not where another file's or process's window ended. */
	skip = index >= READ_ONCE(ra->start) ? window_left(ra, index) : 0;
	skip = max(skip, 1UL);
	if (skip >= run->nr)
		return;
	nr = min_t(unsigned long, run->nr - skip,
		   READ_ONCE(map->cache->ra_pages));
	set_window(ra, index + skip, nr, nr);
	fold_fill(map->cache, run->phys + skip, nr, run->phys + skip);
}
