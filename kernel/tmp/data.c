// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing.
 *
 * map_sem is never held while user memory is touched in a way that may fault: the
 * fault may be on the same file. Reads take a reference to a page and let go; writes copy
 * with faults disabled.
 */
#include <linux/filelock.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "foldtmp.h"

static int page_error(int err)
{
	return err == -EHWPOISON ? -EIO : err;
}

/* The page, with a reference; or NULL for a hole. */
static int find_page(struct ftmp_inode *ti, pgoff_t index,
		     struct folio **foliop)
{
	unsigned long slot;
	int err = 0;

	*foliop = NULL;
	down_read(&ti->map_sem);
	slot = ftmp_map_find(&ti->map, index, NULL);
	if (slot)
		err = ftmp_page_find(slot, foliop);
	up_read(&ti->map_sem);
	return page_error(err);
}

static ssize_t ftmp_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	size_t offset, nr, copied;
	struct folio *folio;
	ssize_t done = 0;
	loff_t size;
	int err = 0;

	while (iov_iter_count(to)) {
		if (iocb->ki_pos >= i_size_read(inode))
			break;
		err = find_page(FTMP_I(inode), iocb->ki_pos >> PAGE_SHIFT,
				&folio);
		if (err)
			break;
		/* It may have become shorter before the page was found. */
		size = i_size_read(inode);
		offset = offset_in_page(iocb->ki_pos);
		nr = 0;
		if (iocb->ki_pos < size)
			nr = min_t(loff_t, PAGE_SIZE - offset,
				   size - iocb->ki_pos);
		nr = min(nr, iov_iter_count(to));
		if (folio) {
			if (!offset)
				folio_mark_accessed(folio);
			copied = copy_folio_to_iter(folio, offset, nr, to);
			folio_put(folio);
		} else {
			copied = iov_iter_zero(nr, to);
		}
		iocb->ki_pos += copied;
		done += copied;
		if (!nr)
			break;
		if (copied < nr) {
			err = -EFAULT;
			break;
		}
		cond_resched();
	}
	file_accessed(file);
	return done ? done : err;
}

/* Writes to a page that may be written where it is; 0 with *@done unset if not. */
static int write_in_place(struct ftmp_inode *ti, pgoff_t index, size_t offset,
			  size_t bytes, struct iov_iter *from, bool *done,
			  size_t *copied)
{
	struct folio *folio;
	unsigned long slot;
	bool alone;
	int err;

	*done = false;
	slot = ftmp_map_find(&ti->map, index, &alone);
	if (!alone)
		return 0;
	err = ftmp_page_lock(slot, SGP_CACHE, &folio);
	if (err)
		return err;
	if (ftmp_page_free_to_write(slot, folio)) {
		*copied = copy_folio_from_iter_atomic(folio, offset, bytes,
						      from);
		folio_mark_accessed(folio);
		folio_mark_dirty(folio);
		*done = true;
	}
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static void copy_part(struct folio *to, struct folio *from, size_t offset,
		      size_t len)
{
	char *addr = kmap_local_folio(from, 0) + offset;

	if (len)
		memcpy_to_folio(to, offset, addr, len);
	kunmap_local(addr);
}

/* Writes to a new page, which is the old one otherwise, and puts it in its place. */
static int write_new(struct ftmp_inode *ti, pgoff_t index, size_t offset,
		     size_t bytes, struct iov_iter *from, size_t *copied)
{
	struct folio *folio, *old = NULL;
	struct ftmp_drop drop = { };
	struct ftmp_path path;
	unsigned long slot, was;
	size_t end;
	int err;

	was = ftmp_map_find(&ti->map, index, NULL);
	if (was) {
		err = ftmp_page_find(was, &old);
		if (err)
			return err;
	}
	err = ftmp_page_make(ti, index, SGP_WRITE, &path, &slot, &folio);
	if (err)
		goto put_old;
	*copied = copy_folio_from_iter_atomic(folio, offset, bytes, from);
	end = offset + *copied;
	if (!*copied) {
		folio_unlock(folio);
		folio_put(folio);
		ftmp_page_put(slot, &drop);
		ftmp_drop_end(&drop);
		goto put_old;
	}
	if (old) {
		copy_part(folio, old, 0, offset);
		copy_part(folio, old, end, PAGE_SIZE - end);
	} else {
		folio_zero_segments(folio, 0, offset, end, PAGE_SIZE);
	}
	folio_mark_uptodate(folio);
	folio_mark_accessed(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	ftmp_page_replace(ti, index, &path, slot);
put_old:
	if (old)
		folio_put(old);
	return err;
}

/* The inode is locked, so no clone of it begins meanwhile. */
static int write_page(struct ftmp_inode *ti, pgoff_t index, size_t offset,
		      size_t bytes, struct iov_iter *from, size_t *copied)
{
	bool done;
	int err;

	*copied = 0;
	down_read(&ti->map_sem);
	err = write_in_place(ti, index, offset, bytes, from, &done, copied);
	up_read(&ti->map_sem);
	if (err || done)
		return page_error(err);
	down_write(&ti->map_sem);
	/* A fault may have made a page meanwhile, or others may just have gone. */
	ftmp_map_ease(&ti->map, index);
	err = write_in_place(ti, index, offset, bytes, from, &done, copied);
	if (!err && !done)
		err = write_new(ti, index, offset, bytes, from, copied);
	up_write(&ti->map_sem);
	return page_error(err);
}

static ssize_t write_locked(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t offset, bytes, copied;
	ssize_t done = 0;
	int err = 0;

	while (iov_iter_count(from)) {
		offset = offset_in_page(iocb->ki_pos);
		bytes = min_t(size_t, PAGE_SIZE - offset, iov_iter_count(from));
		if (fault_in_iov_iter_readable(from, bytes) == bytes) {
			err = -EFAULT;
			break;
		}
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = write_page(FTMP_I(inode), iocb->ki_pos >> PAGE_SHIFT,
				 offset, bytes, from, &copied);
		if (err)
			break;
		iocb->ki_pos += copied;
		done += copied;
		if (iocb->ki_pos > i_size_read(inode))
			i_size_write(inode, iocb->ki_pos);
		cond_resched();
	}
	return done ? done : err;
}

static ssize_t ftmp_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto unlock;
	ret = file_remove_privs(file);
	if (ret)
		goto unlock;
	ret = file_update_time(file);
	if (!ret)
		ret = write_locked(iocb, from);
unlock:
	inode_unlock(inode);
	return ret;
}

static int ftmp_open(struct inode *inode, struct file *file)
{
	/* As tmpfs: O_DIRECT is accepted, and changes nothing. */
	file->f_mode |= FMODE_CAN_ODIRECT;
	return generic_file_open(inode, file);
}

/* A device may write to what was mapped until its last process let go of it. */
static int in_hand(struct ftmp_inode *ti, pgoff_t index, unsigned long slot,
		   void *arg)
{
	struct folio *folio;
	int ret;

	folio = filemap_get_folio(ftmp_slot_inode(slot)->i_mapping,
				  ftmp_slot_index(slot));
	if (IS_ERR(folio))
		return 0;
	ret = folio_ref_count(folio) != 2;
	folio_put(folio);
	return ret;
}

/* Whoever had it mapped last lets go of what only mappings need. */
static int ftmp_release(struct inode *inode, struct file *file)
{
	struct ftmp_inode *ti = FTMP_I(inode);
	bool mapped;

	if (RB_EMPTY_ROOT(&ti->views))
		return 0;
	down_write(&ti->map_sem);
	i_mmap_lock_read(inode->i_mapping);
	mapped = mapping_mapped(inode->i_mapping);
	i_mmap_unlock_read(inode->i_mapping);
	/* Else clone.c would not find it. */
	if (!mapped && !ftmp_walk_viewed(ti, 0, ULONG_MAX - FTMP_BATCH, in_hand,
					 NULL))
		ftmp_views_of_inode_gone(ti);
	up_write(&ti->map_sem);
	return 0;
}

const struct file_operations ftmp_file_operations = {
	.open = ftmp_open,
	.release = ftmp_release,
	.llseek = ftmp_llseek,
	.read_iter = ftmp_read_iter,
	.write_iter = ftmp_write_iter,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.mmap = ftmp_mmap,
	.fsync = noop_fsync,
	.fallocate = ftmp_fallocate,
	.remap_file_range = ftmp_remap_file_range,
	.setlease = generic_setlease,
};
