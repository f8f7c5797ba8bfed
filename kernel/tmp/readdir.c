// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listing directories.
 *
 * Each name has an offset from the moment it comes until it goes, so that a listing
 * that is interrupted and gone on with, by telldir() or over NFS, neither repeats nor
 * misses what has not changed. An offset is used again only when the others have run
 * out. 0 and 1 are the directory itself and its parent.
 */
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/xarray.h>

#include "foldtmp.h"

#define FIRST_OFFSET	2

/* A dentry's d_fsdata is its offset. */
static unsigned long dentry_offset(const struct dentry *dentry)
{
	return (unsigned long)dentry->d_fsdata;
}

/**
 * ftmp_offset_add - a name has come into a directory
 * @dir: the directory
 * @dentry: the name, which has no offset
 *
 * Context: the directory locked. May sleep for memory.
 * Return: 0, -ENOMEM, or -ENOSPC if the directory has four billion names.
 */
int ftmp_offset_add(struct inode *dir, struct dentry *dentry)
{
	struct ftmp_inode *ti = FTMP_I(dir);
	u32 offset;
	int err;

	err = xa_alloc_cyclic(&ti->offsets, &offset, dentry,
			      XA_LIMIT(FIRST_OFFSET, U32_MAX - 1),
			      &ti->next_offset, GFP_KERNEL);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	dentry->d_fsdata = (void *)(unsigned long)offset;
	return 0;
}

/**
 * ftmp_offset_remove - a name leaves a directory
 * @dir: the directory
 * @dentry: the name
 *
 * Context: the directory locked.
 */
void ftmp_offset_remove(struct inode *dir, struct dentry *dentry)
{
	if (!dentry_offset(dentry))
		return;
	xa_erase(&FTMP_I(dir)->offsets, dentry_offset(dentry));
	dentry->d_fsdata = NULL;
}

/**
 * ftmp_offset_exchange - two names change their places
 * @old_dir: where the first is
 * @old_dentry: the first
 * @new_dir: where the second is
 * @new_dentry: the second
 *
 * Context: both directories locked. Cannot fail: both places are there.
 */
int ftmp_offset_exchange(struct inode *old_dir, struct dentry *old_dentry,
			 struct inode *new_dir, struct dentry *new_dentry)
{
	void *was = old_dentry->d_fsdata;

	xa_store(&FTMP_I(old_dir)->offsets, dentry_offset(old_dentry),
		 new_dentry, GFP_KERNEL);
	xa_store(&FTMP_I(new_dir)->offsets, dentry_offset(new_dentry),
		 old_dentry, GFP_KERNEL);
	old_dentry->d_fsdata = new_dentry->d_fsdata;
	new_dentry->d_fsdata = was;
	return 0;
}

/*
 * The directory is locked, so names stay as they are, and with them the dentries, which
 * are pinned, and the nodes that @xas has come to.
 */
static struct dentry *next_name(struct xa_state *xas)
{
	struct dentry *dentry;

	rcu_read_lock();
	dentry = xas_next_entry(xas, U32_MAX);
	rcu_read_unlock();
	return dentry;
}

static int ftmp_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file), *inode;
	XA_STATE(xas, &FTMP_I(dir)->offsets, 0);
	struct dentry *dentry;

	if (!dir_emit_dots(file, ctx))
		return 0;
	xas_set(&xas, ctx->pos);
	while ((dentry = next_name(&xas))) {
		inode = d_inode(dentry);
		ctx->pos = dentry_offset(dentry);
		if (inode &&
		    !dir_emit(ctx, dentry->d_name.name, dentry->d_name.len,
			      inode->i_ino, fs_umode_to_dtype(inode->i_mode)))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static loff_t ftmp_dir_llseek(struct file *file, loff_t offset, int whence)
{
	switch (whence) {
	case SEEK_CUR:
		offset += file->f_pos;
		fallthrough;
	case SEEK_SET:
		if (offset >= 0)
			break;
		fallthrough;
	default:
		return -EINVAL;
	}
	return vfs_setpos(file, offset, U32_MAX);
}

const struct file_operations ftmp_dir_operations = {
	.llseek = ftmp_dir_llseek,
	.read = generic_read_dir,
	.iterate_shared = ftmp_readdir,
	.fsync = noop_fsync,
	.setlease = generic_setlease,
};
