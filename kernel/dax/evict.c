// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eviction: which frame goes, and when it is really free.
 *
 * One evictor for each pool, a worker. It begins when fewer than pool->low
 * frames are free and ends when pool->high are. In rounds, it
 *
 *	1. marks frames that nobody uses, as CLOCK's hand finds them;
 *	2. has the entries of those that some file shows taken out of the files,
 *	   PTEs first (shoot.c);
 *	3. frees those that are still marked, unused, shown by nobody, not pinned.
 *
 * A hand-out takes the mark away, at any time: that frame is rescued. It is
 * handed out again whenever it is mapped again, since a fault asks first. So
 * what is marked in step 3 has not been asked for since step 1, what had been
 * asked for before was over by then (frames with users are not marked), and
 * what was shown has been shot down.
 *
 * The accessed bits of PTEs are out of reach. So a frame that is mapped and in
 * use looks unused, is shot down, and comes back with its next touch, at
 * the cost of a fault; if that is before step 3 then without a read.
 *
 * Nothing here waits for those who wait for frames. They may hold the DAX
 * core's SRCU, the table's, a file's invalidate_lock and its entry's lock. That
 * is why frames that have been copied from become unused by grace periods which
 * follow one another while memory is short, instead of by one that somebody
 * waits for.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "daxentry.h"
#include "fold.h"

/* Frames of one round: each round looks at all files' entries. */
#define BATCH_MIN	64U
#define BATCH_MAX	16384U

/* Frames that are looked at with the lock held once. */
#define LOOKED_AT	256U

static struct workqueue_struct *evict_wq __ro_after_init;

/* Chain up to @want frames that may go; the chain's first frame or NULL. */
static struct fold_frame *choose(struct fold_pool *pool, u32 want, bool all)
{
	struct fold_frame *chain = NULL, *frame;
	u64 look = 2ULL * pool->nr;
	unsigned long irq;
	u32 i;

	while (want && look) {
		fold_pool_lock(pool, irq);
		for (i = 0; i < LOOKED_AT && want && look; i++, look--) {
			frame = &pool->frames[pool->hand];
			if (++pool->hand == pool->nr)
				pool->hand = 0;
			if (frame->state != FOLD_CACHED || frame->users ||
			    (frame->flags & FOLD_MARKED))
				continue;
			if ((frame->flags & FOLD_REFERENCED) && !all) {
				frame->flags &= ~FOLD_REFERENCED;
				continue;
			}
			frame->flags |= FOLD_MARKED;
			frame->next = chain ? fold_frame_index(pool, chain) :
					      FOLD_NO_FRAME;
			chain = frame;
			want--;
		}
		fold_pool_unlock(pool, irq);
		cond_resched();
	}
	return chain;
}

static bool any_shown(const struct fold_pool *pool,
		      const struct fold_frame *frame)
{
	for (;;) {
		if (fold_dax_page_shown(fold_frame_page(pool, frame)))
			return true;
		if (frame->next == FOLD_NO_FRAME)
			return false;
		frame = &pool->frames[frame->next];
	}
}

/* Free what may go, in a chain from choose(); how many those were. */
static u32 finish(struct fold_pool *pool, struct fold_frame *frame)
{
	u32 freed = 0, i = 0, next;
	unsigned long irq;

	fold_pool_lock(pool, irq);
	for (;;) {
		next = frame->next;
		if (frame->state == FOLD_CACHED &&
		    (frame->flags & FOLD_MARKED)) {
			frame->flags &= ~FOLD_MARKED;
			if (!frame->users && fold_frame_idle(pool, frame)) {
				__xa_erase(&pool->blocks, frame->block);
				pool->nr_cached--;
				pool->stats[FOLD_EVICTIONS]++;
				fold_frame_free(pool, frame);
				freed++;
			} else {
				/* Not the next one to be tried. */
				frame->flags |= FOLD_REFERENCED;
				pool->stats[FOLD_BUSY]++;
			}
		}
		if (next == FOLD_NO_FRAME)
			break;
		frame = &pool->frames[next];
		if (++i % LOOKED_AT)
			continue;
		fold_pool_unlock(pool, irq);
		cond_resched();
		fold_pool_lock(pool, irq);
	}
	fold_pool_unlock(pool, irq);
	return freed;
}

static u32 evict_round(struct fold_pool *pool, u32 want, bool all)
{
	struct fold_frame *chain;
	u32 freed = 0;

	mutex_lock(&pool->shoot_lock);
	chain = choose(pool, want, all);
	if (chain) {
		if (any_shown(pool, chain))
			fold_shoot(pool);
		freed = finish(pool, chain);
	}
	mutex_unlock(&pool->shoot_lock);
	return freed;
}

static void fold_evict_work(struct work_struct *work)
{
	struct fold_pool *pool = container_of(work, struct fold_pool,
					      evict_work);
	u64 finished;
	u32 want;

	WRITE_ONCE(pool->evicting, true);
	fold_grace_kick(pool);
	if (READ_ONCE(pool->sweep)) {
		WRITE_ONCE(pool->sweep, false);
		evict_round(pool, pool->nr, true);
	}
	while (!READ_ONCE(pool->dead)) {
		want = READ_ONCE(pool->nr_free);
		if (want >= pool->high)
			break;
		want = max(pool->high - want, BATCH_MIN);
		finished = READ_ONCE(pool->finished);
		if (evict_round(pool, min(want, BATCH_MAX), false))
			continue;
		/* All are in use. Nobody waits: let it rest. */
		if (!atomic_read(&pool->waiting))
			break;
		/* What was copied from is unused after a grace period. */
		wait_event_timeout(pool->idle_wait,
				   READ_ONCE(pool->dead) ||
				   READ_ONCE(pool->finished) != finished,
				   msecs_to_jiffies(20));
	}
	WRITE_ONCE(pool->evicting, false);
	wake_up_all(&pool->idle_wait);
}

/*
 * synchronize_srcu() for the DAX core's own SRCU, which is not exported:
 * kill_dax() of a device that nobody uses waits for it and does nothing else.
 */
static void fold_grace_work(struct work_struct *work)
{
	struct fold_pool *pool = container_of(work, struct fold_pool,
					      grace_work);
	unsigned long irq;
	u64 epoch;

	fold_pool_lock(pool, irq);
	epoch = pool->epoch++;
	fold_pool_unlock(pool, irq);
	kill_dax(pool->token);
	fold_hold_expire(pool, epoch);
	WRITE_ONCE(pool->finished, epoch);
	wake_up_all(&pool->idle_wait);
	if (READ_ONCE(pool->evicting) && !READ_ONCE(pool->dead))
		fold_grace_kick(pool);
}

/**
 * fold_evict_kick - frames are short
 * @pool: the pool
 *
 * Context: Any.
 */
void fold_evict_kick(struct fold_pool *pool)
{
	if (!READ_ONCE(pool->dead))
		queue_work(evict_wq, &pool->evict_work);
}

/**
 * fold_grace_kick - there are holds that may be over
 * @pool: the pool
 *
 * Context: Any.
 */
void fold_grace_kick(struct fold_pool *pool)
{
	queue_work(evict_wq, &pool->grace_work);
}

/**
 * fold_evict_all - drop what is cached and can be dropped
 * @pool: the pool
 *
 * Context: Sleeps until the evictor has looked at each frame once, after a
 * grace period.
 */
void fold_evict_all(struct fold_pool *pool)
{
	flush_work(&pool->grace_work);
	fold_grace_kick(pool);
	flush_work(&pool->grace_work);
	WRITE_ONCE(pool->sweep, true);
	fold_evict_kick(pool);
	flush_work(&pool->evict_work);
}

/* Does nobody look at any frame any more, and never will? */
static bool all_idle(struct fold_pool *pool)
{
	struct fold_frame *frame;
	u32 i;

	if (atomic_read(&pool->holds))
		return false;
	if (READ_ONCE(pool->removed))
		return true;
	for (i = 0; i < pool->nr; i++) {
		frame = &pool->frames[i];
		if (READ_ONCE(frame->users) || !fold_frame_idle(pool, frame))
			return false;
		if (!(i % LOOKED_AT))
			cond_resched();
	}
	return true;
}

/**
 * fold_evict_drain - the table goes
 * @pool: the pool, of which nothing is handed out any more
 *
 * The device mapper lets a table be replaced below a mounted filesystem. Its
 * files' entries for this pool are shot down then.
 *
 * Context: Sleeps until the fills are over, and some seconds if pages are
 * pinned or the filesystem is locked.
 * Return: true if nobody looks at any frame any more.
 */
bool fold_evict_drain(struct fold_pool *pool)
{
	unsigned long irq;
	int tries;
	u32 i;

	WRITE_ONCE(pool->dead, true);
	wake_up_all(&pool->frame_wait);
	wake_up_all(&pool->idle_wait);
	wait_event(pool->idle_wait, !atomic_read(&pool->in_flight));
	cancel_work_sync(&pool->evict_work);
	cancel_work_sync(&pool->grace_work);

	for (tries = 0; tries < 200; tries++) {
		kill_dax(pool->token);
		fold_hold_expire(pool, U64_MAX);
		if (all_idle(pool))
			return true;
		for (i = 0; i < pool->nr; i++) {
			fold_pool_lock(pool, irq);
			pool->frames[i].flags |= FOLD_MARKED;
			fold_pool_unlock(pool, irq);
		}
		mutex_lock(&pool->shoot_lock);
		fold_shoot(pool);
		mutex_unlock(&pool->shoot_lock);
		if (tries)
			msleep(20);
	}
	return false;
}

static void fold_linger_work(struct work_struct *work)
{
	struct fold_pool *pool = container_of(work, struct fold_pool,
					      linger_work.work);

	fold_hold_expire(pool, U64_MAX);
	if (!all_idle(pool)) {
		queue_delayed_work(evict_wq, &pool->linger_work, HZ);
		return;
	}
	DMINFO("%s: the last page of its pool has been let go", pool->name);
	fold_pool_release(pool);
	/* The module's end waits for this workqueue. */
	module_put(THIS_MODULE);
}

/**
 * fold_linger - keep a pool until the last of its pages has been let go
 * @pool: the pool, after a fold_evict_drain() that returned false
 *
 * The pool's device stays claimed, so nobody else writes to pages that somebody
 * has still pinned or mapped; and so does the module.
 */
void fold_linger(struct fold_pool *pool)
{
	DMWARN("%s: its pool stays in use until the last page has been let go",
	       pool->name);
	pool->disk = NULL;
	__module_get(THIS_MODULE);
	queue_delayed_work(evict_wq, &pool->linger_work, HZ);
}

/**
 * fold_evict_init - before the first hand-out
 * @pool: the pool
 */
void fold_evict_init(struct fold_pool *pool)
{
	INIT_WORK(&pool->evict_work, fold_evict_work);
	INIT_WORK(&pool->grace_work, fold_grace_work);
	INIT_DELAYED_WORK(&pool->linger_work, fold_linger_work);
}

/**
 * fold_evict_module_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_evict_module_init(void)
{
	/* Reclaim may write through a filesystem that waits for a frame. */
	evict_wq = alloc_workqueue("dm_fold", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return evict_wq ? 0 : -ENOMEM;
}

/**
 * fold_evict_module_exit - at module unload; no pool is left
 */
void fold_evict_module_exit(void)
{
	destroy_workqueue(evict_wq);
}
