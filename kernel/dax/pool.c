// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: a pmem device whose pages are the frames.
 *
 * It has to be device memory with page structures, since the kernel's DAX and
 * get_user_pages() know no other; with memmap= any machine has such. The pool
 * belongs to one table as long as that exists. So the device is opened by itself,
 * and not through the device mapper, which lets all its tables share what one of
 * them has claimed.
 */
#include <linux/file.h>
#include <linux/pfn_t.h>
#include <linux/vmalloc.h>

#include "daxentry.h"
#include "fold.h"

/* Below this there are not enough frames for those who use some at once. */
#define FRAMES_MIN	256

static int notify_failure(struct dax_device *dax, u64 offset, u64 len,
			  int flags)
{
	struct fold_pool *pool = dax_holder(dax);
	u64 end;
	int err;

	if (!pool)
		return -ENXIO;
	if (flags & MF_MEM_PRE_REMOVE) {
		DMERR("%s: its pool is being taken away", pool->name);
		WRITE_ONCE(pool->dead, true);
		wake_up_all(&pool->frame_wait);
		wake_up_all(&pool->idle_wait);
		cancel_work_sync(&pool->evict_work);
		wait_event(pool->idle_wait, !atomic_read(&pool->in_flight));
		err = fold_frame_retire(pool, 0, pool->nr);
		WRITE_ONCE(pool->removed, true);
		return err;
	}
	end = min_t(u64, (u64)pool->nr << PAGE_SHIFT, offset + len);
	if (offset >= end)
		return -ENXIO;
	DMWARN("%s: memory of its pool failed at 0x%llx; the blocks are read again",
	       pool->name, offset);
	return fold_frame_retire(pool, offset >> PAGE_SHIFT,
				 PFN_UP(end) - (offset >> PAGE_SHIFT));
}

static const struct dax_holder_operations pool_holder_ops = {
	.notify_failure = notify_failure,
};

/*
 * Another DAX device, as the device mapper's over a pmem one, would tell nobody
 * here that its memory fails or moves.
 */
static bool is_pmem(struct block_device *bdev)
{
	struct device *dev = disk_to_dev(bdev->bd_disk)->parent;

	return dev && dev->driver && !strcmp(dev->driver->name, "nd_pmem");
}

/* The pool's memory, in one piece. */
static int map_pool(struct fold_pool *pool, char **error)
{
	unsigned long nr = bdev_nr_bytes(file_bdev(pool->file)) >> PAGE_SHIFT;
	pfn_t pfn;
	long got;
	int id;

	if (nr < FRAMES_MIN) {
		*error = "the pool has less than 1 MiB";
		return -EINVAL;
	}
	if (nr >= FOLD_NO_FRAME) {
		*error = "the pool is too large";
		return -EINVAL;
	}
	id = dax_read_lock();
	got = dax_direct_access(pool->dax, 0, nr, DAX_ACCESS, &pool->addr,
				&pfn);
	dax_read_unlock(id);
	if (got < (long)nr) {
		*error = got == -EHWPOISON ? "the pool has bad blocks" :
			"the pool's memory is not in one piece";
		return -EINVAL;
	}
	if (!pfn_t_devmap(pfn)) {
		*error = "the pool has no page structures: its namespace must be in mode fsdax";
		return -EINVAL;
	}
	pool->pfn = pfn_t_to_pfn(pfn);
	pool->nr = nr;
	return 0;
}

/*
 * A DAX device that says nothing about itself. In 6.12 a new one keeps the flags
 * of what was in its memory before, a synchronous one's perhaps; then the mapped
 * device would pass for synchronous. Those are put aside until one is found.
 */
static struct dax_device *make_token(void)
{
	struct dax_device *aside[16], *token;
	unsigned int n = 0;

	for (;;) {
		token = alloc_dax(NULL, NULL);
		if (IS_ERR(token) || !dax_synchronous(token) ||
		    n == ARRAY_SIZE(aside))
			break;
		aside[n++] = token;
	}
	if (!IS_ERR(token))
		kill_dax(token);
	while (n) {
		kill_dax(aside[--n]);
		put_dax(aside[n]);
	}
	return token;
}

/* All pages become free frames, but for those that somebody still has. */
static void make_frames(struct fold_pool *pool)
{
	u32 i;

	for (i = 0; i < pool->nr; i++) {
		if (fold_frame_idle(pool, &pool->frames[i])) {
			__set_bit(i, pool->free);
			pool->nr_free++;
		} else {
			pool->frames[i].state = FOLD_RETIRED;
			pool->nr_retired++;
		}
	}
	pool->low = clamp_t(u32, pool->nr / 8, 16, 16384);
	pool->high = 2 * pool->low;
	pool->reserve = pool->low;
	pool->max_run = clamp_t(u32, pool->nr / 256, 1, FOLD_MAX_RUN);
}

/**
 * fold_pool_open - make frames of a pmem device
 * @path: its name
 * @error: set to what is wrong with it, for people
 *
 * The caller sets what comes from the table.
 *
 * Context: Sleeps.
 * Return: the pool, to be released by fold_pool_release(), or an error.
 */
struct fold_pool *fold_pool_open(const char *path, char **error)
{
	struct block_device *bdev;
	struct fold_pool *pool;
	u64 offset;
	dev_t dev;
	int err;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	xa_init_flags(&pool->blocks, XA_FLAGS_LOCK_IRQ);
	init_waitqueue_head(&pool->frame_wait);
	init_waitqueue_head(&pool->idle_wait);
	mutex_init(&pool->shoot_lock);
	pool->epoch = 1;
	fold_evict_init(pool);

	/* A path or major:minor, as for all devices of tables. */
	err = dm_devt_from_path(path, &dev);
	if (err) {
		*error = "the pool cannot be found";
		goto err_pool;
	}
	pool->file = bdev_file_open_by_dev(dev, BLK_OPEN_READ | BLK_OPEN_WRITE,
					   pool, NULL);
	if (IS_ERR(pool->file)) {
		err = PTR_ERR(pool->file);
		pool->file = NULL;
		*error = err == -EBUSY ?
			"the pool is in use: by a mount, a device or another table" :
			"the pool cannot be opened";
		goto err_pool;
	}
	bdev = file_bdev(pool->file);
	err = -EINVAL;
	if (bdev_is_partition(bdev)) {
		*error = "the pool is a partition: give the whole pmem device";
		goto err_pool;
	}
	if (!is_pmem(bdev)) {
		*error = "the pool is no pmem device: give one such as /dev/pmem0";
		goto err_pool;
	}
	pool->dax = fs_dax_get_by_bdev(bdev, &offset, pool, &pool_holder_ops);
	if (!pool->dax) {
		*error = "the pool has no DAX: its namespace must be in mode fsdax";
		goto err_pool;
	}
	err = map_pool(pool, error);
	if (err)
		goto err_pool;

	err = -ENOMEM;
	*error = "no memory for the pool's frames";
	pool->token = make_token();
	if (IS_ERR(pool->token)) {
		pool->token = NULL;
		goto err_pool;
	}
	pool->frames = kvcalloc(pool->nr, sizeof(*pool->frames), GFP_KERNEL);
	pool->free = kvcalloc(BITS_TO_LONGS(pool->nr), sizeof(long),
			      GFP_KERNEL);
	if (!pool->frames || !pool->free)
		goto err_pool;
	make_frames(pool);
	*error = NULL;
	return pool;

err_pool:
	fold_pool_release(pool);
	return ERR_PTR(err);
}

/**
 * fold_pool_release - a pool that nobody looks at goes
 * @pool: from fold_pool_open()
 *
 * Context: Sleeps.
 */
void fold_pool_release(struct fold_pool *pool)
{
	if (pool->dax)
		fs_put_dax(pool->dax, pool);
	/* A notify_failure() may have begun before: it is in the DAX SRCU. */
	kill_dax(pool->token);
	put_dax(pool->token);
	if (pool->file)
		bdev_fput(pool->file);
	xa_destroy(&pool->blocks);
	kvfree(pool->free);
	kvfree(pool->frames);
	mutex_destroy(&pool->shoot_lock);
	kfree(pool);
}

/**
 * fold_pool_close - the table goes
 * @pool: its pool
 *
 * Context: Sleeps, see fold_evict_drain(). What somebody still has pinned then
 * keeps the pool, but not the table.
 */
void fold_pool_close(struct fold_pool *pool)
{
	if (fold_evict_drain(pool))
		fold_pool_release(pool);
	else
		fold_linger(pool);
}
