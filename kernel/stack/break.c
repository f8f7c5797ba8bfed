// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every change of a file's bytes that comes through the mount is announced
 * here, and ends the references of the range before the lower file changes.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/sched.h>

#include <uapi/linux/foldfs.h>

#include "../core/refer.h"
#include "foldfs.h"
#include "testing.h"

/**
 * fold_change_begin - a range of a file is about to change
 * @inode: the upper inode
 * @start: first byte
 * @len: bytes, or LLONG_MAX for all to the end of any file
 *
 * When it returns, nothing serves the range from a fragment or lets anyone map
 * it from there, and nothing of the file joins until fold_change_end(). Changes
 * may nest and overlap in time; who orders the writers is the caller.
 *
 * Context: may sleep, and waits for fills in the range. mmap_lock or a lower
 * inode's i_rwsem may be held.
 * Return: 0.
 */
int fold_change_begin(struct inode *inode, loff_t start, loff_t len)
{
	struct fold_map *map = &FOLD_I(inode)->share.map;
	unsigned long last = ULONG_MAX;

	if (!fold_map_change_begin(map) || len <= 0 || fold_test_skip_break)
		return 0;
	if (len <= LLONG_MAX - start)
		last = (start + len - 1) >> PAGE_SHIFT;
	if (fold_test_break_one)
		last = start >> PAGE_SHIFT;
	fold_break(map, start >> PAGE_SHIFT, last, inode->i_ino);
	return 0;
}

/**
 * fold_fallocate_begin - fallocate() is about to change a file
 * @inode: the upper inode
 * @mode: FALLOC_FL_*
 * @offset: first byte
 * @len: bytes
 *
 * As fold_change_begin(), with the range that the mode changes.
 *
 * Return: 0; fold_change_end() follows.
 */
int fold_fallocate_begin(struct inode *inode, int mode, loff_t offset,
			 loff_t len)
{
	loff_t size = i_size_read(FOLD_I(inode)->lower);
	loff_t start = max(min(offset, size), 0LL);

	/* What follows moves along. */
	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE) ||
	    offset < 0 || len > LLONG_MAX - offset)
		len = LLONG_MAX;
	else
		len += offset - start;
	return fold_change_begin(inode, start, len);
}

/**
 * fold_change_end - a change is over
 * @inode: the upper inode
 *
 * Context: any but interrupts.
 */
void fold_change_end(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;
	bool empty = !READ_ONCE(share->map.nr);

	fold_map_change_end(&share->map);
	/* What was found out before no longer says anything. */
	if (READ_ONCE(share->patience) > 1 ||
	    (empty && READ_ONCE(share->state) != FOLDFS_STATE_NEW)) {
		spin_lock(&share->lock);
		share->patience = 1;
		share->expires = jiffies + HZ;
		if (empty)
			share->state = FOLDFS_STATE_NEW;
		spin_unlock(&share->lock);
	}
}

/**
 * fold_write_open_begin - the current task is about to write to the lower file
 * @inode: the upper inode
 * @op: on the caller's stack; to be handed to fold_write_open_end()
 *
 * To be put around each open of the lower file for writing, and around each
 * change of its attributes: they would break our own lease, or look like a
 * change from outside.
 */
void fold_write_open_begin(struct inode *inode, struct fold_opener *op)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	op->task = current;
	spin_lock(&share->lock);
	list_add(&op->entry, &share->openers);
	spin_unlock(&share->lock);
}

/**
 * fold_write_open_end - undo fold_write_open_begin()
 * @inode: the upper inode
 * @op: what was handed to fold_write_open_begin()
 */
void fold_write_open_end(struct inode *inode, struct fold_opener *op)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	spin_lock(&share->lock);
	list_del(&op->entry);
	spin_unlock(&share->lock);
}

/**
 * fold_write_is_ours - does the current task write on our behalf
 * @share: sharing state of the upper inode
 *
 * Context: any but interrupts, spinlocks may be held.
 * Return: true between fold_write_open_begin() and fold_write_open_end().
 */
bool fold_write_is_ours(struct fold_share *share)
{
	struct fold_opener *op;
	bool ours = false;

	spin_lock(&share->lock);
	list_for_each_entry(op, &share->openers, entry)
		ours |= op->task == current;
	spin_unlock(&share->lock);
	return ours;
}
