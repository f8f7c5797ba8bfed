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
 * Who opens a file that shares for reading gets his lower file late, when something
 * goes there: what is read or mapped of it mostly does not. See opens_late().
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

static int lower_flags(const struct file *file)
{
	return (READ_ONCE(file->f_flags) &
		~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | FASYNC)) | O_NOATIME;
}

/* What has to be looked at again where somebody comes, before he opens. */
static void join_before_open(struct inode *inode, struct file *file,
			     const struct path *path)
{
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);
	bool for_write = file->f_mode & FMODE_WRITE;

	/* No lease is granted once it is open, and a VM image stays open. */
	if (for_write && S_ISREG(inode->i_mode) && !(file->f_flags & O_TRUNC) &&
	    i_size_read(fold_lower_inode(inode)) &&
	    fold_join_wanted(&FOLD_I(inode)->share))
		fold_join(inode, path, true);

	/* A file that shares may have been moved: nobody would look again. */
	if (!for_write && fsb->type->moves && S_ISREG(inode->i_mode) &&
	    READ_ONCE(FOLD_I(inode)->share.map.nr) &&
	    fold_join_wanted(&FOLD_I(inode)->share))
		fold_join(inode, path, false);
}

static struct file *open_lower(struct inode *inode, struct file *file)
{
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);
	bool for_write = file->f_mode & FMODE_WRITE;
	const struct cred *old;
	struct fold_opener op;
	int flags = lower_flags(file);
	struct file *lower;
	struct path path;

	fold_lower_path(file_dentry(file), &path);
	join_before_open(inode, file, &path);
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

/*
 * Can a file do without a lower one for now? It is told what the lower filesystem's
 * ->open() tells a lower file: an errno, and modes.
 *
 * Nobody is asked here who was not asked before: as long as the file's own lease is
 * there, nobody else has one that opening for reading would break, and the mounter,
 * whose right to read it counts below, has opened it for that lease. From here on
 * nobody gets one either, since the file counts among the lower inode's readers.
 *
 * Return: 1, 0 if the lower file has to be opened now, or a negative errno.
 */
static int opens_late(struct inode *inode, struct file *file)
{
	const struct inode *lower = fold_lower_inode(inode);
	fmode_t mode = file->f_mode;
	int err;

	if (!FOLD_OPENS_LATE || !FOLD_SB(inode->i_sb)->type->opens_by_inode ||
	    (mode & (FMODE_READ | FMODE_WRITE)) != FMODE_READ ||
	    !S_ISREG(inode->i_mode) || is_program(file) ||
	    file->f_flags & (O_DIRECT | O_TRUNC))
		return 0;
	if (!fold_reader_opened(inode))
		return 0;
	err = lower->i_fop->open(fold_lower_inode(inode), file);
	file->f_mode = mode |
		       (file->f_mode & (FMODE_CAN_ODIRECT | FMODE_NOWAIT));
	if (err)
		fold_reader_closes(inode);
	/* What fsync(2) tells counts from here on: see fold_open_below(). */
	file->f_wb_err = filemap_sample_wb_err(lower->i_mapping);
	return err ?: 1;
}

/**
 * fold_open_below - have a lower file for an open upper one
 * @file: the upper file; one that was opened for writing has a lower file
 * @wait: for an NFS server's client to whom the lower file has been delegated
 *	since, which is the only one who can be in the way
 *
 * Several threads may come at once.
 *
 * Context: may sleep, and mmap_lock may be held. No lock of ours.
 * Return: the lower file, which stays as long as @file; -EAGAIN if somebody would
 * have to be waited for; or another errno of opening the file.
 */
struct file *fold_open_below(struct file *file, bool wait)
{
	struct file *lower = fold_lower_file(file), *other;
	struct inode *inode = file_inode(file);
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);
	const struct cred *old;
	struct path path;
	int err;

	if (likely(lower))
		return lower;
	fold_lower_path(file_dentry(file), &path);
	old = override_creds(fsb->cred);
	lower = fold_open_backing(file, lower_flags(file) | O_NONBLOCK, &path,
				  fsb->cred);
	if (lower == ERR_PTR(-EWOULDBLOCK) && wait)
		lower = fold_open_backing(file, lower_flags(file) & ~O_NONBLOCK,
					  &path, fsb->cred);
	revert_creds(old);
	if (IS_ERR(lower))
		return lower;
	err = fold_share_opened(file, lower);
	if (err) {
		fput(lower);
		return ERR_PTR(err);
	}
	lower->f_wb_err = file->f_wb_err;
	/* Whoever sees it sees what is in it. */
	other = cmpxchg(&file->private_data, NULL, lower);
	if (other) {
		fput(lower);
		return other;
	}
	/* It counts for itself now. */
	fold_reader_closes(inode);
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
	struct path path;
	int err;

	err = opens_late(inode, file);
	if (err < 0)
		return err;
	if (err) {
		file->private_data = NULL;
		fold_lower_path(file_dentry(file), &path);
		join_before_open(inode, file, &path);
		goto opened;
	}
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
	if (S_ISREG(inode->i_mode) && fold_share_opened(file, lower)) {
		if (is_program(file))
			allow_write_access(lower);
		fput(lower);
		return -ENOMEM;
	}
opened:
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
	struct file *lower = fold_lower_file(file);

	if (is_program(file))
		allow_write_access(lower);
	if (lower)
		fput(lower);
	else
		fold_reader_closes(inode);
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
 * Needed before anything that goes by the lower file's own flags; one that is opened
 * late gets those of then. O_APPEND stays with what can only be appended to: fcntl(2)
 * may have looked at an older copy of the inode's flags. See fold_write_prepare().
 *
 * Context: any but interrupts.
 */
void fold_sync_flags(const struct file *file)
{
	struct file *lower = fold_lower_file(file);
	unsigned int flags = READ_ONCE(file->f_flags) & SETFL_FLAGS;

	if (!lower)
		return;
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
	struct file *below;

	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		below = fold_open_below(file, true);
		if (IS_ERR(below))
			return PTR_ERR(below);
		offset = vfs_llseek(below, offset, whence);
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
	struct file *lower = fold_open_below(file, true);

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	return vfs_fsync_range(lower, start, end, datasync);
}

static int fold_flush(struct file *file, fl_owner_t id)
{
	struct file *lower = fold_lower_file(file);

	return lower && lower->f_op->flush ? lower->f_op->flush(lower, id) : 0;
}

static int fold_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	struct file *lower = fold_open_below(file, true);
	int err;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
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
	return vfs_fadvise(lower, offset, len, advice);
}

static unsigned long fold_get_unmapped_area(struct file *file,
					    unsigned long addr,
					    unsigned long len,
					    unsigned long pgoff,
					    unsigned long flags)
{
	struct file *lower = fold_open_below(file, false);

	if (IS_ERR(lower))
		return PTR_ERR(lower);
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
