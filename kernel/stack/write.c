// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffered writes. Writers of a file are ordered by the upper inode's lock.
 *
 * Nothing is copied from user memory under a lock that others wait for, the upper
 * inode's or the lower one's, unless it is there: a process can stop whoever
 * faults it in for as long as it likes (userfaultfd, FUSE). So the source is faulted
 * in first, and the lower filesystem copies from it with page faults disabled: see
 * write_resident(). That nearly always suffices. It does not where the source is
 * unmapped again in between, as by reclaim: then the write stops there, and what comes
 * after may find others' writes before it.
 *
 * So what is left, whatever has to be one, as a record that is appended, and what may
 * be written from a mapping of itself is copied to a buffer of the kernel's, and each
 * buffer is written as one change: see write_copied(). The first is copied before the
 * upper lock is taken. For a longer write the source is faulted in as well, and what
 * of it is in memory is copied with the lock held: the write is one. Where it is not,
 * the lock is let go, the source faulted in, and the write goes on; others may write
 * in between.
 */
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "foldfs.h"

/* Bytes that are copied and written at a time. */
#define BOUNCE_SIZE	(256 * 1024)

/* Bytes of the source that are faulted in ahead, or beyond what is copied. */
#define FAULT_AHEAD	(4 * 1024 * 1024)

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

/*
 * One change. Of a source in user memory, what is there.
 *
 * Context: the upper inode is locked.
 * Return: bytes, or a negative errno.
 */
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
	if (user_backed_iter(from)) {
		pagefault_disable();
		ret = vfs_iocb_iter_write(lower, &kiocb, from);
		pagefault_enable();
	} else {
		ret = vfs_iocb_iter_write(lower, &kiocb, from);
	}
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

/* What of the source is in memory. Return: bytes, 0 if it has to be waited for. */
static size_t copy_resident(void *buf, size_t size, struct iov_iter *from)
{
	size_t copied;

	pagefault_disable();
	copied = copy_from_iter(buf, size, from);
	pagefault_enable();
	return copied;
}

/*
 * Write from user memory: @copied bytes of @from are in @buf already. Sets
 * *@again if it ends where the source is not in memory.
 *
 * Context: the upper inode is locked.
 * Return: bytes written, or a negative errno if there are none.
 */
static ssize_t write_bounced(struct kiocb *iocb, struct iov_iter *from,
			     void *buf, size_t size, size_t copied, bool *again)
{
	ssize_t written = 0, ret;

	*again = false;
	copied = min(copied, iov_iter_count(from));
	iov_iter_advance(from, copied);
	while (copied) {
		struct kvec vec = { .iov_base = buf, .iov_len = copied };
		struct iov_iter chunk;

		iov_iter_kvec(&chunk, ITER_SOURCE, &vec, 1, copied);
		ret = write_chunk(iocb, &chunk);
		if (ret > 0)
			written += ret;
		if (ret < (ssize_t)copied) {
			iov_iter_revert(from, copied - max_t(ssize_t, ret, 0));
			return written ?: ret;
		}
		if (fatal_signal_pending(current) || !iov_iter_count(from))
			return written;
		copied = copy_resident(buf, size, from);
	}
	*again = written;
	return written ?: -EFAULT;
}

/* Write by way of a buffer, from user memory that need not be there. */
static ssize_t write_copied(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t written = 0, ret;
	size_t size, copied;
	bool again;
	void *buf;

	buf = bounce_alloc(iocb, iov_iter_count(from), &size);
	if (!buf)
		return iocb->ki_flags & IOCB_NOWAIT ? -EAGAIN : -ENOMEM;
	do {
		struct iov_iter ahead = *from;

		again = false;
		fold_may_be_stopped(inode);
		copied = copy_from_iter(buf, size, &ahead);
		if (iov_iter_count(&ahead) && !(iocb->ki_flags & IOCB_NOWAIT))
			fault_in_iov_iter_readable(&ahead,
						   min_t(size_t, FAULT_AHEAD,
							 iov_iter_count(&ahead)));
		ret = fold_write_lock(iocb);
		if (ret)
			break;
		ret = fold_write_prepare(iocb, from);
		if (ret > 0 && fold_write_would_wait(iocb))
			ret = -EAGAIN;
		if (ret > 0) {
			ret = write_bounced(iocb, from, buf, size, copied,
					    &again);
			fold_copy_attr(inode);
		}
		inode_unlock(inode);
		if (ret > 0)
			written += ret;
	} while (again);
	kvfree(buf);
	return written ?: ret;
}

/*
 * Write what of the source is in memory, without a copy of it.
 *
 * Context: the upper inode is locked.
 * Return: bytes written, or a negative errno if there are none: -EFAULT if it has
 * to be waited for.
 */
static ssize_t write_resident(struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t written = 0, ret;
	struct iov_iter chunk;
	size_t size;

	do {
		chunk = *from;
		iov_iter_truncate(&chunk, BOUNCE_SIZE);
		size = iov_iter_count(&chunk);
		ret = write_chunk(iocb, &chunk);
		if (ret <= 0)
			return written ?: ret;
		iov_iter_advance(from, ret);
		written += ret;
	} while (ret == size && iov_iter_count(from) &&
		 !fatal_signal_pending(current));
	return written;
}

static ssize_t write_user(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t written = 0, ret;
	size_t ahead;

	if (iocb->ki_flags & IOCB_APPEND ||
	    mapping_mapped(fold_lower_inode(inode)->i_mapping))
		return write_copied(iocb, from);
	do {
		ahead = min_t(size_t, FAULT_AHEAD, iov_iter_count(from));
		fold_may_be_stopped(inode);
		if (!(iocb->ki_flags & IOCB_NOWAIT) &&
		    fault_in_iov_iter_readable(from, ahead))
			break;
		ret = fold_write_lock(iocb);
		if (ret)
			return written ?: ret;
		ret = fold_write_prepare(iocb, from);
		if (ret > 0 && fold_write_would_wait(iocb))
			ret = -EAGAIN;
		if (ret > 0) {
			ahead = min(ahead, iov_iter_count(from));
			ret = write_resident(iocb, from);
			fold_copy_attr(inode);
		}
		inode_unlock(inode);
		if (ret == -EFAULT)
			break;
		if (ret <= 0)
			return written ?: ret;
		written += ret;
		if (!iov_iter_count(from) || fatal_signal_pending(current))
			return written;
	} while (ret >= ahead);
	ret = write_copied(iocb, from);
	return ret > 0 ? written + ret : written ?: ret;
}

static ssize_t write_kernel(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	ret = fold_write_lock(iocb);
	if (ret)
		return ret;
	ret = fold_write_prepare(iocb, from);
	if (ret > 0 && fold_write_would_wait(iocb))
		ret = -EAGAIN;
	if (ret > 0) {
		ret = write_chunk(iocb, from);
		fold_copy_attr(inode);
	}
	inode_unlock(inode);
	return ret;
}

static ssize_t buffered_write(struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t ret;

	if (user_backed_iter(from))
		ret = write_user(iocb, from);
	else
		ret = write_kernel(iocb, from);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
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
	guard(fold_memalloc)(file_inode(iocb->ki_filp));
	if (!iov_iter_count(from))
		return 0;
	if (iocb->ki_flags & IOCB_DIRECT)
		return fold_direct_write(iocb, from);
	return buffered_write(iocb, from);
}
