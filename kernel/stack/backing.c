// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lower files as foldfs opens them carry operations of our own.
 *
 * A mapping's vm_file is the lower file, and the kernel acts on that behind
 * the upper file's back: MADV_REMOVE punches it, MADV_WILLNEED reads it ahead,
 * remap_file_pages() maps it again. So the lower file gets a copy of its
 * filesystem's operations in which those few are ours. Everything else goes
 * where it always went; the release by way of us, who count writers. For the
 * same reason mappings get a copy of the lower vm_operations (see mmap.c).
 */
#include <linux/backing-file.h>
#include <linux/fadvise.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "../core/fill.h"
#include "foldfs.h"

/**
 * struct fold_backing - operations of one superblock's lower files
 * @sb: the upper superblock
 * @fops: copy of @lower_fops with ours in it
 * @lower_fops: those of the lower filesystem's regular files
 * @vm_ops: copy of @lower_vm_ops with ours in it
 * @lower_vm_ops: those of the lower filesystem's mappings; set by the first
 *		  mapping, under @lock
 * @lock: protects @vm_ops and @lower_vm_ops while they are being set
 *
 * Lives as long as the superblock: lower files and mappings hold the mount.
 */
struct fold_backing {
	struct super_block *sb;
	struct file_operations fops;
	const struct file_operations *lower_fops;
	struct vm_operations_struct vm_ops;
	const struct vm_operations_struct *lower_vm_ops;
	spinlock_t lock;
};

static struct fold_backing *to_backing(struct file *lower)
{
	return container_of(lower->f_op, struct fold_backing, fops);
}

/**
 * fold_backing_inode - the upper inode that a lower file was opened for
 * @lower: a lower file with our operations
 *
 * Return: the inode; it stays as long as the file.
 */
struct inode *fold_backing_inode(struct file *lower)
{
	struct dentry *user = backing_file_user_path(lower)->dentry;
	struct super_block *sb = to_backing(lower)->sb;

	if (likely(user->d_sb == sb))
		return d_inode(user);
	/* Opened through an overlayfs above, whose path the user is shown. */
	return fold_find_inode(sb, file_inode(lower));
}

/**
 * fold_backing_lower_vm_ops - what the lower filesystem does with a mapping
 * @vma: a mapping with our operations
 *
 * Return: the lower filesystem's operations.
 */
const struct vm_operations_struct *
fold_backing_lower_vm_ops(struct vm_area_struct *vma)
{
	return container_of(vma->vm_ops, struct fold_backing,
			    vm_ops)->lower_vm_ops;
}

static const struct vm_operations_struct *
wrap_vm_ops(struct fold_backing *backing,
	    const struct vm_operations_struct *lower)
{
	spin_lock(&backing->lock);
	if (!backing->lower_vm_ops) {
		backing->vm_ops = *lower;
		fold_mmap_wrap(&backing->vm_ops);
		backing->lower_vm_ops = lower;
	}
	spin_unlock(&backing->lock);
	/* An inode with other operations, DAX say, is left alone. */
	return backing->lower_vm_ops == lower ? &backing->vm_ops : lower;
}

static int backing_mmap_prepare(struct vm_area_desc *desc)
{
	struct fold_backing *backing = to_backing(desc->file);
	int err = fold_lower_mmap_prepare(backing->lower_fops, desc);

	if (!err && desc->vm_ops && !IS_DAX(file_inode(desc->file))) {
		desc->vm_ops = wrap_vm_ops(backing, desc->vm_ops);
		fold_mmap_not_huge(desc);
	}
	return err;
}

FOLD_OP_MMAP_PREPARE(backing_mmap_prepare)

/*
 * Is it one whose writing is counted? One that was opened through an overlayfs
 * above may outlive the upper inode: it is as a writer around the mount to those
 * who ask whether there is one, which costs shared pages, not their truth.
 */
static bool is_own_writer(struct file *lower, struct super_block *sb)
{
	return lower->f_mode & FMODE_WRITE &&
	       backing_file_user_path(lower)->dentry->d_sb == sb;
}

static int backing_release(struct inode *inode, struct file *lower)
{
	const struct file_operations *fops = to_backing(lower)->lower_fops;

	if (is_own_writer(lower, to_backing(lower)->sb))
		fold_writer_closes(fold_backing_inode(lower));
	/* The last mapping may have gone. */
	if (backing_file_user_path(lower)->dentry->d_sb == to_backing(lower)->sb)
		fold_join_hurry(fold_backing_inode(lower));
	return fops->release ? fops->release(inode, lower) : 0;
}

static long backing_fallocate(struct file *lower, int mode, loff_t offset,
			      loff_t len)
{
	const struct file_operations *fops = to_backing(lower)->lower_fops;
	struct inode *inode = fold_backing_inode(lower);
	long err;

	guard(fold_memalloc)(inode);
	err = fold_fallocate_begin(inode, mode, offset, len);
	if (!err)
		err = fops->fallocate ? fops->fallocate(lower, mode, offset,
							len) : -EOPNOTSUPP;
	fold_change_end(inode);
	return err;
}

static void fill_range(struct fold_map *map, loff_t start, loff_t end)
{
	unsigned long index = start >> PAGE_SHIFT, nr;
	unsigned long last = (end - 1) >> PAGE_SHIFT;
	struct fold_run run;

	while (index <= last && !fatal_signal_pending(current)) {
		if (fold_map_lookup(map, index, &run)) {
			nr = min3(run.nr, last - index + 1,
				  (unsigned long)FOLD_FILL_FOLIOS);
			if (fold_fill(map->cache, run.phys, nr, ULONG_MAX))
				return;
		} else {
			nr = run.nr;
		}
		if (nr > last - index)
			return;
		index += nr;
		cond_resched();
	}
}

/*
 * Takes what nobody maps out of the shared cache: of whole pages, and of the page
 * with the end of the file in it if the range goes that far. As with a file that
 * has several names, the pages are gone for all who share them.
 */
static void drop_range(struct fold_map *map, loff_t start, loff_t end,
		       loff_t size)
{
	unsigned long index = DIV_ROUND_UP_ULL(start, PAGE_SIZE), nr;
	unsigned long stop = end < size ? end >> PAGE_SHIFT :
					  DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	struct fold_space *space;
	struct fold_run run;

	while (index < stop && !fatal_signal_pending(current)) {
		if (fold_map_lookup(map, index, &run)) {
			nr = min(run.nr, stop - index);
			space = fold_space(map->cache, run.phys);
			invalidate_mapping_pages(space->mapping, run.phys,
						 run.phys + nr - 1);
		}
		if (run.nr >= stop - index)
			return;
		index += run.nr;
		cond_resched();
	}
}

static int backing_fadvise(struct file *lower, loff_t start, loff_t len,
			   int advice)
{
	const struct file_operations *fops = to_backing(lower)->lower_fops;
	struct inode *inode = fold_backing_inode(lower);
	struct fold_map *map = &FOLD_I(inode)->share.map;
	loff_t size = i_size_read(file_inode(lower)), end = size;
	unsigned long seq = READ_ONCE(map->seq);
	bool shared;
	int err;

	guard(fold_memalloc)(inode);
	shared = READ_ONCE(map->nr) && start >= 0 && start < size && len >= 0;
	if (len && shared && len < end - start)
		end = start + len;
	if (shared && advice == POSIX_FADV_WILLNEED) {
		/* What is private comes with its first use. */
		fill_range(map, start, end);
		return 0;
	}
	if (fops->fadvise)
		err = fops->fadvise(lower, start, len, advice);
	else
		err = generic_fadvise(lower, start, len, advice);
	/* Joined while it was read ahead: these are copies. */
	if (!err && advice == POSIX_FADV_WILLNEED &&
	    unlikely(fold_joined_since(&FOLD_I(inode)->share, seq)))
		fold_drop_copies(inode, 0, ULONG_MAX);
	if (shared && !err && advice == POSIX_FADV_DONTNEED)
		drop_range(map, start, end, size);
	return err;
}

static struct fold_backing *backing_create(struct super_block *sb,
					   const struct file_operations *fops)
{
	struct fold_backing *backing = kzalloc(sizeof(*backing), GFP_KERNEL);

	if (!backing)
		return NULL;
	backing->sb = sb;
	backing->lower_fops = fops;
	backing->fops = *fops;
	fold_set_mmap_prepare(&backing->fops, backing_mmap_prepare);
	backing->fops.release = backing_release;
	backing->fops.fallocate = backing_fallocate;
	backing->fops.fadvise = backing_fadvise;
	spin_lock_init(&backing->lock);
	return backing;
}

/**
 * fold_share_opened - a lower file was opened for an upper one
 * @file: the upper file of a regular inode
 * @lower: its lower file, perhaps not set yet
 *
 * Context: process context.
 * Return: 0, or -ENOMEM.
 */
int fold_share_opened(struct file *file, struct file *lower)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;
	struct fold_backing *backing = READ_ONCE(ss->backing), *old;

	if (!ss->cache || !fold_has_mmap(lower->f_op))
		return 0;
	if (!backing) {
		backing = backing_create(sb, lower->f_op);
		if (!backing)
			return -ENOMEM;
		old = cmpxchg(&ss->backing, NULL, backing);
		if (old) {
			kfree(backing);
			backing = old;
		}
	}
	/* The copy has the same owner, so the module count stays right. */
	if (lower->f_op == backing->lower_fops) {
		lower->f_op = &backing->fops;
		if (is_own_writer(lower, sb))
			fold_writer_opened(file_inode(file));
	}
	return 0;
}

/**
 * fold_backing_free - with the superblock
 * @backing: from struct fold_sb_share, or NULL
 */
void fold_backing_free(struct fold_backing *backing)
{
	kfree(backing);
}
