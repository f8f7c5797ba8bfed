/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stacking filesystem and the sharing below it both know of a mount and
 * of an upper inode.
 */
#ifndef FOLD_SHARE_UPPER_H
#define FOLD_SHARE_UPPER_H

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../lower/lower.h"
#include "share.h"

/**
 * struct fold_sb - one mount's superblock
 * @type: what is known of the lower filesystem's kind
 * @lower_mnt: private clone of the mount that the lower directory was found
 *	in: it has no submounts, and nobody else can change or unmount it
 * @lower_root: the lower directory
 * @cred: the mounter's credentials
 * @nofold: mount option: share nothing
 * @domain: mount option: the trust domain whose files may meet those of this
 *	mount; NULL: that of all mounts without one
 * @upperdir: mount option: can be the upper layer of an overlayfs
 * @idmapped: somebody has come through an ID-mapped mount of it; never cleared
 * @root_dev: the device number that the lower directory shows
 * @devs: for each other one below, which one to show; has a lock of its own
 * @sync_lock: protects @lower_wb_err
 * @lower_wb_err: the lower filesystem's writeback errors that syncfs(2) has
 *	passed on
 * @thaw: looks, while the mount is frozen, whether it can be thawed by anybody
 * @frozen: for @thaw, the superblock; set before @thaw is first queued
 * @share: sharing state
 *
 * All is immutable once the superblock is filled, except as said.
 */
struct fold_sb {
	const struct fold_lower_type *type;
	struct vfsmount *lower_mnt;
	struct dentry *lower_root;
	const struct cred *cred;
	bool nofold;
	bool upperdir;
	char *domain;
	bool idmapped;
	dev_t root_dev;
	struct xarray devs;
	spinlock_t sync_lock;	/* @lower_wb_err */
	errseq_t lower_wb_err;
	struct delayed_work thaw;
	struct super_block *frozen;
	struct fold_sb_share share;
};

/**
 * struct fold_inode - an upper inode
 * @lower: the lower inode; a reference is held from iget to eviction, and the
 *	pointer stays readable under RCU as long as this struct is
 * @share: sharing state
 * @vfs_inode: the inode the VFS sees. Its attributes are copies of the lower
 *	inode's, written under its i_lock.
 */
struct fold_inode {
	struct inode *lower;
	struct fold_share share;
	struct inode vfs_inode;
};

static inline struct fold_inode *FOLD_I(const struct inode *inode)
{
	return container_of(inode, struct fold_inode, vfs_inode);
}

static inline struct fold_sb *FOLD_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct inode *fold_lower_inode(const struct inode *inode)
{
	return FOLD_I(inode)->lower;
}

#endif
