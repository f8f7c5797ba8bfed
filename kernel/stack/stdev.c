// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device numbers in stat(2). Files of a mount show the mount's, so that tools
 * see a mount point. But where the lower filesystem shows several, as Btrfs
 * does for its subvolumes, whose inode numbers repeat, each gets one of its own
 * above as well: (st_dev, st_ino) names one file.
 */
#include <linux/stat.h>
#include <linux/xarray.h>

#include "foldfs.h"

/**
 * fold_stdev_init - when a superblock is filled
 * @sb: the upper superblock; its lower path is set
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int fold_stdev_init(struct super_block *sb)
{
	struct fold_sb *fsb = FOLD_SB(sb);
	struct path path = { .mnt = fsb->lower_mnt, .dentry = fsb->lower_root };
	struct kstat stat;
	int err;

	err = vfs_getattr_nosec(&path, &stat, STATX_INO, 0);
	if (!err)
		fsb->root_dev = stat.dev;
	return err;
}

/**
 * fold_stdev_exit - when a superblock goes away
 * @fsb: its foldfs part
 */
void fold_stdev_exit(struct fold_sb *fsb)
{
	unsigned long lower;
	void *entry;

	xa_for_each(&fsb->devs, lower, entry)
		free_anon_bdev(xa_to_value(entry));
	xa_destroy(&fsb->devs);
}

static int stdev_add(struct fold_sb *fsb, dev_t lower)
{
	dev_t dev;
	int err;

	err = get_anon_bdev(&dev);
	if (err)
		return err;
	err = xa_insert(&fsb->devs, lower, xa_mk_value(dev), GFP_KERNEL);
	if (err)
		free_anon_bdev(dev);
	/* Somebody else was faster: theirs will do. */
	return err == -EBUSY ? 0 : err;
}

/**
 * fold_stdev - the device number to show for a lower one
 * @sb: the upper superblock
 * @dev: in: what the lower filesystem shows; out: what to show
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int fold_stdev(struct super_block *sb, dev_t *dev)
{
	struct fold_sb *fsb = FOLD_SB(sb);
	void *entry;
	int err;

	if (likely(*dev == fsb->root_dev)) {
		*dev = sb->s_dev;
		return 0;
	}
	entry = xa_load(&fsb->devs, *dev);
	if (!entry) {
		err = stdev_add(fsb, *dev);
		if (err)
			return err;
		entry = xa_load(&fsb->devs, *dev);
	}
	*dev = xa_to_value(entry);
	return 0;
}
