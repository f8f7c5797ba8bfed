// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lower filesystems that foldfs works on.
 */
#include <linux/array_size.h>
#include <linux/fs.h>
#include <linux/string.h>

#include "ioctl.h"
#include "lower.h"

static const struct fold_lower_type *const types[] = {
	&fold_lower_xfs,
	&fold_lower_btrfs,
};

/**
 * fold_lower_find - what is known of a lower filesystem
 * @lower: its superblock
 *
 * Context: any.
 * Return: its kind, or NULL: foldfs does not work on it.
 */
const struct fold_lower_type *fold_lower_find(const struct super_block *lower)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(lower->s_type->name, types[i]->name))
			return types[i];
	return NULL;
}

/**
 * fold_lower_ioctl - what is known of a command
 * @type: the lower filesystem's kind
 * @cmd: the command
 * @compat: a 32-bit program asks
 *
 * Context: any.
 * Return: its entry, or NULL: the lower filesystem has no such command, or one
 * that foldfs cannot vouch for.
 */
const struct fold_ioctl *fold_lower_ioctl(const struct fold_lower_type *type,
					  unsigned int cmd, bool compat)
{
	const struct fold_ioctl *ioc = type->ioctls;
	unsigned int left = type->nr_ioctls;

	for (; left; left--, ioc++)
		if (ioc->cmd == cmd)
			return ioc->flags & FOLD_IOC_COMPAT && !compat ? NULL :
									 ioc;
	return NULL;
}
