// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads go to the lower file.
 */
#include <linux/backing-file.h>

#include "foldfs.h"

/**
 * fold_read_iter - read from a regular file
 * @iocb: of the upper file
 * @to: destination
 *
 * Return: bytes read or a negative errno.
 */
ssize_t fold_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct backing_file_ctx ctx = {
		.cred = current_cred(),
		.user_file = file,
		.accessed = fold_accessed,
	};

	fold_sync_flags(file);
	return backing_file_read_iter(fold_lower_file(file), to, iocb,
				      iocb->ki_flags, &ctx);
}

/**
 * fold_splice_read - move data from a regular file to a pipe
 * @in: the upper file
 * @ppos: position in it
 * @pipe: the pipe
 * @len: bytes wanted
 * @flags: SPLICE_F_*
 *
 * Return: bytes moved or a negative errno.
 */
ssize_t fold_splice_read(struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags)
{
	struct backing_file_ctx ctx = {
		.cred = current_cred(),
		.user_file = in,
		.accessed = fold_accessed,
	};

	fold_sync_flags(in);
	return backing_file_splice_read(fold_lower_file(in), ppos, pipe, len,
					flags, &ctx);
}
