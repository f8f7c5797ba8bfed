// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended attributes and ACLs, in memory.
 *
 * What the kernel's own filesystems in memory use for this is not exported. Attributes
 * stand in a list: there are few. They are paid for out of nr_inodes=, as in tmpfs.
 * ACLs live in the VFS's cache, which never lets go of them here.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "foldtmp.h"

static size_t xattr_space(const char *name, size_t size)
{
	return sizeof(struct ftmp_xattr) + size + strlen(name) + 1;
}

static struct ftmp_xattr *xattr_new(const char *name, const void *value,
				    size_t size)
{
	struct ftmp_xattr *xattr;

	xattr = kvmalloc(struct_size(xattr, value, size), GFP_KERNEL_ACCOUNT);
	if (!xattr)
		return NULL;
	xattr->name = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!xattr->name) {
		kvfree(xattr);
		return NULL;
	}
	xattr->size = size;
	memcpy(xattr->value, value, size);
	return xattr;
}

static void xattr_free(struct ftmp_xattr *xattr)
{
	if (xattr)
		kfree(xattr->name);
	kvfree(xattr);
}

static struct ftmp_xattr *xattr_find(struct ftmp_inode *ti, const char *name)
{
	struct ftmp_xattr *xattr;

	list_for_each_entry(xattr, &ti->xattrs, list)
		if (!strcmp(xattr->name, name))
			return xattr;
	return NULL;
}

static int xattr_get(const struct xattr_handler *handler,
		     struct dentry *dentry, struct inode *inode,
		     const char *name, void *buffer, size_t size)
{
	struct ftmp_inode *ti = FTMP_I(inode);
	struct ftmp_xattr *xattr;
	int ret = -ENODATA;

	down_read(&ti->xattr_sem);
	xattr = xattr_find(ti, xattr_full_name(handler, name));
	if (xattr) {
		ret = xattr->size;
		if (buffer && size < xattr->size)
			ret = -ERANGE;
		else if (buffer)
			memcpy(buffer, xattr->value, xattr->size);
	}
	up_read(&ti->xattr_sem);
	return ret;
}

static int xattr_set(const struct xattr_handler *handler,
		     struct mnt_idmap *idmap, struct dentry *dentry,
		     struct inode *inode, const char *name, const void *value,
		     size_t size, int flags)
{
	struct ftmp_sb *fs = FTMP_SB(inode->i_sb);
	struct ftmp_xattr *new = NULL, *old;
	struct ftmp_inode *ti = FTMP_I(inode);
	int err = 0;

	name = xattr_full_name(handler, name);
	if (value) {
		err = ftmp_take_ispace(fs, xattr_space(name, size));
		if (err)
			return err;
		new = xattr_new(name, value, size);
		if (!new) {
			ftmp_give_ispace(fs, xattr_space(name, size));
			return -ENOMEM;
		}
	}
	down_write(&ti->xattr_sem);
	old = xattr_find(ti, name);
	if (old && flags & XATTR_CREATE)
		err = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE || !value))
		err = -ENODATA;
	if (!err) {
		if (old)
			list_del(&old->list);
		if (new)
			list_add(&new->list, &ti->xattrs);
	} else {
		/* What was paid for the new one goes back. */
		old = new;
	}
	up_write(&ti->xattr_sem);
	if (old)
		ftmp_give_ispace(fs, xattr_space(old->name, old->size));
	xattr_free(old);
	if (!err)
		inode_set_ctime_current(inode);
	/* Who removes what is not there is told nothing, as in tmpfs. */
	return err == -ENODATA && !value && !(flags & XATTR_REPLACE) ? 0 : err;
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.get = xattr_get,
	.set = xattr_set,
};

static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.get = xattr_get,
	.set = xattr_set,
};

static const struct xattr_handler security_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.get = xattr_get,
	.set = xattr_set,
};

const struct xattr_handler * const ftmp_xattr_handlers[] = {
	&user_handler,
	&trusted_handler,
	&security_handler,
	NULL
};

static int list_one(const char *name, char **buffer, size_t *left,
		    ssize_t *total)
{
	size_t len = strlen(name) + 1;

	*total += len;
	if (!*buffer)
		return 0;
	if (*left < len)
		return -ERANGE;
	memcpy(*buffer, name, len);
	*buffer += len;
	*left -= len;
	return 0;
}

/**
 * ftmp_listxattr - ->listxattr
 * @dentry: the file
 * @buffer: for names, each ended by a zero; NULL: only how much there is
 * @size: of it
 *
 * Return: bytes, or -ERANGE.
 */
ssize_t ftmp_listxattr(struct dentry *dentry, char *buffer, size_t size)
{
	struct inode *inode = d_inode(dentry);
	struct ftmp_inode *ti = FTMP_I(inode);
	bool trusted = capable(CAP_SYS_ADMIN);
	struct ftmp_xattr *xattr;
	ssize_t total = 0;
	int err = 0;

	if (inode->i_acl)
		err = list_one(XATTR_NAME_POSIX_ACL_ACCESS, &buffer, &size,
			       &total);
	if (!err && inode->i_default_acl)
		err = list_one(XATTR_NAME_POSIX_ACL_DEFAULT, &buffer, &size,
			       &total);
	down_read(&ti->xattr_sem);
	list_for_each_entry(xattr, &ti->xattrs, list) {
		if (err)
			break;
		if (!trusted && !strncmp(xattr->name, XATTR_TRUSTED_PREFIX,
					 XATTR_TRUSTED_PREFIX_LEN))
			continue;
		err = list_one(xattr->name, &buffer, &size, &total);
	}
	up_read(&ti->xattr_sem);
	return err ? err : total;
}

/**
 * ftmp_xattrs_free - an inode goes
 * @ti: the inode
 *
 * Return: how much of nr_inodes= its attributes have taken, in bytes.
 */
size_t ftmp_xattrs_free(struct ftmp_inode *ti)
{
	struct ftmp_xattr *xattr, *next;
	size_t space = 0;

	list_for_each_entry_safe(xattr, next, &ti->xattrs, list) {
		space += xattr_space(xattr->name, xattr->size);
		xattr_free(xattr);
	}
	INIT_LIST_HEAD(&ti->xattrs);
	return space;
}

/**
 * ftmp_set_acl - ->set_acl
 * @idmap: of the mount
 * @dentry: the file
 * @acl: the list, or NULL
 * @type: ACL_TYPE_*
 *
 * Return: 0 or a negative errno.
 */
int ftmp_set_acl(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct posix_acl *acl, int type)
{
	struct inode *inode = d_inode(dentry);
	umode_t mode = inode->i_mode;
	int err;

	if (type == ACL_TYPE_ACCESS) {
		err = posix_acl_update_mode(idmap, inode, &mode, &acl);
		if (err)
			return err;
		inode->i_mode = mode;
	}
	inode_set_ctime_current(inode);
	set_cached_acl(inode, type, acl);
	return 0;
}

static int init_xattrs(struct inode *inode, const struct xattr *array,
		       void *data)
{
	struct ftmp_sb *fs = FTMP_SB(inode->i_sb);
	const struct xattr *xattr;
	struct ftmp_xattr *new;
	char *name;
	int err;

	for (xattr = array; xattr->name; xattr++) {
		name = kasprintf(GFP_KERNEL, XATTR_SECURITY_PREFIX "%s",
				 xattr->name);
		if (!name)
			return -ENOMEM;
		err = ftmp_take_ispace(fs, xattr_space(name, xattr->value_len));
		if (err) {
			kfree(name);
			return err;
		}
		new = xattr_new(name, xattr->value, xattr->value_len);
		if (!new)
			ftmp_give_ispace(fs,
					 xattr_space(name, xattr->value_len));
		kfree(name);
		if (!new)
			return -ENOMEM;
		list_add(&new->list, &FTMP_I(inode)->xattrs);
	}
	return 0;
}

/**
 * ftmp_init_security - give a new inode the ACLs of its directory, and labels
 * @inode: the inode, which nobody else knows yet
 * @dir: its directory
 * @name: its name, or NULL if it has none
 *
 * Return: 0 or a negative errno.
 */
int ftmp_init_security(struct inode *inode, struct inode *dir,
		       const struct qstr *name)
{
	struct posix_acl *preset, *acl;
	int err;

	if (!S_ISLNK(inode->i_mode)) {
		err = posix_acl_create(dir, &inode->i_mode, &preset, &acl);
		if (err)
			return err;
		set_cached_acl(inode, ACL_TYPE_DEFAULT, preset);
		set_cached_acl(inode, ACL_TYPE_ACCESS, acl);
		posix_acl_release(preset);
		posix_acl_release(acl);
	}
	err = security_inode_init_security(inode, dir, name, init_xattrs, NULL);
	return err == -EOPNOTSUPP ? 0 : err;
}
