// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounting: what is accepted as a lower directory, what a superblock takes over
 * from the lower one, and the order in which it is taken apart.
 *
 * Mount flags (nosuid, nodev, noexec, the atime rules) are those of the foldfs
 * mount, as for any other filesystem. Only "read-only" carries over, since what
 * lies below would refuse every change anyway.
 */
#include <linux/backing-dev.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/mnt_idmapping.h>
#include <linux/namei.h>
#include <linux/seq_file.h>
#include <linux/statfs.h>

#include "foldfs.h"

static const struct super_operations fold_super_operations;

/* What a lower filesystem may pass on in s_flags. */
#define LOWER_SB_FLAGS	SB_POSIXACL

/* As long as what fsconfig(2) takes for a string. */
#define DOMAIN_MAX	255

enum {
	OPT_DOMAIN,
	OPT_NOFOLD,
	OPT_SOURCE,
	OPT_UPPERDIR,
};

static const struct fs_parameter_spec fold_parameters[] = {
	fsparam_string_empty("domain", OPT_DOMAIN),
	fsparam_flag("nofold", OPT_NOFOLD),
	fsparam_path("source", OPT_SOURCE),
	fsparam_flag("upperdir", OPT_UPPERDIR),
	{}
};

static int fold_changed(struct fs_context *fc, const char *key)
{
	return invalfc(fc, "%s cannot be changed by a remount", key);
}

/*
 * fsconfig(2) takes strings of 255 bytes at most. So the lower directory can
 * also be given as a path, by FSCONFIG_SET_PATH.
 */
static int fold_parse_source(struct fs_context *fc, struct fs_parameter *param)
{
	const char *name;

	if (param->type != fs_value_is_filename)
		return vfs_parse_fs_param_source(fc, param);
	if (fc->source)
		return invalfc(fc, "more than one lower directory given");
	name = param->name->name;
	if (*name != '/' && param->dirfd != AT_FDCWD)
		return invalfc(fc, "a relative path begins at the working directory");
	fc->source = kstrdup(name, GFP_KERNEL);
	return fc->source ? 0 : -ENOMEM;
}

/* The empty name is that of the domain of all mounts without one. */
static int fold_parse_domain(struct fs_context *fc, struct fs_parameter *param)
{
	struct fold_sb *fsb;

	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE) {
		fsb = FOLD_SB(fc->root->d_sb);
		return strcmp(param->string, fsb->domain ?: "") ?
			fold_changed(fc, param->key) : 0;
	}
	if (param->size > DOMAIN_MAX)
		return invalfc(fc, "the name of the domain is longer than %d bytes",
			       DOMAIN_MAX);
	fsb = fc->s_fs_info;
	kfree(fsb->domain);
	fsb->domain = NULL;
	if (*param->string) {
		fsb->domain = param->string;
		param->string = NULL;
	}
	return 0;
}

static int fold_parse_flag(struct fs_context *fc, struct fs_parameter *param,
			   int opt)
{
	bool reconfigure = fc->purpose == FS_CONTEXT_FOR_RECONFIGURE;
	struct fold_sb *fsb = reconfigure ? FOLD_SB(fc->root->d_sb) :
					    fc->s_fs_info;
	bool *flag = opt == OPT_UPPERDIR ? &fsb->upperdir : &fsb->nofold;

	/* mount(8) repeats all options when it remounts. */
	if (reconfigure && !*flag)
		return fold_changed(fc, param->key);
	*flag = true;
	return 0;
}

static int fold_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, fold_parameters, param, &result);
	switch (opt) {
	case OPT_DOMAIN:
		return fold_parse_domain(fc, param);
	case OPT_SOURCE:
		return fold_parse_source(fc, param);
	case OPT_NOFOLD:
	case OPT_UPPERDIR:
		return fold_parse_flag(fc, param, opt);
	default:
		return opt;
	}
}

/* The lower filesystem has to say of each block what the sharing is built on. */
static int fold_check_lower_type(struct fs_context *fc, struct fold_sb *fsb,
				 const struct super_block *lower)
{
	fsb->type = fold_lower_find(lower);
	if (!fsb->type)
		return invalfc(fc, "%s is on %s: foldfs needs XFS below",
			       fc->source, lower->s_type->name);
	if (fsb->type->unsafe && !fsb->nofold)
		return invalfc(fc, "%s is on %s: %s; use -o nofold",
			       fc->source, fsb->type->name, fsb->type->unsafe);
	return 0;
}

static int fold_check_lower(struct fs_context *fc, struct fold_sb *fsb,
			    const struct path *path)
{
	const struct super_block *lower = path->dentry->d_sb;
	int err;

	if (!d_is_dir(path->dentry)) {
		errorfc(fc, "%s is not a directory", fc->source);
		return -ENOTDIR;
	}
	if (d_unlinked(path->dentry)) {
		errorfc(fc, "%s has been removed", fc->source);
		return -ENOENT;
	}
	if (lower->s_type == &fold_fs_type)
		return invalfc(fc, "%s is on foldfs already", fc->source);
	err = fold_check_lower_type(fc, fsb, lower);
	if (err)
		return err;
	if (lower->s_stack_depth >= FILESYSTEM_MAX_STACK_DEPTH)
		return invalfc(fc, "%s is on too many stacked filesystems already",
			      fc->source);
	if (is_idmapped_mnt(path->mnt))
		return invalfc(fc, "the mount of %s is ID-mapped; ID-map the foldfs mount instead",
			      fc->source);
	if (fold_forgets_names(path->dentry))
		return invalfc(fc, "%s has case-insensitive names, which foldfs cannot show",
			      fc->source);
	return 0;
}

static int fold_take_lower(struct fs_context *fc, struct fold_sb *fsb)
{
	struct vfsmount *mnt;
	struct path path;
	int err;

	if (!fc->source)
		return invalfc(fc, "no lower directory given");

	err = kern_path(fc->source, LOOKUP_FOLLOW, &path);
	if (err) {
		errorfc(fc, "cannot find lower directory %s (error %d)",
			fc->source, err);
		return err;
	}
	err = fold_check_lower(fc, fsb, &path);
	if (err)
		goto out;

	mnt = clone_private_mount(&path);
	if (IS_ERR(mnt)) {
		err = PTR_ERR(mnt);
		errorfc(fc, "the mount of %s cannot be cloned, as for a bind mount (error %d)",
			fc->source, err);
		goto out;
	}
	fsb->lower_mnt = mnt;
	fsb->lower_root = dget(path.dentry);
out:
	path_put(&path);
	return err;
}

static void fold_inherit(struct super_block *sb, const struct super_block *lower)
{
	sb->s_magic = FOLDFS_MAGIC;
	sb->s_stack_depth = lower->s_stack_depth + 1;
	sb->s_maxbytes = lower->s_maxbytes;
	sb->s_time_gran = lower->s_time_gran;
	sb->s_time_min = lower->s_time_min;
	sb->s_time_max = lower->s_time_max;
	sb->s_blocksize = lower->s_blocksize;
	sb->s_blocksize_bits = lower->s_blocksize_bits;
	/*
	 * bmap() answers with blocks of this device, and a loop device asks it
	 * for its sizes. The lower superblock goes after this one.
	 */
	if (FOLD_SB(sb)->type->one_device)
		sb->s_bdev = lower->s_bdev;
	sb->s_flags |= lower->s_flags & LOWER_SB_FLAGS;
	/* sync(2) visits the lower superblock itself. */
	sb->s_iflags |= SB_I_SKIP_SYNC;
	super_set_uuid(sb, lower->s_uuid.b, lower->s_uuid_len);
	super_set_sysfs_name_generic(sb, "%u:%u", MAJOR(sb->s_dev),
				     MINOR(sb->s_dev));
}

static int fold_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct fold_sb *fsb = FOLD_SB(sb);
	struct super_block *lower;
	struct inode *root;
	int err;

	err = fold_take_lower(fc, fsb);
	if (err)
		return err;
	lower = fsb->lower_mnt->mnt_sb;
	fsb->cred = get_current_cred();
	fsb->lower_wb_err = errseq_sample(&lower->s_wb_err);

	fold_inherit(sb, lower);
	if (__mnt_is_readonly(fsb->lower_mnt) && !sb_rdonly(sb)) {
		warnfc(fc, "%s is read-only, and so is this mount", fc->source);
		sb->s_flags |= SB_RDONLY;
	}
	sb->s_op = &fold_super_operations;
	set_default_d_op(sb, fsb->upperdir ? &fold_upperdir_dentry_operations :
					     &fold_dentry_operations);
	sb->s_xattr = fold_xattr_handlers;
	if (lower->s_export_op)
		sb->s_export_op = &fold_export_operations;

	err = fold_stdev_init(sb);
	if (err)
		return err;
	err = super_setup_bdi(sb);
	if (err)
		return err;
	sb->s_bdi->ra_pages = lower->s_bdi->ra_pages;
	sb->s_bdi->io_pages = lower->s_bdi->io_pages;

	err = fold_share_sb_init(sb, fc);
	if (err)
		return err;

	root = fold_iget(sb, d_inode(fsb->lower_root));
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	fold_dentry_bind(sb->s_root, dget(fsb->lower_root));
	return 0;
}

static int fold_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, fold_fill_super);
}

static int fold_reconfigure(struct fs_context *fc)
{
	struct vfsmount *lower_mnt = FOLD_SB(fc->root->d_sb)->lower_mnt;

	if (fc->sb_flags & SB_RDONLY || !__mnt_is_readonly(lower_mnt))
		return 0;
	if (sb_rdonly(lower_mnt->mnt_sb))
		errorfc(fc, "the lower filesystem is read-only");
	else
		errorfc(fc, "the lower directory was mounted read-only when this mount was made");
	return -EROFS;
}

static void fold_free_sb(struct fold_sb *fsb)
{
	if (!fsb)
		return;
	fold_stdev_exit(fsb);
	dput(fsb->lower_root);
	/* A plain mntput() never ends a private clone. */
	if (fsb->lower_mnt)
		kern_unmount(fsb->lower_mnt);
	put_cred(fsb->cred);
	kfree(fsb->domain);
	kfree(fsb);
}

static void fold_free_fc(struct fs_context *fc)
{
	/* NULL once a superblock has taken it over. */
	fold_free_sb(fc->s_fs_info);
}

static const struct fs_context_operations fold_context_operations = {
	.parse_param	= fold_parse_param,
	.get_tree	= fold_get_tree,
	.reconfigure	= fold_reconfigure,
	.free		= fold_free_fc,
};

static int fold_init_fs_context(struct fs_context *fc)
{
	struct fold_sb *fsb;

	fc->ops = &fold_context_operations;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return 0;

	fsb = kzalloc(sizeof(*fsb), GFP_KERNEL);
	if (!fsb)
		return -ENOMEM;
	spin_lock_init(&fsb->sync_lock);
	xa_init(&fsb->devs);
	fold_warm_sb_init(&fsb->share);
	fold_freeze_init(fsb);
	fc->s_fs_info = fsb;
	return 0;
}

/*
 * First no new sharing, then no more inodes, then what they hung on. A mount
 * that failed half-way comes here as well.
 */
static void fold_kill_sb(struct super_block *sb)
{
	struct fold_sb *fsb = FOLD_SB(sb);

	fold_freeze_exit(fsb);
	fold_share_sb_stop(sb);
	kill_anon_super(sb);
	sb->s_bdev = NULL;
	fold_share_sb_exit(sb);
	fold_backing_free(fsb->share.backing);
	fold_free_sb(fsb);
}

static int fold_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct path path;

	fold_lower_path(dentry, &path);
	return vfs_statfs(&path, buf);
}

static int fold_sync_fs(struct super_block *sb, int wait)
{
	struct fold_sb *fsb = FOLD_SB(sb);
	struct super_block *lower = fsb->lower_mnt->mnt_sb;
	int err, wb_err;

	/* The second of the two calls does it all. */
	if (!wait)
		return 0;

	down_read(&lower->s_umount);
	err = sync_filesystem(lower);
	up_read(&lower->s_umount);

	/* Pass on what failed to be written since: syncfs(2) reports it. */
	spin_lock(&fsb->sync_lock);
	wb_err = errseq_check_and_advance(&lower->s_wb_err, &fsb->lower_wb_err);
	spin_unlock(&fsb->sync_lock);
	if (wb_err)
		errseq_set(&sb->s_wb_err, wb_err);
	return err;
}

static int fold_show_options(struct seq_file *m, struct dentry *root)
{
	const struct fold_sb *fsb = FOLD_SB(root->d_sb);

	if (fsb->domain)
		seq_show_option(m, "domain", fsb->domain);
	if (fsb->nofold)
		seq_puts(m, ",nofold");
	if (fsb->upperdir)
		seq_puts(m, ",upperdir");
	return 0;
}

static const struct super_operations fold_super_operations = {
	.alloc_inode	= fold_alloc_inode,
	.free_inode	= fold_free_inode,
	.drop_inode	= fold_drop_inode,
	.evict_inode	= fold_evict_inode,
	.sync_fs	= fold_sync_fs,
	.freeze_super	= FOLD_OP(fold_freeze_super),
	.thaw_super	= FOLD_OP(fold_thaw_super),
	.statfs		= fold_statfs,
	.show_options	= fold_show_options,
	.nr_cached_objects = fold_warm_count,
	.free_cached_objects = fold_warm_scan,
};

struct file_system_type fold_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "foldfs",
	.init_fs_context	= fold_init_fs_context,
	.parameters		= fold_parameters,
	.kill_sb		= fold_kill_sb,
	.fs_flags		= FS_ALLOW_IDMAP,
};
