// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: create, link, remove, rename. Each is done on the lower filesystem,
 * with the lower parent locked below the upper one, and then mirrored.
 *
 * Between the lookup above and the lock below, somebody who works directly on
 * the lower tree may have moved or removed the name. Then the answer is
 * -ESTALE, upon which the VFS looks everything up again and retries.
 *
 * All run with the caller's credentials, so that the lower filesystem decides
 * once more, under its own locks, by what the files are now: the VFS above has
 * decided by copies. Link, unlink and rmdir are not told the ID mapping of the
 * caller's mount; see begin_unmapped().
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/namei.h>

#include "foldfs.h"

/* Is @lower still what @dentry stands for? Both parents are locked. */
static bool still_there(struct dentry *dentry, struct dentry *lower,
			struct dentry *lower_parent)
{
	struct inode *inode = d_inode(dentry);

	return !d_unhashed(lower) && lower->d_parent == lower_parent &&
	       d_inode(lower) == (inode ? fold_lower_inode(inode) : NULL);
}

/*
 * Get ready to change the name @dentry below.
 *
 * Removing a name makes a dentry negative if nobody else has a reference. Ours
 * belongs to the upper dentry, which may be in use by open files: take another.
 *
 * Context: the upper parent is locked exclusively. On success the lower parent
 * is locked too, until unlock_name().
 * Return: 0, -ESTALE, or -EROFS.
 */
static int lock_name(struct dentry *dentry)
{
	struct vfsmount *mnt = FOLD_SB(dentry->d_sb)->lower_mnt;
	struct dentry *lower = fold_lower_dentry(dentry);
	struct dentry *parent = fold_lower_dentry(dentry->d_parent);
	int err;

	err = mnt_want_write(mnt);
	if (err)
		return err;
	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	if (!still_there(dentry, lower, parent)) {
		inode_unlock(d_inode(parent));
		mnt_drop_write(mnt);
		return -ESTALE;
	}
	fold_dentry_busy(dentry);
	dget(lower);
	return 0;
}

static void unlock_name(struct dentry *dentry)
{
	struct dentry *parent = dentry->d_parent;

	fold_dentry_settle(dentry);
	dput(fold_lower_dentry(dentry));
	inode_unlock(d_inode(fold_lower_dentry(parent)));
	fold_copy_attr(d_inode(parent));
	mnt_drop_write(FOLD_SB(dentry->d_sb)->lower_mnt);
}

/*
 * Before a change that is not told an ID mapping. Where a mount is ID-mapped the
 * lower filesystem cannot judge the caller: the change is made with the
 * mounter's credentials, and what the VFS has decided counts, if it has seen
 * what is there now. Otherwise the VFS has to begin again.
 *
 * Context: between lock_name() and unlock_name().
 * Return: 0, and in @old what end_unmapped() is to be given; or -ESTALE.
 */
static int begin_unmapped(struct inode *dir, struct inode *inode,
			  const struct cred **old)
{
	struct fold_sb *fsb = FOLD_SB(dir->i_sb);

	*old = NULL;
	if (likely(!READ_ONCE(fsb->idmapped)))
		return 0;
	if (!fold_rights_are_current(dir) || !fold_rights_are_current(inode))
		return -ESTALE;
	*old = override_creds(fsb->cred);
	return 0;
}

static void end_unmapped(const struct cred *old)
{
	if (old)
		revert_creds(old);
}

/* Make a dentry positive whose lower dentry has become so. */
static int instantiate(struct dentry *dentry)
{
	struct dentry *lower = fold_lower_dentry(dentry);
	struct dentry *alias;
	struct inode *inode;

	if (d_really_is_negative(lower)) {
		/* The lower filesystem wants it to be looked up again. */
		d_drop(dentry);
		return 0;
	}
	inode = fold_iget(dentry->d_sb, d_inode(lower));
	if (IS_ERR(inode)) {
		d_drop(dentry);
		return PTR_ERR(inode);
	}
	if (!S_ISDIR(inode->i_mode)) {
		d_instantiate(dentry, inode);
		return 0;
	}
	/* Somebody with a file handle may have found the directory already. */
	d_drop(dentry);
	alias = d_splice_alias(inode, dentry);
	if (IS_ERR(alias))
		return PTR_ERR(alias);
	dput(alias);
	return 0;
}

static int fold_make(struct mnt_idmap *idmap, struct inode *dir,
		     struct dentry *dentry, umode_t mode, dev_t rdev,
		     const char *target)
{
	struct dentry *lower = fold_lower_dentry(dentry);
	struct inode *lower_dir = fold_lower_inode(dir);
	struct delegated_inode delegated = {};
	int err;

	do {
		err = lock_name(dentry);
		if (err)
			return err;
		switch (mode & S_IFMT) {
		case S_IFREG:
			err = fold_vfs_create(idmap, lower, mode, &delegated);
			break;
		case S_IFDIR:
			err = fold_vfs_mkdir(idmap, lower_dir, lower, mode,
					     &delegated);
			break;
		case S_IFLNK:
			err = fold_vfs_symlink(idmap, lower_dir, lower, target,
					       &delegated);
			break;
		default:
			err = fold_vfs_mknod(idmap, lower_dir, lower, mode,
					     rdev, &delegated);
			break;
		}
		if (!err)
			err = instantiate(dentry);
		else if (!still_there(dentry, lower,
				      fold_lower_dentry(dentry->d_parent)))
			/* The lock was given up in between, see compat. */
			d_drop(dentry);
		unlock_name(dentry);
		if (!is_delegated(&delegated))
			return err ?: fold_sync_metadata(dir,
							 FOLD_SYNC_NAMES);
		err = fold_break_deleg_wait(&delegated);
	} while (!err);
	return err;
}

static int fold_create(struct mnt_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, umode_t mode)
{
	return fold_make(idmap, dir, dentry, S_IFREG | (mode & ~S_IFMT), 0, NULL);
}

FOLD_OP_CREATE(fold_create)

static struct dentry *fold_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				 struct dentry *dentry, umode_t mode)
{
	return ERR_PTR(fold_make(idmap, dir, dentry,
				 S_IFDIR | (mode & ~S_IFMT), 0, NULL));
}

FOLD_OP_MKDIR(fold_mkdir)

static int fold_symlink(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *dentry, const char *target)
{
	return fold_make(idmap, dir, dentry, S_IFLNK, 0, target);
}

static int fold_mknod(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode, dev_t rdev)
{
	return fold_make(idmap, dir, dentry, mode, rdev, NULL);
}

static int fold_link(struct dentry *old, struct inode *dir, struct dentry *new)
{
	struct dentry *lower_old = fold_lower_dentry(old);
	struct dentry *lower_new = fold_lower_dentry(new);
	struct inode *inode = d_inode(old);
	struct delegated_inode delegated = {};
	const struct cred *creds;
	int err;

	do {
		err = lock_name(new);
		if (err)
			return err;
		err = begin_unmapped(dir, inode, &creds);
		if (!err) {
			err = fold_vfs_link(lower_old, &nop_mnt_idmap,
					    fold_lower_inode(dir), lower_new,
					    &delegated);
			end_unmapped(creds);
		}
		if (!err) {
			fold_copy_attr(inode);
			ihold(inode);
			d_instantiate(new, inode);
		}
		unlock_name(new);
		if (!is_delegated(&delegated))
			return err ?: fold_sync_metadata(dir, FOLD_SYNC_NAMES);
		err = fold_break_deleg_wait(&delegated);
	} while (!err);
	return err;
}

static int fold_unlink(struct inode *dir, struct dentry *dentry)
{
	struct dentry *lower = fold_lower_dentry(dentry);
	struct delegated_inode delegated = {};
	const struct cred *creds;
	int err;

	do {
		err = lock_name(dentry);
		if (err)
			return err;
		err = begin_unmapped(dir, d_inode(dentry), &creds);
		if (!err) {
			err = fold_vfs_unlink(&nop_mnt_idmap,
					      fold_lower_inode(dir), lower,
					      &delegated);
			end_unmapped(creds);
		}
		if (!err) {
			fold_copy_attr(d_inode(dentry));
			/* As a negative dentry it would pin the lower inode. */
			d_drop(dentry);
		}
		unlock_name(dentry);
		if (!is_delegated(&delegated))
			return err ?: fold_sync_metadata(dir, FOLD_SYNC_NAMES);
		err = fold_break_deleg_wait(&delegated);
	} while (!err);
	return err;
}

static int fold_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct dentry *lower = fold_lower_dentry(dentry);
	struct delegated_inode delegated = {};
	const struct cred *creds;
	int err;

	do {
		err = lock_name(dentry);
		if (err)
			return err;
		err = begin_unmapped(dir, d_inode(dentry), &creds);
		if (!err) {
			err = fold_vfs_rmdir(&nop_mnt_idmap,
					     fold_lower_inode(dir), lower,
					     &delegated);
			end_unmapped(creds);
		}
		if (!err) {
			fold_copy_attr(d_inode(dentry));
			d_drop(dentry);
		}
		unlock_name(dentry);
		if (!is_delegated(&delegated))
			return err ?: fold_sync_metadata(dir, FOLD_SYNC_NAMES);
		err = fold_break_deleg_wait(&delegated);
	} while (!err);
	return err;
}

/* Are both names what the VFS took them for? Both parents should be locked. */
static bool both_still_there(struct dentry *old, struct dentry *new,
			     const struct fold_renaming *r)
{
	return still_there(old, r->old, r->old_parent) &&
	       still_there(new, r->new, r->new_parent);
}

static int rename_below(struct fold_renaming *r, struct dentry *old,
			struct dentry *new)
{
	int err;

	err = fold_renaming_start(r);
	/*
	 * The tree below may be another one than when the VFS checked above. It
	 * may have changed back since the parents were unlocked again; then the
	 * caller gets the error that his call met.
	 */
	if (err)
		return both_still_there(old, new, r) ? err : -ESTALE;
	if (both_still_there(old, new, r)) {
		fold_dentry_busy(old);
		fold_dentry_busy(new);
		/* It holds both dentries, as lock_name() does. */
		err = vfs_rename(&r->rd);
		fold_dentry_settle(new);
		fold_dentry_settle(old);
	} else {
		err = -ESTALE;
	}
	fold_renaming_end(r);
	return err;
}

static int fold_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		       struct dentry *old, struct inode *new_dir,
		       struct dentry *new, unsigned int flags)
{
	struct vfsmount *mnt = FOLD_SB(old_dir->i_sb)->lower_mnt;
	struct delegated_inode delegated = {};
	struct fold_renaming r = {
		.idmap		= idmap,
		.old_parent	= fold_lower_dentry(old->d_parent),
		.old		= fold_lower_dentry(old),
		.new_parent	= fold_lower_dentry(new->d_parent),
		.new		= fold_lower_dentry(new),
		.delegated	= &delegated,
		.flags		= flags,
	};
	int err;

	err = mnt_want_write(mnt);
	if (err)
		return err;
	do {
		err = rename_below(&r, old, new);
		if (!is_delegated(&delegated))
			break;
		err = fold_break_deleg_wait(&delegated);
	} while (!err);

	fold_copy_attr(old_dir);
	fold_copy_attr(new_dir);
	fold_copy_attr(d_inode(old));
	if (d_really_is_positive(new))
		fold_copy_attr(d_inode(new));
	mnt_drop_write(mnt);
	if (!err)
		err = fold_sync_metadata(old_dir, FOLD_SYNC_NAMES);
	if (!err && new_dir != old_dir)
		err = fold_sync_metadata(new_dir, FOLD_SYNC_NAMES);
	return err;
}

static int fold_tmpfile(struct mnt_idmap *idmap, struct inode *dir,
			struct file *file, umode_t mode)
{
	struct dentry *dentry = file->f_path.dentry;
	struct fold_sb *fsb = FOLD_SB(dir->i_sb);
	struct inode *inode;
	struct file *lower;
	struct path parent;
	int err;

	fold_lower_path(dentry->d_parent, &parent);
	err = mnt_want_write(fsb->lower_mnt);
	if (err)
		return err;
	lower = kernel_tmpfile_open(idmap, &parent, mode,
				    (file->f_flags & ~O_CREAT) | O_NOATIME,
				    fsb->cred);
	mnt_drop_write(fsb->lower_mnt);
	if (IS_ERR(lower))
		return PTR_ERR(lower);

	fold_dentry_bind(dentry, dget(lower->f_path.dentry));
	inode = fold_iget(dir->i_sb, file_inode(lower));
	err = PTR_ERR_OR_ZERO(inode);
	if (!err) {
		d_mark_tmpfile(file, inode);
		d_instantiate(dentry, inode);
	}
	/* This opens the lower file once more, as every upper file does. */
	err = finish_open_simple(file, err);
	fput(lower);
	return err;
}

const struct inode_operations fold_dir_inode_operations = {
	.lookup		= fold_lookup,
	.create		= FOLD_OP(fold_create),
	.link		= fold_link,
	.unlink		= fold_unlink,
	.symlink	= fold_symlink,
	.mkdir		= FOLD_OP(fold_mkdir),
	.rmdir		= fold_rmdir,
	.mknod		= fold_mknod,
	.rename		= fold_rename,
	.tmpfile	= fold_tmpfile,
	.permission	= fold_permission,
	.getattr	= fold_getattr,
	.setattr	= fold_setattr,
	.listxattr	= fold_listxattr,
	.get_inode_acl	= fold_get_inode_acl,
	.set_acl	= fold_set_acl,
	.update_time	= FOLD_OP(fold_update_time),
	.fileattr_get	= fold_fileattr_get,
	.fileattr_set	= fold_fileattr_set,
};
