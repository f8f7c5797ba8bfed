// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names. As in tmpfs the dentries are all there is of a directory: each one that has an
 * inode is pinned by an extra reference.
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "foldtmp.h"

/* A directory's size, as tmpfs counts it. */
#define NAME_SIZE	20

static void touch_dir(struct inode *dir)
{
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
}

static void add_name(struct inode *dir, struct dentry *dentry,
		     struct inode *inode)
{
	dir->i_size += NAME_SIZE;
	touch_dir(dir);
	d_make_persistent(dentry, inode);
}

/* Gives a new inode its attributes and its name, which keeps it; or lets go of it. */
static int name_new(struct inode *dir, struct dentry *dentry,
		    struct inode *inode)
{
	int err = ftmp_init_security(inode, dir, &dentry->d_name);

	if (!err)
		err = ftmp_offset_add(dir, dentry);
	if (err)
		iput(inode);
	else
		add_name(dir, dentry, inode);
	return err;
}

static int ftmp_mknod(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode, dev_t dev)
{
	struct inode *inode;

	inode = ftmp_inode_new(idmap, dir->i_sb, dir, mode, dev);
	return IS_ERR(inode) ? PTR_ERR(inode) : name_new(dir, dentry, inode);
}

static int ftmp_create(struct mnt_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, umode_t mode)
{
	return ftmp_mknod(idmap, dir, dentry, mode | S_IFREG, 0);
}

FOLD_OP_CREATE(ftmp_create)

static struct dentry *ftmp_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				 struct dentry *dentry, umode_t mode)
{
	int err = ftmp_mknod(idmap, dir, dentry, mode | S_IFDIR, 0);

	if (!err)
		inc_nlink(dir);
	return ERR_PTR(err);
}

FOLD_OP_MKDIR(ftmp_mkdir)

static int ftmp_symlink(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *dentry, const char *target)
{
	size_t len = strlen(target);
	struct inode *inode;

	if (len + 1 > PAGE_SIZE)
		return -ENAMETOOLONG;
	inode = ftmp_inode_new(idmap, dir->i_sb, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	inode->i_size = len;
	inode->i_link = kmemdup(target, len + 1, GFP_KERNEL_ACCOUNT);
	if (!inode->i_link) {
		iput(inode);
		return -ENOMEM;
	}
	return name_new(dir, dentry, inode);
}

static int ftmp_tmpfile(struct mnt_idmap *idmap, struct inode *dir,
			struct file *file, umode_t mode)
{
	struct inode *inode;
	int err;

	inode = ftmp_inode_new(idmap, dir->i_sb, dir, mode, 0);
	if (IS_ERR(inode))
		return finish_open_simple(file, PTR_ERR(inode));
	err = ftmp_init_security(inode, dir, NULL);
	if (err)
		iput(inode);
	else
		d_tmpfile(file, inode);
	return finish_open_simple(file, err);
}

static int ftmp_link(struct dentry *old, struct inode *dir,
		     struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct ftmp_sb *fs = FTMP_SB(inode->i_sb);
	int err;

	/* A name costs as much as an inode, but for a file's first one. */
	if (inode->i_nlink) {
		err = ftmp_take_ispace(fs, FTMP_INODE_COST);
		if (err)
			return err;
	}
	err = ftmp_offset_add(dir, dentry);
	if (err) {
		if (inode->i_nlink)
			ftmp_give_ispace(fs, FTMP_INODE_COST);
		return err;
	}
	inode_set_ctime_current(inode);
	inc_nlink(inode);
	ihold(inode);
	add_name(dir, dentry, inode);
	return 0;
}

static int ftmp_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	if (inode->i_nlink > 1 && !S_ISDIR(inode->i_mode))
		ftmp_give_ispace(FTMP_SB(inode->i_sb), FTMP_INODE_COST);
	ftmp_offset_remove(dir, dentry);
	dir->i_size -= NAME_SIZE;
	touch_dir(dir);
	inode_set_ctime_current(inode);
	drop_nlink(inode);
	d_make_discardable(dentry);
	return 0;
}

static int ftmp_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!simple_empty(dentry))
		return -ENOTEMPTY;
	drop_nlink(d_inode(dentry));
	drop_nlink(dir);
	return ftmp_unlink(dir, dentry);
}

static int whiteout(struct mnt_idmap *idmap, struct inode *dir,
		    struct dentry *old)
{
	struct dentry *dentry;
	int err;

	dentry = d_alloc(old->d_parent, &old->d_name);
	if (!dentry)
		return -ENOMEM;
	/* The VFS is about to move the other one of that name away. */
	err = ftmp_mknod(idmap, dir, dentry, S_IFCHR | WHITEOUT_MODE,
			 WHITEOUT_DEV);
	dput(dentry);
	return err;
}

static int ftmp_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		       struct dentry *old, struct inode *new_dir,
		       struct dentry *new, unsigned int flags)
{
	struct inode *inode = d_inode(old);
	bool is_dir = S_ISDIR(inode->i_mode);
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		ftmp_offset_exchange(old_dir, old, new_dir, new);
		return simple_rename_exchange(old_dir, old, new_dir, new);
	}
	if (!simple_empty(new))
		return -ENOTEMPTY;
	/* A name that is replaced hands its offset on; else it gets one now. */
	if (!new->d_fsdata) {
		err = ftmp_offset_add(new_dir, new);
		if (err)
			return err;
		err = flags & RENAME_WHITEOUT ? whiteout(idmap, old_dir, old) :
						0;
		if (err) {
			ftmp_offset_remove(new_dir, new);
			return err;
		}
	} else if (flags & RENAME_WHITEOUT) {
		err = whiteout(idmap, old_dir, old);
		if (err)
			return err;
	}
	ftmp_offset_remove(old_dir, old);
	/* The place is there, so this cannot fail. */
	xa_store(&FTMP_I(new_dir)->offsets, (unsigned long)new->d_fsdata, old,
		 GFP_KERNEL);
	old->d_fsdata = new->d_fsdata;
	new->d_fsdata = NULL;
	if (d_really_is_positive(new)) {
		ftmp_unlink(new_dir, new);
		if (is_dir) {
			drop_nlink(d_inode(new));
			drop_nlink(old_dir);
		}
	} else if (is_dir) {
		drop_nlink(old_dir);
		inc_nlink(new_dir);
	}
	old_dir->i_size -= NAME_SIZE;
	new_dir->i_size += NAME_SIZE;
	simple_rename_timestamp(old_dir, old, new_dir, new);
	return 0;
}

const struct inode_operations ftmp_dir_inode_operations = {
	.lookup = simple_lookup,
	.create = FOLD_OP(ftmp_create),
	.link = ftmp_link,
	.unlink = ftmp_unlink,
	.symlink = ftmp_symlink,
	.mkdir = FOLD_OP(ftmp_mkdir),
	.rmdir = ftmp_rmdir,
	.mknod = ftmp_mknod,
	.rename = ftmp_rename,
	.tmpfile = ftmp_tmpfile,
	.getattr = ftmp_getattr,
	.setattr = ftmp_setattr,
	.listxattr = ftmp_listxattr,
	.set_acl = ftmp_set_acl,
	.fileattr_get = ftmp_fileattr_get,
	.fileattr_set = ftmp_fileattr_set,
};

const struct inode_operations ftmp_symlink_inode_operations = {
	.get_link = simple_get_link,
	.getattr = ftmp_getattr,
	.setattr = ftmp_setattr,
	.listxattr = ftmp_listxattr,
};
