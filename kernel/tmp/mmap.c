// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: a page of a store is mapped in a VMA of a file.
 *
 * ->fault returns the page locked, and the core installs the PTE after that, where no
 * lock of ours reaches. The page is looked up and locked with map_sem held for
 * reading; whoever takes a page away from a file holds it for writing, locks the page
 * once, and unmaps it then (ftmp_unmap()). So either the fault finds the new state, or
 * its PTE is found. Fault-around holds map_sem until its PTEs are there.
 */
#include <linux/pagemap.h>

#include "foldtmp.h"

static vm_fault_t fault_error(int err)
{
	if (err == -EHWPOISON)
		return VM_FAULT_HWPOISON;
	return vmf_error(err);
}

static vm_fault_t ftmp_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct inode *inode = file_inode(vma->vm_file);
	struct ftmp_inode *ti = FTMP_I(inode);
	struct folio *folio;
	bool write, alone;
	unsigned long slot;
	int err = 0;

	/* About to be written: the old page need not be mapped first. */
	write = vmf->flags & FAULT_FLAG_WRITE && vma->vm_flags & VM_SHARED;
	down_read(&ti->map_sem);
	slot = ftmp_map_find(&ti->map, vmf->pgoff, &alone);
	if (!slot || (write && !alone)) {
		up_read(&ti->map_sem);
		down_write(&ti->map_sem);
		if (vmf->pgoff < DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE)) {
			ftmp_map_ease(&ti->map, vmf->pgoff);
			slot = ftmp_map_find(&ti->map, vmf->pgoff, &alone);
			if (!slot || (write && !alone))
				err = ftmp_page_own(ti, vmf->pgoff, false);
			slot = ftmp_map_find(&ti->map, vmf->pgoff, NULL);
		}
		downgrade_write(&ti->map_sem);
	}
	if (vmf->pgoff >= DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE))
		err = -EFAULT;
	if (!err)
		err = ftmp_view_add(ti, vmf->pgoff, slot);
	if (!err)
		err = ftmp_page_lock(slot, SGP_CACHE, &folio);
	up_read(&ti->map_sem);
	if (err)
		return fault_error(err);
	vmf->page = folio_page(folio, 0);
	return VM_FAULT_LOCKED;
}

/*
 * May the folio that is mapped be written where it is? Then it is locked. *@slot is what
 * the file has there; 0 if that is not the folio.
 */
static bool lock_to_write(struct ftmp_inode *ti, pgoff_t index,
			  struct folio *folio, unsigned long *slot)
{
	bool alone;

	*slot = ftmp_map_find(&ti->map, index, &alone);
	if (!*slot)
		return false;
	folio_lock(folio);
	/* Taken away from this file, or swapped out: the fault begins again. */
	if (folio->mapping != ftmp_slot_inode(*slot)->i_mapping ||
	    folio->index != ftmp_slot_index(*slot))
		*slot = 0;
	else if (alone && ftmp_page_free_to_write(*slot, folio))
		return true;
	folio_unlock(folio);
	return false;
}

/* The page is mapped read-only, or about to be mapped, and is to be written. */
static vm_fault_t ftmp_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	struct ftmp_inode *ti = FTMP_I(inode);
	vm_fault_t ret = VM_FAULT_NOPAGE;
	unsigned long slot;
	bool locked;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	down_read(&ti->map_sem);
	locked = lock_to_write(ti, vmf->pgoff, folio, &slot);
	up_read(&ti->map_sem);
	if (!locked && slot) {
		down_write(&ti->map_sem);
		ftmp_map_ease(&ti->map, vmf->pgoff);
		locked = lock_to_write(ti, vmf->pgoff, folio, &slot);
		if (!locked && slot)
			err = ftmp_page_own(ti, vmf->pgoff, true);
		up_write(&ti->map_sem);
	}
	if (locked) {
		folio_mark_dirty(folio);
		ret = VM_FAULT_LOCKED;
	} else if (err) {
		ret = fault_error(err);
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/*
 * How far the file's pages lie in a store as they lie in the file, within @first and
 * @last, around @index, which has @slot.
 */
static void find_run(struct ftmp_inode *ti, pgoff_t index, unsigned long slot,
		     pgoff_t *first, pgoff_t *last)
{
	pgoff_t end = index, begin = index;

	/* Pages of one batch: a slot's low bits are the page's number in it. */
	while (begin > *first && ftmp_slot_nr(slot) > index - begin &&
	       ftmp_map_find(&ti->map, begin - 1, NULL) ==
	       slot - (index - begin) - 1)
		begin--;
	while (end < *last &&
	       ftmp_slot_nr(slot) + (end - index) + 1 < FTMP_BATCH &&
	       ftmp_map_find(&ti->map, end + 1, NULL) ==
	       slot + (end - index) + 1)
		end++;
	*first = begin;
	*last = end;
}

/*
 * Fault-around: maps what is in memory around the page, as far as it lies in a row. The
 * core's function for a file does it, which sees the same place as one of the store.
 */
static vm_fault_t ftmp_fault_around(struct vm_fault *vmf, pgoff_t first,
				    pgoff_t last)
{
	struct vm_area_struct *vma = vmf->vma, foreign;
	struct inode *inode = file_inode(vma->vm_file);
	struct ftmp_inode *ti = FTMP_I(inode);
	struct vm_fault copy;
	unsigned long slot;
	struct file shown;
	vm_fault_t ret = 0;
	pgoff_t end;

	/* Nobody may sleep here. Whoever changes the file is waited for in ->fault. */
	if (!down_read_trylock(&ti->map_sem))
		return 0;
	end = DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
	slot = vmf->pgoff < end ? ftmp_map_find(&ti->map, vmf->pgoff, NULL) : 0;
	if (!slot || !ftmp_view_there(ti, vmf->pgoff, slot))
		goto unlock;
	last = min(last, end - 1);
	find_run(ti, vmf->pgoff, slot, &first, &last);

	/* All that is looked at of a file are these two. */
	shown.f_mapping = ftmp_slot_inode(slot)->i_mapping;
	shown.f_ra.mmap_miss = 0;
	/* Some of its fields may change meanwhile; none that is looked at. */
	data_race(memcpy(&foreign, vma, sizeof(foreign)));
	foreign.vm_file = &shown;
	foreign.vm_start = vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT);
	foreign.vm_end = foreign.vm_start + ((last - first + 1) << PAGE_SHIFT);
	foreign.vm_pgoff = ftmp_slot_index(slot) - (vmf->pgoff - first);
	memcpy(&copy, vmf, sizeof(copy));
	*(struct vm_area_struct **)&copy.vma = &foreign;
	*(pgoff_t *)&copy.pgoff = ftmp_slot_index(slot);
	ret = filemap_map_pages(&copy, foreign.vm_pgoff,
				foreign.vm_pgoff + (last - first));
	vmf->prealloc_pte = copy.prealloc_pte;
unlock:
	up_read(&ti->map_sem);
	return ret;
}

static const struct vm_operations_struct ftmp_vm_ops = {
	.fault = ftmp_fault,
	.map_pages = ftmp_fault_around,
	.page_mkwrite = ftmp_page_mkwrite,
};

/**
 * ftmp_mmap - ->mmap
 * @file: the file
 * @vma: the mapping
 *
 * Context: mmap_lock held for writing.
 * Return: 0.
 */
int ftmp_mmap(struct file *file, struct vm_area_struct *vma)
{
	file_accessed(file);
	vma->vm_ops = &ftmp_vm_ops;
	return 0;
}
