// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings and faults: the other start of the data path.
 *
 * A mapping's VMA hangs on the lower file, with the lower filesystem's
 * operations wrapped by ours. A fault on a page that the share map covers
 * installs the fragment's page (a foreign page: the VMA hangs on another
 * mapping); every other fault goes to the lower filesystem.
 *
 * The race to close: ->fault returns its page locked, and the core installs
 * the PTE after that, where no lock of ours reaches. A break moves map->seq,
 * then locks and unlocks each folio of the range, then zaps. So ->fault checks
 * map->seq with the folio locked: either it sees the break and starts again,
 * or the break waits for it and zaps its PTE.
 *
 * No fault waits for a join, for extents, or for the lower inode's lock.
 */
#include <linux/backing-file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmstat.h>

#include "../core/pages.h"
#include "../core/window.h"
#include "foldfs.h"

/* After so many lost races the lower file serves the fault: always right. */
#define FAULT_TRIES	16

/*
 * The test build makes two windows wide enough for a test to hit them: between
 * the lookup and the folio's lock, and between ->fault and the PTE.
 */
static unsigned int fault_delay_ms;
#ifdef FOLDFS_TEST
module_param(fault_delay_ms, uint, 0644);
MODULE_PARM_DESC(fault_delay_ms, "sleep twice in each fault on a shared page");
#endif

static struct inode *vma_inode(struct vm_area_struct *vma)
{
	return fold_backing_inode(vma->vm_file);
}

/* A page that is faulted in as a private one may be worth another try. */
static void kick_join(struct vm_area_struct *vma)
{
	struct inode *inode = vma_inode(vma);

	if (fold_join_wanted(&FOLD_I(inode)->share))
		fold_join(inode, &vma->vm_file->f_path, false);
}

/* Returns false if the wait was killed. */
static bool wait_unlocked(struct folio *folio, bool killable)
{
	if (killable)
		return !folio_wait_locked_killable(folio);
	folio_wait_locked(folio);
	return true;
}

/*
 * Waits for a folio that is being filled or is locked by another. If the core
 * allows it, without the mmap lock: a reader of the disk stops no one who maps.
 * Consumes the caller's reference on the folio. Returns 0 if the locks are
 * still held, else what ->fault has to return.
 */
static vm_fault_t wait_for_folio(struct vm_fault *vmf, struct folio *folio)
{
	bool killable = vmf->flags & FAULT_FLAG_KILLABLE;
	vm_fault_t ret = 0;
	struct file *file;

	if (fault_flag_allow_retry_first(vmf->flags)) {
		ret = VM_FAULT_RETRY;
		if (!(vmf->flags & FAULT_FLAG_RETRY_NOWAIT)) {
			/* The file keeps the mount, and with it this code. */
			file = get_file(vmf->vma->vm_file);
			release_fault_lock(vmf);
			wait_unlocked(folio, killable);
			fput(file);
		}
	} else if (!wait_unlocked(folio, killable)) {
		/* Only after VM_FAULT_RETRY does the core look for a kill. */
		release_fault_lock(vmf);
		ret = VM_FAULT_RETRY;
	}
	folio_put(folio);
	return ret;
}

/*
 * Maps what is cached of the file's pages from @start to @end. They belong to @run,
 * which was found at vmf->pgoff. Where a folio reaches across the ends of the run
 * it is another file's: for the core the mapping is no longer than the run.
 *
 * The caller holds map->lock: a break that moves the map comes after the last PTE
 * is installed, and then zaps it. The folios' locks, which filemap_map_pages()
 * only tries to take, keep shoot-down out.
 */
static vm_fault_t map_run(struct vm_fault *vmf, struct fold_map *map,
			  const struct fold_run *run, pgoff_t start, pgoff_t end)
{
	struct vm_area_struct *vma = vmf->vma, foreign;
	struct file_ra_state *ra = &vma->vm_file->f_ra;
	pgoff_t pgoff = vmf->pgoff, from, to, delta;
	struct vm_fault copy;
	struct file shown;
	vm_fault_t ret;

	from = max(vma->vm_pgoff, pgoff - min(pgoff, run->before));
	to = min(vma->vm_pgoff + vma_pages(vma), pgoff + run->nr);
	delta = run->phys - pgoff;
	/*
	 * The same place, seen from the shared mapping. All that is looked at of
	 * a file are these two; a file for all would be written by all.
	 */
	shown.f_mapping = fold_space(map->cache, run->phys)->mapping;
	shown.f_ra.mmap_miss = READ_ONCE(ra->mmap_miss);
	/*
	 * Some of its fields may change meanwhile, such as its place in the
	 * mapping's tree; none that is looked at.
	 */
	data_race(memcpy(&foreign, vma, sizeof(foreign)));
	foreign.vm_file = &shown;
	foreign.vm_start = vma->vm_start + ((from - vma->vm_pgoff) << PAGE_SHIFT);
	foreign.vm_end = foreign.vm_start + ((to - from) << PAGE_SHIFT);
	foreign.vm_pgoff = from + delta;
	memcpy(&copy, vmf, sizeof(copy));
	*(struct vm_area_struct **)&copy.vma = &foreign;
	*(pgoff_t *)&copy.pgoff += delta;
	fold_vma_keep_tables(vma);
	ret = filemap_map_pages(&copy, max(start, from) + delta,
				min(end, to - 1) + delta);
	vmf->prealloc_pte = copy.prealloc_pte;
	if (READ_ONCE(ra->mmap_miss) != shown.f_ra.mmap_miss)
		WRITE_ONCE(ra->mmap_miss, shown.f_ra.mmap_miss);
	return ret;
}

/*
 * The core maps all of a folio whose page ->fault returns. May it? A folio may
 * hold pages of blocks that lie beside the run, which are not this file's.
 */
static bool folio_fits(const struct folio *folio, const struct fold_run *run)
{
	unsigned long before = run->phys - folio->index;

	return run->before >= before &&
	       run->nr >= folio_nr_pages(folio) - before;
}

/* Maps the one page. Returns VM_FAULT_NOPAGE if that was done, else 0. */
static vm_fault_t map_one(struct vm_fault *vmf, struct fold_map *map,
			  struct folio *folio)
{
	struct fold_run run;
	vm_fault_t ret = 0;

	/* Fault-around passes over what is so marked. */
	folio_clear_readahead(folio);
	read_lock(&map->lock);
	if (fold_map_find(map, vmf->pgoff, &run) && run.mapped)
		ret = map_run(vmf, map, &run, vmf->pgoff, vmf->pgoff);
	read_unlock(&map->lock);
	return ret;
}

/*
 * Finds the shared page. Returns VM_FAULT_LOCKED with vmf->page set; 0 if the
 * lower file is to serve the fault; or what ->fault has to return.
 */
static vm_fault_t fault_shared(struct vm_fault *vmf, struct fold_map *map)
{
	struct file_ra_state *ra = &vmf->vma->vm_file->f_ra;
	bool random = vmf->vma->vm_flags & VM_RAND_READ;
	vm_fault_t major = 0, ret;
	struct fold_space *space;
	struct fold_page page;
	struct folio *folio;
	int tries;

	for (tries = 0; tries < FAULT_TRIES; tries++) {
		if (!fold_map_lookup(map, vmf->pgoff, &page.run)) {
			/* Perhaps a join found the page mapped, or pinned. */
			kick_join(vmf->vma);
			fold_private_read_ahead(vma_inode(vmf->vma),
						vmf->vma->vm_file, vmf->pgoff,
						page.run.nr,
						READ_ONCE(map->cache->ra_pages));
			return major;
		}
		space = fold_space(map->cache, page.run.phys);
		folio = filemap_get_folio(space->mapping, page.run.phys);
		if (IS_ERR(folio)) {
			if (!major) {
				count_vm_event(PGMAJFAULT);
				major = VM_FAULT_MAJOR;
			}
			/* Memory may have sufficed for its neighbours alone. */
			fold_pages_fill_around(map, &page.run, vmf->pgoff, ra,
					       random || tries);
			continue;
		}
		/* What was just read for this page does not ask for more. */
		if (!major && !random && !(vmf->flags & FAULT_FLAG_TRIED))
			fold_pages_fill_ahead(map, &page.run, vmf->pgoff, ra,
					      folio);
		fold_widen_window(&fault_delay_ms);
		if (unlikely(folio_contain_hwpoisoned_page(folio))) {
			fold_cache_discard(space, folio);
			folio_put(folio);
			continue;
		}
		/* Locked means: being filled, or shot down. */
		if (!folio_trylock(folio)) {
			ret = wait_for_folio(vmf, folio);
			if (ret)
				return ret | major;
			continue;
		}
		page.folio = folio;
		if (folio->mapping == space->mapping &&
		    folio_test_uptodate(folio) &&
		    fold_pages_map(map, &page, vmf->pgoff)) {
			/* Of one that is to be copied, only that is mapped. */
			if (FOLD_FAULT_MAPS_FOLIO && !vmf->cow_page &&
			    !folio_fits(folio, &page.run)) {
				folio_unlock(folio);
				ret = map_one(vmf, map, folio);
				folio_put(folio);
				if (ret)
					return ret | major;
				continue;
			}
			fold_vma_keep_tables(vmf->vma);
			vmf->page = folio_page(folio, page.run.phys -
						      folio->index);
			fold_widen_window(&fault_delay_ms);
			return VM_FAULT_LOCKED | major;
		}
		folio_unlock(folio);
		folio_put(folio);
	}
	fold_stat_add(map->stats, FOLD_STAT_FALLBACKS, 1);
	return major;
}

/*
 * The lower file serves the fault. Meanwhile a join may be committed, after it
 * has cleared the lower page cache: then what was read here and around here is a
 * copy that nobody needs. @seq is from before the map was asked.
 */
static vm_fault_t fault_lower(struct vm_fault *vmf, struct inode *inode,
			      unsigned long seq)
{
	const struct vm_operations_struct *ops =
		fold_backing_lower_vm_ops(vmf->vma);
	struct fold_share *share = &FOLD_I(inode)->share;
	unsigned long pgoff = vmf->pgoff, around;
	struct fold_run run;
	struct file *file;
	vm_fault_t ret;

	/* The VMA may go while ->fault waits; the file keeps the inode. */
	file = get_file(vmf->vma->vm_file);
	if (unlikely(READ_ONCE(share->pending)))
		fold_widen_window(&fault_delay_ms);
	ret = ops->fault(vmf);
	if (unlikely(fold_joined_since(share, seq)) &&
	    fold_map_lookup(&share->map, pgoff, &run)) {
		if (ret & VM_FAULT_LOCKED) {
			unlock_page(vmf->page);
			put_page(vmf->page);
			vmf->page = NULL;
			ret ^= VM_FAULT_LOCKED | VM_FAULT_NOPAGE;
		}
		/* A readahead's window reaches this far in each direction. */
		around = 2UL * READ_ONCE(file->f_ra.ra_pages);
		fold_drop_copies(inode, pgoff - min(pgoff, around),
				 pgoff + around);
	}
	fput(file);
	return ret;
}

static vm_fault_t fold_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct inode *inode = vma_inode(vma);
	struct fold_map *map = &FOLD_I(inode)->share.map;
	unsigned long seq = READ_ONCE(map->seq);
	vm_fault_t ret = 0;

	guard(fold_memalloc)(inode);
	if (!READ_ONCE(map->nr)) {
		kick_join(vma);
	} else {
		/* About to be written: no use in mapping the old page. */
		if (vmf->flags & FAULT_FLAG_WRITE && vma->vm_flags & VM_SHARED) {
			fold_change_begin(inode,
					  (loff_t)vmf->pgoff << PAGE_SHIFT,
					  PAGE_SIZE);
			fold_change_end(inode);
			fold_private_read_ahead(inode, vma->vm_file,
						vmf->pgoff, 1, 1);
		} else {
			ret = fault_shared(vmf, map);
			if (ret & ~VM_FAULT_MAJOR)
				return ret;
		}
	}
	return ret | fault_lower(vmf, inode, seq);
}

/* Fault-around. */
static vm_fault_t fold_map_pages(struct vm_fault *vmf, pgoff_t start,
				 pgoff_t end)
{
	struct vm_area_struct *vma = vmf->vma;
	struct fold_map *map = &FOLD_I(vma_inode(vma))->share.map;
	struct fold_run run;
	vm_fault_t ret;

	if (READ_ONCE(map->nr)) {
		read_lock(&map->lock);
		if (fold_map_find(map, vmf->pgoff, &run)) {
			/* What is mapped for the first time goes by ->fault. */
			ret = run.mapped ? map_run(vmf, map, &run, start, end) :
					   0;
			read_unlock(&map->lock);
			return ret;
		}
		read_unlock(&map->lock);
	}
	return fold_backing_lower_vm_ops(vma)->map_pages(vmf, start, end);
}

static vm_fault_t fold_page_mkwrite(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct inode *inode = vma_inode(vma);
	struct address_space *lower = file_inode(vma->vm_file)->i_mapping;
	struct folio *folio = page_folio(vmf->page);
	unsigned long first = vmf->pgoff, nr = 1;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	guard(fold_memalloc)(inode);
	/*
	 * A foreign page is never written. Its break zaps it, and the next
	 * fault finds the lower file's page.
	 */
	if (READ_ONCE(folio->mapping) == lower)
		first = fold_mkwrite_range(folio, vmf->pgoff, &nr);
	fold_change_begin(inode, (loff_t)first << PAGE_SHIFT, nr << PAGE_SHIFT);
	if (READ_ONCE(folio->mapping) == lower)
		ret = fold_backing_lower_vm_ops(vma)->page_mkwrite(vmf);
	fold_change_end(inode);
	return ret;
}

/**
 * fold_mmap_wrap - put our handlers into a copy of a lower filesystem's
 * @ops: the copy
 */
void fold_mmap_wrap(struct vm_operations_struct *ops)
{
	ops->fault = fold_fault;
	if (ops->map_pages)
		ops->map_pages = fold_map_pages;
	if (ops->page_mkwrite)
		ops->page_mkwrite = fold_page_mkwrite;
	/* Of use to DAX only, and DAX inodes are not wrapped. */
	ops->huge_fault = NULL;
}

/**
 * fold_mmap - map a file
 * @file: the upper file
 * @vma: the mapping
 *
 * A file that is mapped without ever being read joins in the background.
 *
 * Context: mmap_lock held for writing.
 * Return: 0 or a negative errno, as the lower filesystem's.
 */
int fold_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(file);
	struct backing_file_ctx ctx = fold_backing_ctx(file);
	struct file *lower = fold_open_below(file, false);

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	/* The VFS has asked the upper inode, which may not know yet. */
	if (vma->vm_flags & VM_SHARED) {
		if (vma->vm_flags & VM_WRITE &&
		    IS_SWAPFILE(fold_lower_inode(inode)))
			return -ETXTBSY;
		if (IS_APPEND(fold_lower_inode(inode)))
			return -EACCES;
	}
	if (fold_join_wanted(&FOLD_I(inode)->share))
		fold_join(inode, &lower->f_path, false);
	fold_accessed(file);
	return backing_file_mmap(lower, vma, &ctx);
}
