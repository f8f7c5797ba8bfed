// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounting: options, statistics, and the end.
 */
#include <linux/exportfs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/uuid.h>

#include "foldtmp.h"

enum {
	OPT_SIZE, OPT_NR_BLOCKS, OPT_NR_INODES, OPT_MODE, OPT_UID, OPT_GID,
	OPT_HUGE, OPT_INODE32, OPT_INODE64, OPT_NOSWAP,
};

static const struct fs_parameter_spec parameters[] = {
	fsparam_string("size", OPT_SIZE),
	fsparam_string("nr_blocks", OPT_NR_BLOCKS),
	fsparam_string("nr_inodes", OPT_NR_INODES),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_uid("uid", OPT_UID),
	fsparam_gid("gid", OPT_GID),
	fsparam_string("huge", OPT_HUGE),
	fsparam_flag("inode32", OPT_INODE32),
	fsparam_flag("inode64", OPT_INODE64),
	fsparam_flag("noswap", OPT_NOSWAP),
	{ }
};

/* What was given, by bits, and its values. */
struct options {
	unsigned int given;
	u64 blocks;
	u64 inodes;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	bool ino32;
	bool noswap;
};

static u64 default_blocks(void)
{
	return totalram_pages() / 2;
}

/* One for each page of memory that the kernel can use for itself, halved. */
static u64 default_inodes(void)
{
	return totalram_pages() / 2;
}

static int parse_size(struct options *opts, char *text)
{
	char *rest;
	u64 size = memparse(text, &rest);

	if (*rest == '%') {
		size = mul_u64_u64_div_u64(size, (u64)totalram_pages()
					   << PAGE_SHIFT, 100);
		rest++;
	}
	if (*rest || rest == text || size > LLONG_MAX)
		return -EINVAL;
	opts->blocks = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	return 0;
}

static int parse_number(const char *text, u64 max, u64 *number)
{
	char *rest;

	*number = memparse(text, &rest);
	return *rest || rest == text || *number > max ? -EINVAL : 0;
}

static int ftmp_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct options *opts = fc->fs_private;
	struct fs_parse_result result;
	int opt, err = 0;

	opt = fs_parse(fc, parameters, param, &result);
	if (opt < 0)
		return opt;
	switch (opt) {
	case OPT_SIZE:
		err = parse_size(opts, param->string);
		break;
	case OPT_NR_BLOCKS:
		err = parse_number(param->string, LONG_MAX, &opts->blocks);
		opt = OPT_SIZE;
		break;
	case OPT_NR_INODES:
		err = parse_number(param->string, LONG_MAX / FTMP_INODE_COST,
				   &opts->inodes);
		break;
	case OPT_MODE:
		opts->mode = result.uint_32 & 07777;
		break;
	case OPT_UID:
		opts->uid = result.uid;
		if (!kuid_has_mapping(fc->user_ns, opts->uid))
			err = -EINVAL;
		break;
	case OPT_GID:
		opts->gid = result.gid;
		if (!kgid_has_mapping(fc->user_ns, opts->gid))
			err = -EINVAL;
		break;
	case OPT_HUGE:
		/* A page of a clone is not where huge pages would want it. */
		if (strcmp(param->string, "never"))
			return invalfc(fc, "huge=%s is not supported: leave it out",
				       param->string);
		break;
	case OPT_INODE32:
	case OPT_INODE64:
		opts->ino32 = opt == OPT_INODE32;
		opt = OPT_INODE32;
		break;
	case OPT_NOSWAP:
		opts->noswap = true;
		break;
	}
	if (err)
		return invalfc(fc, "Bad value for '%s'", param->key);
	opts->given |= BIT(opt);
	return 0;
}

static int ftmp_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct ftmp_sb *fs = FTMP_SB(dentry->d_sb);
	u64 used = atomic_long_read(&fs->used_blocks);

	buf->f_type = dentry->d_sb->s_magic;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	buf->f_fsid = uuid_to_fsid(dentry->d_sb->s_uuid.b);
	spin_lock(&fs->lock);
	if (fs->max_blocks) {
		buf->f_blocks = fs->max_blocks;
		buf->f_bfree = fs->max_blocks - min(used, fs->max_blocks);
		buf->f_bavail = buf->f_bfree;
	}
	if (fs->max_inodes) {
		buf->f_files = fs->max_inodes;
		buf->f_ffree = fs->free_ispace / FTMP_INODE_COST;
	}
	spin_unlock(&fs->lock);
	return 0;
}

static int ftmp_show_options(struct seq_file *seq, struct dentry *root)
{
	struct ftmp_sb *fs = FTMP_SB(root->d_sb);

	if (fs->max_blocks != default_blocks())
		seq_printf(seq, ",size=%luk",
			   fs->max_blocks << (PAGE_SHIFT - 10));
	if (fs->max_inodes != default_inodes())
		seq_printf(seq, ",nr_inodes=%lu", fs->max_inodes);
	if (fs->mode != (0777 | S_ISVTX))
		seq_printf(seq, ",mode=%03ho", fs->mode);
	if (!uid_eq(fs->uid, GLOBAL_ROOT_UID))
		seq_printf(seq, ",uid=%u",
			   from_kuid_munged(&init_user_ns, fs->uid));
	if (!gid_eq(fs->gid, GLOBAL_ROOT_GID))
		seq_printf(seq, ",gid=%u",
			   from_kgid_munged(&init_user_ns, fs->gid));
	seq_printf(seq, ",inode%d", fs->ino32 ? 32 : 64);
	if (fs->noswap)
		seq_puts(seq, ",noswap");
	return 0;
}

static const struct super_operations super_operations = {
	.alloc_inode = ftmp_alloc_inode,
	.free_inode = ftmp_free_inode,
	.drop_inode = inode_just_drop,
	.evict_inode = ftmp_evict_inode,
	.statfs = ftmp_statfs,
	.show_options = ftmp_show_options,
};

/* ---- file handles ---------------------------------------------------------- */

#define HANDLE_WORDS	3	/* generation, inode number */
#define HANDLE_TYPE	1

static int encode_fh(struct inode *inode, u32 *fh, int *len,
		     struct inode *parent)
{
	if (*len < HANDLE_WORDS) {
		*len = HANDLE_WORDS;
		return FILEID_INVALID;
	}
	*len = HANDLE_WORDS;
	fh[0] = inode->i_generation;
	fh[1] = inode->i_ino;
	fh[2] = (u64)inode->i_ino >> 32;
	return HANDLE_TYPE;
}

static int same_handle(struct inode *inode, void *data)
{
	const u32 *fh = data;

	return inode->i_generation == fh[0] &&
	       inode->i_ino == (fh[1] | (u64)fh[2] << 32);
}

static struct dentry *fh_to_dentry(struct super_block *sb, struct fid *fid,
				   int len, int type)
{
	struct dentry *dentry;
	struct inode *inode;
	u32 *fh = fid->raw;
	u64 ino;

	if (type != HANDLE_TYPE || len < HANDLE_WORDS)
		return NULL;
	ino = fh[1] | (u64)fh[2] << 32;
	inode = ilookup5(sb, ino, same_handle, fh);
	if (!inode)
		return NULL;
	/* Each inode with a name has its dentry. */
	dentry = d_find_any_alias(inode);
	iput(inode);
	return dentry;
}

static struct dentry *get_parent(struct dentry *child)
{
	return ERR_PTR(-ESTALE);
}

static const struct export_operations export_operations = {
	.encode_fh = encode_fh,
	.fh_to_dentry = fh_to_dentry,
	.get_parent = get_parent,
};

/* ---- mount and umount ------------------------------------------------------ */

static int ftmp_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct options *opts = fc->fs_private;
	struct ftmp_sb *fs = FTMP_SB(sb);
	struct inode *inode;
	uuid_t uuid;
	int i, err;

	spin_lock_init(&fs->lock);
	for (i = 0; i < FTMP_VIEW_SEMS; i++)
		init_rwsem(&fs->views[i]);
	fs->max_blocks = opts->given & BIT(OPT_SIZE) ? opts->blocks :
						       default_blocks();
	fs->max_inodes = opts->given & BIT(OPT_NR_INODES) ? opts->inodes :
							     default_inodes();
	fs->free_ispace = (u64)fs->max_inodes * FTMP_INODE_COST;
	fs->next_ino = 1;
	fs->ino32 = opts->ino32;
	fs->noswap = opts->noswap;
	fs->uid = opts->uid;
	fs->gid = opts->gid;
	fs->mode = opts->mode;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = 0x666c6474;	/* "fldt" */
	sb->s_op = &super_operations;
	sb->s_export_op = &export_operations;
	sb->s_xattr = ftmp_xattr_handlers;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_POSIXACL | SB_NOSEC;
	uuid_gen(&uuid);
	super_set_uuid(sb, uuid.b, sizeof(uuid));

	err = ftmp_stores_open(fs);
	if (err)
		return err;
	err = ftmp_bridge_open(fs);
	if (err) {
		errorfc(fc, "no address space for the bridge: error %d", -err);
		return err;
	}
	inode = ftmp_inode_new(&nop_mnt_idmap, sb, NULL, S_IFDIR | fs->mode, 0);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	inode->i_uid = fs->uid;
	inode->i_gid = fs->gid;
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

static int ftmp_get_tree(struct fs_context *fc)
{
	struct ftmp_sb *fs;
	int err;

	fs = kzalloc(sizeof(*fs), GFP_KERNEL);
	if (!fs)
		return -ENOMEM;
	/* The superblock takes it over as soon as there is one. */
	fc->s_fs_info = fs;
	err = get_tree_nodev(fc, ftmp_fill_super);
	if (fc->s_fs_info == fs)
		kfree(fs);
	fc->s_fs_info = NULL;
	return err;
}

static int ftmp_reconfigure(struct fs_context *fc)
{
	struct ftmp_sb *fs = FTMP_SB(fc->root->d_sb);
	struct options *opts = fc->fs_private;
	const char *why = NULL;
	u64 used;

	spin_lock(&fs->lock);
	used = fs->max_inodes * FTMP_INODE_COST - fs->free_ispace;
	if (opts->given & BIT(OPT_SIZE) && opts->blocks) {
		if (!fs->max_blocks)
			why = "Cannot retroactively limit size";
		else if (atomic_long_read(&fs->used_blocks) > opts->blocks)
			why = "Too small a size for current use";
	}
	if (opts->given & BIT(OPT_NR_INODES) && opts->inodes) {
		if (!fs->max_inodes)
			why = "Cannot retroactively limit inodes";
		else if (opts->inodes * FTMP_INODE_COST < used)
			why = "Too few inodes for current use";
	}
	if (opts->given & BIT(OPT_INODE32) && opts->ino32 &&
	    fs->next_ino > U32_MAX)
		why = "Current inum too high to switch to 32-bit inums";
	if (opts->noswap && !fs->noswap)
		why = "Cannot disable swap on remount";
	if (!why) {
		if (opts->given & BIT(OPT_SIZE))
			fs->max_blocks = opts->blocks;
		if (opts->given & BIT(OPT_INODE32))
			fs->ino32 = opts->ino32;
		if (opts->given & BIT(OPT_NR_INODES)) {
			fs->max_inodes = opts->inodes;
			fs->free_ispace = opts->inodes ?
				opts->inodes * FTMP_INODE_COST - used : 0;
		}
	}
	spin_unlock(&fs->lock);
	return why ? invalfc(fc, "%s", why) : 0;
}

static void ftmp_free_context(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations context_operations = {
	.free = ftmp_free_context,
	.parse_param = ftmp_parse_param,
	.get_tree = ftmp_get_tree,
	.reconfigure = ftmp_reconfigure,
};

static int ftmp_init_fs_context(struct fs_context *fc)
{
	struct options *opts = kzalloc(sizeof(*opts), GFP_KERNEL);

	if (!opts)
		return -ENOMEM;
	opts->mode = 0777 | S_ISVTX;
	opts->uid = current_fsuid();
	opts->gid = current_fsgid();
	fc->fs_private = opts;
	fc->ops = &context_operations;
	return 0;
}

static void ftmp_kill_sb(struct super_block *sb)
{
	struct ftmp_sb *fs = FTMP_SB(sb);

	fold_kill_persistent(sb);
	ftmp_bridge_close(fs);
	ftmp_stores_close(fs);
	kfree(fs);
}

struct file_system_type ftmp_fs_type = {
	.owner = THIS_MODULE,
	.name = "foldtmp",
	.init_fs_context = ftmp_init_fs_context,
	.parameters = parameters,
	.kill_sb = ftmp_kill_sb,
	.fs_flags = FS_ALLOW_IDMAP,
};
MODULE_ALIAS_FS("foldtmp");

/**
 * ftmp_init - when the module is loaded
 *
 * Return: 0, to be undone by ftmp_exit(); or a negative errno.
 */
int __init ftmp_init(void)
{
	int err;

	err = ftmp_store_cache_init();
	if (err)
		return err;
	err = ftmp_tree_cache_init();
	if (err)
		goto err_store;
	err = ftmp_view_cache_init();
	if (err)
		goto err_tree;
	err = ftmp_inode_cache_init();
	if (err)
		goto err_view;
	err = register_filesystem(&ftmp_fs_type);
	if (err)
		goto err_inode;
	return 0;

err_inode:
	ftmp_inode_cache_exit();
err_view:
	ftmp_view_cache_exit();
err_tree:
	ftmp_tree_cache_exit();
err_store:
	ftmp_store_cache_exit();
	return err;
}

/**
 * ftmp_exit - when it is unloaded
 */
void ftmp_exit(void)
{
	unregister_filesystem(&ftmp_fs_type);
	ftmp_inode_cache_exit();
	ftmp_view_cache_exit();
	ftmp_tree_cache_exit();
	ftmp_store_cache_exit();
}
