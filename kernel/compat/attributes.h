/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inodes, their attributes, and superblocks, timers, and workqueues.
 *
 * What is defined here for 6.12 is what the newest kernel has under that name.
 * fold_lower_update_time() does what the VFS does with a time of the lower inode:
 * it asks the filesystem, and marks the inode dirty. fold_set_pwd() gives a task's
 * fs_struct another working directory, whose reference it takes over, and returns
 * the old one with its own.
 */
#ifndef FOLDFS_COMPAT_ATTRIBUTES_H
#define FOLDFS_COMPAT_ATTRIBUTES_H

#include <linux/dcache.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/fs_parser.h>
#include <linux/fs_struct.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/xattr.h>

#include "series.h"

#ifdef FOLD_LINUX_6_12

#define file_kattr		fileattr
#define inode_generic_drop	generic_drop_inode
#define inode_just_drop		generic_delete_inode

static inline unsigned long inode_state_read_once(struct inode *inode)
{
	return READ_ONCE(inode->i_state);
}

static inline unsigned long inode_state_read(struct inode *inode)
{
	return inode->i_state;
}

static inline void inode_state_clear(struct inode *inode, unsigned long flags)
{
	inode->i_state &= ~flags;
}

/* Which times; here the bits of @flags say it. */
enum fs_update_time {
	FS_UPD_ATIME,
	FS_UPD_CMTIME,
};

static inline int fold_lower_update_time(struct inode *lower,
					 enum fs_update_time type,
					 unsigned int flags)
{
	return inode_update_time(lower, flags);
}

#define FOLD_OP_UPDATE_TIME(fn)						\
int fn##_6_12(struct inode *inode, int flags)				\
{									\
	return fn(inode, flags & S_ATIME ? FS_UPD_ATIME : FS_UPD_CMTIME, \
		  flags);						\
}

#define FOLD_DECLARE_UPDATE_TIME(fn)					\
int fn(struct inode *inode, enum fs_update_time type, unsigned int flags); \
int fn##_6_12(struct inode *inode, int flags)

static inline void set_default_d_op(struct super_block *sb,
				    const struct dentry_operations *ops)
{
	sb->s_d_op = ops;
}

static inline int fold_freeze_sb(struct super_block *sb, enum freeze_holder who,
				 const void *owner)
{
	return freeze_super(sb, who);
}

static inline int fold_thaw_sb(struct super_block *sb, enum freeze_holder who,
			       const void *owner)
{
	return thaw_super(sb, who);
}

#define FOLD_OP_FREEZE(fn)						\
int fn##_6_12(struct super_block *sb, enum freeze_holder who)		\
{									\
	return fn(sb, who, NULL);					\
}

#define FOLD_DECLARE_FREEZE(fn)						\
int fn(struct super_block *sb, enum freeze_holder who, const void *owner); \
int fn##_6_12(struct super_block *sb, enum freeze_holder who)

/* The working directory of a process that nobody else knows yet. */
static inline struct path fold_set_pwd(struct fs_struct *fs,
				       const struct path *path)
{
	struct path old;

	spin_lock(&fs->lock);
	write_seqcount_begin(&fs->seq);
	old = fs->pwd;
	fs->pwd = *path;
	write_seqcount_end(&fs->seq);
	spin_unlock(&fs->lock);
	return old;
}

#define fold_remove_privs	file_remove_privs_flags

/* The end of a filesystem whose names are dentries that d_make_persistent() keeps. */
#define fold_kill_persistent	kill_litter_super

/* What is said of a workqueue that is bound to processors. */
#define WQ_PERCPU	0

#ifndef timer_container_of
#define timer_container_of(var, callback_timer, timer_fieldname)	\
	from_timer(var, callback_timer, timer_fieldname)
#endif

#else /* newest */

/* Of a value all that is asked is what it is; that is done where it is parsed. */
static inline int fold_param_is_path(struct p_log *log,
				     const struct fs_parameter_spec *spec,
				     struct fs_parameter *param,
				     struct fs_parse_result *result)
{
	return 0;
}

#define fsparam_path(name, opt)	__fsparam(fold_param_is_path, name, opt, 0, NULL)

/* Modules cannot say any more that it must not wait. */
static inline int fold_remove_privs(struct file *file, int iocb_flags)
{
	struct dentry *dentry = file_dentry(file);
	struct inode *inode = file_inode(file);

	if (iocb_flags & IOCB_NOWAIT &&
	    (setattr_should_drop_suidgid(file_mnt_idmap(file), inode) ||
	     __vfs_getxattr(dentry, inode, XATTR_NAME_CAPS, NULL, 0) > 0))
		return -EAGAIN;
	return file_remove_privs(file);
}

/* inode_update_time() neither asks the filesystem nor marks the inode dirty. */
static inline int fold_lower_update_time(struct inode *lower,
					 enum fs_update_time type,
					 unsigned int flags)
{
	if (lower->i_op->update_time)
		return lower->i_op->update_time(lower, type, flags);
	return generic_update_time(lower, type, flags);
}

#define FOLD_OP_UPDATE_TIME(fn)
#define FOLD_DECLARE_UPDATE_TIME(fn)					\
int fn(struct inode *inode, enum fs_update_time type, unsigned int flags)

#define fold_freeze_sb		freeze_super
#define fold_thaw_sb		thaw_super
#define FOLD_OP_FREEZE(fn)
#define FOLD_DECLARE_FREEZE(fn)						\
int fn(struct super_block *sb, enum freeze_holder who, const void *owner)

#define fold_kill_persistent	kill_anon_super

static inline struct path fold_set_pwd(struct fs_struct *fs,
				       const struct path *path)
{
	struct path old;

	write_seqlock(&fs->seq);
	old = fs->pwd;
	fs->pwd = *path;
	write_sequnlock(&fs->seq);
	return old;
}

#endif /* newest */

#endif
