// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open directories: the lower directory's entries at the lower directory's
 * positions.
 */
#include <linux/filelock.h>
#include <linux/fs.h>

#include "foldfs.h"

static int fold_iterate(struct file *file, struct dir_context *ctx)
{
	struct file *lower = fold_lower_file(file);
	int err;

	/* Whoever reads a directory holds its position lock. */
	lower->f_pos = ctx->pos;
	err = iterate_dir(lower, ctx);
	ctx->pos = lower->f_pos;
	return err;
}

static loff_t fold_dir_llseek(struct file *file, loff_t offset, int whence)
{
	struct file *lower = fold_lower_file(file);
	loff_t ret;

	lower->f_pos = file->f_pos;
	ret = vfs_llseek(lower, offset, whence);
	if (ret >= 0)
		file->f_pos = ret;
	return ret;
}

const struct file_operations fold_dir_operations = {
	.open		= fold_open,
	.release	= fold_release,
	.iterate_shared	= fold_iterate,
	.llseek		= fold_dir_llseek,
	.read		= generic_read_dir,
	.fsync		= fold_fsync,
	.lock		= fold_lock,
	.flock		= fold_flock,
	.setlease	= generic_setlease,
	.unlocked_ioctl	= fold_ioctl,
	.compat_ioctl	= fold_compat_ioctl,
};
