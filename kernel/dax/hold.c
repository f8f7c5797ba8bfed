// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds: what has been handed out and may still be looked at.
 *
 * ->direct_access has no other half: the filesystem never says that it is done.
 * How it ends depends on what it was for.
 *
 * A copy (read(2), and everything else that asks for no page number) goes on
 * below the DAX core's own SRCU. So it is over when a grace period of that has
 * passed, and earlier if the same task asks for more: fs/dax.c uses at most two
 * answers at a time, a destination and a source. The second rule is what lets
 * one read(2) of an extent, which is one SRCU section however long it is, run
 * through a pool that is smaller.
 *
 * A fault asks for a page number, and leaves the SRCU section before the DAX
 * entry shows the page. The only thing that comes afterwards for sure is the
 * tracepoint at the fault's end, dax_pte_fault_done; so a probe of it ends what
 * the fault holds. Its page by then is either shown by an entry or not used.
 *
 * The buffer of a read(2) may be a mapping of the same device, and then there
 * is a fault in the middle of a copy, or one for each page of the buffer. What
 * a fault asks for must not end what the copy around it holds. That is why
 * both have places of their own, and why the fault's begin has a probe as well.
 *
 * One hold for each task and pool, in a hash by the task's address, which is
 * compared and never followed: a task that has gone does no longer look at
 * anything, so another one at its address may take the hold over. What is
 * inside of a copy cannot lose its hold, since no grace period ends meanwhile.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <trace/events/fs_dax.h>

#include "fold.h"

#define BUCKET_BITS	8

/* So many holds, and a grace period is asked for to be rid of old ones. */
#define MANY_HOLDS	64

/* A run of frames that has been handed out. */
struct run {
	u32			first;
	u32			nr;
};

/**
 * struct fold_hold - what one task may be looking at
 *
 * @node: in its bucket, under the bucket's lock, as all else
 * @task: whose; compared only
 * @pool: immutable
 * @epoch: pool->epoch of the last hand-out
 * @copy: runs of the task's copy, the newest first
 * @fault: runs of its fault, the newest first
 * @in_fault: the task is inside of a DAX fault
 * @busy: its task is inside ->direct_access
 */
struct fold_hold {
	struct hlist_node	node;
	const void		*task;
	struct fold_pool	*pool;
	u64			epoch;
	struct run		copy[2];
	struct run		fault[2];
	bool			in_fault;
	bool			busy;
};

static struct bucket {
	spinlock_t		lock;
	struct hlist_head	holds;
} buckets[1 << BUCKET_BITS];

static struct kmem_cache *hold_cache __ro_after_init;

/* The two tracepoints, found by name. */
static struct tracepoint *fault_begin __ro_after_init;
static struct tracepoint *fault_done __ro_after_init;

static struct bucket *bucket_of(const void *task)
{
	return &buckets[hash_ptr(task, BUCKET_BITS)];
}

static void drop_run(struct fold_pool *pool, struct run *run)
{
	unsigned long irq;
	u32 i;

	if (!run->nr)
		return;
	fold_pool_lock(pool, irq);
	for (i = 0; i < run->nr; i++)
		fold_frame_put(pool, &pool->frames[run->first + i]);
	fold_pool_unlock(pool, irq);
	run->nr = 0;
}

static void drop_runs(struct fold_pool *pool, struct run run[2])
{
	drop_run(pool, &run[0]);
	drop_run(pool, &run[1]);
}

static struct fold_hold *find(struct bucket *bucket, const void *task,
			      const struct fold_pool *pool)
{
	struct fold_hold *hold;

	lockdep_assert_held(&bucket->lock);
	hlist_for_each_entry(hold, &bucket->holds, node)
		if (hold->task == task && hold->pool == pool)
			return hold;
	return NULL;
}

/**
 * fold_hold_begin - a task asks for a block
 * @pool: the pool
 *
 * What it held before the last hand-out is let go. Ends with fold_hold_run()
 * or fold_hold_abort().
 *
 * Context: May sleep for memory, outside of the filesystem. Takes a bucket's
 * and the pool's lock.
 * Return: the task's hold, or NULL without memory.
 */
struct fold_hold *fold_hold_begin(struct fold_pool *pool)
{
	struct bucket *bucket = bucket_of(current);
	struct fold_hold *hold, *new;

	spin_lock(&bucket->lock);
	hold = find(bucket, current, pool);
	if (hold) {
		hold->busy = true;
		if (!hold->in_fault)
			drop_run(pool, &hold->copy[1]);
	}
	spin_unlock(&bucket->lock);
	if (hold)
		return hold;

	new = kmem_cache_zalloc(hold_cache, GFP_NOFS);
	if (!new)
		return NULL;
	new->task = current;
	new->pool = pool;
	new->busy = true;
	spin_lock(&bucket->lock);
	hlist_add_head(&new->node, &bucket->holds);
	spin_unlock(&bucket->lock);
	if (atomic_inc_return(&pool->holds) > MANY_HOLDS)
		fold_grace_kick(pool);
	return new;
}

/**
 * fold_hold_run - hand a frame out, and those behind it that fit
 * @pool: the pool
 * @hold: from fold_hold_begin()
 * @frame: the first; the caller's use of it becomes the hold's
 * @nr: pages that were asked for
 * @fault: for a fault, whose end says that it is over
 *
 * Frames belong to the run as long as the next frame has the next block.
 *
 * Context: Takes a bucket's and the pool's lock.
 * Return: how many pages have been handed out, at least one.
 */
long fold_hold_run(struct fold_pool *pool, struct fold_hold *hold,
		   struct fold_frame *frame, long nr, bool fault)
{
	struct bucket *bucket = bucket_of(current);
	struct fold_frame *next;
	unsigned long irq;
	struct run *run;
	long n;

	nr = min_t(long, nr, pool->nr - fold_frame_index(pool, frame));
	spin_lock(&bucket->lock);
	hold->in_fault |= fault;
	run = hold->in_fault ? hold->fault : hold->copy;
	drop_run(pool, &run[1]);
	run[1] = run[0];
	fold_pool_lock(pool, irq);
	for (n = 1; n < nr; n++) {
		next = frame + n;
		if (next->state != FOLD_CACHED ||
		    next->block != frame->block + n ||
		    (next->flags & FOLD_AHEAD))
			break;
		next->users++;
		if (next->flags & FOLD_MARKED)
			pool->stats[FOLD_RESCUES]++;
		next->flags &= ~FOLD_MARKED;
		next->flags |= FOLD_REFERENCED;
	}
	pool->stats[FOLD_HANDOUTS] += n;
	hold->epoch = pool->epoch;
	fold_pool_unlock(pool, irq);
	run[0].first = fold_frame_index(pool, frame);
	run[0].nr = n;
	hold->busy = false;
	spin_unlock(&bucket->lock);
	return n;
}

/**
 * fold_hold_abort - nothing has been handed out
 * @hold: from fold_hold_begin()
 *
 * Context: Takes a bucket's lock.
 */
void fold_hold_abort(struct fold_hold *hold)
{
	struct bucket *bucket = bucket_of(current);

	spin_lock(&bucket->lock);
	hold->busy = false;
	spin_unlock(&bucket->lock);
}

/**
 * fold_hold_expire - a grace period has passed
 * @pool: the pool
 * @finished: hand-outs of this epoch and before it are over, except in faults
 *
 * Context: Takes the buckets' locks, one at a time, and the pool's in them.
 */
void fold_hold_expire(struct fold_pool *pool, u64 finished)
{
	struct fold_hold *hold;
	struct hlist_node *tmp;
	struct bucket *bucket;

	for (bucket = buckets; bucket < buckets + ARRAY_SIZE(buckets); bucket++) {
		if (hlist_empty(&bucket->holds))
			continue;
		spin_lock(&bucket->lock);
		hlist_for_each_entry_safe(hold, tmp, &bucket->holds, node) {
			if (hold->pool != pool || hold->busy ||
			    hold->in_fault || hold->epoch > finished)
				continue;
			drop_runs(pool, hold->copy);
			hlist_del(&hold->node);
			atomic_dec(&pool->holds);
			kmem_cache_free(hold_cache, hold);
		}
		spin_unlock(&bucket->lock);
	}
}

/*
 * Any DAX fault in the system begins. A task without a hold is in no copy, so
 * there is nothing that the fault could end. Context: the faulting task, with
 * preemption off.
 */
static void probe_fault_begin(void *data, struct inode *inode,
			      struct vm_fault *vmf, int result)
{
	struct bucket *bucket = bucket_of(current);
	struct fold_hold *hold;

	if (hlist_empty(&bucket->holds))
		return;
	spin_lock(&bucket->lock);
	hlist_for_each_entry(hold, &bucket->holds, node)
		if (hold->task == current)
			hold->in_fault = true;
	spin_unlock(&bucket->lock);
}

/* It ends. Context: as above. */
static void probe_fault_done(void *data, struct inode *inode,
			     struct vm_fault *vmf, int result)
{
	struct bucket *bucket = bucket_of(current);
	struct fold_hold *hold;

	if (hlist_empty(&bucket->holds))
		return;
	spin_lock(&bucket->lock);
	hlist_for_each_entry(hold, &bucket->holds, node) {
		if (hold->task != current)
			continue;
		drop_runs(hold->pool, hold->fault);
		hold->in_fault = false;
	}
	spin_unlock(&bucket->lock);
}

static void find_tracepoint(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "dax_pte_fault"))
		fault_begin = tp;
	else if (!strcmp(tp->name, "dax_pte_fault_done"))
		fault_done = tp;
}

/**
 * fold_hold_module_init - at module load
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP on a kernel that does not tell when a
 * DAX fault has ended.
 */
int __init fold_hold_module_init(void)
{
	struct bucket *bucket;
	int err;

	/* The probes are called with what the events' header says. */
	check_trace_callback_type_dax_pte_fault(probe_fault_begin);
	check_trace_callback_type_dax_pte_fault_done(probe_fault_done);
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	if (!fault_begin || !fault_done) {
		DMERR("this kernel has no tracepoint dax_pte_fault_done");
		return -EOPNOTSUPP;
	}
	for (bucket = buckets; bucket < buckets + ARRAY_SIZE(buckets); bucket++)
		spin_lock_init(&bucket->lock);
	hold_cache = KMEM_CACHE(fold_hold, 0);
	if (!hold_cache)
		return -ENOMEM;
	err = tracepoint_probe_register(fault_done, probe_fault_done, NULL);
	if (err)
		goto err_cache;
	err = tracepoint_probe_register(fault_begin, probe_fault_begin, NULL);
	if (err)
		goto err_done;
	return 0;

err_done:
	tracepoint_probe_unregister(fault_done, probe_fault_done, NULL);
	tracepoint_synchronize_unregister();
err_cache:
	kmem_cache_destroy(hold_cache);
	return err;
}

/**
 * fold_hold_module_exit - at module unload; no pool is left, and so no hold
 */
void fold_hold_module_exit(void)
{
	tracepoint_probe_unregister(fault_begin, probe_fault_begin, NULL);
	tracepoint_probe_unregister(fault_done, probe_fault_done, NULL);
	tracepoint_synchronize_unregister();
	kmem_cache_destroy(hold_cache);
}
