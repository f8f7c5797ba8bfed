// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls that the VFS does not do by itself are the lower filesystem's.
 *
 * What one of them does to a file's bytes or blocks is known for some. All
 * others, of regular files, count as a change of the whole file: many are
 * allowed on descriptors that are open for reading only, defragmentation for
 * one.
 */
#include <linux/file.h>
#include <linux/ioctl.h>

#include <uapi/linux/foldfs.h>

#include "foldfs.h"

/* The letters that XFS and Btrfs answer to. */
#define XFS_TYPE	'X'
#define BTRFS_TYPE	0x94
#define FS_TYPE		'f'
#define VERSION_TYPE	'v'

/* Opens a lower file for the caller, out of sight of this mount. */
#define XFS_OPEN_BY_HANDLE	107

/* Those that only look, and may be asked for often. */
static const struct {
	u8 type;
	u8 nr;
} harmless[] = {
	{ XFS_TYPE, 30 },	/* alignment for direct I/O */
	{ XFS_TYPE, 38 },	/* block map */
	{ XFS_TYPE, 45 },	/* attributes of the attribute fork */
	{ XFS_TYPE, 56 },	/* block map */
	{ XFS_TYPE, 100 },	/* geometry */
	{ XFS_TYPE, 113 },	/* counts */
	{ XFS_TYPE, 121 },	/* FITRIM */
	{ XFS_TYPE, 124 },	/* geometry */
	{ XFS_TYPE, 126 },	/* geometry */
	{ BTRFS_TYPE, 8 },	/* sync */
	{ BTRFS_TYPE, 17 },	/* tree search */
	{ BTRFS_TYPE, 18 },	/* inode lookup */
	{ BTRFS_TYPE, 20 },	/* space */
	{ BTRFS_TYPE, 22 },	/* sync */
	{ BTRFS_TYPE, 24 },	/* sync */
	{ BTRFS_TYPE, 25 },	/* subvolume flags */
	{ BTRFS_TYPE, 30 },	/* devices */
	{ BTRFS_TYPE, 31 },	/* filesystem */
	{ BTRFS_TYPE, 35 },	/* inode paths */
	{ BTRFS_TYPE, 36 },	/* logical address */
	{ BTRFS_TYPE, 49 },	/* label */
	{ BTRFS_TYPE, 57 },	/* features */
	{ BTRFS_TYPE, 59 },	/* logical address */
	{ BTRFS_TYPE, 60 },	/* subvolume */
	{ FS_TYPE, 1 },		/* FS_IOC_GETFLAGS */
	{ VERSION_TYPE, 1 },	/* FS_IOC_GETVERSION */
};

static bool is_harmless(unsigned int cmd)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		if (_IOC_TYPE(cmd) == harmless[i].type &&
		    _IOC_NR(cmd) == harmless[i].nr)
			return true;
	return false;
}

static int check_command(unsigned int cmd)
{
	switch (_IOC_TYPE(cmd)) {
	case XFS_TYPE:
		return _IOC_NR(cmd) == XFS_OPEN_BY_HANDLE ? -EOPNOTSUPP : 0;
	case BTRFS_TYPE:
	case FS_TYPE:
	case VERSION_TYPE:
		return 0;
	default:
		return -ENOTTY;
	}
}

static long call_lower(struct file *file, unsigned int cmd, unsigned long arg,
		       bool compat)
{
	struct file *lower = fold_lower_file(file);

#ifdef CONFIG_COMPAT
	if (compat) {
		if (!lower->f_op->compat_ioctl)
			return -ENOIOCTLCMD;
		return lower->f_op->compat_ioctl(lower, cmd, arg);
	}
#endif
	if (!lower->f_op->unlocked_ioctl)
		return -ENOIOCTLCMD;
	return lower->f_op->unlocked_ioctl(lower, cmd, arg);
}

static long do_ioctl(struct file *file, unsigned int cmd, unsigned long arg,
		     bool compat)
{
	struct inode *inode = file_inode(file);
	struct fold_sole_writer sw;
	long ret;

	if (cmd == FOLDFS_IOC_MAP && S_ISREG(inode->i_mode))
		return fold_map_ioctl(file, (void __user *)arg);
	ret = check_command(cmd);
	if (ret)
		return ret;
	fold_sync_flags(file);
	if (!S_ISREG(inode->i_mode) || is_harmless(cmd))
		return call_lower(file, cmd, arg, compat);

	ret = fold_inode_lock(inode);
	if (ret)
		return ret;
	ret = fold_sole_writer_begin(file, &sw);
	if (ret)
		goto out_unlock;
	ret = fold_change_begin(inode, 0, LLONG_MAX);
	if (ret)
		goto out_writer;
	ret = call_lower(file, cmd, arg, compat);
	fold_change_end(inode);
	fold_copy_attr(inode);
out_writer:
	fold_sole_writer_end(file, &sw);
out_unlock:
	inode_unlock(inode);
	return ret;
}

/**
 * fold_ioctl - file_operations.unlocked_ioctl of files and directories
 * @file: the upper file
 * @cmd: command
 * @arg: its argument
 *
 * Return: as ioctl(2).
 */
long fold_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return do_ioctl(file, cmd, arg, false);
}

/**
 * fold_compat_ioctl - file_operations.compat_ioctl of files and directories
 * @file: the upper file
 * @cmd: command of a 32-bit program
 * @arg: its argument
 *
 * Return: as ioctl(2).
 */
long fold_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return do_ioctl(file, cmd, arg, true);
}
