/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What foldfs knows of the lower filesystems' ioctls. What it does not know it
 * refuses: nobody can say what such a command locks, changes or opens.
 */
#ifndef FOLDFS_IOCTL_H
#define FOLDFS_IOCTL_H

#include <linux/bits.h>
#include <linux/fs.h>

/*
 * What a command wants above, before the lower filesystem is asked. One with
 * none of these reads, or changes what no upper inode knows of, and decides by
 * the caller's own rights alone.
 */

/* For CAP_SYS_ADMIN; said here so that others hear of that before all else. */
#define FOLD_IOC_ADMIN		BIT(0)
/* Changes the filesystem: the upper mount must be writable. */
#define FOLD_IOC_WRITE		BIT(1)
/* Decides by the ID mapping of the mount, and that below has none. */
#define FOLD_IOC_IDMAP		BIT(2)
/* Moves blocks of the file, or changes its bytes: announced. */
#define FOLD_IOC_BLOCKS		BIT(3)
/* Opens a lower file for the caller, out of sight of this mount: refused. */
#define FOLD_IOC_OPENS		BIT(4)
/* Its argument begins with a 32-bit descriptor of the file to exchange with. */
#define FOLD_IOC_EXCHANGE	BIT(5)
/* It has the two files to exchange in it, as XFS_IOC_SWAPEXT. */
#define FOLD_IOC_SWAP		BIT(6)
/* Its argument begins with a 64-bit descriptor of what to take a snapshot of. */
#define FOLD_IOC_SNAPSHOT	BIT(7)
/* Known to 32-bit programs alone, whose structures differ. */
#define FOLD_IOC_COMPAT		BIT(8)
/*
 * Changes any file of the filesystem, unannounced, for CAP_SYS_ADMIN: refused to him.
 * Others hear from the lower filesystem that they may not, or that there is no such
 * command.
 */
#define FOLD_IOC_MENDS		BIT(9)
/* One of those that carry descriptors. */
#define FOLD_IOC_CARRIES	(FOLD_IOC_EXCHANGE | FOLD_IOC_SWAP | \
				 FOLD_IOC_SNAPSHOT)

/**
 * struct fold_ioctl - one command
 * @cmd: with direction and size: a lower filesystem answers to no other
 * @flags: FOLD_IOC_*
 */
struct fold_ioctl {
	unsigned int cmd;
	unsigned int flags;
};

/* ioctls.c */
const struct fold_ioctl *fold_ioctl_find(const struct super_block *lower,
					 unsigned int cmd, bool compat);

/* carry.c */
long fold_ioctl_carry(struct file *file, const struct fold_ioctl *ioc,
		      void __user *arg);

#endif
