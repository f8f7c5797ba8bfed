// SPDX-License-Identifier: GPL-2.0-only
/*
 * File handles, for open_by_handle_at(2), nfsd and fanotify, are the lower
 * filesystem's own. As on a bind mount of a directory, a handle may name a file
 * outside of the directory; who may use handles is decided elsewhere.
 */
#include <linux/exportfs.h>

#include "foldfs.h"

static int fold_encode_fh(struct inode *inode, __u32 *fh, int *max_len,
			  struct inode *parent)
{
	return exportfs_encode_inode_fh(fold_lower_inode(inode),
					(struct fid *)fh, max_len,
					parent ? fold_lower_inode(parent) : NULL,
					0);
}

static int any_dentry(void *context, struct dentry *dentry)
{
	return 1;
}

static struct dentry *fold_fh_to_dentry(struct super_block *sb, struct fid *fid,
					int fh_len, int fh_type)
{
	struct dentry *lower, *dentry;

	/* Directories come back with all their parents. */
	lower = exportfs_decode_fh(FOLD_SB(sb)->lower_mnt, fid, fh_len, fh_type,
				   any_dentry, NULL);
	if (IS_ERR_OR_NULL(lower))
		return lower;
	dentry = fold_obtain_alias(sb, lower);
	dput(lower);
	return dentry;
}

static struct dentry *fold_fh_to_parent(struct super_block *sb, struct fid *fid,
					int fh_len, int fh_type)
{
	struct super_block *lower_sb = FOLD_SB(sb)->lower_mnt->mnt_sb;
	struct dentry *lower, *dentry;

	if (!lower_sb->s_export_op->fh_to_parent)
		return NULL;
	lower = lower_sb->s_export_op->fh_to_parent(lower_sb, fid, fh_len,
						    fh_type);
	if (IS_ERR_OR_NULL(lower))
		return lower;
	dentry = fold_obtain_alias(sb, lower);
	dput(lower);
	return dentry;
}

static struct dentry *fold_get_parent(struct dentry *dentry)
{
	struct fold_sb *fsb = FOLD_SB(dentry->d_sb);
	struct dentry *lower = fold_lower_dentry(dentry);
	struct dentry *parent;

	if (lower == fsb->lower_root || IS_ROOT(lower))
		return ERR_PTR(-ESTALE);
	lower = dget_parent(lower);
	parent = fold_obtain_alias(dentry->d_sb, lower);
	dput(lower);
	return parent;
}

/**
 * fold_commit_metadata - export_operations.commit_metadata
 * @inode: an upper inode whose names or attributes have changed
 *
 * For nfsd, before it answers a client, and for mounts with "sync" or "dirsync".
 *
 * Context: may sleep, and waits for the lower filesystem's log.
 * Return: 0 or a negative errno: then the change may be lost in a crash.
 */
int fold_commit_metadata(struct inode *inode)
{
	struct inode *lower = fold_lower_inode(inode);
	const struct export_operations *ops = lower->i_sb->s_export_op;

	if (ops && ops->commit_metadata)
		return ops->commit_metadata(lower);
	return sync_inode_metadata(lower, 1);
}

const struct export_operations fold_export_operations = {
	.encode_fh	= fold_encode_fh,
	.fh_to_dentry	= fold_fh_to_dentry,
	.fh_to_parent	= fold_fh_to_parent,
	.get_parent	= fold_get_parent,
	.commit_metadata = fold_commit_metadata,
};
