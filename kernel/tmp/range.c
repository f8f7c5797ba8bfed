// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of a file: truncation, holes, allocation, seeking.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "foldtmp.h"

#define LAST_PAGE	((pgoff_t)(MAX_LFS_FILESIZE >> PAGE_SHIFT))

/**
 * ftmp_llseek - ->llseek, SEEK_DATA and SEEK_HOLE included
 * @file: the file
 * @offset: bytes
 * @whence: SEEK_*
 *
 * Return: the new position; -ENXIO beyond the end, -EINVAL.
 */
loff_t ftmp_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct ftmp_inode *ti = FTMP_I(inode);
	pgoff_t index, last;
	loff_t size, found;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence,
						MAX_LFS_FILESIZE,
						i_size_read(inode));
	inode_lock(inode);
	size = i_size_read(inode);
	if (offset < 0 || offset >= size) {
		offset = -ENXIO;
		goto unlock;
	}
	index = offset >> PAGE_SHIFT;
	last = (size - 1) >> PAGE_SHIFT;
	down_read(&ti->map_sem);
	if (whence == SEEK_HOLE)
		index = ftmp_map_next_hole(&ti->map, index, last);
	else if (!ftmp_map_next(&ti->map, &index, last))
		index = last + 1;
	up_read(&ti->map_sem);
	found = max(offset, (loff_t)index << PAGE_SHIFT);
	if (found < size)
		offset = found;
	else
		offset = whence == SEEK_HOLE ? size : -ENXIO;
	if (offset >= 0)
		offset = vfs_setpos(file, offset, MAX_LFS_FILESIZE);
unlock:
	inode_unlock(inode);
	return offset;
}

/* Zeroes a part of a page. map_sem is held for writing. */
static int zero_part(struct ftmp_inode *ti, pgoff_t index, size_t from,
		     size_t to)
{
	struct folio *folio;
	unsigned long slot;
	bool alone;
	int err;

	ftmp_map_ease(&ti->map, index);
	slot = ftmp_map_find(&ti->map, index, &alone);
	if (!slot)
		return 0;
	if (!alone) {
		err = ftmp_page_own(ti, index, true);
		if (err)
			return err;
		slot = ftmp_map_find(&ti->map, index, NULL);
	}
	for (;;) {
		err = ftmp_page_lock(slot, SGP_CACHE, &folio);
		if (err)
			return err;
		if (ftmp_page_free_to_write(slot, folio))
			break;
		folio_unlock(folio);
		folio_put(folio);
		err = ftmp_page_own(ti, index, true);
		if (err)
			return err;
		slot = ftmp_map_find(&ti->map, index, NULL);
	}
	folio_zero_segment(folio, from, to);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static int no_hwpoison(int err)
{
	return err == -EHWPOISON ? -EIO : err;
}

/**
 * ftmp_truncate - set a file's size
 * @inode: the file
 * @size: bytes
 *
 * Context: the inode locked. May sleep.
 * Return: 0; or, with nothing changed, what a copy of the last page may say, if it is
 * a part of one that others refer to: -ENOSPC, -ENOMEM, -EIO.
 */
int ftmp_truncate(struct inode *inode, loff_t size)
{
	struct ftmp_inode *ti = FTMP_I(inode);
	struct ftmp_drop drop = { };
	loff_t old = inode->i_size;
	pgoff_t first = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	int err = 0;

	down_write(&ti->map_sem);
	if (size < old && offset_in_page(size))
		err = zero_part(ti, size >> PAGE_SHIFT, offset_in_page(size),
				PAGE_SIZE);
	if (err) {
		up_write(&ti->map_sem);
		return no_hwpoison(err);
	}
	i_size_write(inode, size);
	if (size <= old) {
		ftmp_unmap(ti, first, LAST_PAGE);
		/* Private copies of what is cut off go as well. */
		if (old > size)
			unmap_mapping_range(inode->i_mapping,
					    (loff_t)first << PAGE_SHIFT, 0, 1);
		ftmp_map_clear(&ti->map, first, LAST_PAGE, &drop);
		ftmp_drop_end(&drop);
	}
	up_write(&ti->map_sem);
	/* And those that were made from a page just before. */
	if (old > size)
		unmap_mapping_range(inode->i_mapping,
				    (loff_t)first << PAGE_SHIFT, 0, 1);
	return 0;
}

static int punch(struct ftmp_inode *ti, loff_t offset, loff_t end)
{
	pgoff_t first = DIV_ROUND_UP_ULL(offset, PAGE_SIZE);
	pgoff_t next = end >> PAGE_SHIFT;
	struct ftmp_drop drop = { };
	int err = 0;

	down_write(&ti->map_sem);
	if (first > next) {
		/* Within one page. */
		err = zero_part(ti, next, offset_in_page(offset),
				offset_in_page(end));
	} else {
		if (offset_in_page(offset))
			err = zero_part(ti, first - 1, offset_in_page(offset),
					PAGE_SIZE);
		if (!err && offset_in_page(end))
			err = zero_part(ti, next, 0, offset_in_page(end));
		if (!err && first < next) {
			ftmp_unmap(ti, first, next - 1);
			ftmp_map_clear(&ti->map, first, next - 1, &drop);
			ftmp_drop_end(&drop);
		}
	}
	up_write(&ti->map_sem);
	return err;
}

static unsigned long count_holes(struct ftmp_inode *ti, pgoff_t index,
				 pgoff_t last)
{
	unsigned long holes = 0;
	pgoff_t at;

	down_read(&ti->map_sem);
	while (index <= last) {
		at = index;
		if (!ftmp_map_next(&ti->map, &at, last)) {
			holes += last - index + 1;
			break;
		}
		holes += at - index;
		index = ftmp_map_next_hole(&ti->map, at, last);
	}
	up_read(&ti->map_sem);
	return holes;
}

static int allocate(struct ftmp_inode *ti, pgoff_t index, pgoff_t last)
{
	struct ftmp_sb *fs = FTMP_SB(ti->vfs_inode.i_sb);
	unsigned long max = READ_ONCE(fs->max_blocks), holes;
	int err = 0;

	/* What cannot succeed leaves nothing behind. */
	holes = count_holes(ti, index, last);
	if (max && holes + atomic_long_read(&fs->used_blocks) > max)
		return -ENOSPC;
	for (; index <= last && !err; index++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		down_write(&ti->map_sem);
		if (!ftmp_map_find(&ti->map, index, NULL))
			err = ftmp_page_own(ti, index, false);
		up_write(&ti->map_sem);
		cond_resched();
	}
	return err;
}

/**
 * ftmp_fallocate - ->fallocate, in the modes that tmpfs has
 * @file: the file
 * @mode: 0, FALLOC_FL_KEEP_SIZE, or that with FALLOC_FL_PUNCH_HOLE
 * @offset: bytes
 * @len: bytes
 *
 * Pages that others refer to as well are there already, and stay shared.
 *
 * Return: 0 or a negative errno.
 */
long ftmp_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		err = punch(FTMP_I(inode), offset, offset + len);
		goto out;
	}
	err = inode_newsize_ok(inode, offset + len);
	if (err)
		goto out;
	err = allocate(FTMP_I(inode), offset >> PAGE_SHIFT,
		       (offset + len - 1) >> PAGE_SHIFT);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) &&
	    offset + len > inode->i_size)
		i_size_write(inode, offset + len);
out:
	if (!err)
		file_modified(file);
	inode_unlock(inode);
	return no_hwpoison(err);
}
