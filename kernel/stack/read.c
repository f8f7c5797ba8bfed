// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and splices: the data path starts here.
 *
 * A buffered read walks the file: pages that the share map covers are copied
 * from the shared cache, the rest is read from the lower file. Whenever the
 * shared cache has no answer, the lower file has the right one.
 *
 * No lock is held over a copy to user memory. A read of shared pages is not
 * atomic against a write that goes on at the same time, as on most
 * filesystems other than XFS: each page is either old or new.
 */
#include <linux/backing-file.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/swap.h>
#include <linux/uio.h>

#include <uapi/linux/foldfs.h>

#include "../core/pages.h"
#include "foldfs.h"
#include "../share/testing.h"

static ssize_t read_lower(struct kiocb *iocb, struct iov_iter *to)
{
	struct backing_file_ctx ctx = fold_backing_ctx(iocb->ki_filp);
	struct file *lower = fold_open_below(iocb->ki_filp,
					     !(iocb->ki_flags & IOCB_NOWAIT));

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	return backing_file_read_iter(lower, to, iocb, iocb->ki_flags, &ctx);
}

/* At most @max bytes of @to. */
static ssize_t read_lower_part(struct kiocb *iocb, struct iov_iter *to,
			       size_t max)
{
	size_t hidden = 0;
	ssize_t ret;

	if (iov_iter_count(to) > max) {
		hidden = iov_iter_count(to) - max;
		iov_iter_truncate(to, max);
	}
	ret = read_lower(iocb, to);
	iov_iter_reexpand(to, iov_iter_count(to) + hidden);
	return ret;
}

static size_t part_of_run(const struct fold_run *run, loff_t pos, size_t count)
{
	if (run->nr > (count >> PAGE_SHIFT) + 1)
		return count;
	return min_t(size_t, count, (run->nr << PAGE_SHIFT) -
				    offset_in_page(pos));
}

/*
 * Reads a private range, at most *@part bytes, and no more than a window of
 * readahead at a time: *@part is set to what was asked for.
 */
static ssize_t read_private(struct kiocb *iocb, struct iov_iter *to,
			    size_t *part, const struct fold_run *run)
{
	struct file *file = iocb->ki_filp, *lower;
	struct inode *inode = file_inode(file);
	unsigned long want, step;
	loff_t pos = iocb->ki_pos;

	if (!(iocb->ki_flags & (IOCB_NOWAIT | IOCB_NOIO))) {
		lower = fold_open_below(file, true);
		if (IS_ERR(lower))
			return PTR_ERR(lower);
		if (fold_join_wanted(&FOLD_I(inode)->share))
			fold_join(inode, &lower->f_path, false);
		want = DIV_ROUND_UP(offset_in_page(pos) + *part, PAGE_SIZE);
		if (pos == READ_ONCE(file->f_ra.prev_pos))
			want = max_t(unsigned long, want,
				     READ_ONCE(file->f_ra.ra_pages));
		step = fold_private_read_ahead(inode, lower, pos >> PAGE_SHIFT,
					       run->nr, want);
		*part = min_t(size_t, *part,
			      (step << PAGE_SHIFT) - offset_in_page(pos));
	}
	return read_lower_part(iocb, to, *part);
}

/* Copies from one folio. Returns bytes, or what fold_pages_find() returns. */
static ssize_t read_shared(struct kiocb *iocb, struct iov_iter *to, size_t count,
			   struct fold_page *page, struct folio **marked)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	loff_t pos = iocb->ki_pos;
	size_t off, n;
	int err;

	fold_test_race();
	err = fold_pages_find(&FOLD_I(inode)->share.map, pos >> PAGE_SHIFT,
			      DIV_ROUND_UP(offset_in_page(pos) + count,
					   PAGE_SIZE),
			      &file->f_ra,
			      iocb->ki_flags & (IOCB_NOWAIT | IOCB_NOIO), page);
	if (err)
		return err;
	off = ((page->run.phys - page->folio->index) << PAGE_SHIFT) +
	      offset_in_page(pos);
	n = min(part_of_run(&page->run, pos, count),
		folio_size(page->folio) - off);
	n = copy_folio_to_iter(page->folio, off, n, to);
	iocb->ki_pos += n;
	if (*marked != page->folio)
		folio_mark_accessed(page->folio);
	*marked = page->folio;
	folio_put(page->folio);
	return n ?: -EFAULT;
}

static ssize_t read_mixed(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	struct fold_inode *fi = FOLD_I(inode);
	struct folio *marked = NULL;
	struct fold_page page;
	ssize_t done = 0, ret;
	size_t count, part;
	loff_t size;

	do {
		size = i_size_read(fi->lower);
		if (iocb->ki_pos >= size)
			return done;
		count = min_t(loff_t, iov_iter_count(to), size - iocb->ki_pos);
		ret = read_shared(iocb, to, count, &page, &marked);
		if (ret == -ENOENT) {
			part = part_of_run(&page.run, iocb->ki_pos, count);
			ret = read_private(iocb, to, &part, &page.run);
			if (ret > 0 && ret < part)
				return done + ret;
		} else if (ret == -EIO || ret == -ENOMEM) {
			fold_stat_add(fi->share.map.stats,
				      FOLD_STAT_FALLBACKS, 1);
			part = min_t(size_t, count, PAGE_SIZE -
				     offset_in_page(iocb->ki_pos));
			ret = read_lower_part(iocb, to, part);
		}
		if (ret > 0) {
			done += ret;
			/* A hint, of whoever of the file's readers was last. */
			WRITE_ONCE(file->f_ra.prev_pos, iocb->ki_pos);
		}
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	} while (ret > 0 && iov_iter_count(to));
	return done ?: ret;
}

/**
 * fold_read_iter - read from a file
 * @iocb: position and flags
 * @to: destination
 *
 * Direct reads go to the lower file: shared pages are clean, so it knows all.
 *
 * Context: process context, no lock held.
 * Return: bytes, or a negative errno, as on the lower filesystem.
 */
ssize_t fold_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	struct fold_share *share = &FOLD_I(inode)->share;
	loff_t pos = iocb->ki_pos;
	unsigned long seq;
	struct path path;
	ssize_t ret;

	guard(fold_memalloc)(inode);
	if (!iov_iter_count(to))
		return 0;
	fold_sync_flags(file);
	/* Or the lower filesystem waits for it, with its inode locked. */
	if ((iocb->ki_flags & (IOCB_DIRECT | IOCB_NOWAIT)) == IOCB_DIRECT)
		fault_in_iov_iter_writeable(to, iov_iter_count(to));
	if (!(iocb->ki_flags & (IOCB_DIRECT | IOCB_NOWAIT)) &&
	    !READ_ONCE(share->map.nr) && fold_join_wanted(share)) {
		fold_lower_path(file_dentry(file), &path);
		fold_join(inode, &path, true);
	}
	seq = READ_ONCE(share->map.seq);
	if (iocb->ki_flags & IOCB_DIRECT || !READ_ONCE(share->map.nr))
		ret = read_lower(iocb, to);
	else
		ret = read_mixed(iocb, to);
	/* Joined behind our back: what was read from the lower is a copy. */
	if (ret > 0 && !(iocb->ki_flags & (IOCB_DIRECT | IOCB_NOWAIT)) &&
	    unlikely(fold_joined_since(share, seq)))
		fold_drop_copies(inode, pos >> PAGE_SHIFT,
				 ((pos + ret) >> PAGE_SHIFT) +
				 READ_ONCE(file->f_ra.ra_pages));
	/* Some lower filesystems make direct reads by way of their page cache. */
	if (ret > 0 && iocb->ki_flags & IOCB_DIRECT && READ_ONCE(share->map.nr) &&
	    !FOLD_SB(inode->i_sb)->type->reads_direct)
		fold_drop_copies(inode, pos >> PAGE_SHIFT,
				 ((pos + ret) >> PAGE_SHIFT) +
				 READ_ONCE(file->f_ra.ra_pages));
	fold_accessed(file);
	return ret;
}

/*
 * Puts pages of one folio into the pipe. Returns bytes; 0 if there is nothing
 * to be had without reading.
 */
static size_t splice_folio(struct pipe_inode_info *pipe, struct folio *folio,
			   size_t off, size_t len)
{
	struct pipe_buffer *buf;
	size_t done = 0, part;

	while (len && !pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {
		buf = pipe_buf(pipe, pipe->head);
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(off));
		folio_get(folio);
		*buf = (struct pipe_buffer) {
			/* Nobody may take a shared page out of the cache. */
			.ops	= &nosteal_pipe_buf_ops,
			.page	= folio_page(folio, off >> PAGE_SHIFT),
			.offset	= offset_in_page(off),
			.len	= part,
		};
		pipe->head++;
		off += part;
		len -= part;
		done += part;
	}
	return done;
}

/*
 * Shared pages go into the pipe as they are. Returns bytes, at least *@part if it
 * is worthwhile to go on; or 0: the lower file has the next *@part bytes.
 */
static ssize_t splice_shared(struct file *in, loff_t *ppos,
			     struct pipe_inode_info *pipe, size_t len,
			     size_t *part)
{
	struct inode *inode = file_inode(in);
	struct fold_share *share = &FOLD_I(inode)->share;
	struct fold_page page;
	ssize_t done = 0;
	size_t off, n;
	loff_t size;
	int err;

	*part = len;
	if (!READ_ONCE(share->map.nr))
		return 0;
	while (len && !pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {
		size = i_size_read(FOLD_I(inode)->lower);
		if (*ppos >= size)
			break;
		n = min_t(loff_t, len, size - *ppos);
		err = fold_pages_find(&share->map, *ppos >> PAGE_SHIFT,
				      DIV_ROUND_UP(offset_in_page(*ppos) + n,
						   PAGE_SIZE),
				      &in->f_ra, false, &page);
		if (err && done) {
			*part = done;
			break;
		}
		if (err == -EINTR)
			return err;
		if (err) {
			if (err != -ENOENT)
				page.run.nr = 1;
			*part = part_of_run(&page.run, *ppos, n);
			return 0;
		}
		off = ((page.run.phys - page.folio->index) << PAGE_SHIFT) +
		      offset_in_page(*ppos);
		n = min(part_of_run(&page.run, *ppos, n),
			folio_size(page.folio) - off);
		n = splice_folio(pipe, page.folio, off, n);
		folio_mark_accessed(page.folio);
		folio_put(page.folio);
		*ppos += n;
		len -= n;
		done += n;
	}
	return done;
}

/* What the lower file is about to serve of a file that shares. */
static void splice_read_ahead(struct file *in, struct file *lower, loff_t pos,
			      struct pipe_inode_info *pipe, size_t part)
{
	struct inode *inode = file_inode(in);
	unsigned long nr;

	if (!READ_ONCE(FOLD_I(inode)->share.map.nr))
		return;
	nr = DIV_ROUND_UP(offset_in_page(pos) + part, PAGE_SIZE);
	nr = min_t(unsigned long, nr, pipe->max_usage);
	fold_private_read_ahead(inode, lower, pos >> PAGE_SHIFT, nr, nr);
}

/**
 * fold_splice_read - splice from a file
 * @in: the upper file
 * @ppos: position, moved by what is spliced
 * @pipe: destination, locked
 * @len: bytes at most
 * @flags: SPLICE_F_*
 *
 * Context: process context, the pipe is locked.
 * Return: bytes, or a negative errno.
 */
ssize_t fold_splice_read(struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags)
{
	struct inode *inode = file_inode(in);
	struct fold_share *share = &FOLD_I(inode)->share;
	struct backing_file_ctx ctx = fold_backing_ctx(in);
	ssize_t done = 0, ret;
	loff_t pos = *ppos;
	struct file *lower;
	unsigned long seq;
	struct path path;
	size_t part;

	guard(fold_memalloc)(inode);
	fold_sync_flags(in);
	if (READ_ONCE(in->f_flags) & O_DIRECT)
		return copy_splice_read(in, ppos, pipe, len, flags);
	/* The pipe is locked by the reader alone; a join is bounded. */
	if (!READ_ONCE(share->map.nr) && fold_join_wanted(share)) {
		fold_lower_path(file_dentry(in), &path);
		fold_join(inode, &path, true);
	}
	seq = READ_ONCE(share->map.seq);
	do {
		ret = splice_shared(in, ppos, pipe, len, &part);
		if (!ret) {
			lower = fold_open_below(in, true);
			if (IS_ERR(lower)) {
				ret = PTR_ERR(lower);
				break;
			}
			splice_read_ahead(in, lower, *ppos, pipe, part);
			ret = fold_backing_splice_read(lower, in, ppos, pipe,
						       part, flags, &ctx);
		}
		if (ret <= 0)
			break;
		done += ret;
		len -= ret;
		/* Less than asked for means the end, or that it would wait. */
	} while (len && (size_t)ret >= part &&
		 !pipe_full(pipe->head, pipe->tail, pipe->max_usage));
	if (done)
		ret = done;
	/* As in a read. */
	if (ret > 0 && unlikely(fold_joined_since(share, seq)))
		fold_drop_copies(inode, pos >> PAGE_SHIFT,
				 ((pos + ret) >> PAGE_SHIFT) +
				 READ_ONCE(in->f_ra.ra_pages));
	fold_accessed(in);
	return ret;
}
