// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sharing comes and goes with module, mount and inode: the ladders.
 *
 * At umount, in this order: no new joins, and those on their way are over
 * (they hold inodes); no inode is kept any more for its pages; all inodes are
 * evicted, which ends leases, breaks every reference and waits for fills; then no
 * inode of this mount refers to the cache any more, and the last mount of a domain
 * over a lower filesystem takes its cache along.
 */
#include <linux/backing-dev.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include <uapi/linux/foldfs.h>

#include "compat.h"
#include "../core/refer.h"
#include "upper.h"
#include "../lower/query.h"

/**
 * fold_share_module_init - at module load
 *
 * Return: 0 or a negative errno.
 */
int __init fold_share_module_init(void)
{
	int err = fold_refer_init();

	if (err)
		return err;
	err = fold_cache_init();
	if (err)
		goto refer_exit;
	err = fold_lease_module_init();
	if (err)
		goto cache_exit;
	err = fold_warm_module_init();
	if (err)
		goto lease_exit;
	err = fold_sysfs_module_init();
	if (err)
		goto warm_exit;
	return 0;

warm_exit:
	fold_warm_module_exit();
lease_exit:
	fold_lease_module_exit();
cache_exit:
	fold_cache_exit();
refer_exit:
	fold_refer_exit();
	return err;
}

/**
 * fold_share_module_exit - at module unload; no mount is left
 */
void fold_share_module_exit(void)
{
	fold_sysfs_module_exit();
	fold_warm_module_exit();
	fold_lease_module_exit();
	fold_cache_exit();
	fold_refer_exit();
}

static int open_root(struct fold_sb *fs)
{
	struct path path = { .mnt = fs->lower_mnt, .dentry = fs->lower_root };
	struct file *root;

	root = fold_open_quietly(&path, O_RDONLY | O_DIRECTORY | O_NOATIME |
				 O_LARGEFILE, fs->cred);
	if (IS_ERR(root))
		return PTR_ERR(root);
	fs->share.root = root;
	return 0;
}

/**
 * fold_share_sb_init - a superblock begins to share
 * @sb: the superblock: its lower mount, credentials and bdi are set
 * @fc: where a mount that cannot share says why
 *
 * Context: process context.
 * Return: 0, also if the mount works but shares nothing; or a negative errno.
 */
int fold_share_sb_init(struct super_block *sb, struct fs_context *fc)
{
	struct fold_sb *fs = FOLD_SB(sb);
	struct fold_sb_share *ss = &fs->share;
	struct fold_cache *cache;
	int err;

	if (fs->nofold)
		return fold_sysfs_add(sb);
	err = fold_query_get();
	if (err == -ENOMEM || err == -EINTR || err == -ERESTARTSYS)
		return err;
	if (err) {
		warnfc(fc, "cannot query extents (error %d): nothing will be shared",
		       err);
		return fold_sysfs_add(sb);
	}
	ss->queries = true;
	if (fs->type->asks_by_root) {
		err = open_root(fs);
		if (err)
			return err;
	}
	if (fs->type->able && !fs->type->able(ss->root)) {
		warnfc(fc, "%s has no checksums that can be compared: nothing will be shared",
		       fc->source);
		return fold_sysfs_add(sb);
	}
	/* The lower mount keeps the lower superblock until the cache is put. */
	cache = fold_cache_get(fs->lower_mnt->mnt_sb, fs->domain ?: "",
			       fs->lower_mnt->mnt_sb->s_dev,
			       sb->s_bdi->ra_pages);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	ss->cache = cache;
	return fold_sysfs_add(sb);
}

/**
 * fold_share_sb_stop - a superblock is about to be shut down
 * @sb: the superblock; perhaps not initialised in full
 *
 * Context: process context; waits for joins.
 */
void fold_share_sb_stop(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;

	fold_sysfs_remove(sb);
	WRITE_ONCE(ss->stopping, true);
	if (ss->queries)
		fold_query_cancel(sb);
	/* Either it sees who holds, or who holds sees it; pairs with hold. */
	smp_mb();
	wait_var_event(&ss->holds, !atomic_read(&ss->holds));
	fold_warm_end(sb);
}

/**
 * fold_share_sb_hold - inodes of a mount are about to be held for a moment
 * @sb: the superblock
 *
 * Context: any but interrupts.
 * Return: false if it is going away; else fold_share_sb_let_go() follows.
 */
bool fold_share_sb_hold(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;

	atomic_inc(&ss->holds);
	/* Pairs with the barrier in fold_share_sb_stop(). */
	smp_mb__after_atomic();
	if (!READ_ONCE(ss->stopping))
		return true;
	fold_share_sb_let_go(sb);
	return false;
}

/**
 * fold_share_sb_let_go - undo fold_share_sb_hold()
 * @sb: the superblock; perhaps gone afterwards
 */
void fold_share_sb_let_go(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;

	if (atomic_dec_and_test(&ss->holds))
		wake_up_var(&ss->holds);
}

/**
 * fold_share_sb_exit - undo fold_share_sb_init()
 * @sb: the superblock; its inodes are gone
 *
 * Context: process context.
 */
void fold_share_sb_exit(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;

	if (ss->cache)
		fold_cache_put(ss->cache);
	if (ss->queries)
		fold_query_put();
	ss->cache = NULL;
	ss->queries = false;
	if (ss->root)
		fput(ss->root);
	ss->root = NULL;
	/* Sources that reclaim let go of still hold the lower mount. */
	flush_delayed_fput();
}

/**
 * fold_share_init - an upper inode begins to exist
 * @fi: the inode; nothing else in it is set yet
 * @sb: its superblock
 */
void fold_share_init(struct fold_inode *fi, struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;
	struct fold_share *share = &fi->share;

	fold_map_init(&share->map, ss->cache, &ss->stats,
		      &fold_lower_sharer_ops, sb->s_dev);
	spin_lock_init(&share->lock);
	INIT_LIST_HEAD(&share->openers);
	share->state = FOLDFS_STATE_NEW;
	share->pending = false;
	share->expires = jiffies;
	share->patience = 1;
	fold_warm_init(share);
	init_waitqueue_head(&share->wait);
	share->wait_until = jiffies;
	share->overdue = false;
	share->retry = NULL;
	atomic_set(&share->files, 0);
	atomic64_set(&share->writers, 0);
	fold_lease_init(share);
}

/**
 * fold_share_evict - an upper inode ceases to exist
 * @inode: the inode; nobody else uses it, and no join of it runs
 *
 * Who may still be inside: somebody who breaks the lease, until that is unlocked,
 * and a notify event; neither gets a reference on the inode any more. Fills
 * through the source are over with the last break.
 *
 * Context: process context, waits for fills; or reclaim, if the inode refers to
 * nothing and holds no lease, and then waits for nothing.
 */
void fold_share_evict(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	if (READ_ONCE(share->leased))
		fold_lease_end(inode);
	WARN_ON_ONCE(READ_ONCE(share->map.nr));
}

/**
 * fold_share_cloned - a file has become the source of a clone
 * @inode: the upper inode
 *
 * What was said of it before, that it shares nothing, may be wrong now.
 */
void fold_share_cloned(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	spin_lock(&share->lock);
	WRITE_ONCE(share->patience, 1);
	WRITE_ONCE(share->expires, jiffies);
	spin_unlock(&share->lock);
}
