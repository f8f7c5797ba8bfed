// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every change of a file's bytes that comes through the mount is announced
 * here, and ends the references of the range before the lower file changes.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/filelock.h>
#include <linux/sched.h>

#include <uapi/linux/foldfs.h>

#include "../core/refer.h"
#include "upper.h"
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
		WRITE_ONCE(share->patience, 1);
		WRITE_ONCE(share->expires, jiffies + HZ);
		if (empty)
			WRITE_ONCE(share->state, FOLDFS_STATE_NEW);
		spin_unlock(&share->lock);
	}
}

/**
 * fold_verity_end - a file that has come under fs-verity shares no longer
 * @inode: the upper inode
 *
 * Each read of it is to be verified, and what is read through another file is not.
 * Nobody is told when it happens around the mount: to be asked at each open.
 *
 * Context: may sleep, and waits for fills. No lock held.
 */
void fold_verity_end(struct inode *inode)
{
	if (IS_VERITY(FOLD_I(inode)->lower) &&
	    READ_ONCE(FOLD_I(inode)->share.map.nr))
		fold_lease_end(inode);
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
 * fold_sole_writer_begin - the blocks of a file are about to change
 * @file: the upper file; perhaps open for reading only
 * @sw: on the caller's stack; to be handed to fold_sole_writer_end()
 *
 * Deduplication and some ioctls change a file's blocks by a descriptor that is
 * open for reading. When that was opened, no lease was broken: other mounts that
 * show the file may share these blocks still, and would after they have gone. So
 * their leases are broken now, and none is granted until the change is over.
 *
 * Context: may sleep, and waits for fills through other mounts, and for the
 * holders of other leases as long as lease-break-time lets them. Neither the
 * upper inode nor the lower one is locked.
 * Return: 0, or -EINTR or -ERESTARTSYS upon a signal.
 */
int fold_sole_writer_begin(struct file *file, struct fold_sole_writer *sw)
{
	struct inode *lower = fold_lower_inode(file_inode(file));
	int err;

	fold_write_open_begin(file_inode(file), &sw->op);
	/* Refused for a program that runs from below. */
	sw->access = !(file->f_mode & FMODE_WRITE) && !get_write_access(lower);
	err = break_lease(lower, O_WRONLY);
	if (!err)
		return 0;
	if (sw->access)
		put_write_access(lower);
	fold_write_open_end(file_inode(file), &sw->op);
	return err;
}

/**
 * fold_sole_writer_end - undo fold_sole_writer_begin(), after the change
 * @file: the upper file
 * @sw: what was handed to fold_sole_writer_begin()
 */
void fold_sole_writer_end(struct file *file, struct fold_sole_writer *sw)
{
	struct inode *lower = fold_lower_inode(file_inode(file));

	/* What could not be kept away meanwhile is sent away now. */
	if (sw->access)
		put_write_access(lower);
	else if (!(file->f_mode & FMODE_WRITE))
		break_lease(lower, O_WRONLY | O_NONBLOCK);
	fold_write_open_end(file_inode(file), &sw->op);
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

/* One more in the high half of share->writers, so that each change shows. */
#define WRITERS_MOVED	((s64)BIT_ULL(32))

/**
 * fold_writer_opened - a lower file of ours is open for writing
 * @inode: the upper inode
 */
void fold_writer_opened(struct inode *inode)
{
	atomic64_add(WRITERS_MOVED + 1, &FOLD_I(inode)->share.writers);
}

/**
 * fold_writer_closes - it is about to be closed
 * @inode: the upper inode
 */
void fold_writer_closes(struct inode *inode)
{
	/* A full barrier: before it gives up its write access. */
	atomic64_add_return(WRITERS_MOVED - 1, &FOLD_I(inode)->share.writers);
}

/**
 * fold_write_by_others - has somebody else the lower inode open for writing
 * @fi: the upper inode
 *
 * Says yes in doubt, as while one of our own files is being opened or closed.
 * Whoever truncates a file has write access meanwhile, by whatever way he came.
 *
 * Context: any, interrupts included.
 * Return: whether there may be somebody.
 */
bool fold_write_by_others(struct fold_inode *fi)
{
	s64 ours = atomic64_read(&fi->share.writers);
	int all;

	/* Between two looks at ours that agree: ours did not move. */
	smp_rmb();
	all = atomic_read(&fi->lower->i_writecount);
	/* As above. */
	smp_rmb();
	return all > (s32)ours || atomic64_read(&fi->share.writers) != ours;
}
