/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations on names of a lower filesystem, and the delegations that they break.
 *
 * The newest kernel has a type of its own for who has to be waited for, breaks
 * the delegations of directories too, and lets go of the parent's lock when
 * vfs_mkdir() fails.
 *
 * fold_X() is X() of the newest kernel: the same arguments, context and errors; a
 * delegated inode is reported by those that can break a delegation, -EWOULDBLOCK
 * with it, and has to be waited for by fold_break_deleg_wait() with no lock held.
 * 6.12 reports none where it knows no delegations of directories.
 */
#ifndef FOLDFS_COMPAT_NAMES_H
#define FOLDFS_COMPAT_NAMES_H

#include <linux/dcache.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/xattr.h>

#include "series.h"

/**
 * struct fold_renaming - a rename on the lower filesystem
 * @idmap: ID mapping of the upper mount
 * @old_parent: the lower dentry of the parent that the name leaves
 * @old: the lower dentry that is renamed
 * @new_parent: of the parent that it goes to
 * @new: the lower dentry of the name that it gets
 * @delegated: who has to be waited for before it can be done
 * @flags: RENAME_*
 * @rd: the kernel's own
 *
 * Immutable but for @delegated and @rd. Lives on the caller's stack.
 */
struct fold_renaming {
	struct mnt_idmap *idmap;
	struct dentry *old_parent;
	struct dentry *old;
	struct dentry *new_parent;
	struct dentry *new;
	struct delegated_inode *delegated;
	unsigned int flags;
	struct renamedata rd;
};

#ifdef FOLD_LINUX_6_12

struct delegated_inode {
	struct inode *di_inode;
};

static inline bool is_delegated(struct delegated_inode *di)
{
	return di->di_inode;
}

static inline int fold_break_deleg_wait(struct delegated_inode *di)
{
	return break_deleg_wait(&di->di_inode);
}

static inline int fold_vfs_create(struct mnt_idmap *idmap, struct dentry *dentry,
				  umode_t mode, struct delegated_inode *di)
{
	return vfs_create(idmap, d_inode(dentry->d_parent), dentry, mode, true);
}

static inline int fold_vfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				 struct dentry *dentry, umode_t mode,
				 struct delegated_inode *di)
{
	return vfs_mkdir(idmap, dir, dentry, mode);
}

static inline int fold_vfs_mknod(struct mnt_idmap *idmap, struct inode *dir,
				 struct dentry *dentry, umode_t mode, dev_t dev,
				 struct delegated_inode *di)
{
	return vfs_mknod(idmap, dir, dentry, mode, dev);
}

static inline int fold_vfs_symlink(struct mnt_idmap *idmap, struct inode *dir,
				   struct dentry *dentry, const char *target,
				   struct delegated_inode *di)
{
	return vfs_symlink(idmap, dir, dentry, target);
}

static inline int fold_vfs_rmdir(struct mnt_idmap *idmap, struct inode *dir,
				 struct dentry *dentry,
				 struct delegated_inode *di)
{
	return vfs_rmdir(idmap, dir, dentry);
}

/* What differs by that type alone. */
#define fold_vfs_link(old, idmap, dir, new, di)				\
	vfs_link(old, idmap, dir, new, &(di)->di_inode)
#define fold_vfs_unlink(idmap, dir, dentry, di)				\
	vfs_unlink(idmap, dir, dentry, &(di)->di_inode)
#define fold_notify_change_locked(idmap, dentry, attr, di)		\
	notify_change(idmap, dentry, attr, &(di)->di_inode)
#define fold_setxattr_locked(idmap, dentry, name, value, size, flags, di) \
	__vfs_setxattr_locked(idmap, dentry, name, value, size, flags,	\
			      &(di)->di_inode)
#define fold_removexattr_locked(idmap, dentry, name, di)		\
	__vfs_removexattr_locked(idmap, dentry, name, &(di)->di_inode)

/**
 * fold_renaming_start - lock both parents of a rename
 * @r: the rename
 *
 * Holds both names as well, so that neither turns negative under who uses it.
 *
 * Context: no lower directory is locked; may sleep.
 * Return: 0, and fold_renaming_end() has to follow; -EINVAL, -ENOTEMPTY, -EEXIST or
 * -EXDEV if the tree below is not such that the rename can be done, or not
 * what the caller takes it for.
 */
static inline int fold_renaming_start(struct fold_renaming *r)
{
	struct dentry *trap = lock_rename(r->new_parent, r->old_parent);
	int err = 0;

	if (IS_ERR(trap))
		return PTR_ERR(trap);
	if (d_unhashed(r->old) || r->old->d_parent != r->old_parent ||
	    d_unhashed(r->new) || r->new->d_parent != r->new_parent)
		err = -EINVAL;
	else if (trap == r->old)
		err = -EINVAL;
	else if (trap == r->new)
		err = r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (err) {
		unlock_rename(r->new_parent, r->old_parent);
		return err;
	}
	r->rd = (struct renamedata) {
		.old_mnt_idmap	 = r->idmap,
		.old_dir	 = d_inode(r->old_parent),
		.old_dentry	 = dget(r->old),
		.new_mnt_idmap	 = r->idmap,
		.new_dir	 = d_inode(r->new_parent),
		.new_dentry	 = dget(r->new),
		.delegated_inode = &r->delegated->di_inode,
		.flags		 = r->flags,
	};
	return 0;
}

/**
 * fold_renaming_end - unlock what fold_renaming_start() has locked
 * @r: the rename
 */
static inline void fold_renaming_end(struct fold_renaming *r)
{
	unlock_rename(r->new_parent, r->old_parent);
	dput(r->old);
	dput(r->new);
}

static inline struct dentry *fold_lookup_one_unlocked(struct mnt_idmap *idmap,
						      const struct qstr *name,
						      struct dentry *base)
{
	return lookup_one_unlocked(idmap, name->name, base, name->len);
}

/* As the newest kernel's, but that the mark of such a dentry is its reference alone. */
static inline struct dentry *d_make_persistent(struct dentry *dentry,
					       struct inode *inode)
{
	d_instantiate(dentry, inode);
	if (d_unhashed(dentry))
		d_rehash(dentry);
	return dget(dentry);
}

static inline void d_make_discardable(struct dentry *dentry)
{
	dput(dentry);
}

#define FOLD_OP_CREATE(fn)						\
static int fn##_6_12(struct mnt_idmap *idmap, struct inode *dir,	\
		     struct dentry *dentry, umode_t mode, bool excl)	\
{									\
	return fn(idmap, dir, dentry, mode);				\
}

#define FOLD_OP_MKDIR(fn)						\
static int fn##_6_12(struct mnt_idmap *idmap, struct inode *dir,	\
		     struct dentry *dentry, umode_t mode)		\
{									\
	return PTR_ERR_OR_ZERO(fn(idmap, dir, dentry, mode));		\
}

#define FOLD_OP_REVALIDATE(fn)						\
static int fn##_6_12(struct dentry *dentry, unsigned int flags)		\
{									\
	return fn(NULL, NULL, dentry, flags);				\
}

#else /* newest */

#define fold_break_deleg_wait		break_deleg_wait
#define fold_vfs_create			vfs_create
#define fold_vfs_mknod			vfs_mknod
#define fold_vfs_symlink		vfs_symlink
#define fold_vfs_rmdir			vfs_rmdir
#define fold_vfs_link			vfs_link
#define fold_vfs_unlink			vfs_unlink
#define fold_notify_change_locked	notify_change
#define fold_setxattr_locked		__vfs_setxattr_locked
#define fold_removexattr_locked		__vfs_removexattr_locked

/*
 * vfs_mkdir() consumes the dentry and its parent's lock if it fails, and may
 * return another one if it does not. Here both stay with the caller. But
 * after an error the lock was given up for a moment: what was looked at under
 * it has to be looked at again.
 */
static inline int fold_vfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				 struct dentry *dentry, umode_t mode,
				 struct delegated_inode *di)
{
	struct dentry *made = vfs_mkdir(idmap, dir, dget(dentry), mode, di);

	if (IS_ERR(made)) {
		inode_lock_nested(dir, I_MUTEX_PARENT);
		return PTR_ERR(made);
	}
	dput(made);
	return 0;
}

static inline int fold_renaming_start(struct fold_renaming *r)
{
	r->rd = (struct renamedata) {
		.mnt_idmap	 = r->idmap,
		.old_parent	 = r->old_parent,
		.new_parent	 = r->new_parent,
		.delegated_inode = r->delegated,
		.flags		 = r->flags,
	};
	return start_renaming_two_dentries(&r->rd, r->old, r->new);
}

static inline void fold_renaming_end(struct fold_renaming *r)
{
	end_renaming(&r->rd);
}

static inline struct dentry *fold_lookup_one_unlocked(struct mnt_idmap *idmap,
						      const struct qstr *name,
						      struct dentry *base)
{
	struct qstr copy = QSTR_LEN(name->name, name->len);

	return lookup_one_unlocked(idmap, &copy, base);
}

#define FOLD_OP_CREATE(fn)
#define FOLD_OP_MKDIR(fn)
#define FOLD_OP_REVALIDATE(fn)

#endif /* newest */

#endif
