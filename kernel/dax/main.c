// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's beginning and end, nothing else.
 */
#include <linux/module.h>

#include "fold.h"

static int __init dm_fold_init(void)
{
	int err;

	err = fold_hold_module_init();
	if (err)
		return err;
	err = fold_evict_module_init();
	if (err)
		goto err_hold;
	err = fold_target_init();
	if (err)
		goto err_evict;
	return 0;

err_evict:
	fold_evict_module_exit();
err_hold:
	fold_hold_module_exit();
	return err;
}

static void __exit dm_fold_exit(void)
{
	fold_target_exit();
	fold_evict_module_exit();
	fold_hold_module_exit();
}

module_init(dm_fold_init);
module_exit(dm_fold_exit);

MODULE_DESCRIPTION("A page cache below DAX: one page for each block (experimental)");
MODULE_LICENSE("GPL");
#ifdef FOLDFS_VERSION
MODULE_VERSION(FOLDFS_VERSION);
#endif
