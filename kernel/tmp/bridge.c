// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bridge: how the kernel's reverse map reaches whoever maps a page of a store.
 *
 * An address space that belongs to no process maps each store as a whole. Nothing is
 * ever mapped there. But who wants a page unmapped everywhere (reclaim, migration,
 * compaction, memory failure, MADV_PAGEOUT, the store's truncation) goes through the
 * VMAs of the store's mapping, finds this one, and calls its address space's MMU
 * notifier before it looks whether there is anything. The address is the page's index
 * in the store; view.c knows the rest.
 *
 * Reclaim wants a page gone only if no program has used it lately. It cannot see that, so
 * it is looked up then. Everybody else means it.
 */
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

#include "../lower/lender/lender.h"
#include "foldtmp.h"

/* How long the lender may take. */
#define LENDING		(60 * HZ)

static int bridge_invalidate(struct mmu_notifier *mn,
			     const struct mmu_notifier_range *range)
{
	struct ftmp_sb *fs = container_of(mn, struct ftmp_sb, bridge.mn);
	bool aging = current->reclaim_state;
	struct ftmp_store *store;
	unsigned long from, to;
	int i;

	for (i = 0; i < FTMP_STORES; i++) {
		store = &fs->store[i];
		from = max(range->start, store->addr);
		to = min(range->end, store->addr + FTMP_WINDOW);
		for (; from < to; from += PAGE_SIZE)
			ftmp_store_unmap(store,
					 (from - store->addr) >> PAGE_SHIFT,
					 aging);
	}
	return 0;
}

static const struct mmu_notifier_ops bridge_ops = {
	.invalidate_range_start = bridge_invalidate,
};

/* In the borrowed address space. */
static int map_stores(struct ftmp_sb *fs)
{
	unsigned long addr;
	int i;

	for (i = 0; i < FTMP_STORES; i++) {
		addr = vm_mmap(fs->store[i].file, 0, FTMP_WINDOW, PROT_READ,
			       MAP_SHARED, 0);
		if (IS_ERR_VALUE(addr))
			return addr;
		fs->store[i].addr = addr;
	}
	return 0;
}

static int bridge_thread(void *data)
{
	struct ftmp_sb *fs = data;
	struct ftmp_bridge *bridge = &fs->bridge;
	int err;

	err = fold_loan_take(bridge->loan);
	if (!err) {
		kthread_use_mm(fold_loan_mm(bridge->loan));
		fold_loan_strip(bridge->loan);
		err = map_stores(fs);
		kthread_unuse_mm(fold_loan_mm(bridge->loan));
	}
	bridge->err = err;
	/* The module may go once that is told. */
	kthread_complete_and_exit(&bridge->ready, 0);
}

/**
 * ftmp_bridge_open - build a mount's bridge
 * @fs: the mount, with its stores open
 *
 * Context: may sleep, killably, for as long as starting a program takes.
 * Return: 0, to be undone by ftmp_bridge_close(); -EINTR when killed, -ETIMEDOUT when
 * the program did not end in time, or why there is no address space.
 */
int ftmp_bridge_open(struct ftmp_sb *fs)
{
	struct ftmp_bridge *bridge = &fs->bridge;
	struct task_struct *task;
	long left;
	int err = -ENOMEM;

	init_completion(&bridge->ready);
	bridge->scratch = vmalloc_user(PAGE_SIZE);
	if (!bridge->scratch)
		return err;
	bridge->loan = fold_loan_new(bridge->scratch, PAGE_SIZE);
	if (!bridge->loan)
		goto err;
	task = kthread_run(bridge_thread, fs, "foldtmp");
	if (IS_ERR(task)) {
		err = PTR_ERR(task);
		goto err;
	}
	left = wait_for_completion_killable_timeout(&bridge->ready, LENDING);
	if (left <= 0) {
		fold_loan_abort(bridge->loan);
		wait_for_completion(&bridge->ready);
	}
	err = bridge->err;
	if (err) {
		if (err == -EINTR && !left)
			err = -ETIMEDOUT;
		goto err;
	}
	bridge->mn.ops = &bridge_ops;
	err = mmu_notifier_register(&bridge->mn, fold_loan_mm(bridge->loan));
	if (err)
		goto err;
	bridge->registered = true;
	return 0;
err:
	ftmp_bridge_close(fs);
	return err;
}

/**
 * ftmp_bridge_close - take a mount's bridge down
 * @fs: the mount; no page is mapped any more
 *
 * Context: may sleep.
 */
void ftmp_bridge_close(struct ftmp_sb *fs)
{
	struct ftmp_bridge *bridge = &fs->bridge;

	if (bridge->registered)
		mmu_notifier_unregister(&bridge->mn,
					fold_loan_mm(bridge->loan));
	bridge->registered = false;
	if (bridge->loan)
		fold_loan_free(bridge->loan);
	bridge->loan = NULL;
	vfree(bridge->scratch);
	bridge->scratch = NULL;
}
