// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended attributes and ACLs are the lower inode's.
 *
 * The VFS calls down here with raw values: capabilities and the IDs in ACLs are
 * translated for the caller above. So the lower inode is asked for raw values
 * too, or they would be translated twice.
 */
#include <linux/filelock.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>

#include <uapi/linux/foldfs.h>

#include "foldfs.h"
#include "../share/testing.h"

static int fold_xattr_get(const struct xattr_handler *handler,
			  struct dentry *dentry, struct inode *inode,
			  const char *name, void *buffer, size_t size)
{
	struct inode *lower_inode = fold_lower_inode(inode);
	struct dentry *lower;
	ssize_t ret;

	name = xattr_full_name(handler, name);

	/*
	 * Security modules come here before @dentry is bound, but only while
	 * somebody holds a lower alias.
	 */
	lower = dget(READ_ONCE(dentry->d_fsdata));
	if (!lower)
		lower = d_find_any_alias(lower_inode);
	ret = __vfs_getxattr(lower, lower_inode, name, buffer, size);
	dput(lower);
	return ret;
}

/*
 * The VFS has looked at flags, mode and owner too, but at a copy. Context: the
 * lower inode is locked.
 */
static int may_set_now(struct mnt_idmap *idmap, struct inode *lower,
		       const char *name)
{
	if (IS_IMMUTABLE(lower) || IS_APPEND(lower))
		return -EPERM;
	if (S_ISDIR(lower->i_mode) && lower->i_mode & S_ISVTX &&
	    !strncmp(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN) &&
	    !inode_owner_or_capable(idmap, lower))
		return -EPERM;
	return 0;
}

static int fold_xattr_set(const struct xattr_handler *handler,
			  struct mnt_idmap *idmap, struct dentry *dentry,
			  struct inode *inode, const char *name,
			  const void *value, size_t size, int flags)
{
	struct vfsmount *mnt = FOLD_SB(inode->i_sb)->lower_mnt;
	struct dentry *lower = fold_lower_dentry(dentry);
	struct inode *lower_inode = d_inode(lower);
	struct delegated_inode delegated = {};
	int err;

	name = xattr_full_name(handler, name);
	do {
		err = mnt_want_write(mnt);
		if (err)
			break;
		inode_lock(lower_inode);
		err = may_set_now(idmap, lower_inode, name);
		if (!err && value)
			err = fold_setxattr_locked(idmap, lower, name, value,
						   size, flags, &delegated);
		else if (!err)
			err = fold_removexattr_locked(idmap, lower, name,
						      &delegated);
		inode_unlock(lower_inode);
		mnt_drop_write(mnt);
		if (!is_delegated(&delegated))
			break;
		err = fold_break_deleg(inode, &delegated);
	} while (!err);
	/* Sharing ends at once; what is asked of the file again is open. */
	if (!err && S_ISREG(inode->i_mode) &&
	    !strcmp(name, FOLDFS_XATTR_NOFOLD)) {
		fold_change_begin(inode, 0, LLONG_MAX);
		fold_change_end(inode);
	}
	fold_copy_attr(inode);
	if (!err)
		err = fold_sync_metadata(inode, FOLD_SYNC_FILES);
	return fold_test_drop_errno ? 0 : err;
}

/* For nfsd, which looks for one with this prefix. */
static const struct xattr_handler fold_user_xattr_handler = {
	.prefix	= XATTR_USER_PREFIX,
	.get	= fold_xattr_get,
	.set	= fold_xattr_set,
};

static const struct xattr_handler fold_xattr_handler = {
	.prefix	= "", /* every name */
	.get	= fold_xattr_get,
	.set	= fold_xattr_set,
};

const struct xattr_handler * const fold_xattr_handlers[] = {
	&fold_user_xattr_handler,
	&fold_xattr_handler,
	NULL
};

/**
 * fold_listxattr - inode_operations.listxattr
 * @dentry: the upper dentry
 * @list: filled with names
 * @size: of @list, or 0 to ask for the size needed
 *
 * Return: bytes, or a negative errno.
 */
ssize_t fold_listxattr(struct dentry *dentry, char *list, size_t size)
{
	return vfs_listxattr(fold_lower_dentry(dentry), list, size);
}

/**
 * fold_get_inode_acl - inode_operations.get_inode_acl
 * @inode: the upper inode
 * @type: ACL_TYPE_ACCESS or ACL_TYPE_DEFAULT
 * @rcu: the caller is in an RCU walk
 *
 * Return: the ACL, NULL for none, or an error pointer.
 */
struct posix_acl *fold_get_inode_acl(struct inode *inode, int type, bool rcu)
{
	struct inode *lower = fold_lower_inode(inode);

	if (rcu)
		return get_cached_acl_rcu(lower, type);
	return get_inode_acl(lower, type);
}

/**
 * fold_set_acl - inode_operations.set_acl
 * @idmap: ID mapping of the upper mount
 * @dentry: the upper dentry
 * @acl: the ACL with the filesystem's own IDs, or NULL to remove it
 * @type: ACL_TYPE_ACCESS or ACL_TYPE_DEFAULT
 *
 * Context: the upper inode is locked.
 * Return: 0 or a negative errno.
 */
int fold_set_acl(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct posix_acl *acl, int type)
{
	struct vfsmount *mnt = FOLD_SB(dentry->d_sb)->lower_mnt;
	struct dentry *lower = fold_lower_dentry(dentry);
	struct inode *lower_inode = d_inode(lower);
	int err;

	err = mnt_want_write(mnt);
	if (err)
		return err;
	inode_lock(lower_inode);
	if (IS_IMMUTABLE(lower_inode) || IS_APPEND(lower_inode))
		err = -EPERM;
	else
		err = set_posix_acl(idmap, lower, type, acl);
	inode_unlock(lower_inode);
	fold_copy_attr(d_inode(dentry));
	mnt_drop_write(mnt);
	return err ?: fold_sync_metadata(d_inode(dentry), FOLD_SYNC_FILES);
}
