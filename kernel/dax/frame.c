// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames: which block is in which, and who gets a free one.
 *
 *	free -> filling -> cached -> free		read, handed out, evicted
 *		filling -> failed -> free		the lower device said no
 *	any -> retired					its memory is broken
 *
 * A block is in pool->blocks from the moment that its frame begins to be filled
 * until it is evicted, failed or retired, so two who ask for it at the same
 * time wait for one fill.
 */
#include <linux/pfn_t.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

#include "daxentry.h"
#include "fold.h"

/**
 * fold_frame_find - the frame that a block is in
 * @pool: the pool
 * @block: in pages
 *
 * Context: Under the pool's lock.
 * Return: the frame, being filled or cached, or NULL.
 */
struct fold_frame *fold_frame_find(struct fold_pool *pool, unsigned long block)
{
	void *entry;

	fold_pool_assert(pool);
	entry = xa_load(&pool->blocks, block);
	return entry ? &pool->frames[xa_to_value(entry)] : NULL;
}

/**
 * fold_frame_take - take a free frame for a block that is in none
 * @pool: the pool, with a free frame
 * @block: in pages
 * @gfp: for the index; it must not sleep
 *
 * The search goes on where the last one ended, so that blocks in a row get
 * frames in a row as long as there are such.
 *
 * Context: Under the pool's lock.
 * Return: the frame, in the index and about to be filled; NULL without memory.
 */
struct fold_frame *fold_frame_take(struct fold_pool *pool, unsigned long block,
				   gfp_t gfp)
{
	struct fold_frame *frame;
	unsigned long n;

	fold_pool_assert(pool);
	n = find_next_bit(pool->free, pool->nr, pool->next_free);
	if (n >= pool->nr)
		n = find_first_bit(pool->free, pool->nr);
	frame = &pool->frames[n];
	if (xa_is_err(__xa_store(&pool->blocks, block, xa_mk_value(n), gfp)))
		return NULL;
	__clear_bit(n, pool->free);
	pool->nr_free--;
	pool->next_free = n + 1;
	frame->block = block;
	frame->users = 0;
	frame->next = FOLD_NO_FRAME;
	frame->state = FOLD_FILLING;
	frame->flags = 0;
	return frame;
}

/**
 * fold_frame_free - nobody looks at a frame any more
 * @pool: the pool
 * @frame: in no index, without users
 *
 * Context: Under the pool's lock. Who waits for a frame is woken.
 */
void fold_frame_free(struct fold_pool *pool, struct fold_frame *frame)
{
	fold_pool_assert(pool);
	if (frame->flags & FOLD_BROKEN) {
		frame->state = FOLD_RETIRED;
		pool->nr_retired++;
		return;
	}
	frame->state = FOLD_FREE;
	frame->flags = 0;
	__set_bit(fold_frame_index(pool, frame), pool->free);
	pool->nr_free++;
	wake_up(&pool->frame_wait);
}

/**
 * fold_frame_put - a use of a frame ends
 * @pool: the pool
 * @frame: with users
 *
 * Context: Under the pool's lock.
 */
void fold_frame_put(struct fold_pool *pool, struct fold_frame *frame)
{
	fold_pool_assert(pool);
	if (!--frame->users && frame->state == FOLD_FAILED)
		fold_frame_free(pool, frame);
}

/**
 * fold_frame_idle - may a frame without users get another block?
 * @pool: the pool
 * @frame: any
 *
 * Return: true if no file shows it and nobody has pinned it.
 */
bool fold_frame_idle(const struct fold_pool *pool,
		     const struct fold_frame *frame)
{
	struct page *page = fold_frame_page(pool, frame);

	return !fold_dax_page_shown(page) && !fold_dax_page_pinned(page);
}

/**
 * fold_frame_wait - wait until some frame is free
 * @pool: the pool
 * @deadline: jiffies
 *
 * Context: Sleeps until the evictor has freed one, at most until the deadline.
 * Return: 0; -EINTR for who is being killed; -ENXIO if the pool is going; -ENOMEM
 * if no frame became free in time. A fault that gets that is tried again.
 */
int fold_frame_wait(struct fold_pool *pool, unsigned long deadline)
{
	long left = deadline - jiffies;

	atomic_inc(&pool->waiting);
	fold_evict_kick(pool);
	if (left > 0)
		left = wait_event_killable_timeout(pool->frame_wait,
						   READ_ONCE(pool->nr_free) ||
						   READ_ONCE(pool->dead),
						   left);
	atomic_dec(&pool->waiting);
	if (READ_ONCE(pool->dead))
		return -ENXIO;
	if (left == -ERESTARTSYS)
		return -EINTR;
	return left > 0 ? 0 : -ENOMEM;
}

/**
 * fold_frame_retire - frames' memory has failed
 * @pool: the pool
 * @first: index of the first frame
 * @nr: how many
 *
 * Their blocks are read again, into other frames, when somebody asks for them:
 * there is nothing in a frame that the lower device does not have.
 *
 * Context: May sleep. Takes shoot_lock, the pool's lock, and what fold_shoot()
 * takes.
 * Return: 0, or -EBUSY if some file may still show one.
 */
int fold_frame_retire(struct fold_pool *pool, u32 first, u32 nr)
{
	struct fold_frame *frame;
	unsigned long irq;
	int err = 0;
	u32 i;

	for (i = first; i < first + nr; i++) {
		frame = &pool->frames[i];
		fold_pool_lock(pool, irq);
		switch (frame->state) {
		case FOLD_FREE:
			__clear_bit(i, pool->free);
			pool->nr_free--;
			frame->state = FOLD_RETIRED;
			pool->nr_retired++;
			break;
		case FOLD_CACHED:
			__xa_erase(&pool->blocks, frame->block);
			pool->nr_cached--;
			frame->state = FOLD_RETIRED;
			pool->nr_retired++;
			break;
		case FOLD_FILLING:
		case FOLD_FAILED:
			frame->flags |= FOLD_BROKEN;
			break;
		}
		/* For fold_shoot(), in all states. */
		frame->flags |= FOLD_MARKED;
		fold_pool_unlock(pool, irq);
	}
	mutex_lock(&pool->shoot_lock);
	fold_shoot(pool);
	mutex_unlock(&pool->shoot_lock);
	for (i = first; i < first + nr; i++)
		if (fold_dax_page_shown(pfn_to_page(pool->pfn + i)))
			err = -EBUSY;
	return err;
}

/* Reads of one block that fail, others' included, before somebody gives up. */
#define TRIES	4

static bool filled(struct fold_frame *frame)
{
	/* Its bytes are there once its state says so: fill_end(). */
	return smp_load_acquire(&frame->state) != FOLD_FILLING;
}

/*
 * The cached frame that has @block, with one more user. A block that is in none
 * is read, and up to @nr behind it; when that fails it is read alone, since it
 * may be another one that is bad.
 */
static struct fold_frame *get_frame(struct fold_pool *pool, unsigned long block,
				    u32 nr)
{
	struct fold_frame *frame;
	bool alone, own;
	unsigned long irq;
	u32 ahead = 0;
	u8 state;
	int tries;
	int err;

	for (tries = 0; tries < TRIES; tries++) {
		alone = tries;
		fold_pool_lock(pool, irq);
		frame = fold_frame_find(pool, block);
		if (frame) {
			frame->users++;
			state = frame->state;
		} else if (!alone && block) {
			/* Who has the block before may be reading on. */
			ahead = fold_frame_find(pool, block - 1) ?
				pool->readahead : 0;
		}
		fold_pool_unlock(pool, irq);

		own = !frame;
		if (own) {
			frame = fold_fill(pool, block, alone ? 1 : nr,
					  alone ? 0 : ahead);
			if (frame == ERR_PTR(-EAGAIN)) {
				tries--;
				continue;
			}
			if (IS_ERR(frame))
				return frame;
			state = FOLD_FILLING;
		}
		if (state == FOLD_CACHED)
			return frame;

		err = wait_var_event_killable(&frame->state, filled(frame));
		if (!err && frame->state == FOLD_CACHED)
			return frame;

		fold_pool_lock(pool, irq);
		fold_frame_put(pool, frame);
		fold_pool_unlock(pool, irq);
		if (err)
			return ERR_PTR(-EINTR);
		if (own && alone)
			break;
	}
	return ERR_PTR(-EIO);
}

/**
 * fold_hand_out - the answer to ->direct_access
 * @pool: the pool
 * @block: in pages
 * @nr: pages that are wanted, at least 1
 * @kaddr: set to where they are, unless NULL
 * @pfn: set to their number, unless NULL; then this is a fault
 *
 * A run of frames may be shorter than what was asked for. That is right for
 * whoever reads, who comes back for the rest. A copy-on-write does not
 * (dax_iomap_copy_around() takes the first answer for all of it), and that is
 * why tables are read-only.
 *
 * Context: May sleep for the lower device's read, and up to @patience for a
 * free frame. The caller is inside the DAX core's SRCU, the device mapper's,
 * and in a fault holds the file's invalidate_lock.
 * Return: pages, at least 1; -EOPNOTSUPP for a huge page; -EIO if the block
 * cannot be read; -ENOMEM, -EINTR, -ENXIO as fold_frame_wait().
 */
long fold_hand_out(struct fold_pool *pool, unsigned long block, long nr,
		   void **kaddr, pfn_t *pfn)
{
	struct fold_frame *frame;
	struct fold_hold *hold;
	unsigned long irq;
	bool ahead;
	long n;

	/* Frames are single pages; the kernel then asks for one. */
	if (pfn && nr > 1)
		return -EOPNOTSUPP;
	if (block >= pool->blocks_end)
		return -ERANGE;
	if (READ_ONCE(pool->dead))
		return -ENXIO;
	nr = min_t(unsigned long, nr, pool->blocks_end - block);
	nr = clamp_t(long, nr, 1, pool->max_run);

	hold = fold_hold_begin(pool);
	if (!hold)
		return -ENOMEM;
	frame = get_frame(pool, block, nr);
	if (IS_ERR(frame)) {
		fold_hold_abort(hold);
		return PTR_ERR(frame);
	}

	fold_pool_lock(pool, irq);
	ahead = frame->flags & FOLD_AHEAD;
	if (frame->flags & FOLD_MARKED)
		pool->stats[FOLD_RESCUES]++;
	frame->flags &= ~(FOLD_AHEAD | FOLD_MARKED);
	frame->flags |= FOLD_REFERENCED;
	fold_pool_unlock(pool, irq);

	if (kaddr)
		*kaddr = fold_frame_addr(pool, frame);
	if (pfn)
		*pfn = phys_to_pfn_t(PFN_PHYS(pool->pfn +
					      fold_frame_index(pool, frame)),
				     PFN_DEV | PFN_MAP);
	n = fold_hold_run(pool, hold, frame, nr, pfn);
	if (ahead)
		fold_fill_ahead(pool, block);
	return n;
}
