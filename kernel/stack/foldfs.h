/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the stacking filesystem share: one superblock over one
 * directory of a lower filesystem, one upper inode for each lower inode, one
 * lower dentry for each upper dentry, one lower file for each open file.
 */
#ifndef FOLDFS_H
#define FOLDFS_H

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/path.h>
#include <linux/sched/mm.h>
#include <linux/xarray.h>
#include <linux/xattr.h>

#include "compat.h"
#include "../share/upper.h"

struct fid;
struct file_kattr;
struct file_lock;
struct posix_acl;

/*
 * The superblock's magic number. It must not be the lower filesystem's: that
 * is how drivers tell their own inodes from others before they cast them.
 * statfs(2) shows the lower filesystem's number all the same.
 */
#define FOLDFS_MAGIC	0x464f4c44

struct dentry *fold_lower_alias(struct dentry *dentry);

/*
 * An upper dentry owns a reference to its lower dentry, set before the dentry
 * can be found by name and kept until it is released. Only a dentry that was
 * made for a file handle can be seen without, for a moment.
 */
static inline struct dentry *fold_lower_dentry(struct dentry *dentry)
{
	struct dentry *lower = READ_ONCE(dentry->d_fsdata);

	return likely(lower) ? lower : fold_lower_alias(dentry);
}

/* Fill in the lower path of @dentry; it holds no references of its own. */
static inline void fold_lower_path(struct dentry *dentry, struct path *path)
{
	path->mnt = FOLD_SB(dentry->d_sb)->lower_mnt;
	path->dentry = fold_lower_dentry(dentry);
}

/*
 * The lower file of an open upper file or directory. Once set it stays as long as
 * that is open. A file that was opened for reading alone may have none until
 * fold_open_below(): then NULL.
 */
static inline struct file *fold_lower_file(const struct file *file)
{
	/* Pairs with its publication in fold_open_below(). */
	return smp_load_acquire(&file->private_data);
}

/*
 * Lock the upper inode for a change. Return: 0, or -EINTR upon a fatal signal.
 */
static inline int fold_inode_lock(struct inode *inode)
{
	return down_write_killable(&inode->i_rwsem);
}

/*
 * Here a tenant decides how long it takes: user memory, a pipe, a lease or a name
 * is waited for. The debug kernel's lockdep sees to it that nobody else waits for
 * the upper inode's lock meanwhile.
 */
static inline void fold_may_be_stopped(struct inode *inode)
{
	lockdep_assert_not_held(&inode->i_rwsem);
}

/* super.c */
extern struct file_system_type fold_fs_type;

/* inode.c */
int fold_inode_cache_init(void);
void fold_inode_cache_exit(void);
struct inode *fold_alloc_inode(struct super_block *sb);
void fold_free_inode(struct inode *inode);
void fold_evict_inode(struct inode *inode);
int fold_drop_inode(struct inode *inode);
struct inode *fold_iget(struct super_block *sb, struct inode *lower);
struct inode *fold_find_inode(struct super_block *sb, struct inode *lower);
void fold_copy_attr(struct inode *inode);
bool fold_rights_are_current(const struct inode *inode);
bool fold_attr_is_current(const struct inode *inode);
void fold_accessed(struct file *file);
int fold_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);
int fold_getattr(struct mnt_idmap *idmap, const struct path *path,
		 struct kstat *stat, u32 request_mask, unsigned int flags);
int fold_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct iattr *attr);
int fold_break_deleg(struct inode *inode, struct delegated_inode *delegated);
FOLD_DECLARE_UPDATE_TIME(fold_update_time);
int fold_fileattr_get(struct dentry *dentry, struct file_kattr *fa);
int fold_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
		      struct file_kattr *fa);

/* dentry.c */
extern const struct dentry_operations fold_dentry_operations;
extern const struct dentry_operations fold_upperdir_dentry_operations;
void fold_dentry_bind(struct dentry *dentry, struct dentry *lower);
void fold_dentry_busy(struct dentry *dentry);
void fold_dentry_settle(struct dentry *dentry);
struct dentry *fold_lookup(struct inode *dir, struct dentry *dentry,
			   unsigned int flags);
bool fold_forgets_names(struct dentry *parent);
struct dentry *fold_obtain_alias(struct super_block *sb, struct dentry *lower);

/* dir.c */
extern const struct inode_operations fold_dir_inode_operations;

/* readdir.c */
extern const struct file_operations fold_dir_operations;

/* stdev.c */
int fold_stdev_init(struct super_block *sb);
void fold_stdev_exit(struct fold_sb *fsb);
int fold_stdev(struct super_block *sb, dev_t *dev);

/* freeze.c */
int fold_freeze_module_init(void);
void fold_freeze_module_exit(void);
void fold_freeze_init(struct fold_sb *fsb);
void fold_freeze_exit(struct fold_sb *fsb);
FOLD_DECLARE_FREEZE(fold_freeze_super);
FOLD_DECLARE_FREEZE(fold_thaw_super);

/* xattr.c */
extern const struct xattr_handler * const fold_xattr_handlers[];
ssize_t fold_listxattr(struct dentry *dentry, char *list, size_t size);
struct posix_acl *fold_get_inode_acl(struct inode *inode, int type, bool rcu);
int fold_set_acl(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct posix_acl *acl, int type);

/* export.c */
extern const struct export_operations fold_export_operations;
int fold_commit_metadata(struct inode *inode);

/*
 * To be called after a successful change of names, with both flags, or of
 * anything else about a file, with the first. "sync" and "dirsync" of this mount
 * are unknown to the lower filesystem, which minds its own mount's.
 */
static inline int fold_sync_metadata(struct inode *inode, unsigned long sb_flags)
{
	if (likely(!(inode->i_sb->s_flags & sb_flags)))
		return 0;
	return fold_commit_metadata(inode);
}

#define FOLD_SYNC_NAMES	(SB_SYNCHRONOUS | SB_DIRSYNC)
#define FOLD_SYNC_FILES	SB_SYNCHRONOUS

/*
 * A loop device takes __GFP_IO and __GFP_FS from the mapping of the file that it
 * is over, for all who bring pages of it in or write to it: whoever does so holds
 * what the loop device needs, and would wait for it to write memory out. That is
 * the upper mapping, and pages are allocated in the lower one.
 */
DEFINE_LOCK_GUARD_1(fold_memalloc, struct inode,
		    _T->flags = memalloc_flags_save(mapping_gfp_mask(_T->lock->i_mapping) &
						    __GFP_IO ? 0 : PF_MEMALLOC_NOIO),
		    memalloc_flags_restore(_T->flags), unsigned int flags)

/* file.c */
extern const struct file_operations fold_file_operations;
int fold_open(struct inode *inode, struct file *file);
int fold_release(struct inode *inode, struct file *file);
int fold_fsync(struct file *file, loff_t start, loff_t end, int datasync);
struct file *fold_open_below(struct file *file, bool wait);
void fold_sync_flags(const struct file *file);
int fold_caller_begin(struct file *file, int iocb_flags,
		      const struct cred **old);
void fold_caller_end(const struct cred *old);

/* backing.c */
int fold_share_opened(struct file *file, struct file *lower);
struct inode *fold_backing_inode(struct file *lower);
const struct vm_operations_struct *
fold_backing_lower_vm_ops(struct vm_area_struct *vma);
void fold_backing_free(struct fold_backing *backing);

/* read.c */
ssize_t fold_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t fold_splice_read(struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags);

/* mmap.c */
int fold_mmap(struct file *file, struct vm_area_struct *vma);
void fold_mmap_wrap(struct vm_operations_struct *ops);

/* write.c */
int fold_write_lock(const struct kiocb *iocb);
bool fold_write_would_wait(const struct kiocb *iocb);
ssize_t fold_write_prepare(struct kiocb *iocb, struct iov_iter *from);
int fold_write_range_begin(struct inode *inode, loff_t pos, size_t len);
ssize_t fold_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* splice.c */
ssize_t fold_splice_write(struct pipe_inode_info *pipe, struct file *out,
			  loff_t *ppos, size_t len, unsigned int flags);

/* direct.c */
int fold_direct_init(void);
void fold_direct_exit(void);
ssize_t fold_direct_write(struct kiocb *iocb, struct iov_iter *from);

/* lock.c */
int fold_lock(struct file *file, int cmd, struct file_lock *fl);
int fold_flock(struct file *file, int cmd, struct file_lock *fl);

/* range.c */
long fold_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
loff_t fold_remap_file_range(struct file *in, loff_t pos_in, struct file *out,
			     loff_t pos_out, loff_t len, unsigned int flags);

/* ioctl.c */
long fold_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long fold_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
