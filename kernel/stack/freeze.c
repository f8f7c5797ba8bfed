// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing. Whoever freezes for a snapshot of the device means what lies below.
 * The upper superblock is frozen first, so that writers wait before they take any
 * lock, and readers do not have to.
 *
 * A frozen superblock outlives its last mount: the freeze holds it. XFS can be
 * mounted again and thawed then. Nobody reaches one of ours again, so while it is
 * frozen it is looked at now and then: when nothing but the freeze holds it, and
 * the lower filesystem has been thawed, it is let go.
 */
#include <linux/fs.h>
#include <linux/workqueue.h>

#include "foldfs.h"

/* How long a superblock may be left over, at most. */
#define LOOK_EVERY	HZ

static struct workqueue_struct *freeze_wq;

static bool is_frozen(const struct super_block *sb)
{
	return READ_ONCE(sb->s_writers.frozen) == SB_FREEZE_COMPLETE;
}

static void look_if_left(struct work_struct *work)
{
	struct fold_sb *fsb = container_of(to_delayed_work(work),
					   struct fold_sb, thaw);
	struct super_block *sb = fsb->frozen;

	/* If it is going, fold_freeze_exit() waits for us. */
	if (!is_frozen(sb) || !atomic_inc_not_zero(&sb->s_active))
		return;
	/* This reference, and that of the freeze. */
	if (atomic_read(&sb->s_active) == 2 &&
	    READ_ONCE(fsb->lower_mnt->mnt_sb->s_writers.frozen) == SB_UNFROZEN)
		fold_thaw_sb(sb, FREEZE_HOLDER_USERSPACE, NULL);
	if (is_frozen(sb))
		queue_delayed_work(freeze_wq, &fsb->thaw, LOOK_EVERY);
	/* May be the last, and call fold_freeze_exit(). */
	deactivate_super(sb);
}

/**
 * fold_freeze_super - super_operations.freeze_super
 * @sb: the upper superblock
 * @who: who freezes
 * @owner: on whose behalf, where the kernel keeps that
 *
 * Context: may sleep, and waits for writers of both filesystems.
 * Return: 0, -EBUSY if one of them is frozen already, or another errno.
 */
int fold_freeze_super(struct super_block *sb, enum freeze_holder who,
		      const void *owner)
{
	struct fold_sb *fsb = FOLD_SB(sb);
	int err;

	err = fold_freeze_sb(sb, who, owner);
	if (err)
		return err;
	err = fold_freeze_sb(fsb->lower_mnt->mnt_sb, who, owner);
	if (err) {
		fold_thaw_sb(sb, who, owner);
		return err;
	}
	fsb->frozen = sb;
	queue_delayed_work(freeze_wq, &fsb->thaw, LOOK_EVERY);
	return 0;
}

FOLD_OP_FREEZE(fold_freeze_super)

/**
 * fold_thaw_super - super_operations.thaw_super
 * @sb: the upper superblock
 * @who: who had frozen it
 * @owner: as when it was frozen
 *
 * Only what was frozen from here: the lower filesystem may be frozen by somebody
 * else. It may also have been thawed from below already.
 *
 * Context: may sleep.
 * Return: 0, or -EINVAL if it is not frozen.
 */
int fold_thaw_super(struct super_block *sb, enum freeze_holder who,
		    const void *owner)
{
	if (is_frozen(sb))
		fold_thaw_sb(FOLD_SB(sb)->lower_mnt->mnt_sb, who, owner);
	return fold_thaw_sb(sb, who, owner);
}

FOLD_OP_FREEZE(fold_thaw_super)

/**
 * fold_freeze_init - of a new mount
 * @fsb: its superblock's
 */
void fold_freeze_init(struct fold_sb *fsb)
{
	INIT_DELAYED_WORK(&fsb->thaw, look_if_left);
}

/**
 * fold_freeze_exit - the superblock goes
 * @fsb: its superblock's; no longer frozen
 *
 * Context: may sleep; s_umount is held, which the work does not take then.
 */
void fold_freeze_exit(struct fold_sb *fsb)
{
	if (current_work() == &fsb->thaw.work)
		cancel_delayed_work(&fsb->thaw);
	else
		cancel_delayed_work_sync(&fsb->thaw);
}

/**
 * fold_freeze_module_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_freeze_module_init(void)
{
	freeze_wq = alloc_workqueue("foldfs_freeze", WQ_UNBOUND, 0);
	return freeze_wq ? 0 : -ENOMEM;
}

/**
 * fold_freeze_module_exit - at module unload, when no superblock is left
 */
void fold_freeze_module_exit(void)
{
	/* Waits for work that has let the last superblock go. */
	destroy_workqueue(freeze_wq);
}
