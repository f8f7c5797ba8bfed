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
 * Reclaim waits for nothing of this. It queues who is to be examined; a worker
 * examines, and queues who is not needed; another one ends the references of
 * those, which may wait for fills, and only then gives them to the VFS. What the
 * VFS evicts in reclaim so has no references. An inode that would have to be
 * evicted there with some, since it has been removed, is queued instead.
 *
 * Locks: i_lock, then warm_lock. A list's reference is put under neither.
 */
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#include "../core/cache.h"
#include "compat.h"
#include "upper.h"

/*
 * Of two files that each keep the same pages one may go, not both: those who
 * decide, for whatever mount, take turns.
 */
static struct workqueue_struct *decide_wq __ro_after_init;
/* Who waits here waits for fills, and for nobody else's. */
static struct workqueue_struct *leave_wq __ro_after_init;

/* Where an inode is, fold_share.warm; ss->warm_lock. */
enum {
	COLD,		/* not with us */
	WARM,		/* on ss->warm, which holds a reference, as the others do */
	QUEUED,		/* on ss->queued, to be examined */
	EXAMINED,	/* on no list: the worker that examines it has the reference */
	LEAVING,	/* on ss->leaving */
	ENDED,		/* on no list: the worker that ends its references has it */
};

/**
 * fold_warm_module_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_warm_module_init(void)
{
	decide_wq = alloc_ordered_workqueue("foldfs_warm", WQ_MEM_RECLAIM);
	if (!decide_wq)
		return -ENOMEM;
	leave_wq = alloc_workqueue("foldfs_leave", WQ_UNBOUND | WQ_MEM_RECLAIM,
				   0);
	if (leave_wq)
		return 0;
	destroy_workqueue(decide_wq);
	return -ENOMEM;
}

/**
 * fold_warm_module_exit - at module unload; no mount is left
 */
void fold_warm_module_exit(void)
{
	destroy_workqueue(leave_wq);
	destroy_workqueue(decide_wq);
}

static struct fold_sb_share *to_ss(struct inode *inode)
{
	return &FOLD_SB(inode->i_sb)->share;
}

static struct inode *to_inode(struct fold_share *share)
{
	return &container_of(share, struct fold_inode, share)->vfs_inode;
}

static bool is_listed(const struct fold_share *share)
{
	return share->warm == WARM || share->warm == QUEUED ||
	       share->warm == LEAVING;
}

static void put_on_list(struct fold_sb_share *ss, struct fold_share *share,
			int where)
{
	struct list_head *list = where == WARM ? &ss->warm :
				 where == QUEUED ? &ss->queued : &ss->leaving;

	WRITE_ONCE(share->warm, where);
	list_add_tail(&share->warm_entry, list);
	if (where == WARM)
		WRITE_ONCE(ss->nr_warm, ss->nr_warm + 1);
}

static void take_off_list(struct fold_sb_share *ss, struct fold_share *share,
			  int where)
{
	if (share->warm == WARM)
		WRITE_ONCE(ss->nr_warm, ss->nr_warm - 1);
	list_del(&share->warm_entry);
	WRITE_ONCE(share->warm, where);
}

/**
 * fold_warm_init - an upper inode comes into being
 * @share: its sharing state
 */
void fold_warm_init(struct fold_share *share)
{
	share->warm = COLD;
	share->warm_at = 0;
}

/* Puts an inode, whose last reference is being dropped, on a list instead. */
static bool keep(struct inode *inode, int where)
{
	struct fold_share *share = &FOLD_I(inode)->share;
	struct fold_sb_share *ss = to_ss(inode);
	bool kept;

	spin_lock(&ss->warm_lock);
	kept = !READ_ONCE(ss->stopping);
	if (kept) {
		atomic_inc(&inode->i_count);
		put_on_list(ss, share, where);
		if (where == LEAVING)
			queue_work(leave_wq, &ss->leave_work);
	}
	spin_unlock(&ss->warm_lock);
	return kept;
}

/**
 * fold_warm_keep - an inode's last reference is being dropped
 * @inode: the upper inode, which can be cached
 *
 * If it is to be kept it has a reference again, the list's.
 *
 * Context: ->drop_inode, which then says that the inode shall be cached: i_lock held.
 */
void fold_warm_keep(struct inode *inode)
{
	/* Also one that refers to nothing any more: the worker drops the lease. */
	if (READ_ONCE(FOLD_I(inode)->share.leased) &&
	    !(inode_state_read(inode) & I_DONTCACHE) &&
	    inode->i_sb->s_flags & SB_ACTIVE)
		keep(inode, WARM);
}

/**
 * fold_warm_hand_on - an inode is about to be evicted
 * @inode: the upper inode, whose last reference is being dropped
 *
 * Where memory is being reclaimed nobody may wait until its references have ended.
 * It holds a lease as long as it has any.
 *
 * Context: ->drop_inode: i_lock held.
 * Return: true if a worker will do it: the inode has a reference again, and is
 * not to be evicted now.
 */
bool fold_warm_hand_on(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	/*
	 * What was removed through the mount is mostly dropped by who removed or
	 * closed it, who gets its blocks back at once.
	 */
	if (!READ_ONCE(share->leased) ||
	    (!inode->i_nlink && !(current->flags & PF_MEMALLOC)) ||
	    !(inode->i_sb->s_flags & SB_ACTIVE) || !keep(inode, LEAVING))
		return false;
	/* Or the VFS would evict it all the same. */
	inode_state_clear(inode, I_DONTCACHE);
	return true;
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
	listed = is_listed(share);
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
 * Return: false if its inode is about to go.
 */
bool fold_warm_in_use(struct fold_share *share)
{
	int where = READ_ONCE(share->warm);

	return atomic_read(&to_inode(share)->i_count) && where != LEAVING &&
	       where != ENDED;
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

/**
 * fold_warm_scan - super_operations.free_cached_objects
 * @sb: the superblock
 * @sc: how many to examine
 *
 * Context: reclaim. Waits for nothing.
 * Return: how many will be examined.
 */
long fold_warm_scan(struct super_block *sb, struct shrink_control *sc)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;
	unsigned long nr = sc->nr_to_scan;
	struct fold_share *share;
	long queued = 0;

	spin_lock(&ss->warm_lock);
	while (nr-- && !list_empty(&ss->warm)) {
		share = list_first_entry(&ss->warm, struct fold_share,
					 warm_entry);
		take_off_list(ss, share, COLD);
		share->warm_at = 0;
		put_on_list(ss, share, QUEUED);
		queued++;
	}
	if (queued && !READ_ONCE(ss->stopping))
		queue_work(decide_wq, &ss->decide_work);
	spin_unlock(&ss->warm_lock);
	return queued;
}

/* The oldest of a list, which nobody else has now; or NULL. */
static struct fold_share *take_first(struct fold_sb_share *ss,
				     struct list_head *list, int where)
{
	struct fold_share *share;

	spin_lock(&ss->warm_lock);
	share = list_first_entry_or_null(list, struct fold_share, warm_entry);
	if (share)
		take_off_list(ss, share, where);
	spin_unlock(&ss->warm_lock);
	return share;
}

/* Decides about one inode. A file of very many extents takes several turns. */
static void decide(struct fold_sb_share *ss, struct fold_share *share)
{
	struct inode *inode = to_inode(share);
	bool needed, more = false, put;

	/* What was removed around the mount is wanted back, with its blocks. */
	needed = READ_ONCE(fold_lower_inode(inode)->i_nlink) &&
		 fold_cache_needs(&share->map, &share->warm_at, &more);
	spin_lock(&ss->warm_lock);
	/* Unless somebody has found it meanwhile. */
	put = share->warm != EXAMINED || READ_ONCE(ss->stopping);
	if (put) {
		WRITE_ONCE(share->warm, COLD);
	} else {
		put_on_list(ss, share, more ? QUEUED :
				       needed ? WARM : LEAVING);
		if (share->warm == LEAVING)
			queue_work(leave_wq, &ss->leave_work);
	}
	spin_unlock(&ss->warm_lock);
	if (put)
		iput(inode);
}

static void decide_work(struct work_struct *work)
{
	struct fold_sb_share *ss = container_of(work, struct fold_sb_share,
						decide_work);
	struct fold_share *share;

	while ((share = take_first(ss, &ss->queued, EXAMINED))) {
		decide(ss, share);
		cond_resched();
	}
}

static void leave_work(struct work_struct *work)
{
	struct fold_sb_share *ss = container_of(work, struct fold_sb_share,
						leave_work);
	struct fold_share *share;
	struct inode *inode;

	while ((share = take_first(ss, &ss->leaving, ENDED))) {
		inode = to_inode(share);
		/* Somebody who finds it now may find that he has to join again. */
		fold_lease_end(inode);
		spin_lock(&ss->warm_lock);
		WRITE_ONCE(share->warm, COLD);
		spin_unlock(&ss->warm_lock);
		iput(inode);
		cond_resched();
	}
}

/**
 * fold_warm_sb_init - a superblock begins to share
 * @ss: its sharing state
 */
void fold_warm_sb_init(struct fold_sb_share *ss)
{
	spin_lock_init(&ss->warm_lock);
	INIT_LIST_HEAD(&ss->warm);
	INIT_LIST_HEAD(&ss->queued);
	INIT_LIST_HEAD(&ss->leaving);
	INIT_WORK(&ss->decide_work, decide_work);
	INIT_WORK(&ss->leave_work, leave_work);
}

static void let_go(struct fold_sb_share *ss, struct list_head *list)
{
	struct fold_share *share;

	while ((share = take_first(ss, list, COLD))) {
		iput(to_inode(share));
		cond_resched();
	}
}

/**
 * fold_warm_end - a superblock is about to be shut down
 * @sb: the superblock; its shrinker has gone, and it is stopping: who is not on a
 *	list when we have its lock will not get on it
 *
 * Its unused inodes are the VFS's from now on.
 *
 * Context: process context; waits for the workers.
 */
void fold_warm_end(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;

	/* Whoever did not see that it is stopping has queued his work now. */
	spin_lock(&ss->warm_lock);
	spin_unlock(&ss->warm_lock);
	cancel_work_sync(&ss->decide_work);
	cancel_work_sync(&ss->leave_work);
	let_go(ss, &ss->warm);
	let_go(ss, &ss->queued);
	let_go(ss, &ss->leaving);
}
