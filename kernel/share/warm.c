// SPDX-License-Identifier: GPL-2.0-only
/*
 * Warm inodes: unused ones that shared pages would go with.
 *
 * A file's private pages keep its inode in memory: the VFS passes over unused
 * inodes whose mapping has pages, and takes those back when the last page has
 * gone. Shared pages are in no inode's mapping. Without more, the first shortage
 * of memory would take the unused inodes, with each its references, and with the
 * last reference to a fragment all its pages, however much they were wanted: the
 * second run of a program would read the disk again.
 *
 * So an inode with references that is not used any more is not given to the VFS's
 * list of unused inodes. It goes on a list of the mount's, which holds a reference
 * on it. The VFS has the superblock's caches shrunk in proportion; then the list is
 * gone over, and who is not needed goes to the VFS's list: whose pages are not
 * cached, and whose pages others keep. Of a hundred clones of a program that ran
 * once one remains warm; the others find its pages when they join again.
 *
 * Who finds a warm inode by its lower inode takes it off the list. So a warm one
 * has no dentry and is in nobody's use, but for moments.
 *
 * Locks: i_lock, then warm_lock; decide_mutex, then warm_lock. The list's reference
 * is put under none of them.
 */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>

#include "../core/cache.h"
#include "upper.h"

/*
 * Of two files that each keep the same pages one may go, not both: those who
 * decide take turns. Reclaim waits for it, so nothing is waited for under it.
 */
static DEFINE_MUTEX(decide_mutex);

/* Where an inode is, fold_share.warm; ss->warm_lock. */
enum {
	COLD,		/* not with us */
	WARM,		/* on the list, which holds a reference */
	EXAMINED,	/* off the list, somebody decides, and has its reference */
	LET_GO,		/* not needed; the next time that it is unused is the VFS's */
};

static struct fold_sb_share *to_ss(struct inode *inode)
{
	return &FOLD_SB(inode->i_sb)->share;
}

static void put_on_list(struct fold_sb_share *ss, struct fold_share *share)
{
	WRITE_ONCE(share->warm, WARM);
	list_add_tail(&share->warm_entry, &ss->warm);
	WRITE_ONCE(ss->nr_warm, ss->nr_warm + 1);
}

static void take_off_list(struct fold_sb_share *ss, struct fold_share *share,
			  int where)
{
	WRITE_ONCE(share->warm, where);
	list_del(&share->warm_entry);
	WRITE_ONCE(ss->nr_warm, ss->nr_warm - 1);
}

/**
 * fold_warm_init - an upper inode comes into being
 * @share: its sharing state
 */
void fold_warm_init(struct fold_share *share)
{
	share->warm = COLD;
}

/**
 * fold_warm_keep - an inode's last reference is being dropped
 * @inode: the upper inode
 *
 * If it is to be kept it has a reference again, the list's.
 *
 * Context: ->drop_inode, which then says that the inode shall be cached: i_lock held.
 */
void fold_warm_keep(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;
	struct fold_sb_share *ss = to_ss(inode);
	bool keep;

	if (!READ_ONCE(share->map.nr) || inode->i_state & I_DONTCACHE ||
	    !(inode->i_sb->s_flags & SB_ACTIVE))
		return;
	spin_lock(&ss->warm_lock);
	keep = !READ_ONCE(ss->stopping) && share->warm != LET_GO;
	if (keep) {
		atomic_inc(&inode->i_count);
		put_on_list(ss, share);
	} else {
		WRITE_ONCE(share->warm, COLD);
	}
	spin_unlock(&ss->warm_lock);
}

/**
 * fold_warm_used - an inode has been found that may be a warm one
 * @inode: the upper inode, with a reference of the caller's
 *
 * Context: any but interrupts.
 */
void fold_warm_used(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;
	struct fold_sb_share *ss = to_ss(inode);
	bool listed;

	if (READ_ONCE(share->warm) == COLD)
		return;
	spin_lock(&ss->warm_lock);
	listed = share->warm == WARM;
	if (listed)
		take_off_list(ss, share, COLD);
	else
		WRITE_ONCE(share->warm, COLD);
	spin_unlock(&ss->warm_lock);
	if (listed)
		iput(inode);
}

/**
 * fold_warm_in_use - is a file in use, or kept for its pages
 * @share: its sharing state
 *
 * Context: any.
 * Return: false if its inode may go as soon as memory is wanted.
 */
bool fold_warm_in_use(struct fold_share *share)
{
	struct fold_inode *fi = container_of(share, struct fold_inode, share);

	return atomic_read(&fi->vfs_inode.i_count) &&
	       READ_ONCE(share->warm) != LET_GO;
}

/**
 * fold_warm_count - super_operations.nr_cached_objects
 * @sb: the superblock
 * @sc: whose memory is wanted
 *
 * All of them for each cgroup, since who is charged for them is not known: a cgroup
 * at its limit has the list gone over until its own inodes have come up. Let go,
 * they are on the VFS's lists, of which each cgroup has its own.
 *
 * Return: the number of warm inodes.
 */
long fold_warm_count(struct super_block *sb, struct shrink_control *sc)
{
	return READ_ONCE(FOLD_SB(sb)->share.nr_warm);
}

/* Examines the oldest. Returns 1 if it was let go, 0 if not, -1 if there is none. */
static int examine_one(struct fold_sb_share *ss)
{
	struct fold_share *share;
	struct inode *inode;
	bool keep, put;

	spin_lock(&ss->warm_lock);
	share = list_first_entry_or_null(&ss->warm, struct fold_share,
					 warm_entry);
	if (share)
		take_off_list(ss, share, EXAMINED);
	spin_unlock(&ss->warm_lock);
	if (!share)
		return -1;

	inode = &container_of(share, struct fold_inode, share)->vfs_inode;
	mutex_lock(&decide_mutex);
	/* What was removed around the mount is wanted back, with its blocks. */
	keep = READ_ONCE(fold_lower_inode(inode)->i_nlink) &&
	       fold_cache_needs(&share->map);

	spin_lock(&ss->warm_lock);
	/* Unless somebody has found it meanwhile. */
	put = share->warm != EXAMINED;
	if (!put && keep) {
		put_on_list(ss, share);
	} else if (!put) {
		WRITE_ONCE(share->warm, LET_GO);
		put = true;
	}
	spin_unlock(&ss->warm_lock);
	mutex_unlock(&decide_mutex);
	if (put)
		iput(inode);
	return put;
}

/**
 * fold_warm_scan - super_operations.free_cached_objects
 * @sb: the superblock
 * @sc: how many to examine
 *
 * Context: reclaim that may enter filesystems. Waits for others who do the same,
 * and for what evicting a removed file waits for.
 * Return: how many were let go.
 */
long fold_warm_scan(struct super_block *sb, struct shrink_control *sc)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;
	unsigned long nr = sc->nr_to_scan;
	long freed = 0;
	int one;

	while (nr--) {
		one = examine_one(ss);
		if (one < 0)
			break;
		freed += one;
		cond_resched();
	}
	return freed;
}

/**
 * fold_warm_end - a superblock is about to be shut down
 * @sb: the superblock; its shrinker has gone, and it is stopping: who is not on the
 *	list when we have its lock will not get on it
 *
 * Its unused inodes are the VFS's from now on.
 *
 * Context: process context.
 */
void fold_warm_end(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;
	struct fold_share *share;

	spin_lock(&ss->warm_lock);
	while ((share = list_first_entry_or_null(&ss->warm, struct fold_share,
						 warm_entry))) {
		take_off_list(ss, share, COLD);
		spin_unlock(&ss->warm_lock);
		iput(&container_of(share, struct fold_inode, share)->vfs_inode);
		cond_resched();
		spin_lock(&ss->warm_lock);
	}
	spin_unlock(&ss->warm_lock);
}
