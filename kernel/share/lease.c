// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lease on the lower file: how foldfs learns of writers around the mount.
 *
 * A read lease (FL_LEASE, as any user may take it) is granted only while
 * nobody has the lower inode open for writing, and whoever opens it so, or
 * truncates it by path, waits until we have let go. Our own writers pass.
 *
 * Before an open breaks leases, a fsnotify mark tells us of it, in the task of the
 * one who opens, who is a writer of the inode already and may be made to wait. So
 * the lease is given up there and then, and an open with O_NONBLOCK, which would
 * not wait for it, finds none. Opens that make no events (an overlayfs's, another
 * mount's of foldfs) and truncations by path do break the lease.
 *
 * Truncations that leases miss, through an overlayfs or nfsd or an open for
 * reading with O_TRUNC, are told by the mark as well, after the fact but before
 * the call returns.
 *
 * The lease goes with the last extent's break, never before.
 */
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fsnotify_backend.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <uapi/linux/foldfs.h>

#include "compat.h"
#include "../core/refer.h"
#include "upper.h"

static struct fsnotify_group *mark_group __ro_after_init;
static struct workqueue_struct *outside_wq __ro_after_init;

/**
 * struct fold_mark - watches one lower inode for truncations
 * @mark: on the lower inode
 * @lock: protects @inode
 * @inode: the upper inode, or NULL once it no longer wants to know
 */
struct fold_mark {
	struct fsnotify_mark mark;
	spinlock_t lock;
	struct inode *inode;
};

/*
 * Has a worker end the sharing. It holds the inode and counts as a hold of the
 * mount, so that nobody who evicts an inode has to wait for it. Where the mount or
 * the inode is going away, whoever evicts it ends the sharing.
 */
static void end_later(struct fold_share *share)
{
	struct fold_inode *fi = container_of(share, struct fold_inode, share);
	struct inode *inode = &fi->vfs_inode;

	if (atomic_xchg(&share->outside_due, 1))
		return;
	if (fold_share_sb_hold(inode->i_sb)) {
		if (igrab(inode)) {
			queue_work(outside_wq, &share->outside_work);
			return;
		}
		fold_share_sb_let_go(inode->i_sb);
	}
	atomic_set(&share->outside_due, 0);
}

/*
 * Called with a spinlock held, in the task of the one who opens. From here on
 * no lookup finds anything; the work does the rest and lets the opener go.
 */
static bool lease_break(struct file_lease *fl)
{
	struct fold_inode *fi = fl->c.flc_owner;

	fold_map_outside(&fi->share.map);
	end_later(&fi->share);
	/* The opener waits for us, not for lease-break-time. */
	fl->fl_break_time = 0;
	return false;
}

static int lease_change(struct file_lease *fl, int arg, struct list_head *dispose)
{
	return lease_modify(fl, arg, dispose);
}

static bool lease_breaker_is_ours(struct file_lease *fl)
{
	struct fold_inode *fi = fl->c.flc_owner;

	return fold_write_is_ours(&fi->share);
}

/* Called with a spinlock held, before the lease is granted and once more after. */
static int __maybe_unused lease_open_conflict(struct file *file, int type)
{
	return inode_is_open_for_write(file_inode(file)) ? -EAGAIN : 0;
}

static const struct lease_manager_operations lease_ops = {
	FOLD_LM_OPEN_CONFLICT(lease_open_conflict)
	.lm_break		= lease_break,
	.lm_change		= lease_change,
	.lm_breaker_owns_lease	= lease_breaker_is_ours,
};

/* Somebody is about to write around the mount. He waits until nothing is shared. */
static void end_sharing(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	fold_lease_end(inode);
	fold_stat_add(share->map.stats, FOLD_STAT_OUTSIDE, 1);
	spin_lock(&share->lock);
	WRITE_ONCE(share->state, FOLDFS_STATE_BROKEN);
	WRITE_ONCE(share->patience, HZ);
	WRITE_ONCE(share->expires, jiffies + HZ);
	spin_unlock(&share->lock);
}

static int mark_event(struct fsnotify_mark *mark, u32 mask, struct inode *lower,
		      struct inode *dir, const struct qstr *name, u32 cookie)
{
	struct fold_mark *fm = container_of(mark, struct fold_mark, mark);
	struct fold_share *share;
	struct inode *inode;

	spin_lock(&fm->lock);
	inode = fm->inode ? igrab(fm->inode) : NULL;
	spin_unlock(&fm->lock);
	if (!inode)
		return 0;
	share = &FOLD_I(inode)->share;
	if (mask & FS_OPEN_PERM) {
		/* Who opens for writing has write access by now. */
		if (fold_write_by_others(FOLD_I(inode))) {
			fold_map_outside(&share->map);
			end_sharing(inode);
		}
	} else if (!fold_write_is_ours(share)) {
		fold_map_outside(&share->map);
		fold_break(&share->map, 0, ULONG_MAX, inode->i_ino);
		end_later(share);
	}
	iput(inode);
	return 0;
}

static void mark_free(struct fsnotify_mark *mark)
{
	kfree(container_of(mark, struct fold_mark, mark));
}

static const struct fsnotify_ops mark_ops = {
	.handle_inode_event	= mark_event,
	.free_mark		= mark_free,
};

/**
 * fold_lease_module_init - at module load
 *
 * Return: 0 or a negative errno.
 */
int __init fold_lease_module_init(void)
{
	outside_wq = alloc_workqueue("foldfs_outside",
				     WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!outside_wq)
		return -ENOMEM;
	/* Several mounts may lie over one file, each with a mark of its own. */
	mark_group = fsnotify_alloc_group(&mark_ops, FSNOTIFY_GROUP_DUPS);
	if (IS_ERR(mark_group)) {
		destroy_workqueue(outside_wq);
		return PTR_ERR(mark_group);
	}
	/* Others are not told before an open. */
	mark_group->priority = FSNOTIFY_PRIO_CONTENT;
	return 0;
}

/**
 * fold_lease_module_exit - at module unload; no inode is left
 */
void fold_lease_module_exit(void)
{
	fsnotify_wait_marks_destroyed();
	fsnotify_put_group(mark_group);
	destroy_workqueue(outside_wq);
}

static int mark_add(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;
	struct fold_mark *fm = kzalloc(sizeof(*fm), GFP_KERNEL);
	int err;

	if (!fm)
		return -ENOMEM;
	spin_lock_init(&fm->lock);
	fm->inode = inode;
	fsnotify_init_mark(&fm->mark, mark_group);
	fm->mark.mask = FS_MODIFY | FS_OPEN_PERM;
	err = fsnotify_add_inode_mark(&fm->mark, FOLD_I(inode)->lower, 0);
	if (err) {
		fsnotify_put_mark(&fm->mark);
		return err;
	}
	share->mark = fm;
	return 0;
}

static void mark_remove(struct fold_share *share)
{
	struct fold_mark *fm = share->mark;

	if (!fm)
		return;
	share->mark = NULL;
	spin_lock(&fm->lock);
	fm->inode = NULL;
	spin_unlock(&fm->lock);
	fsnotify_destroy_mark(&fm->mark, mark_group);
	fsnotify_put_mark(&fm->mark);
}

static void source_put(struct file *source)
{
	/*
	 * A thread of our own drops it at once, or an umount could find the
	 * lower mount busy. Reclaim must not: the lower release may start a
	 * transaction.
	 */
	if (current->flags & PF_MEMALLOC || !(current->flags & PF_KTHREAD))
		fput(source);
	else
		__fput_sync(source);
}

static void lease_unlock(struct fold_inode *fi)
{
	/* Before: fold_reader_opened() goes by it. */
	WRITE_ONCE(fi->share.leased, false);
	/* Not vfs_setlease(): whoever evicts the inode need not own it. */
	kernel_setlease(fi->share.source, F_UNLCK, NULL, (void **)&fi);
}

/**
 * fold_lease_take - make sure that nobody writes around the mount
 * @inode: the upper inode
 * @lower: a path of its lower inode
 *
 * Context: process context, a thread that may be made to wait for nothing but
 * memory; takes share->lease_mutex.
 * Return: 0 if the lease and the mark are held; -EAGAIN if someone has the
 * lower file open for writing, or had and is just being served; other errors
 * of opening the file, vfs_setlease() and fsnotify_add_mark().
 */
int fold_lease_take(struct inode *inode, const struct path *lower)
{
	struct fold_inode *fi = FOLD_I(inode);
	struct fold_share *share = &fi->share;
	const struct cred *old;
	struct file_lease *fl;
	unsigned int nofs;
	struct file *file;
	int err;

	mutex_lock(&share->lease_mutex);
	/* The mutex is taken when reclaim evicts an inode. */
	nofs = memalloc_nofs_save();
	if (share->leased) {
		err = READ_ONCE(share->map.closed) ? -EAGAIN : 0;
		goto unlock;
	}
	old = override_creds(FOLD_SB(inode->i_sb)->cred);
	/* Waits for nobody's lease, and counts towards nobody's limit. */
	file = fold_open_quietly(lower, O_RDONLY | O_NOATIME | O_NONBLOCK |
				 O_LARGEFILE, current_cred());
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto revert;
	}
	fl = locks_alloc_lease();
	if (!fl) {
		err = -ENOMEM;
		goto put;
	}
	fl->fl_lmops = &lease_ops;
	fl->c.flc_owner = fi;
	fl->c.flc_file = file;
	fl->c.flc_flags = FL_LEASE;
	fl->c.flc_type = F_RDLCK;
	/* Before: whoever breaks the lease from now on closes it again. */
	fold_map_reopen(&share->map);
	err = vfs_setlease(file, F_RDLCK, &fl, NULL);
	if (fl)
		locks_free_lease(fl);
	if (err)
		goto put;
	share->source = file;
	WRITE_ONCE(share->leased, true);
	err = mark_add(inode);
	if (!err)
		goto revert;
	lease_unlock(fi);
	share->source = NULL;
put:
	source_put(file);
revert:
	revert_creds(old);
unlock:
	memalloc_nofs_restore(nofs);
	mutex_unlock(&share->lease_mutex);
	return err;
}

/* share->lease_mutex is held, and the map has no extents and will not get any. */
static void lease_let_go(struct fold_inode *fi)
{
	struct fold_share *share = &fi->share;

	lease_unlock(fi);
	mark_remove(share);
	source_put(share->source);
	share->source = NULL;
}

/**
 * fold_lease_drop - let go of the lease, if the file shares nothing
 * @inode: the upper inode
 *
 * Context: process context, not reclaim; takes share->lease_mutex.
 */
void fold_lease_drop(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	mutex_lock(&share->lease_mutex);
	/* A claim that is committed from here on finds the map closed. */
	if (share->leased && fold_map_close(&share->map, true))
		lease_let_go(FOLD_I(inode));
	mutex_unlock(&share->lease_mutex);
}

/**
 * fold_lease_end - end what a file refers to, and let go of the lease
 * @inode: the upper inode; it may join again afterwards
 *
 * Context: process context, not reclaim; waits for fills.
 */
void fold_lease_end(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	mutex_lock(&share->lease_mutex);
	if (share->leased) {
		if (!fold_map_close(&share->map, false))
			fold_break(&share->map, 0, ULONG_MAX, inode->i_ino);
		lease_let_go(FOLD_I(inode));
	}
	mutex_unlock(&share->lease_mutex);
}

/**
 * fold_reader_opened - a file that shares is opened for reading, without a lower file
 * @inode: the upper inode
 *
 * It counts among the lower inode's readers, so that no lease for writing is granted
 * around the mount as long as it is open.
 *
 * Context: any but interrupts.
 * Return: true, and fold_reader_closes() follows; or false if the file has no lease
 * of ours, by which nobody else has one that opening it for reading would break.
 */
bool fold_reader_opened(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	i_readcount_inc(fold_lower_inode(inode));
	/*
	 * Pairs with the barrier between granting a lease and looking at that count
	 * once more: who is given one when ours has gone sees us, or we see that
	 * ours has gone.
	 */
	smp_mb__after_atomic();
	if (READ_ONCE(share->leased) && !READ_ONCE(share->map.closed))
		return true;
	i_readcount_dec(fold_lower_inode(inode));
	return false;
}

/**
 * fold_reader_closes - undo fold_reader_opened()
 * @inode: the upper inode
 *
 * Context: any but interrupts.
 */
void fold_reader_closes(struct inode *inode)
{
	i_readcount_dec(fold_lower_inode(inode));
}

/**
 * fold_lease_distrust - a file's bytes are perhaps not where it seemed
 * @inode: the upper inode
 *
 * Nothing is served of what it refers to from here on, and a worker ends its sharing, as
 * it does for a writer around the mount. It may join again.
 *
 * Context: any but interrupts; takes map->lock.
 */
void fold_lease_distrust(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	fold_map_outside(&share->map);
	end_later(share);
}

static void outside_work(struct work_struct *work)
{
	struct fold_share *share = container_of(work, struct fold_share,
						outside_work);

	/* Who comes from here on is not sure to be served by this run. */
	atomic_set(&share->outside_due, 0);
	/* Pairs with the exchange in end_later(). */
	smp_mb__after_atomic();
	end_sharing(&container_of(share, struct fold_inode, share)->vfs_inode);
	fold_let_go(&share->map);
}

/* Of all who are about to give their lease up, one that can be held; or NULL. */
static struct fold_share *leaving(struct inode *lower, bool *any)
{
	struct file_lock_context *ctx = locks_inode_context(lower);
	struct fold_share *share = NULL;
	struct file_lease *fl;

	*any = false;
	if (!ctx)
		return NULL;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(fl, &ctx->flc_lease, c.flc_list) {
		struct fold_inode *fi = fl->c.flc_owner;

		if (fl->fl_lmops != &lease_ops ||
		    !(fl->c.flc_flags & FL_UNLOCK_PENDING))
			continue;
		*any = true;
		if (fi->share.map.ops->hold(&fi->share.map)) {
			share = &fi->share;
			break;
		}
	}
	spin_unlock(&ctx->flc_lock);
	return share;
}

/**
 * fold_lease_wait - wait until the leases that are being broken are gone
 * @lower: a lower inode, whose lease somebody has tried to break
 *
 * Only for leases of mounts of foldfs, which are given up at once; those of
 * programs stay.
 *
 * Context: may sleep, and waits for fills, and for the umount of another mount
 * that has the file, if that has begun. No lock held.
 */
void fold_lease_wait(struct inode *lower)
{
	struct fold_share *share;
	bool any;

	do {
		share = leaving(lower, &any);
		if (share) {
			flush_work(&share->outside_work);
			fold_let_go(&share->map);
		} else if (any) {
			/* Whoever unmounts it evicts the inode, and wakes nobody. */
			schedule_timeout_idle(HZ / 100 + 1);
		}
	} while (any);
}

/**
 * fold_lease_init - with the inode
 * @share: its sharing state
 */
void fold_lease_init(struct fold_share *share)
{
	mutex_init(&share->lease_mutex);
	share->source = NULL;
	share->leased = false;
	share->mark = NULL;
	atomic_set(&share->outside_due, 0);
	INIT_WORK(&share->outside_work, outside_work);
}
