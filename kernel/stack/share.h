/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where sharing hooks into the stacking filesystem.
 */
#ifndef FOLDFS_SHARE_H
#define FOLDFS_SHARE_H

#include <linux/fs.h>

struct fold_inode;
struct fs_context;
struct pipe_inode_info;

struct fold_share {
};

struct fold_sb_share {
};

struct fold_opener {
};

static inline int fold_share_sb_init(struct super_block *sb,
				     struct fs_context *fc)
{
	return 0;
}

static inline void fold_share_sb_stop(struct super_block *sb)
{
}

static inline void fold_share_sb_exit(struct super_block *sb)
{
}

static inline void fold_share_init(struct fold_inode *fi)
{
}

static inline void fold_share_evict(struct inode *inode)
{
}

static inline void fold_share_cloned(struct inode *inode)
{
}

static inline int fold_change_begin(struct inode *inode, loff_t start,
				    loff_t len)
{
	return 0;
}

static inline void fold_change_end(struct inode *inode)
{
}

static inline void fold_write_open_begin(struct inode *inode,
					 struct fold_opener *op)
{
}

static inline void fold_write_open_end(struct inode *inode,
				       struct fold_opener *op)
{
}

static inline void fold_share_opened(struct file *file)
{
}

int fold_mmap(struct file *file, struct vm_area_struct *vma);
ssize_t fold_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t fold_splice_read(struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags);

#endif
