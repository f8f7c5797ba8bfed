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
 * Locks (flock, POSIX, OFD) and leases belong to the upper inode.
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

	if (for_write)
		fold_write_open_begin(inode, &op);
	old = override_creds(fsb->cred);
	lower = fold_open_backing(file, flags, &path, fsb->cred);
	revert_creds(old);
	if (for_write)
		fold_write_open_end(inode, &op);
	return lower;
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

	lower = open_lower(inode, file);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	file->private_data = lower;
	file->f_mode |= lower->f_mode & (FMODE_CAN_ODIRECT | FMODE_NOWAIT);
	if (S_ISREG(inode->i_mode) && fold_share_opened(file)) {
		fput(lower);
		return -ENOMEM;
	}
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
	fput(fold_lower_file(file));
	return 0;
}

/**
 * fold_sync_flags - let the lower file follow fcntl(F_SETFL)
 * @file: the upper file
 *
 * Needed before anything that goes by the lower file's own flags.
 *
 * Context: any but interrupts.
 */
void fold_sync_flags(const struct file *file)
{
	struct file *lower = fold_lower_file(file);
	unsigned int flags = READ_ONCE(file->f_flags) & SETFL_FLAGS;

	if (likely((READ_ONCE(lower->f_flags) & SETFL_FLAGS) == flags))
		return;
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
	.fallocate		= fold_fallocate,
	.fadvise		= fold_fadvise,
	.remap_file_range	= fold_remap_file_range,
	/* Newer kernels grant no lease where none is named. */
	.setlease		= generic_setlease,
	.unlocked_ioctl		= fold_ioctl,
	.compat_ioctl		= fold_compat_ioctl,
};
