// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills: frames are read from the lower device, straight into the pool.
 *
 * Blocks that follow one another and are in no frame are read by one bio, as
 * many as the caller asked for. Whoever asks for a block behind one that is
 * there reads some more ahead. The first page that was read ahead is marked,
 * and when somebody gets to it the next ones are read, without his waiting.
 *
 * A read that fails takes its frames out of the index. So the next one who
 * asks for the block has it read again.
 */
#include <linux/bio.h>
#include <linux/wait_bit.h>

#include "fold.h"

static void fill_end(struct bio *bio)
{
	struct fold_pool *pool = bio->bi_private;
	bool failed = bio->bi_status;
	struct bvec_iter_all iter;
	struct fold_frame *frame;
	struct bio_vec *bvec;
	unsigned long irq;

	bio_for_each_segment_all(bvec, bio, iter) {
		frame = &pool->frames[page_to_pfn(bvec->bv_page) - pool->pfn];
		fold_pool_lock(pool, irq);
		if (!failed && !(frame->flags & FOLD_BROKEN)) {
			pool->nr_cached++;
			pool->stats[FOLD_FILLS]++;
			/* Pairs with get_frame()'s look without the lock. */
			smp_store_release(&frame->state, FOLD_CACHED);
		} else {
			__xa_erase(&pool->blocks, frame->block);
			pool->stats[FOLD_ERRORS] += failed;
			/* As above. */
			smp_store_release(&frame->state, FOLD_FAILED);
			if (!frame->users)
				fold_frame_free(pool, frame);
		}
		fold_pool_unlock(pool, irq);
		/* Whoever waits has looked at the state or sees the new one. */
		smp_mb();
		wake_up_var(&frame->state);
	}
	bio_put(bio);
	if (atomic_dec_and_test(&pool->in_flight))
		wake_up(&pool->idle_wait);
}

/* Read @nr blocks from @frame on, which are chained by ->next. */
static void start(struct fold_pool *pool, struct fold_frame *frame, u32 nr,
		  blk_opf_t flags)
{
	struct bio *bio;

	bio = bio_alloc(pool->lower, nr, REQ_OP_READ | flags, GFP_NOIO);
	bio->bi_iter.bi_sector = (sector_t)frame->block << PAGE_SECTORS_SHIFT;
	bio->bi_private = pool;
	bio->bi_end_io = fill_end;
	for (;;) {
		__bio_add_page(bio, fold_frame_page(pool, frame), PAGE_SIZE, 0);
		if (frame->next == FOLD_NO_FRAME)
			break;
		frame = &pool->frames[frame->next];
	}
	atomic_inc(&pool->in_flight);
	submit_bio(bio);
}

/*
 * Take frames for the blocks behind @frame that are in none, until there are
 * @nr of them. Reading ahead leaves the reserve alone. Under the pool's lock.
 */
static u32 take_more(struct fold_pool *pool, struct fold_frame *frame, u32 nr,
		     u32 ahead)
{
	unsigned long block = frame->block;
	struct fold_frame *next;
	u32 n;

	for (n = 1; n < nr + ahead; n++) {
		if (block + n >= pool->blocks_end ||
		    pool->nr_free <= (n < nr ? pool->low / 2 : pool->reserve) ||
		    fold_frame_find(pool, block + n))
			break;
		next = fold_frame_take(pool, block + n,
				       GFP_NOWAIT | __GFP_NOWARN);
		if (!next)
			break;
		frame->next = fold_frame_index(pool, next);
		frame = next;
		if (n >= nr)
			pool->stats[FOLD_READ_AHEAD]++;
		if (n == nr)
			frame->flags |= FOLD_AHEAD;
	}
	return n;
}

/**
 * fold_fill - start to read a block that is in no frame
 * @pool: the pool
 * @block: in pages
 * @nr: read as many, if they are not there and there are frames for them
 * @ahead: and some more
 *
 * Context: May sleep for a free frame, up to the pool's patience, and for the
 * lower device's queue. Takes the pool's lock.
 * Return: the frame, with a user more, being filled; ERR_PTR(-EAGAIN) if somebody
 * else was faster; or the error of fold_frame_wait().
 */
struct fold_frame *fold_fill(struct fold_pool *pool, unsigned long block,
			     u32 nr, u32 ahead)
{
	unsigned long deadline = jiffies + pool->patience;
	struct fold_frame *frame;
	bool waited = false;
	unsigned long irq;
	int err;

	/* So that the index has room when the lock is held. */
	err = xa_reserve_irq(&pool->blocks, block, GFP_NOIO);
	if (err)
		return ERR_PTR(err);
	nr = min(nr, FOLD_MAX_RUN);
	ahead = min(ahead, FOLD_MAX_RUN - nr);
	for (;;) {
		fold_pool_lock(pool, irq);
		if (fold_frame_find(pool, block)) {
			fold_pool_unlock(pool, irq);
			return ERR_PTR(-EAGAIN);
		}
		if (pool->nr_free)
			break;
		if (!waited)
			pool->stats[FOLD_WAITS]++;
		waited = true;
		fold_pool_unlock(pool, irq);

		err = fold_frame_wait(pool, deadline);
		if (!err)
			continue;
		/* xa_release(), where interrupts take the lock as well */
		xa_cmpxchg_irq(&pool->blocks, block, XA_ZERO_ENTRY, NULL, 0);
		if (err == -ENOMEM) {
			fold_pool_lock(pool, irq);
			pool->stats[FOLD_TIMEOUTS]++;
			fold_pool_unlock(pool, irq);
			DMWARN_LIMIT("%s: no frame became free in %u ms: all are in use or pinned",
				     pool->name,
				     jiffies_to_msecs(pool->patience));
		}
		return ERR_PTR(err);
	}
	frame = fold_frame_take(pool, block, GFP_ATOMIC | __GFP_NOWARN);
	if (!frame) {
		fold_pool_unlock(pool, irq);
		return ERR_PTR(-ENOMEM);
	}
	frame->users = 1;
	nr = take_more(pool, frame, nr, ahead);
	fold_pool_unlock(pool, irq);

	if (READ_ONCE(pool->nr_free) < pool->low)
		fold_evict_kick(pool);
	start(pool, frame, nr, 0);
	return frame;
}

/**
 * fold_fill_ahead - somebody has got to what was read ahead
 * @pool: the pool
 * @block: where he is, in pages
 *
 * Reads the next blocks, unless that would need the last free frames.
 *
 * Context: May sleep for the lower device's queue. Takes the pool's lock.
 */
void fold_fill_ahead(struct fold_pool *pool, unsigned long block)
{
	unsigned long end = block + 2 * pool->readahead;
	struct fold_frame *frame = NULL;
	unsigned long irq;
	u32 nr = 0;

	fold_pool_lock(pool, irq);
	while (++block < end && fold_frame_find(pool, block))
		;
	if (block < end && block < pool->blocks_end &&
	    pool->nr_free > pool->reserve)
		frame = fold_frame_take(pool, block, GFP_NOWAIT | __GFP_NOWARN);
	if (frame) {
		frame->flags |= FOLD_AHEAD;
		pool->stats[FOLD_READ_AHEAD]++;
		nr = take_more(pool, frame, 0, pool->readahead);
	}
	fold_pool_unlock(pool, irq);
	if (frame)
		start(pool, frame, nr, REQ_RAHEAD);
}
