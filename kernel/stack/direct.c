// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct writes. The lower filesystem gets the user's pages themselves; they
 * are faulted in first, so that it rarely has to do that under its locks.
 *
 * An asynchronous write goes on after the upper lock is released. The change
 * lasts until it has completed.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include "foldfs.h"

#define LOWER_IOCB_FLAGS \
	(IOCB_NOWAIT | IOCB_APPEND | IOCB_DIRECT | IOCB_DSYNC | IOCB_SYNC | \
	 IOCB_HIPRI)

/**
 * struct fold_aio - an asynchronous direct write
 * @iocb: of the lower file
 * @upper: whose write it is
 * @ref: one for who submits, one for completion; @iocb's file goes with it
 * @work: completion, which needs a context that may sleep
 * @res: bytes or errno
 */
struct fold_aio {
	struct kiocb iocb;
	struct kiocb *upper;
	refcount_t ref;
	struct work_struct work;
	long res;
};

static struct kmem_cache *aio_cache __ro_after_init;
static struct workqueue_struct *aio_wq __ro_after_init;

/**
 * fold_direct_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_direct_init(void)
{
	aio_cache = kmem_cache_create("foldfs_aio", sizeof(struct fold_aio), 0,
				      SLAB_HWCACHE_ALIGN, NULL);
	if (!aio_cache)
		return -ENOMEM;
	/* Writeback of a loop device may wait for a completion. */
	aio_wq = alloc_workqueue("foldfs_aio", WQ_PERCPU | WQ_MEM_RECLAIM, 0);
	if (!aio_wq) {
		kmem_cache_destroy(aio_cache);
		return -ENOMEM;
	}
	return 0;
}

/**
 * fold_direct_exit - at module unload, when no file is open
 */
void fold_direct_exit(void)
{
	destroy_workqueue(aio_wq);
	kmem_cache_destroy(aio_cache);
}

static void aio_put(struct fold_aio *aio)
{
	if (refcount_dec_and_test(&aio->ref)) {
		fput(aio->iocb.ki_filp);
		kmem_cache_free(aio_cache, aio);
	}
}

/* The bytes are written. Ends the change, and with it what @aio is for. */
static void aio_finish(struct fold_aio *aio)
{
	struct inode *inode = file_inode(aio->upper->ki_filp);

	aio->upper->ki_pos = aio->iocb.ki_pos;
	fold_change_end(inode);
	fold_copy_attr(inode);
	aio_put(aio);
}

static void aio_complete_work(struct work_struct *work)
{
	struct fold_aio *aio = container_of(work, struct fold_aio, work);
	struct kiocb *upper = aio->upper;
	long res = aio->res;

	kiocb_end_write(&aio->iocb);
	aio_finish(aio);
	upper->ki_complete(upper, res);
}

static void aio_complete(struct kiocb *iocb, long res)
{
	struct fold_aio *aio = container_of(iocb, struct fold_aio, iocb);

	aio->res = res;
	INIT_WORK(&aio->work, aio_complete_work);
	queue_work(aio_wq, &aio->work);
}

static struct fold_aio *aio_alloc(struct kiocb *iocb)
{
	gfp_t gfp = iocb->ki_flags & IOCB_NOWAIT ? GFP_NOWAIT | __GFP_NOWARN :
						   GFP_KERNEL;
	struct fold_aio *aio = kmem_cache_zalloc(aio_cache, gfp);

	if (!aio)
		return NULL;
	aio->upper = iocb;
	aio->iocb.ki_filp = get_file(fold_lower_file(iocb->ki_filp));
	aio->iocb.ki_complete = aio_complete;
	refcount_set(&aio->ref, 2);
	return aio;
}

/*
 * Submit with the change announced. When appending, the lower filesystem is told
 * the position that the caller gave, @pos: that one has to be aligned, too.
 * Return: as ->write_iter().
 */
static ssize_t submit(struct kiocb *iocb, struct iov_iter *from, loff_t pos,
		      struct fold_aio *aio)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct file *lower = fold_lower_file(iocb->ki_filp);
	struct kiocb kiocb, *below = aio ? &aio->iocb : &kiocb;
	const struct cred *old;
	ssize_t ret;

	if (!aio)
		init_sync_kiocb(below, lower);
	below->ki_flags = (iocb->ki_flags & LOWER_IOCB_FLAGS) | IOCB_WRITE;
	below->ki_ioprio = iocb->ki_ioprio;
	below->ki_pos = pos;
	ret = fold_caller_begin(iocb->ki_filp, iocb->ki_flags, &old);
	if (!ret) {
		ret = vfs_iocb_iter_write(lower, below, from);
		fold_caller_end(old);
	}
	if (ret == -EIOCBQUEUED)
		return ret;
	if (aio) {
		aio_finish(aio);
		return ret;
	}
	iocb->ki_pos = kiocb.ki_pos;
	fold_change_end(inode);
	fold_copy_attr(inode);
	return ret;
}

/**
 * fold_direct_write - write with IOCB_DIRECT
 * @iocb: of the upper file
 * @from: source
 *
 * Return: bytes written, -EIOCBQUEUED or a negative errno.
 */
ssize_t fold_direct_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct fold_aio *aio = NULL;
	loff_t pos = iocb->ki_pos;
	ssize_t ret;

	if (!(fold_lower_file(iocb->ki_filp)->f_mode & FMODE_CAN_ODIRECT))
		return -EINVAL;
	if (!is_sync_kiocb(iocb)) {
		aio = aio_alloc(iocb);
		if (!aio)
			return iocb->ki_flags & IOCB_NOWAIT ? -EAGAIN : -ENOMEM;
	}
	fold_may_be_stopped(inode);
	if (!(iocb->ki_flags & IOCB_NOWAIT))
		fault_in_iov_iter_readable(from, iov_iter_count(from));

	ret = fold_write_lock(iocb);
	if (ret)
		goto out_free;
	ret = fold_write_prepare(iocb, from);
	if (ret > 0 && fold_write_would_wait(iocb))
		ret = -EAGAIN;
	if (ret <= 0)
		goto out_unlock;
	ret = fold_write_range_begin(inode, iocb->ki_pos, iov_iter_count(from));
	if (ret)
		goto out_unlock;
	if (!(iocb->ki_flags & IOCB_APPEND))
		pos = iocb->ki_pos;
	ret = submit(iocb, from, pos, aio);
	inode_unlock(inode);
	if (aio)
		aio_put(aio);
	return ret;

out_unlock:
	inode_unlock(inode);
out_free:
	if (aio) {
		aio_put(aio);
		aio_put(aio);
	}
	return ret;
}
