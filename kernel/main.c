// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's beginning and end, nothing else.
 */
#include <linux/module.h>

#include "stack/foldfs.h"

#ifdef FOLD_TMP
#include "tmp/foldtmp.h"
#else
static int __init ftmp_init(void) { return 0; }
static void ftmp_exit(void) { }
#endif

static int __init foldfs_init(void)
{
	int err;

	err = fold_files_init();
	if (err)
		return err;
	err = fold_inode_cache_init();
	if (err)
		goto err_files;
	err = fold_direct_init();
	if (err)
		goto err_inode_cache;
	err = fold_freeze_module_init();
	if (err)
		goto err_direct;
	err = fold_share_module_init();
	if (err)
		goto err_freeze;
	err = ftmp_init();
	if (err)
		goto err_share;
	err = register_filesystem(&fold_fs_type);
	if (err)
		goto err_tmp;
	return 0;

err_tmp:
	ftmp_exit();
err_share:
	fold_share_module_exit();
err_freeze:
	fold_freeze_module_exit();
err_direct:
	fold_direct_exit();
err_inode_cache:
	fold_inode_cache_exit();
err_files:
	fold_files_exit();
	return err;
}

static void __exit foldfs_exit(void)
{
	unregister_filesystem(&fold_fs_type);
	ftmp_exit();
	fold_share_module_exit();
	fold_freeze_module_exit();
	fold_direct_exit();
	fold_inode_cache_exit();
	fold_files_exit();
}

module_init(foldfs_init);
module_exit(foldfs_exit);

MODULE_ALIAS_FS("foldfs");
MODULE_DESCRIPTION("One page in memory for every reflinked copy");
MODULE_LICENSE("GPL");
#ifdef FOLDFS_VERSION
MODULE_VERSION(FOLDFS_VERSION);
#endif
