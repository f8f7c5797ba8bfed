// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upper inodes: one for each lower inode, hard links included, with a copy of
 * its attributes for those parts of the VFS that look at them directly. The
 * lower inode is where every decision is made; permissions are asked of it with
 * the credentials of the caller and the ID mapping of the upper mount.
 *
 * The copy is refreshed after each operation of ours, whenever somebody looks
 * the file up (see dentry.c), asks for its attributes or for a permission. So a
 * change made directly below, or through another mount, is noticed there. What
 * the VFS decides by the copy where none of these comes first is decided once
 * more, by the lower inode: in dir.c, here, in xattr.c and in mmap.c.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/filelock.h>
#include <linux/mm.h>
#include <linux/mnt_idmapping.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>

#include "foldfs.h"

/* Inode flags that mean something above as well. */
#define MIRRORED_FLAGS \
	(S_SYNC | S_DIRSYNC | S_NOATIME | S_APPEND | S_IMMUTABLE)

static struct kmem_cache *inode_cache __ro_after_init;

static void fold_inode_init_once(void *p)
{
	struct fold_inode *fi = p;

	inode_init_once(&fi->vfs_inode);
}

/**
 * fold_inode_cache_init - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_inode_cache_init(void)
{
	inode_cache = kmem_cache_create("foldfs_inode",
					sizeof(struct fold_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					fold_inode_init_once);
	return inode_cache ? 0 : -ENOMEM;
}

/**
 * fold_inode_cache_exit - at module unload, when no superblock is left
 */
void fold_inode_cache_exit(void)
{
	/* Inodes are freed behind an RCU grace period. */
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}

/**
 * fold_alloc_inode - super_operations.alloc_inode
 * @sb: the upper superblock
 *
 * Return: the inode or NULL.
 */
struct inode *fold_alloc_inode(struct super_block *sb)
{
	struct fold_inode *fi;

	fi = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);
	if (!fi)
		return NULL;
	fi->lower = NULL;
	fold_share_init(fi, sb);
	return &fi->vfs_inode;
}

/**
 * fold_free_inode - super_operations.free_inode
 * @inode: nobody sees it any more, a grace period after its eviction
 */
void fold_free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, FOLD_I(inode));
}

/**
 * fold_evict_inode - super_operations.evict_inode
 * @inode: unused and on its way out
 */
void fold_evict_inode(struct inode *inode)
{
	struct inode *lower = fold_lower_inode(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	fold_share_evict(inode);
	/* A walk under RCU may still read ->lower: leave it as it is. */
	iput(lower);
}

/**
 * fold_drop_inode - super_operations.drop_inode
 * @inode: its last reference is being dropped, i_lock is held
 *
 * The space of a file that was removed directly below is wanted back too.
 *
 * Context: reclaim as well.
 * Return: true if the inode shall not be cached.
 */
int fold_drop_inode(struct inode *inode)
{
	bool doomed = !READ_ONCE(fold_lower_inode(inode)->i_nlink) ||
		      inode_generic_drop(inode);

	if (doomed || inode_state_read(inode) & I_DONTCACHE)
		return fold_warm_hand_on(inode) ? false : doomed;
	/* With a reference of that list's it is not the VFS's to list. */
	fold_warm_keep(inode);
	return false;
}

/**
 * fold_copy_attr - refresh an upper inode's attributes from its lower inode
 * @inode: the upper inode
 *
 * Who changes the lower inode through the mount meanwhile, under locks of that,
 * copies again when he is done; who reads the upper one without a lock, as the
 * VFS does with any inode, sees each field as it was or is. Of a time the two
 * words may not belong together; the next read finds that they are not the
 * lower inode's, and copies again. stat(2) asks the lower inode itself.
 *
 * Context: any but interrupts; takes i_lock.
 */
void fold_copy_attr(struct inode *inode)
{
	struct inode *lower = fold_lower_inode(inode);
	unsigned int nlink, flags;

	/* The lock makes the last of several copies the newest. */
	spin_lock(&inode->i_lock);
	WRITE_ONCE(inode->i_mode, READ_ONCE(lower->i_mode));
	WRITE_ONCE(inode->i_uid, READ_ONCE(lower->i_uid));
	WRITE_ONCE(inode->i_gid, READ_ONCE(lower->i_gid));
	data_race(inode_set_atime_to_ts(inode, inode_get_atime(lower))); /* torn at worst */
	data_race(inode_set_mtime_to_ts(inode, inode_get_mtime(lower))); /* torn at worst */
	data_race(inode_set_ctime_to_ts(inode, inode_get_ctime(lower))); /* torn at worst */
	nlink = READ_ONCE(lower->i_nlink);
	if (inode->i_nlink != nlink)
		set_nlink(inode, nlink);
	flags = READ_ONCE(lower->i_flags) & MIRRORED_FLAGS;
	if ((inode->i_flags & MIRRORED_FLAGS) != flags)
		inode_set_flags(inode, flags, MIRRORED_FLAGS);
	i_size_write(inode, i_size_read(lower));
	spin_unlock(&inode->i_lock);
}

/**
 * fold_rights_are_current - do rights to an upper inode look as to its lower one
 * @inode: the upper inode
 *
 * Context: any, under RCU as well.
 * Return: false if mode, owner, group or flags have changed.
 */
bool fold_rights_are_current(const struct inode *inode)
{
	const struct inode *lower = fold_lower_inode(inode);

	return READ_ONCE(inode->i_mode) == READ_ONCE(lower->i_mode) &&
	       uid_eq(READ_ONCE(inode->i_uid), READ_ONCE(lower->i_uid)) &&
	       gid_eq(READ_ONCE(inode->i_gid), READ_ONCE(lower->i_gid)) &&
	       !((READ_ONCE(inode->i_flags) ^ READ_ONCE(lower->i_flags)) &
		 MIRRORED_FLAGS);
}

/**
 * fold_attr_is_current - does an upper inode look like its lower inode
 * @inode: the upper inode
 *
 * Compares what the VFS bases decisions on, not what only stat(2) shows.
 *
 * Context: any, under RCU as well.
 * Return: false if fold_copy_attr() would change something.
 */
bool fold_attr_is_current(const struct inode *inode)
{
	return fold_rights_are_current(inode) &&
	       i_size_read(inode) == i_size_read(fold_lower_inode(inode));
}

/**
 * fold_permission - inode_operations.permission
 * @idmap: ID mapping of the upper mount
 * @inode: the upper inode
 * @mask: MAY_*
 *
 * In most system calls the VFS comes here before it looks at sticky bits, flags
 * and owners itself: for each directory on the way, the one that the way begins
 * at included, and before it opens. So the copy is refreshed here.
 *
 * Context: may be under RCU.
 * Return: what the lower filesystem says.
 */
int fold_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);

	if (unlikely(idmap != &nop_mnt_idmap) && !READ_ONCE(fsb->idmapped))
		WRITE_ONCE(fsb->idmapped, true);
	if (!fold_rights_are_current(inode)) {
		/* It may be on its way out. */
		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		fold_copy_attr(inode);
	}
	return inode_permission(idmap, fold_lower_inode(inode), mask);
}

/**
 * fold_getattr - inode_operations.getattr
 * @idmap: ID mapping of the upper mount
 * @path: the upper path
 * @stat: filled in
 * @request_mask: STATX_* that are wanted
 * @flags: AT_STATX_*
 *
 * Security modules were asked about the upper path already, and know nothing
 * of the private mount below.
 *
 * Return: 0 or a negative errno.
 */
int fold_getattr(struct mnt_idmap *idmap, const struct path *path,
		 struct kstat *stat, u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct path lower;
	int err;

	fold_lower_path(path->dentry, &lower);
	err = vfs_getattr_nosec(&lower, stat, request_mask, flags);
	if (err)
		return err;

	fold_copy_attr(inode);
	err = fold_stdev(inode->i_sb, &stat->dev);
	if (err)
		return err;
	if (idmap != &nop_mnt_idmap) {
		stat->uid = vfsuid_into_kuid(make_vfsuid(idmap, i_user_ns(inode),
							 stat->uid));
		stat->gid = vfsgid_into_kgid(make_vfsgid(idmap, i_user_ns(inode),
							 stat->gid));
	}
	return 0;
}

/*
 * Change the lower inode, unless an NFS client has it delegated: then *@delegated
 * is set, and holds a reference.
 */
static int notify_below(struct mnt_idmap *idmap, struct dentry *dentry,
			const struct iattr *attr,
			struct delegated_inode *delegated)
{
	struct dentry *lower = fold_lower_dentry(dentry);
	struct inode *inode = d_inode(dentry);
	struct iattr copy = *attr;
	int err;

	/* The page with the old end in it changes behind its end, too. */
	if (attr->ia_valid & ATTR_SIZE) {
		err = fold_change_begin(inode, min(attr->ia_size,
						   i_size_read(d_inode(lower))),
					LLONG_MAX);
		if (err)
			return err;
	}
	inode_lock(d_inode(lower));
	err = fold_notify_change_locked(idmap, lower, &copy, delegated);
	inode_unlock(d_inode(lower));
	fold_copy_attr(inode);
	if (attr->ia_valid & ATTR_SIZE)
		fold_change_end(inode);
	return err;
}

/*
 * The lower inode's leases: another mount's, or some program's, which may let us
 * wait for a long time. The VFS has locked the upper inode, and others want to
 * remove, list and open the file meanwhile, so the lock is given up. What may
 * have changed when it is back is asked below, where the lower inode decides.
 */
static int break_leases(struct inode *inode)
{
	struct inode *lower = fold_lower_inode(inode);
	int err;

	err = break_lease(lower, O_WRONLY | O_NONBLOCK);
	if (err != -EWOULDBLOCK)
		return err;
	inode_unlock(inode);
	fold_may_be_stopped(inode);
	err = break_lease(lower, O_WRONLY);
	inode_lock(inode);
	return err;
}

/**
 * fold_break_deleg - wait until a lower inode is no longer delegated
 * @inode: an upper inode that the VFS has locked for a change of this inode alone
 * @delegated: what the lower filesystem's call has set, and left referenced
 *
 * An NFS client that has the lower file may take its time, so the lock is given
 * up, for the reasons that break_leases() has.
 *
 * Context: the upper inode is locked; it is unlocked and locked again.
 * Return: 0 to try again, or -ERESTARTSYS upon a signal.
 */
int fold_break_deleg(struct inode *inode, struct delegated_inode *delegated)
{
	int err;

	inode_unlock(inode);
	fold_may_be_stopped(inode);
	err = fold_break_deleg_wait(delegated);
	inode_lock(inode);
	return err;
}

/*
 * What the VFS found out above by the copy, for descriptors that nobody has
 * looked up since: whether the size may change, and which set-ID bits go.
 */
static int fold_setattr_again(struct mnt_idmap *idmap, struct inode *inode,
			      struct iattr *attr)
{
	struct inode *lower = fold_lower_inode(inode);
	unsigned int kill = ATTR_KILL_SUID | ATTR_KILL_SGID;
	unsigned int drop;

	if (fold_rights_are_current(inode))
		return 0;
	if (attr->ia_valid & ATTR_SIZE && IS_APPEND(lower) && !IS_APPEND(inode))
		return -EPERM;
	/* Who sets the mode says himself which bits it has. */
	if (attr->ia_valid & ATTR_MODE && !(attr->ia_valid & kill))
		return 0;
	if (attr->ia_valid & ATTR_SIZE) {
		drop = setattr_should_drop_suidgid(idmap, lower);
		/* Who may write the file need not own it. */
		if (drop)
			attr->ia_valid |= drop | ATTR_FORCE;
	}
	if (attr->ia_valid & (ATTR_UID | ATTR_GID) && !S_ISDIR(lower->i_mode))
		attr->ia_valid |= setattr_should_drop_sgid(idmap, lower);
	return 0;
}

/**
 * fold_setattr - inode_operations.setattr
 * @idmap: ID mapping of the upper mount
 * @dentry: the upper dentry
 * @attr: what to set
 *
 * Context: the upper inode is locked. It is unlocked and locked again if a lease
 * or a delegation on the lower inode has to be waited for.
 * Return: 0 or a negative errno.
 */
int fold_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct iattr *attr)
{
	struct vfsmount *mnt = FOLD_SB(dentry->d_sb)->lower_mnt;
	struct inode *inode = d_inode(dentry);
	struct inode *lower = fold_lower_inode(inode);
	struct delegated_inode delegated = {};
	struct iattr lower_attr = *attr;
	struct fold_opener op;
	int err = 0;

	guard(fold_memalloc)(inode);
	/*
	 * The open file is ours and not the lower filesystem's, and it never
	 * saw O_TRUNC.
	 */
	lower_attr.ia_valid &= ~(ATTR_FILE | ATTR_OPEN);
	err = fold_setattr_again(idmap, inode, &lower_attr);
	if (err)
		return err;
	/* The lower inode's own mode is the one to take the bits from. */
	if (lower_attr.ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID))
		lower_attr.ia_valid &= ~ATTR_MODE;

	fold_write_open_begin(inode, &op);
	if (attr->ia_valid & ATTR_SIZE) {
		/*
		 * A program that is running must not be truncated. And while we
		 * have write access no new lease is granted. Also for who has an
		 * open file: it may have been opened for reading, with O_TRUNC.
		 */
		err = get_write_access(lower);
		if (err)
			goto out_open;
		err = break_leases(inode);
	}
	while (!err) {
		err = mnt_want_write(mnt);
		if (err)
			break;
		err = notify_below(idmap, dentry, &lower_attr, &delegated);
		mnt_drop_write(mnt);
		if (!is_delegated(&delegated))
			break;
		err = fold_break_deleg(inode, &delegated);
	}
	if (attr->ia_valid & ATTR_SIZE)
		put_write_access(lower);
out_open:
	fold_write_open_end(inode, &op);
	return err ?: fold_sync_metadata(inode, FOLD_SYNC_FILES);
}

/**
 * fold_update_time - inode_operations.update_time
 * @inode: the upper inode
 * @type: of access, or, of a FIFO, which is written to above, of change
 * @flags: what more the VFS has to say
 *
 * The rules of the upper mount (relatime and so on) have decided already.
 *
 * Return: 0 or a negative errno.
 */
int fold_update_time(struct inode *inode, enum fs_update_time type,
		     unsigned int flags)
{
	struct vfsmount *mnt = FOLD_SB(inode->i_sb)->lower_mnt;
	struct inode *lower = fold_lower_inode(inode);
	int err;

	/* Reading must not wait for a frozen filesystem. */
	if (!sb_start_write_trylock(lower->i_sb))
		return 0;
	err = mnt_get_write_access(mnt);
	if (!err) {
		err = fold_lower_update_time(lower, type, flags);
		if (type == FS_UPD_CMTIME)
			fold_copy_attr(inode);
		else
			/* As in fold_copy_attr(). */
			data_race(inode_set_atime_to_ts(inode,
							inode_get_atime(lower)));
		mnt_put_write_access(mnt);
	}
	sb_end_write(lower->i_sb);
	return err;
}

FOLD_OP_UPDATE_TIME(fold_update_time)

static void fold_copy_times(struct inode *inode)
{
	struct inode *lower = fold_lower_inode(inode);
	struct timespec64 lower_mtime, lower_ctime, mtime, ctime;

	/* Without a lock: a change that is missed is seen by the next one. */
	lower_mtime = data_race(inode_get_mtime(lower)); /* a hint */
	lower_ctime = data_race(inode_get_ctime(lower)); /* a hint */
	mtime = data_race(inode_get_mtime(inode)); /* a hint */
	ctime = data_race(inode_get_ctime(inode)); /* a hint */
	/*
	 * Most reads find nothing to do, and should not dirty the line. Two
	 * changes of a mode can have the same time.
	 */
	if (!timespec64_equal(&mtime, &lower_mtime) ||
	    !timespec64_equal(&ctime, &lower_ctime) ||
	    !fold_attr_is_current(inode))
		fold_copy_attr(inode);
}

/**
 * fold_accessed - an open file was read or mapped
 * @file: the upper file
 *
 * To be called instead of file_accessed(): the relatime rule compares times,
 * which must be the lower inode's.
 *
 * Context: may sleep.
 */
void fold_accessed(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (READ_ONCE(file->f_flags) & O_NOATIME)
		return;

	fold_copy_times(inode);
	touch_atime(&file->f_path);
}

/**
 * fold_fileattr_get - inode_operations.fileattr_get
 * @dentry: the upper dentry
 * @fa: filled in
 *
 * Return: 0 or a negative errno.
 */
int fold_fileattr_get(struct dentry *dentry, struct file_kattr *fa)
{
	return vfs_fileattr_get(fold_lower_dentry(dentry), fa);
}

/**
 * fold_fileattr_set - inode_operations.fileattr_set
 * @idmap: ID mapping of the upper mount
 * @dentry: the upper dentry
 * @fa: what to set, completed by the VFS
 *
 * Context: the upper inode is locked.
 * Return: 0 or a negative errno.
 */
int fold_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
		      struct file_kattr *fa)
{
	struct vfsmount *mnt = FOLD_SB(dentry->d_sb)->lower_mnt;
	int err;

	err = mnt_want_write(mnt);
	if (err)
		return err;
	err = vfs_fileattr_set(idmap, fold_lower_dentry(dentry), fa);
	fold_copy_attr(d_inode(dentry));
	mnt_drop_write(mnt);
	return err ?: fold_sync_metadata(d_inode(dentry), FOLD_SYNC_FILES);
}

static int fold_fiemap(struct inode *inode, struct fiemap_extent_info *info,
		       u64 start, u64 len)
{
	struct inode *lower = fold_lower_inode(inode);

	if (!lower->i_op->fiemap)
		return -EOPNOTSUPP;
	return lower->i_op->fiemap(lower, info, start, len);
}

/*
 * For FIBMAP, and for md, which keeps a bitmap in a file: the blocks are those
 * of sb->s_bdev. Nobody swaps to such a file: it has no read_folio.
 */
static sector_t fold_bmap(struct address_space *mapping, sector_t block)
{
	struct inode *lower = fold_lower_inode(mapping->host);

	return bmap(lower, &block) ? 0 : block;
}

static const struct address_space_operations fold_address_operations = {
	.bmap	= fold_bmap,
};

static const char *fold_get_link(struct dentry *dentry, struct inode *inode,
				 struct delayed_call *done)
{
	if (!dentry)
		return ERR_PTR(-ECHILD);
	return vfs_get_link(fold_lower_dentry(dentry), done);
}

static const struct inode_operations fold_file_inode_operations = {
	.permission	= fold_permission,
	.getattr	= fold_getattr,
	.setattr	= fold_setattr,
	.listxattr	= fold_listxattr,
	.get_inode_acl	= fold_get_inode_acl,
	.set_acl	= fold_set_acl,
	.update_time	= FOLD_OP(fold_update_time),
	.fiemap		= fold_fiemap,
	.fileattr_get	= fold_fileattr_get,
	.fileattr_set	= fold_fileattr_set,
};

static const struct inode_operations fold_symlink_inode_operations = {
	.get_link	= fold_get_link,
	.permission	= fold_permission,
	.getattr	= fold_getattr,
	.setattr	= fold_setattr,
	.listxattr	= fold_listxattr,
	.update_time	= FOLD_OP(fold_update_time),
};

/* Devices, FIFOs and sockets: only the inode is the lower filesystem's. */
static const struct inode_operations fold_special_inode_operations = {
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

static int fold_inode_test(struct inode *inode, void *lower)
{
	return fold_lower_inode(inode) == lower;
}

static int fold_inode_set(struct inode *inode, void *lower)
{
	ihold(lower);
	FOLD_I(inode)->lower = lower;
	return 0;
}

static void fold_init_inode(struct inode *inode, struct inode *lower)
{
	inode->i_ino = lower->i_ino;
	inode->i_generation = lower->i_generation;
	inode->i_blkbits = lower->i_blkbits;
	/* The lower filesystem stamps its inode; and it caches the ACLs. */
	if (!S_ISFIFO(lower->i_mode))
		inode->i_flags |= S_NOCMTIME;
	inode->i_acl = ACL_DONT_CACHE;
	inode->i_default_acl = ACL_DONT_CACHE;
	fold_copy_attr(inode);

	switch (lower->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &fold_file_inode_operations;
		inode->i_fop = &fold_file_operations;
		if (inode->i_sb->s_bdev && lower->i_mapping->a_ops->bmap)
			inode->i_mapping->a_ops = &fold_address_operations;
		break;
	case S_IFDIR:
		inode->i_op = &fold_dir_inode_operations;
		inode->i_fop = &fold_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &fold_symlink_inode_operations;
		break;
	default:
		inode->i_op = &fold_special_inode_operations;
		init_special_inode(inode, lower->i_mode, lower->i_rdev);
		break;
	}
}

/**
 * fold_iget - find or make the upper inode of a lower inode
 * @sb: the upper superblock
 * @lower: the lower inode; the caller holds a reference
 *
 * Context: may sleep.
 * Return: the upper inode with a reference, or an error pointer.
 */
struct inode *fold_iget(struct super_block *sb, struct inode *lower)
{
	struct inode *inode;

	inode = iget5_locked(sb, (unsigned long)lower, fold_inode_test,
			     fold_inode_set, lower);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (inode_state_read_once(inode) & I_NEW) {
		fold_init_inode(inode, lower);
		unlock_new_inode(inode);
	} else {
		fold_warm_used(inode);
		fold_copy_attr(inode);
	}
	return inode;
}

/**
 * fold_find_inode - the upper inode of a lower inode, if there is one
 * @sb: the upper superblock
 * @lower: the lower inode
 *
 * Takes no reference: the caller knows that somebody else has one.
 *
 * Context: any but interrupts.
 * Return: the upper inode or NULL.
 */
struct inode *fold_find_inode(struct super_block *sb, struct inode *lower)
{
	struct inode *inode;

	rcu_read_lock();
	inode = find_inode_rcu(sb, (unsigned long)lower, fold_inode_test, lower);
	rcu_read_unlock();
	return inode;
}
