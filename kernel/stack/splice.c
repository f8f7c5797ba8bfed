// SPDX-License-Identifier: GPL-2.0-only
/*
 * Splicing from a pipe to a file.
 *
 * Nobody knows when data comes through a pipe, and whoever writes to it holds its
 * lock while he copies from his memory, for as long as he likes. So the pipe is
 * waited for with no other lock held; then, with the upper inode locked, its lock
 * is only tried. If somebody was faster all is let go, and waited for again.
 *
 * What is in the pipe goes to the lower file as it is, and leaves the pipe when
 * it has been written.
 */
#include <linux/bvec.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "foldfs.h"

/* Buffers of the pipe that are written at a time. */
#define SPLICE_BUFFERS	256

static bool pipe_has_news(const struct pipe_inode_info *pipe)
{
	return !pipe_empty(READ_ONCE(pipe->head), READ_ONCE(pipe->tail)) ||
	       !READ_ONCE(pipe->writers);
}

/* A pipe that only the kernel knows, as sendfile(2)'s, has no use for its lock. */
static bool pipe_trylock(struct pipe_inode_info *pipe)
{
	return !pipe->files || mutex_trylock(&pipe->mutex);
}

static void pipe_eat(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	pipe_buf_release(pipe, buf);
	pipe->tail++;
}

/*
 * Context: no lock held but the upper superblock's freeze protection.
 * Return: 1 if the pipe's first buffer has valid data, 0 if none will come,
 * -EAGAIN if it is not to be waited for, -ERESTARTSYS or -EINTR upon a signal, or
 * why the data is not valid.
 */
static int wait_for_data(struct pipe_inode_info *pipe, bool wait)
{
	struct pipe_buffer *buf = NULL;
	bool more;
	int ret;

	do {
		ret = wait ? wait_event_interruptible(pipe->rd_wait,
						      pipe_has_news(pipe)) : 0;
		if (ret)
			return ret;
		/* As pipe_lock(), for those who get killed. */
		if (pipe->files && mutex_lock_killable(&pipe->mutex))
			return -EINTR;
		while (!pipe_empty(pipe->head, pipe->tail)) {
			buf = pipe_buf(pipe, pipe->tail);
			if (buf->len)
				break;
			pipe_eat(pipe, buf);
			buf = NULL;
		}
		more = READ_ONCE(pipe->writers);
		/* May wait for a page that is being read. */
		if (buf)
			ret = pipe_buf_confirm(pipe, buf);
		pipe_unlock(pipe);
	} while (!buf && more && wait);
	if (!buf)
		return more ? -EAGAIN : 0;
	/* What the page was of has been truncated. */
	if (ret == -ENODATA)
		return 0;
	return ret ?: 1;
}

/* Would confirming the buffer wait? If it came from a page cache, it might. */
static bool buf_is_ready(const struct pipe_buffer *buf)
{
	return !buf->ops->confirm ||
	       folio_test_uptodate(page_folio(buf->page));
}

/* Return: bytes of the pipe that @vec describes now, with *@nr elements. */
static size_t gather(struct pipe_inode_info *pipe, struct bio_vec *vec,
		     size_t len, unsigned int *nr)
{
	unsigned int tail;
	size_t bytes = 0;

	*nr = 0;
	for (tail = pipe->tail; !pipe_empty(pipe->head, tail); tail++) {
		struct pipe_buffer *buf = pipe_buf(pipe, tail);
		size_t part = min_t(size_t, buf->len, len - bytes);

		if (*nr == SPLICE_BUFFERS || bytes == len || !buf_is_ready(buf))
			break;
		/* Empty elements are not allowed. */
		if (!part)
			continue;
		bvec_set_page(&vec[(*nr)++], buf->page, part, buf->offset);
		bytes += part;
	}
	return bytes;
}

/* So many bytes of the pipe are written. */
static void consume(struct pipe_inode_info *pipe, size_t bytes)
{
	while (bytes) {
		struct pipe_buffer *buf = pipe_buf(pipe, pipe->tail);
		size_t part = min_t(size_t, buf->len, bytes);

		buf->offset += part;
		buf->len -= part;
		bytes -= part;
		if (!buf->len)
			pipe_eat(pipe, buf);
	}
}

/* With all locks held. Return: bytes written, 0 or a negative errno. */
static ssize_t write_vec(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct file *lower = fold_lower_file(iocb->ki_filp);
	struct kiocb kiocb;
	ssize_t ret;

	ret = fold_write_prepare(iocb, from);
	if (ret <= 0)
		return ret;
	ret = fold_write_range_begin(inode, iocb->ki_pos, iov_iter_count(from));
	if (ret)
		return ret;
	init_sync_kiocb(&kiocb, lower);
	/* Syncing is done above. */
	kiocb.ki_flags = (iocb->ki_flags & IOCB_DIRECT) | IOCB_WRITE;
	kiocb.ki_pos = iocb->ki_pos;
	ret = lower->f_op->write_iter(&kiocb, from);
	if (ret > 0)
		iocb->ki_pos = kiocb.ki_pos;
	fold_change_end(inode);
	fold_copy_attr(inode);
	return ret;
}

/*
 * What is in the pipe now goes to the lower file. The pipe's lock is held inside
 * of the lower superblock's freeze protection, as in a splice to the lower file
 * itself, and that inside of the upper inode's lock.
 * Return: bytes, 0, -EAGAIN if the pipe is to be waited for, or another errno.
 */
static ssize_t splice_some(struct pipe_inode_info *pipe, struct kiocb *iocb,
			   struct bio_vec *vec, size_t len)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct file *lower = fold_lower_file(iocb->ki_filp);
	const struct cred *old;
	struct iov_iter from;
	unsigned int nr;
	ssize_t ret;
	size_t n;

	ret = fold_inode_lock(inode);
	if (ret)
		return ret;
	ret = fold_caller_begin(iocb->ki_filp, 0, &old);
	if (ret)
		goto out_inode;
	file_start_write(lower);
	ret = -EAGAIN;
	if (!pipe_trylock(pipe))
		goto out_unlock;
	n = gather(pipe, vec, len, &nr);
	if (n) {
		iov_iter_bvec(&from, ITER_SOURCE, vec, nr, n);
		ret = write_vec(iocb, &from);
		if (ret > 0)
			consume(pipe, ret);
	}
	pipe_unlock(pipe);
out_unlock:
	file_end_write(lower);
	fold_caller_end(old);
out_inode:
	inode_unlock(inode);
	return ret;
}

static void wake_writers(struct pipe_inode_info *pipe)
{
	if (wq_has_sleeper(&pipe->wr_wait))
		wake_up_interruptible(&pipe->wr_wait);
	kill_fasync(&pipe->fasync_writers, SIGIO, POLL_OUT);
}

/**
 * fold_splice_write - file_operations.splice_write
 * @pipe: source
 * @out: the upper file
 * @ppos: position in it
 * @len: bytes wanted
 * @flags: SPLICE_F_*
 *
 * Context: no lock held but the upper superblock's freeze protection.
 * Return: bytes moved, which may be fewer than wanted, or a negative errno.
 */
ssize_t fold_splice_write(struct pipe_inode_info *pipe, struct file *out,
			  loff_t *ppos, size_t len, unsigned int flags)
{
	struct bio_vec *vec;
	struct kiocb iocb;
	size_t done = 0;
	ssize_t ret = 0;

	vec = kmalloc_array(SPLICE_BUFFERS, sizeof(*vec), GFP_KERNEL);
	if (!vec)
		return -ENOMEM;
	guard(fold_memalloc)(file_inode(out));
	fold_sync_flags(out);
	init_sync_kiocb(&iocb, out);
	iocb.ki_pos = *ppos;
	while (done < len && !fatal_signal_pending(current)) {
		fold_may_be_stopped(file_inode(out));
		ret = wait_for_data(pipe, !done && !(flags & SPLICE_F_NONBLOCK));
		if (ret <= 0)
			break;
		ret = splice_some(pipe, &iocb, vec, len - done);
		if (ret == -EAGAIN)
			continue;
		if (ret <= 0)
			break;
		done += ret;
		if (pipe->files)
			wake_writers(pipe);
	}
	kfree(vec);
	*ppos = iocb.ki_pos;
	if (done)
		return generic_write_sync(&iocb, done);
	return ret == -EAGAIN && fatal_signal_pending(current) ? -EINTR : ret;
}
