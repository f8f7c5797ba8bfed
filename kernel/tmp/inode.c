// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes and their attributes.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/pagemap.h>
#include <linux/posix_acl.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "foldtmp.h"

/* What chattr may set, and what files get from their directory. */
#define FLAGS_SETTABLE	(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | \
			 FS_NOATIME_FL)
#define FLAGS_INHERITED	(FS_NODUMP_FL | FS_NOATIME_FL)

static struct kmem_cache *inode_cache;

/*
 * The reverse map holds the i_mmap_rwsem of a store when it comes, over the bridge, to
 * those of the files that show its pages.
 */
static struct lock_class_key i_mmap_key;

static void init_once(void *mem)
{
	struct ftmp_inode *ti = mem;

	inode_init_once(&ti->vfs_inode);
	lockdep_set_class(&ti->vfs_inode.i_data.i_mmap_rwsem, &i_mmap_key);
	init_rwsem(&ti->map_sem);
	init_rwsem(&ti->xattr_sem);
	spin_lock_init(&ti->view_lock);
}

/**
 * ftmp_inode_cache_init - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int __init ftmp_inode_cache_init(void)
{
	inode_cache = kmem_cache_create("foldfs_tmp_inode",
					sizeof(struct ftmp_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					init_once);
	return inode_cache ? 0 : -ENOMEM;
}

/**
 * ftmp_inode_cache_exit - when it is unloaded
 */
void ftmp_inode_cache_exit(void)
{
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}

/**
 * ftmp_alloc_inode - ->alloc_inode
 * @sb: the mount
 *
 * Return: the inode or NULL.
 */
struct inode *ftmp_alloc_inode(struct super_block *sb)
{
	struct ftmp_inode *ti = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!ti)
		return NULL;
	ti->map = (struct ftmp_map) { };
	ti->views = RB_ROOT;
	INIT_LIST_HEAD(&ti->xattrs);
	xa_init_flags(&ti->offsets, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	ti->next_offset = 0;
	ti->fsflags = 0;
	return &ti->vfs_inode;
}

/**
 * ftmp_free_inode - ->free_inode
 * @inode: the inode, after a grace period
 */
void ftmp_free_inode(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(inode_cache, FTMP_I(inode));
}

/**
 * ftmp_take_ispace - take from what nr_inodes= allows for
 * @fs: the mount
 * @size: bytes
 *
 * Return: 0 or -ENOSPC.
 */
int ftmp_take_ispace(struct ftmp_sb *fs, size_t size)
{
	int err = 0;

	spin_lock(&fs->lock);
	if (fs->max_inodes) {
		if (fs->free_ispace < size)
			err = -ENOSPC;
		else
			fs->free_ispace -= size;
	}
	spin_unlock(&fs->lock);
	return err;
}

/**
 * ftmp_give_ispace - give it back
 * @fs: the mount
 * @size: bytes
 */
void ftmp_give_ispace(struct ftmp_sb *fs, size_t size)
{
	spin_lock(&fs->lock);
	if (fs->max_inodes)
		fs->free_ispace += size;
	spin_unlock(&fs->lock);
}

/**
 * ftmp_evict_inode - ->evict_inode
 * @inode: the inode
 *
 * Context: dentries keep inodes that have names, so this is never reclaim.
 */
void ftmp_evict_inode(struct inode *inode)
{
	struct ftmp_inode *ti = FTMP_I(inode);
	struct ftmp_sb *fs = FTMP_SB(inode->i_sb);
	struct ftmp_drop drop = { };

	truncate_inode_pages_final(&inode->i_data);
	ftmp_views_of_inode_gone(ti);
	ftmp_map_clear(&ti->map, 0, (pgoff_t)(MAX_LFS_FILESIZE >> PAGE_SHIFT),
		       &drop);
	ftmp_drop_end(&drop);
	/* At umount a directory still has its names. */
	xa_destroy(&ti->offsets);
	ftmp_give_ispace(fs, FTMP_INODE_COST + ftmp_xattrs_free(ti));
	clear_inode(inode);
}

static void set_flags(struct inode *inode, unsigned int fsflags)
{
	unsigned int flags = 0;

	FTMP_I(inode)->fsflags = fsflags;
	if (fsflags & FS_NOATIME_FL)
		flags |= S_NOATIME;
	if (fsflags & FS_APPEND_FL)
		flags |= S_APPEND;
	if (fsflags & FS_IMMUTABLE_FL)
		flags |= S_IMMUTABLE;
	inode_set_flags(inode, flags, S_NOATIME | S_APPEND | S_IMMUTABLE);
}

static u64 next_ino(struct ftmp_sb *fs)
{
	u64 ino;

	spin_lock(&fs->lock);
	ino = fs->next_ino++;
	/* Zero would be taken for no inode. */
	if (fs->ino32 && !(u32)ino)
		ino = fs->next_ino++;
	spin_unlock(&fs->lock);
	return fs->ino32 ? (u32)ino : ino;
}

/**
 * ftmp_inode_new - make an inode
 * @idmap: of the mount that it is made through
 * @sb: the filesystem
 * @dir: the directory that it will be in; NULL for the root
 * @mode: its type and permissions
 * @dev: of a device file
 *
 * Return: the inode with one reference, or -ENOSPC or -ENOMEM.
 */
struct inode *ftmp_inode_new(struct mnt_idmap *idmap, struct super_block *sb,
			     struct inode *dir, umode_t mode, dev_t dev)
{
	struct ftmp_sb *fs = FTMP_SB(sb);
	struct inode *inode;
	int err;

	err = ftmp_take_ispace(fs, FTMP_INODE_COST);
	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode) {
		ftmp_give_ispace(fs, FTMP_INODE_COST);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = next_ino(fs);
	inode_init_owner(idmap, inode, dir, mode);
	FTMP_I(inode)->crtime = simple_inode_init_ts(inode);
	inode->i_generation = get_random_u32();
	if (dir)
		set_flags(inode, FTMP_I(dir)->fsflags & FLAGS_INHERITED);
	cache_no_acl(inode);
	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &ftmp_file_inode_operations;
		inode->i_fop = &ftmp_file_operations;
		break;
	case S_IFDIR:
		inc_nlink(inode);
		inode->i_size = 2 * 20;
		inode->i_op = &ftmp_dir_inode_operations;
		inode->i_fop = &ftmp_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &ftmp_symlink_inode_operations;
		break;
	default:
		inode->i_op = &ftmp_special_inode_operations;
		init_special_inode(inode, mode, dev);
	}
	insert_inode_hash(inode);
	lockdep_annotate_inode_mutex_key(inode);
	return inode;
}

/**
 * ftmp_getattr - ->getattr
 * @idmap: of the mount
 * @path: the file
 * @stat: filled
 * @mask: what is asked for
 * @flags: AT_*
 *
 * Return: 0.
 */
int ftmp_getattr(struct mnt_idmap *idmap, const struct path *path,
		 struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct ftmp_inode *ti = FTMP_I(inode);

	if (ti->fsflags & FS_APPEND_FL)
		stat->attributes |= STATX_ATTR_APPEND;
	if (ti->fsflags & FS_IMMUTABLE_FL)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (ti->fsflags & FS_NODUMP_FL)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->attributes_mask |= STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE |
				 STATX_ATTR_NODUMP;
	generic_fillattr(idmap, mask, inode, stat);
	if (S_ISREG(inode->i_mode)) {
		down_read(&ti->map_sem);
		stat->blocks = (u64)ftmp_map_pages(&ti->map)
			       << (PAGE_SHIFT - 9);
		up_read(&ti->map_sem);
	}
	if (mask & STATX_BTIME) {
		stat->result_mask |= STATX_BTIME;
		stat->btime = ti->crtime;
	}
	return 0;
}

/**
 * ftmp_setattr - ->setattr
 * @idmap: of the mount
 * @dentry: the file
 * @attr: what is to change
 *
 * Context: the inode locked.
 * Return: 0 or a negative errno.
 */
int ftmp_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	bool resized = false, same = false;
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (S_ISREG(inode->i_mode) && attr->ia_valid & ATTR_SIZE) {
		resized = attr->ia_size != inode->i_size;
		same = !resized;
		err = ftmp_truncate(inode, attr->ia_size);
		if (err)
			return err;
	}
	setattr_copy(idmap, inode, attr);
	if (attr->ia_valid & ATTR_MODE)
		err = posix_acl_chmod(idmap, dentry, inode->i_mode);
	if (!err && !same) {
		inode_set_ctime_current(inode);
		if (resized)
			inode_set_mtime_to_ts(inode, inode_get_ctime(inode));
	}
	return err;
}

/**
 * ftmp_fileattr_get - ->fileattr_get
 * @dentry: the file
 * @fa: filled
 *
 * Return: 0.
 */
int ftmp_fileattr_get(struct dentry *dentry, struct file_kattr *fa)
{
	fileattr_fill_flags(fa, FTMP_I(d_inode(dentry))->fsflags);
	return 0;
}

/**
 * ftmp_fileattr_set - ->fileattr_set
 * @idmap: of the mount
 * @dentry: the file
 * @fa: what is to be set
 *
 * Context: the inode locked; the VFS has asked who may.
 * Return: 0; -EOPNOTSUPP for flags that tmpfs has not.
 */
int ftmp_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
		      struct file_kattr *fa)
{
	struct inode *inode = d_inode(dentry);

	if (fileattr_has_fsx(fa) || fa->flags & ~FLAGS_SETTABLE)
		return -EOPNOTSUPP;
	set_flags(inode, fa->flags);
	inode_set_ctime_current(inode);
	return 0;
}

const struct inode_operations ftmp_file_inode_operations = {
	.getattr = ftmp_getattr,
	.setattr = ftmp_setattr,
	.listxattr = ftmp_listxattr,
	.set_acl = ftmp_set_acl,
	.fileattr_get = ftmp_fileattr_get,
	.fileattr_set = ftmp_fileattr_set,
};

const struct inode_operations ftmp_special_inode_operations = {
	.getattr = ftmp_getattr,
	.setattr = ftmp_setattr,
	.listxattr = ftmp_listxattr,
	.set_acl = ftmp_set_acl,
};
