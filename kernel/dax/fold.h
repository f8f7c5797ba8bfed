/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-fold: a block device that supports DAX and caches in RAM the device that
 * it fronts. With XFS, reflink and DAX on top there is one copy of each block
 * in memory, whoever maps it through whichever clone. Experimental.
 *
 *	main.c		the module's beginning and end
 *	target.c	what the device mapper sees: tables, bios, status, messages
 *	pool.c		the pmem device whose pages are the frames
 *	frame.c		frames: which block is in which, who gets a free one
 *	fill.c		frames are read from the lower device
 *	hold.c		what has been handed out and may still be looked at
 *	evict.c		CLOCK: which frame goes, and when it is really free
 *	shoot.c		a frame's entries leave the files that show it
 *
 * A frame is a page of the pool. It is found by the lower block that is in it.
 * The filesystem above asks for a block with ->direct_access and gets the
 * frame's address: that is a hand-out. Nobody tells when it is done with it,
 * so three things say together that a frame is idle, and only an idle frame is
 * given another block:
 *
 *	users		counts fills that are waited for and hand-outs that may
 *			still be in use (hold.c says how these are known to end)
 *	page->mapping	is set while some file's DAX entry shows the page, and
 *			PTEs exist only below an entry
 *	page count	is above 1 while somebody has pinned the page
 *
 * Locks: a hold's bucket, then the pool's lock, which is the xa_lock of
 * pool->blocks and is taken in the interrupts of fills. Neither is held over
 * anything that sleeps. pool->shoot_lock is above both; what shoot.c takes then
 * is only tried, but for locks that nobody keeps.
 */
#ifndef FOLDFS_DAX_FOLD_H
#define FOLDFS_DAX_FOLD_H

#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/device-mapper.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#define DM_MSG_PREFIX "fold"

/* The longest run of pages that one hand-out or one fill covers. */
#define FOLD_MAX_RUN	256U

enum fold_frame_state {
	FOLD_FREE,
	FOLD_FILLING,	/* its block is being read */
	FOLD_CACHED,
	FOLD_FAILED,	/* the read failed; those who waited have yet to see it */
	FOLD_RETIRED,	/* the memory is broken, never used again */
};

/* Bits of fold_frame.flags. */
#define FOLD_REFERENCED	BIT(0)	/* handed out since the hand passed */
#define FOLD_MARKED	BIT(1)	/* to be evicted, unless it is handed out */
#define FOLD_AHEAD	BIT(2)	/* whoever gets here is reading on */
#define FOLD_BROKEN	BIT(3)	/* its memory failed while it was filled */

/**
 * struct fold_frame - one page of the pool
 *
 * All of it is protected by the pool's lock, except that @state and @flags are
 * looked at without it where a wrong answer does no harm.
 *
 * @block: the lower block that is in it, in pages
 * @users: see the top of this file
 * @next: index of the next frame of a fill, while it is being filled, or of
 *	the evictor's batch while it is cached
 * @state: enum fold_frame_state
 * @flags: FOLD_REFERENCED and so on
 */
struct fold_frame {
	unsigned long	block;
	u32		users;
	u32		next;
	u8		state;
	u8		flags;
};

#define FOLD_NO_FRAME	U32_MAX

/* What status shows; docs/dax.md says what each means. */
enum fold_dax_counter {
	FOLD_HANDOUTS,
	FOLD_FILLS,
	FOLD_READ_AHEAD,
	FOLD_EVICTIONS,
	FOLD_RESCUES,
	FOLD_SHOOTDOWNS,
	FOLD_BUSY,
	FOLD_WAITS,
	FOLD_TIMEOUTS,
	FOLD_ERRORS,
	FOLD_NR_COUNTERS
};

/**
 * struct fold_pool - the frames of one table
 *
 * Immutable from fold_pool_open() on:
 * @file: the pool's device, opened exclusively
 * @dax: its DAX device, of which the pool is the holder
 * @token: a DAX device of our own that is never alive: see fold_grace_work()
 * @addr: the first frame's address
 * @pfn: the first frame's page number
 * @nr: frames
 * @frames: all of them
 * @low: fewer free frames than these, and the evictor begins
 * @high: as many, and it ends
 * @reserve: the last free frames, which reading ahead does not take
 * @max_run: pages of one hand-out, at most
 *
 * Immutable once the table is there:
 * @lower: where blocks come from
 * @blocks_end: lower blocks, in pages
 * @disk: the mapped device, for finding the filesystem on it
 * @name: the mapped device's, for messages
 * @readahead: pages
 * @patience: how long somebody waits for a free frame, in jiffies
 *
 * Under the pool's lock:
 * @blocks: lower block -> frame index; its xa_lock is the pool's lock
 * @free: a bit for each free frame
 * @nr_free: bits in it
 * @nr_cached: frames that hold a block
 * @nr_retired: frames that are out of service
 * @next_free: where the search for a free frame begins
 * @hand: CLOCK's
 * @epoch: grace periods that have begun
 * @stats: counters
 *
 * @finished: the last epoch whose grace period has ended; written by the grace
 *	worker only
 * @in_flight: fills whose bios have not come back
 * @holds: fold_holds that belong to the pool
 * @waiting: who waits for a free frame, or is about to
 * @dead: no more hand-outs; set once
 * @removed: the pool's device and its page structures have gone; set once
 * @evicting: the evictor is at work, so grace periods follow one another;
 *	written by it only
 * @sweep: the evictor is to drop all it can, once
 * @frame_wait: those who wait for a free frame
 * @idle_wait: who waits for @in_flight or @finished
 * @shoot_lock: held over an eviction's round and over a shoot-down
 * @evict_work: the evictor
 * @grace_work: grace periods of the DAX core
 * @linger_work: waits for the last page of a pool whose table has gone
 */
struct fold_pool {
	struct file		*file;
	struct dax_device	*dax;
	struct dax_device	*token;
	void			*addr;
	unsigned long		pfn;
	u32			nr;
	struct fold_frame	*frames;
	u32			low;
	u32			high;
	u32			reserve;
	u32			max_run;

	struct block_device	*lower;
	unsigned long		blocks_end;
	struct gendisk		*disk;
	char			name[32];
	u32			readahead;
	unsigned long		patience;

	struct xarray		blocks;
	unsigned long		*free;
	u32			nr_free;
	u32			nr_cached;
	u32			nr_retired;
	u32			next_free;
	u32			hand;
	u64			epoch;
	u64			stats[FOLD_NR_COUNTERS];

	u64			finished;
	atomic_t		in_flight;
	atomic_t		holds;
	atomic_t		waiting;
	bool			dead;
	bool			removed;
	bool			evicting;
	bool			sweep;
	wait_queue_head_t	frame_wait;
	wait_queue_head_t	idle_wait;
	struct mutex		shoot_lock;
	struct work_struct	evict_work;
	struct work_struct	grace_work;
	struct delayed_work	linger_work;
};

static inline u32 fold_frame_index(const struct fold_pool *pool,
				   const struct fold_frame *frame)
{
	return frame - pool->frames;
}

static inline struct page *fold_frame_page(const struct fold_pool *pool,
					   const struct fold_frame *frame)
{
	return pfn_to_page(pool->pfn + fold_frame_index(pool, frame));
}

static inline void *fold_frame_addr(const struct fold_pool *pool,
				    const struct fold_frame *frame)
{
	return pool->addr +
		((unsigned long)fold_frame_index(pool, frame) << PAGE_SHIFT);
}

#define fold_pool_lock(pool, irq)	xa_lock_irqsave(&(pool)->blocks, irq)
#define fold_pool_unlock(pool, irq)	xa_unlock_irqrestore(&(pool)->blocks, irq)
#define fold_pool_assert(pool)		lockdep_assert_held(&(pool)->blocks.xa_lock)

/* pool.c */
struct fold_pool *fold_pool_open(const char *path, char **error);
void fold_pool_release(struct fold_pool *pool);
void fold_pool_close(struct fold_pool *pool);

/* frame.c */
struct fold_frame *fold_frame_find(struct fold_pool *pool, unsigned long block);
struct fold_frame *fold_frame_take(struct fold_pool *pool, unsigned long block,
				   gfp_t gfp);
void fold_frame_free(struct fold_pool *pool, struct fold_frame *frame);
void fold_frame_put(struct fold_pool *pool, struct fold_frame *frame);
int fold_frame_wait(struct fold_pool *pool, unsigned long deadline);
bool fold_frame_idle(const struct fold_pool *pool,
		     const struct fold_frame *frame);
int fold_frame_retire(struct fold_pool *pool, u32 first, u32 nr);
long fold_hand_out(struct fold_pool *pool, unsigned long block, long nr,
		   void **kaddr, pfn_t *pfn);

/* fill.c */
struct fold_frame *fold_fill(struct fold_pool *pool, unsigned long block,
			     u32 nr, u32 ahead);
void fold_fill_ahead(struct fold_pool *pool, unsigned long block);

/* hold.c */
struct fold_hold;
int fold_hold_module_init(void);
void fold_hold_module_exit(void);
struct fold_hold *fold_hold_begin(struct fold_pool *pool);
long fold_hold_run(struct fold_pool *pool, struct fold_hold *hold,
		   struct fold_frame *frame, long nr, bool fault);
void fold_hold_abort(struct fold_hold *hold);
void fold_hold_expire(struct fold_pool *pool, u64 finished);

/* evict.c */
int fold_evict_module_init(void);
void fold_evict_module_exit(void);
void fold_evict_init(struct fold_pool *pool);
void fold_evict_kick(struct fold_pool *pool);
void fold_evict_all(struct fold_pool *pool);
bool fold_evict_drain(struct fold_pool *pool);
void fold_grace_kick(struct fold_pool *pool);
void fold_linger(struct fold_pool *pool);

/* shoot.c */
bool fold_shoot(struct fold_pool *pool);

/* target.c */
int fold_target_init(void);
void fold_target_exit(void);

#endif
