// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: a page of a store is mapped in a VMA of a file.
 *
 * ->fault returns the page locked, and the core installs the PTE after that, where no
 * lock of ours reaches. The page is looked up and locked with map_sem held for
 * reading; whoever takes a page away from a file holds it for writing, locks the page
 * once, and unmaps it then (ftmp_unmap()). So either the fault finds the new state, or
 * its PTE is found.
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

static const struct vm_operations_struct ftmp_vm_ops = {
	.fault = ftmp_fault,
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
