// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mappings of one sharer, as shoot-down sees them: unmap a range, and tell
 * which of its pages programs still use.
 *
 * The kernel's own reverse map of a shared page leads nowhere, since the page
 * belongs to another mapping than the VMAs that show it. So the VMAs are found
 * in the lower mapping's tree, and their page tables are walked here. The
 * tree's lock keeps both: a VMA leaves the tree before its page tables go. Only a
 * table that has become empty may go earlier, behind an RCU grace period.
 */
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "upper.h"
#include "mapped.h"

static struct address_space *sharer_mapping(struct fold_map *map)
{
	struct fold_share *share = container_of(map, struct fold_share, map);

	return container_of(share, struct fold_inode, share)->lower->i_mapping;
}

static unsigned long vma_first(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static unsigned long vma_final(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* For walking a mapping's VMAs; the kernel keeps the tree. */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, vma_first, vma_final,
		     static __maybe_unused, vma_tree)

/* What points to the page table of @addr, and its value just now; or NULL. */
static pmd_t *find_table(struct mm_struct *mm, unsigned long addr,
			 pmd_t *value)
{
	pmd_t *pmd;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;

	pgd = pgd_offset(mm, addr);
	if (pgd_none(pgdp_get(pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(p4dp_get(p4d)))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(pudp_get(pud)) || pud_leaf(pudp_get(pud)))
		return NULL;
	pmd = pmd_offset(pud, addr);
	*value = pmdp_get_lockless(pmd);
	if (pmd_none(*value) || !pmd_present(*value) || pmd_leaf(*value))
		return NULL;
	return pmd;
}

/* The same for addresses that one page table covers, and frames from @pfn on. */
static bool table_used(struct vm_area_struct *vma, unsigned long addr,
		       unsigned long end, unsigned long pfn)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t *pmd, value;
	bool used = false;
	spinlock_t *ptl;
	pte_t *pte, entry;

	/* An empty table may be freed meanwhile: a grace period after it was. */
	rcu_read_lock();
	pmd = find_table(mm, addr, &value);
	if (!pmd)
		goto out;
	ptl = pte_lockptr(mm, &value);
	spin_lock(ptl);
	if (pmd_same(value, pmdp_get_lockless(pmd))) {
		pte = pte_offset_kernel(pmd, addr);
		for (; addr < end; addr += PAGE_SIZE, pte++, pfn++) {
			entry = ptep_get(pte);
			/* A private copy is another page. */
			if (pte_present(entry) && pte_pfn(entry) == pfn)
				used |= fold_pte_clear_young(vma, addr, pte);
		}
	}
	spin_unlock(ptl);
out:
	rcu_read_unlock();
	return used;
}

/* Has the VMA used any of @nr pages from @page on, which it shows at @index? */
static bool vma_used(struct vm_area_struct *vma, unsigned long index,
		     unsigned long nr, struct page *page)
{
	unsigned long from = max(index, vma->vm_pgoff);
	unsigned long to = min(index + nr - 1, vma_final(vma));
	unsigned long addr, end, pfn, next;
	bool used = false;

	addr = vma->vm_start + ((from - vma->vm_pgoff) << PAGE_SHIFT);
	end = addr + ((to - from + 1) << PAGE_SHIFT);
	pfn = page_to_pfn(page) + (from - index);
	for (; addr < end; addr = next) {
		next = pmd_addr_end(addr, end);
		used |= table_used(vma, addr, next, pfn);
		pfn += (next - addr) >> PAGE_SHIFT;
	}
	return used;
}

/**
 * fold_mapped_zap - unmap a range of the file from every process
 * @map: the sharer
 * @index: first page
 * @nr: pages
 *
 * Private copies stay.
 *
 * Context: may sleep. Whoever may have mapped one of the pages had its folio
 * locked, and the caller has locked it since.
 */
void fold_mapped_zap(struct fold_map *map, unsigned long index,
		     unsigned long nr)
{
	/*
	 * Whether there are VMAs at all is a question for the tree's lock, which
	 * this takes: the kernel takes a VMA out of the tree while it grows.
	 */
	unmap_mapping_pages(sharer_mapping(map), index, nr, false);
}

/**
 * fold_mapped_anywhere - has any process the file mapped
 * @map: the sharer
 *
 * Whoever has, and had before this call, is found: the kernel takes a VMA out of
 * the tree while it changes, but with the tree's lock held.
 *
 * Context: may sleep; takes the lower mapping's i_mmap_rwsem.
 * Return: true if there is one.
 */
bool fold_mapped_anywhere(struct fold_map *map)
{
	struct address_space *mapping = sharer_mapping(map);
	bool mapped;

	i_mmap_lock_read(mapping);
	mapped = mapping_mapped(mapping);
	i_mmap_unlock_read(mapping);
	return mapped;
}

/**
 * fold_mapped_bar - let nobody map a file that nobody has mapped
 * @map: the sharer
 *
 * Context: reclaim; waits for no lock.
 * Return: true if it is so, until fold_mapped_allow(); false if somebody has it
 * mapped, or that could not be told without waiting.
 */
bool fold_mapped_bar(struct fold_map *map)
{
	struct address_space *mapping = sharer_mapping(map);

	if (!i_mmap_trylock_read(mapping))
		return false;
	if (!mapping_mapped(mapping))
		return true;
	i_mmap_unlock_read(mapping);
	return false;
}

/**
 * fold_mapped_allow - undo fold_mapped_bar()
 * @map: the sharer
 */
void fold_mapped_allow(struct fold_map *map)
{
	i_mmap_unlock_read(sharer_mapping(map));
}

/**
 * fold_mapping_look - are pages of a folio in use where a file is mapped
 * @mapping: the file's mapping
 * @index: first page of the file
 * @nr: pages
 * @page: what the file shows at @index; a part of one folio
 *
 * Forgets the use that it has seen, so that the next look tells of later use.
 * MADV_RANDOM and MADV_SEQUENTIAL say that use tells nothing, as anywhere.
 * What a secondary MMU (a virtual machine's) uses looks idle here: it loses its
 * mapping and comes back by a fault.
 *
 * Context: reclaim; waits for no lock that is held across an allocation.
 * Return: what is known of the most used one.
 */
enum fold_use fold_mapping_look(struct address_space *mapping,
				unsigned long index, unsigned long nr,
				struct page *page)
{
	unsigned long last = index + nr - 1;
	enum fold_use use = FOLD_IDLE;
	struct vm_area_struct *vma;

	if (!i_mmap_trylock_read(mapping))
		return FOLD_KEPT;
	if (!mapping_mapped(mapping))
		use = FOLD_ABSENT;
	for (vma = vma_tree_iter_first(&mapping->i_mmap, index, last);
	     vma && use != FOLD_KEPT;
	     vma = vma_tree_iter_next(vma, index, last)) {
		/* mlock() and madvise() take the mmap lock only: flags may move. */
		bool recency = data_race(vma_has_recency(vma));

		if (READ_ONCE(vma->vm_flags) & VM_LOCKED)
			use = FOLD_KEPT;
		else if (recency && vma_used(vma, index, nr, page))
			use = FOLD_USED;
	}
	i_mmap_unlock_read(mapping);
	return use;
}

/**
 * fold_mapped_look - fold_mapping_look() for a sharer
 * @map: the sharer
 * @index: first page of the file
 * @nr: pages
 * @page: what the file shows at @index; a part of one folio
 *
 * Context: reclaim; waits for no lock that is held across an allocation.
 * Return: what is known of the most used one.
 */
enum fold_use fold_mapped_look(struct fold_map *map, unsigned long index,
			       unsigned long nr, struct page *page)
{
	return fold_mapping_look(sharer_mapping(map), index, nr, page);
}
