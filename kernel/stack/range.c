// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of whole ranges: fallocate(2), reflink and deduplication.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/file.h>

#include "foldfs.h"

/**
 * fold_fallocate - file_operations.fallocate
 * @file: the upper file
 * @mode: FALLOC_FL_*
 * @offset: first byte
 * @len: bytes
 *
 * Allocating and unsharing change no bytes, but the blocks under them.
 *
 * Return: 0 or a negative errno.
 */
long fold_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	const struct cred *old;
	long ret;

	ret = fold_inode_lock(inode);
	if (ret)
		return ret;
	ret = fold_caller_begin(file, 0, &old);
	if (ret)
		goto out_unlock;
	ret = fold_fallocate_begin(inode, mode, offset, len);
	if (ret)
		goto out_caller;
	ret = vfs_fallocate(fold_lower_file(file), mode, offset, len);
	fold_change_end(inode);
	fold_copy_attr(inode);
	if (!ret)
		ret = fold_sync_metadata(inode, FOLD_SYNC_FILES);
out_caller:
	fold_caller_end(old);
out_unlock:
	inode_unlock(inode);
	return ret;
}

/* The lower filesystem clones or deduplicates. */
static loff_t remap_once(struct file *in, loff_t pos_in, struct file *out,
			 loff_t pos_out, loff_t len, unsigned int flags)
{
	struct file *lower_in = fold_lower_file(in);
	struct file *lower_out = fold_lower_file(out);
	const struct cred *old;
	loff_t ret;

	if (flags & REMAP_FILE_DEDUP) {
		/* The VFS has asked whether the caller may; it knows the ID mapping. */
		old = override_creds(FOLD_SB(file_inode(out)->i_sb)->cred);
		ret = vfs_dedupe_file_range_one(lower_in, pos_in, lower_out,
						pos_out, len, flags);
		revert_creds(old);
	} else {
		ret = fold_caller_begin(out, 0, &old);
		if (!ret) {
			ret = vfs_clone_file_range(lower_in, pos_in, lower_out,
						   pos_out, len, flags);
			fold_caller_end(old);
		}
	}
	return ret;
}

/*
 * Some lower filesystems may remember, from a page that was read beside the range
 * meanwhile, that the blocks of the range are the old ones (see lower.h). What they
 * remember of a range they forget when they replace it; and a second time nobody
 * finds the old blocks any more, once those have come back who were on their way.
 *
 * If it fails, as when the source has changed, the first time is what counts.
 */
static void remap_again(struct file *in, loff_t pos_in, struct file *out,
			loff_t pos_out, loff_t len, unsigned int flags)
{
	struct inode *inode = file_inode(out);
	unsigned long near = FOLD_SB(inode->i_sb)->type->remembers;
	struct inode *lower = fold_lower_inode(inode);
	unsigned long first = pos_out >> PAGE_SHIFT;

	/* Nobody reads beside all that there is. */
	if (!near || (!pos_out && len >= i_size_read(lower)))
		return;
	fold_reads_wait(lower->i_mapping, first - min(first, near),
			((pos_out + len - 1) >> PAGE_SHIFT) + near);
	remap_once(in, pos_in, out, pos_out, len, flags);
}

/**
 * fold_remap_file_range - file_operations.remap_file_range
 * @in: upper file with the source
 * @pos_in: where it begins
 * @out: upper file with the destination, on the same mount's superblock
 * @pos_out: where it begins
 * @len: bytes, 0 for all to the end of @in
 * @flags: REMAP_FILE_*
 *
 * Deduplication changes no bytes, but the blocks under them.
 *
 * Return: bytes that are shared now, or a negative errno.
 */
loff_t fold_remap_file_range(struct file *in, loff_t pos_in, struct file *out,
			     loff_t pos_out, loff_t len, unsigned int flags)
{
	struct inode *inode = file_inode(out);
	struct fold_sole_writer sw;
	struct file *below;
	loff_t start, ret;

	if (flags & ~(REMAP_FILE_DEDUP | REMAP_FILE_ADVISORY))
		return -EINVAL;
	below = fold_open_below(in, true);
	if (IS_ERR(below))
		return PTR_ERR(below);
	below = fold_open_below(out, true);
	if (IS_ERR(below))
		return PTR_ERR(below);

	guard(fold_memalloc)(inode);
	fold_sync_flags(in);
	fold_sync_flags(out);
	/* Before the lock: leases are waited for as long as their holders like. */
	fold_may_be_stopped(inode);
	ret = fold_sole_writer_begin(out, &sw);
	if (ret)
		return ret;
	ret = fold_inode_lock(inode);
	if (ret)
		goto out_writer;
	start = min(pos_out, i_size_read(fold_lower_inode(inode)));
	ret = fold_change_begin(inode, start,
				len ? pos_out - start + len : LLONG_MAX);
	if (ret)
		goto out_unlock;
	ret = remap_once(in, pos_in, out, pos_out, len, flags);
	if (ret > 0)
		remap_again(in, pos_in, out, pos_out, ret, flags);
	fold_change_end(inode);
	fold_copy_attr(inode);
	if (ret > 0) {
		int err = fold_sync_metadata(inode, FOLD_SYNC_FILES);

		fold_share_cloned(file_inode(in));
		fold_share_cloned(inode);
		if (err)
			ret = err;
	}
out_unlock:
	inode_unlock(inode);
out_writer:
	fold_sole_writer_end(out, &sw);
	return ret;
}
