// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls that the VFS does not do by itself are the lower filesystem's, as far
 * as they are on its list (in kernel/lower).
 *
 * A command looks names up and touches user memory, so it may sleep for as long
 * as its caller pleases: none is called with a lock of ours held. What a command
 * changes that concerns sharing is announced, which takes no lock either, and
 * only when the caller may change it.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/ioctl.h>

#include <uapi/linux/foldfs.h>

#include "foldfs.h"
#include "ioctl.h"

static long call_lower(struct file *file, unsigned int cmd, unsigned long arg,
		       bool compat)
{
	struct file *lower = fold_lower_file(file);

	fold_may_be_stopped(file_inode(file));
#ifdef CONFIG_COMPAT
	if (compat) {
		if (!lower->f_op->compat_ioctl)
			return -ENOTTY;
		return lower->f_op->compat_ioctl(lower, cmd, arg);
	}
#endif
	if (!lower->f_op->unlocked_ioctl)
		return -ENOTTY;
	return lower->f_op->unlocked_ioctl(lower, cmd, arg);
}

/*
 * Blocks or bytes of the file change. Commands that do this take descriptors
 * that are open for reading; write permission is asked for again, since it was
 * perhaps taken away, and since without it nothing is to end.
 */
static long call_announced(struct file *file, unsigned int cmd,
			   unsigned long arg, bool compat)
{
	struct inode *inode = file_inode(file);
	struct fold_sole_writer sw;
	long ret;

	if (!S_ISREG(inode->i_mode))
		return call_lower(file, cmd, arg, compat);
	if (!(file->f_mode & FMODE_WRITE)) {
		ret = inode_permission(file_mnt_idmap(file), inode, MAY_WRITE);
		if (ret)
			return call_lower(file, cmd, arg, compat);
	}
	ret = fold_sole_writer_begin(file, &sw);
	if (ret)
		return ret;
	ret = fold_change_begin(inode, 0, LLONG_MAX);
	if (!ret) {
		ret = call_lower(file, cmd, arg, compat);
		fold_change_end(inode);
	}
	fold_sole_writer_end(file, &sw);
	return ret;
}

static long do_ioctl(struct file *file, unsigned int cmd, unsigned long arg,
		     bool compat)
{
	struct inode *inode = file_inode(file);
	const struct fold_ioctl *ioc;
	struct file *lower;
	long ret;

	if (cmd == FOLDFS_IOC_MAP && S_ISREG(inode->i_mode))
		return fold_map_ioctl(file, (void __user *)arg);
	ioc = fold_lower_ioctl(FOLD_SB(inode->i_sb)->type, cmd, compat);
	if (!ioc)
		return -ENOTTY;
	if (ioc->flags & FOLD_IOC_ADMIN && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (ioc->flags & FOLD_IOC_OPENS)
		return -EOPNOTSUPP;
	if (ioc->flags & FOLD_IOC_MENDS && capable(CAP_SYS_ADMIN))
		return -ENOTTY;
	/* As lower filesystems say of those that they cannot do by an ID mapping. */
	if (ioc->flags & FOLD_IOC_IDMAP && is_idmapped_mnt(file->f_path.mnt))
		return -EINVAL;
	lower = fold_open_below(file, true);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	fold_sync_flags(file);
	if (ioc->flags & FOLD_IOC_CARRIES)
		return fold_ioctl_carry(file, ioc, (void __user *)arg);
	if (!(ioc->flags & FOLD_IOC_WRITE))
		return call_lower(file, cmd, arg, compat);

	/*
	 * Without the upper superblock's freeze protection, since user memory
	 * may be waited for: who froze that has frozen the lower one as well.
	 */
	ret = mnt_get_write_access(file->f_path.mnt);
	if (ret)
		return ret;
	if (ioc->flags & FOLD_IOC_BLOCKS)
		ret = call_announced(file, cmd, arg, compat);
	else
		ret = call_lower(file, cmd, arg, compat);
	mnt_put_write_access(file->f_path.mnt);
	fold_copy_attr(inode);
	fold_verity_end(inode);
	return ret;
}

/**
 * fold_ioctl - file_operations.unlocked_ioctl of files and directories
 * @file: the upper file
 * @cmd: command
 * @arg: its argument
 *
 * Context: no lock held, and none is taken while the lower filesystem works.
 * Return: as ioctl(2); -ENOTTY also for what is not on the list.
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
 * Context: as fold_ioctl().
 * Return: as ioctl(2); -ENOTTY also for what is not on the list.
 */
long fold_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return do_ioctl(file, cmd, arg, true);
}
