// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffered writes. Writers of a file are ordered by the upper inode's lock.
 *
 * The lower filesystem never copies from user memory: it would fault it in
 * under its own inode lock, for which readers wait, and a process can stop such
 * a fault for as long as it likes (userfaultfd, FUSE). So the data is copied to
 * a buffer of the kernel's first, and each buffer is written as one change. What
 * fits into one buffer is copied before the upper lock is taken, even.
 */
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <linux/pipe_fs_i.h>

#include "foldfs.h"

/* Bytes that are copied and written at a time. */
#define BOUNCE_SIZE	(256 * 1024)

/* What of a write's flags concerns the lower filesystem. Syncing is done above. */
#define LOWER_IOCB_FLAGS	(IOCB_NOWAIT | IOCB_APPEND)

/**
 * fold_write_lock - lock the upper inode for a write
 * @iocb: of the upper file
 *
 * Return: 0, -EAGAIN if the caller does not want to wait, or -EINTR upon a
 * fatal signal.
 */
int fold_write_lock(const struct kiocb *iocb)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (iocb->ki_flags & IOCB_NOWAIT)
		return inode_trylock(inode) ? 0 : -EAGAIN;
	return fold_inode_lock(inode);
}

/**
 * fold_write_would_wait - may announcing a write take longer than its caller has
 * @iocb: of the upper file
 *
 * Ending the sharing of a range waits for what is being read into it.
 *
 * Return: true if the caller does not want to wait and the file shares something.
 */
bool fold_write_would_wait(const struct kiocb *iocb)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	return iocb->ki_flags & IOCB_NOWAIT &&
	       READ_ONCE(FOLD_I(inode)->share.map.nr);
}

/**
 * fold_write_prepare - checks before a write
 * @iocb: of the upper file; ki_pos is set for appending
 * @from: source; shortened to what limits allow
 *
 * Set-ID bits and capabilities are taken away by the lower filesystem, when it
 * comes to the point where it does so.
 *
 * Context: the upper inode is locked.
 * Return: bytes to write, 0 or a negative errno.
 */
ssize_t fold_write_prepare(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);

	if (!fold_attr_is_current(inode))
		fold_copy_attr(inode);
	fold_sync_flags(file);
	/* Neither fcntl(2) nor RWF_NOAPPEND may take O_APPEND away from it. */
	if (IS_APPEND(inode) && !(iocb->ki_flags & IOCB_APPEND) &&
	    fold_lower_file(file)->f_flags & O_APPEND)
		return -EPERM;
	return generic_write_checks(iocb, from);
}

/**
 * fold_write_range_begin - announce a write of some bytes
 * @inode: the upper inode
 * @pos: where
 * @len: how many
 *
 * A write behind the end of the file changes the page with the old end, too.
 * To be ended by fold_change_end().
 *
 * Context: the upper inode is locked.
 * Return: 0 or -EINTR.
 */
int fold_write_range_begin(struct inode *inode, loff_t pos, size_t len)
{
	loff_t start = min(pos, i_size_read(fold_lower_inode(inode)));

	return fold_change_begin(inode, start, pos - start + len);
}

static ssize_t write_chunk(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	struct file *lower = fold_lower_file(file);
	const struct cred *old;
	struct kiocb kiocb;
	ssize_t ret;

	ret = fold_write_range_begin(inode, iocb->ki_pos, iov_iter_count(from));
	if (ret)
		return ret;
	ret = fold_caller_begin(file, iocb->ki_flags, &old);
	if (ret)
		goto out;
	init_sync_kiocb(&kiocb, lower);
	kiocb.ki_flags = (iocb->ki_flags & LOWER_IOCB_FLAGS) | IOCB_WRITE;
	kiocb.ki_pos = iocb->ki_pos;
	ret = vfs_iocb_iter_write(lower, &kiocb, from);
	fold_caller_end(old);
	if (ret > 0)
		iocb->ki_pos = kiocb.ki_pos;
out:
	fold_change_end(inode);
	return ret;
}

static void *bounce_alloc(const struct kiocb *iocb, size_t wanted, size_t *size)
{
	void *buf;

	*size = min_t(size_t, wanted, BOUNCE_SIZE);
	if (iocb->ki_flags & IOCB_NOWAIT)
		return kmalloc(*size, GFP_NOWAIT | __GFP_NOWARN);
	if (*size > PAGE_SIZE) {
		buf = kvmalloc(*size, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (buf)
			return buf;
		*size = PAGE_SIZE;
	}
	return kmalloc(*size, GFP_KERNEL);
}

/*
 * Write from user memory: @copied bytes of @from are in @buf already.
 */
static ssize_t write_bounced(struct kiocb *iocb, struct iov_iter *from,
			     void *buf, size_t size, size_t copied)
{
	ssize_t written = 0, ret = 0;

	copied = min(copied, iov_iter_count(from));
	iov_iter_advance(from, copied);
	do {
		struct kvec vec = { .iov_base = buf };
		struct iov_iter chunk;

		if (!copied)
			copied = copy_from_iter(buf, size, from);
		if (!copied) {
			ret = -EFAULT;
			break;
		}
		vec.iov_len = copied;
		iov_iter_kvec(&chunk, ITER_SOURCE, &vec, 1, copied);
		ret = write_chunk(iocb, &chunk);
		if (ret > 0)
			written += ret;
		if (ret < (ssize_t)copied) {
			iov_iter_revert(from, copied - max_t(ssize_t, ret, 0));
			break;
		}
		copied = 0;
		if (fatal_signal_pending(current))
			break;
	} while (iov_iter_count(from));
	return written ?: ret;
}

static ssize_t buffered_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t size = 0, copied = 0;
	void *buf = NULL;
	ssize_t ret;

	if (user_backed_iter(from)) {
		struct iov_iter ahead = *from;

		buf = bounce_alloc(iocb, iov_iter_count(from), &size);
		if (!buf)
			return iocb->ki_flags & IOCB_NOWAIT ? -EAGAIN : -ENOMEM;
		copied = copy_from_iter(buf, size, &ahead);
	}

	ret = fold_write_lock(iocb);
	if (ret)
		goto out;
	ret = fold_write_prepare(iocb, from);
	if (ret > 0 && fold_write_would_wait(iocb))
		ret = -EAGAIN;
	if (ret > 0) {
		if (buf)
			ret = write_bounced(iocb, from, buf, size, copied);
		else
			ret = write_chunk(iocb, from);
		fold_copy_attr(inode);
	}
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
out:
	kvfree(buf);
	return ret;
}

/**
 * fold_write_iter - file_operations.write_iter
 * @iocb: of the upper file
 * @from: source
 *
 * Return: bytes written, -EIOCBQUEUED or a negative errno.
 */
ssize_t fold_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	if (!iov_iter_count(from))
		return 0;
	if (iocb->ki_flags & IOCB_DIRECT)
		return fold_direct_write(iocb, from);
	return buffered_write(iocb, from);
}

static bool pipe_has_news(const struct pipe_inode_info *pipe)
{
	return !pipe_empty(READ_ONCE(pipe->head), READ_ONCE(pipe->tail)) ||
	       !READ_ONCE(pipe->writers);
}

/* Whatever is in the pipe now goes to the lower file. */
static ssize_t splice_some(struct pipe_inode_info *pipe, struct file *out,
			   loff_t *ppos, size_t len, unsigned int flags)
{
	struct inode *inode = file_inode(out);
	struct file *lower = fold_lower_file(out);
	const struct cred *old;
	ssize_t ret;

	ret = fold_inode_lock(inode);
	if (ret)
		return ret;
	ret = fold_caller_begin(out, 0, &old);
	if (ret)
		goto out_unlock;
	ret = fold_write_range_begin(inode, *ppos, len);
	if (ret)
		goto out_caller;
	file_start_write(lower);
	ret = lower->f_op->splice_write(pipe, lower, ppos, len,
					flags | SPLICE_F_NONBLOCK);
	file_end_write(lower);
	fold_change_end(inode);
	fold_copy_attr(inode);
out_caller:
	fold_caller_end(old);
out_unlock:
	inode_unlock(inode);
	return ret;
}

/**
 * fold_splice_write - file_operations.splice_write
 * @pipe: source
 * @out: the upper file
 * @ppos: position in it
 * @len: bytes wanted
 * @flags: SPLICE_F_*
 *
 * Nobody knows when data comes through a pipe, so it is waited for without any
 * lock. The pipe's lock is taken inside of the upper inode's, because it is
 * taken inside of the lower superblock's freeze protection elsewhere.
 *
 * Return: bytes moved or a negative errno.
 */
ssize_t fold_splice_write(struct pipe_inode_info *pipe, struct file *out,
			  loff_t *ppos, size_t len, unsigned int flags)
{
	ssize_t ret;

	if (!fold_lower_file(out)->f_op->splice_write)
		return -EINVAL;
	fold_sync_flags(out);
	len = min_t(size_t, len, (size_t)READ_ONCE(pipe->max_usage) * PAGE_SIZE);
	do {
		if (!(flags & SPLICE_F_NONBLOCK)) {
			ret = wait_event_interruptible(pipe->rd_wait,
						       pipe_has_news(pipe));
			if (ret)
				return ret;
		}
		ret = splice_some(pipe, out, ppos, len, flags);
		/* Somebody else was faster. */
	} while (ret == -EAGAIN && !(flags & SPLICE_F_NONBLOCK));
	return ret;
}
