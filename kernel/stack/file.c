// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files. Each holds its lower file, opened as a backing file, so that what
 * maps it is shown under the upper path.
 *
 * The lower file is opened with the mounter's credentials: who may open was
 * decided above, by the upper path and with the lower inode's permissions, and
 * security modules that think in paths know nothing of the private mount below.
 * It makes no fsnotify events and touches no atime: the VFS does both above.
 *
 * Locks belong to the lower inode (see lock.c), leases to the upper one.
 */
#include <linux/backing-dev.h>
#include <linux/fadvise.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/mm.h>

#include "compat.h"
#include "foldfs.h"

/* Flags of an open file that fcntl(2) can change and a lower file looks at. */
#define SETFL_FLAGS	(O_APPEND | O_NONBLOCK | O_DIRECT)

static struct file *open_lower(struct inode *inode, struct file *file)
{
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);
	bool for_write = file->f_mode & FMODE_WRITE;
	const struct cred *old;
	struct fold_opener op;
	struct file *lower;
	struct path path;
	int flags;

	flags = file->f_flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | FASYNC);
	flags |= O_NOATIME;
	fold_lower_path(file_dentry(file), &path);

	/* No lease is granted once it is open, and a VM image stays open. */
	if (for_write && S_ISREG(inode->i_mode) && !(file->f_flags & O_TRUNC) &&
	    i_size_read(fold_lower_inode(inode)) &&
	    fold_join_wanted(&FOLD_I(inode)->share))
		fold_join(inode, &path, true);

	/* A file that shares may have been moved: nobody would look again. */
	if (!for_write && fsb->type->moves && S_ISREG(inode->i_mode) &&
	    READ_ONCE(FOLD_I(inode)->share.map.nr) &&
	    fold_join_wanted(&FOLD_I(inode)->share))
		fold_join(inode, &path, false);

	if (for_write)
		fold_write_open_begin(inode, &op);
	old = override_creds(fsb->cred);
	lower = fold_open_backing(file, flags, &path, fsb->cred);
	/*
	 * O_NONBLOCK is about the leases of programs. Another mount's is gone at
	 * once; with write access none is granted in between.
	 */
	if (lower == ERR_PTR(-EWOULDBLOCK) && for_write &&
	    !get_write_access(fold_lower_inode(inode))) {
		fold_lease_wait(fold_lower_inode(inode));
		lower = fold_open_backing(file, flags, &path, fsb->cred);
		put_write_access(fold_lower_inode(inode));
	}
	revert_creds(old);
	if (for_write)
		fold_write_open_end(inode, &op);
	return lower;
}

/* Was it opened by execve(2), or as a program's interpreter? No user can say so. */
static bool is_program(const struct file *file)
{
	return file->f_flags & __FMODE_EXEC && S_ISREG(file_inode(file)->i_mode);
}

/**
 * fold_open - file_operations.open of files and directories
 * @inode: the upper inode
 * @file: the upper file
 *
 * Return: 0 or a negative errno.
 */
int fold_open(struct inode *inode, struct file *file)
{
	struct file *lower;
	int err;

	lower = open_lower(inode, file);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	/*
	 * A program that runs is not written to, by whatever way. The VFS keeps
	 * writers from the upper inode as long as it keeps this file.
	 */
	if (is_program(file)) {
		err = deny_write_access(lower);
		if (err) {
			fput(lower);
			return err;
		}
	}
	file->private_data = lower;
	file->f_mode |= lower->f_mode & (FMODE_CAN_ODIRECT | FMODE_NOWAIT);
	if (S_ISREG(inode->i_mode) && fold_share_opened(file)) {
		if (is_program(file))
			allow_write_access(lower);
		fput(lower);
		return -ENOMEM;
	}
	atomic_inc(&FOLD_I(inode)->share.files);
	fold_verity_end(inode);
	return 0;
}

/**
 * fold_release - file_operations.release of files and directories
 * @inode: the upper inode
 * @file: the upper file
 *
 * Return: 0.
 */
int fold_release(struct inode *inode, struct file *file)
{
	if (is_program(file))
		allow_write_access(fold_lower_file(file));
	fput(fold_lower_file(file));
	if (atomic_dec_and_test(&FOLD_I(inode)->share.files))
		fold_join_hurry(inode);
	return 0;
}

/**
 * fold_caller_begin - before bytes of the lower file change for the caller
 * @file: the upper file
 * @iocb_flags: IOCB_NOWAIT, or 0
 * @old: filled in, for fold_caller_end()
 *
 * A change takes set-ID bits and capabilities from the file, unless the caller is
 * one of its group. The lower filesystem finds that out by itself, but it knows no
 * ID mapping: on such a mount it is done here, and the lower filesystem is asked
 * with the mounter's credentials, for whom it takes nothing.
 *
 * Context: the upper inode is locked.
 * Return: 0, -EAGAIN if the caller does not want to wait, or another errno.
 */
int fold_caller_begin(struct file *file, int iocb_flags,
		      const struct cred **old)
{
	struct inode *inode = file_inode(file);
	int err;

	*old = NULL;
	if (likely(file_mnt_idmap(file) == &nop_mnt_idmap))
		return 0;
	if (!fold_attr_is_current(inode))
		fold_copy_attr(inode);
	err = fold_remove_privs(file, iocb_flags);
	if (!err)
		*old = override_creds(FOLD_SB(inode->i_sb)->cred);
	return err;
}

/**
 * fold_caller_end - undo fold_caller_begin(), if that was successful
 * @old: from there
 */
void fold_caller_end(const struct cred *old)
{
	if (old)
		revert_creds(old);
}

/**
 * fold_sync_flags - let the lower file follow fcntl(F_SETFL)
 * @file: the upper file
 *
 * Needed before anything that goes by the lower file's own flags. O_APPEND stays
 * with what can only be appended to: fcntl(2) may have looked at an older copy of
 * the inode's flags. See fold_write_prepare().
 *
 * Context: any but interrupts.
 */
void fold_sync_flags(const struct file *file)
{
	struct file *lower = fold_lower_file(file);
	unsigned int flags = READ_ONCE(file->f_flags) & SETFL_FLAGS;

	if (likely((READ_ONCE(lower->f_flags) & SETFL_FLAGS) == flags))
		return;
	if (IS_APPEND(file_inode(lower)))
		flags |= READ_ONCE(lower->f_flags) & O_APPEND;
	spin_lock(&lower->f_lock);
	WRITE_ONCE(lower->f_flags, (lower->f_flags & ~SETFL_FLAGS) | flags);
	WRITE_ONCE(lower->f_iocb_flags, iocb_flags(lower));
	spin_unlock(&lower->f_lock);
}

static loff_t fold_llseek(struct file *file, loff_t offset, int whence)
{
	const struct inode *lower = fold_lower_inode(file_inode(file));
	loff_t maxbytes = lower->i_sb->s_maxbytes;

	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		offset = vfs_llseek(fold_lower_file(file), offset, whence);
		if (offset < 0)
			return offset;
		return vfs_setpos(file, offset, maxbytes);
	default:
		return generic_file_llseek_size(file, offset, whence, maxbytes,
						i_size_read(lower));
	}
}

/**
 * fold_fsync - file_operations.fsync of files and directories
 * @file: the upper file
 * @start: first byte
 * @end: last byte
 * @datasync: for fdatasync(2)
 *
 * Return: 0 or a negative errno.
 */
int fold_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return vfs_fsync_range(fold_lower_file(file), start, end, datasync);
}

static int fold_flush(struct file *file, fl_owner_t id)
{
	struct file *lower = fold_lower_file(file);

	return lower->f_op->flush ? lower->f_op->flush(lower, id) : 0;
}

static int fold_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	int err;

	/* What is read from shared pages goes by the upper file's readahead. */
	switch (advice) {
	case POSIX_FADV_NORMAL:
	case POSIX_FADV_RANDOM:
	case POSIX_FADV_SEQUENTIAL:
	case POSIX_FADV_NOREUSE:
		err = generic_fadvise(file, offset, len, advice);
		if (err)
			return err;
	}
	return vfs_fadvise(fold_lower_file(file), offset, len, advice);
}

static unsigned long fold_get_unmapped_area(struct file *file,
					    unsigned long addr,
					    unsigned long len,
					    unsigned long pgoff,
					    unsigned long flags)
{
	struct file *lower = fold_lower_file(file);

	if (!lower->f_op->get_unmapped_area)
		return fold_mm_get_unmapped_area(file, addr, len, pgoff, flags);
	return lower->f_op->get_unmapped_area(lower, addr, len, pgoff, flags);
}

const struct file_operations fold_file_operations = {
	/* Without FOP_BUFFER_RASYNC: a read is not called back, but tried again. */
	.fop_flags		= FOP_BUFFER_WASYNC,
	.open			= fold_open,
	.release		= fold_release,
	.llseek			= fold_llseek,
	.read_iter		= fold_read_iter,
	.write_iter		= fold_write_iter,
	.splice_read		= fold_splice_read,
	.splice_write		= fold_splice_write,
	.mmap			= fold_mmap,
	.get_unmapped_area	= fold_get_unmapped_area,
	.flush			= fold_flush,
	.fsync			= fold_fsync,
	.lock			= fold_lock,
	.flock			= fold_flock,
	.fallocate		= fold_fallocate,
	.fadvise		= fold_fadvise,
	.remap_file_range	= fold_remap_file_range,
	/* Newer kernels grant no lease where none is named. */
	.setlease		= generic_setlease,
	.unlocked_ioctl		= fold_ioctl,
	.compat_ioctl		= fold_compat_ioctl,
};
