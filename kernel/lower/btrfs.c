// SPDX-License-Identifier: GPL-2.0-only
/*
 * Btrfs below.
 *
 * The list of commands is of those whose source was read to its end. Those that the
 * VFS does by itself never come to a lower filesystem.
 */
#include <linux/array_size.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/stddef.h>

#include "ioctl.h"
#include "lower.h"
#include "query.h"

static const struct fold_ioctl btrfs_ioctls[] = {
	/* The file or directory. */
	{ FS_IOC_GETVERSION, 0 },
	{ FS_IOC32_GETVERSION, FOLD_IOC_COMPAT },
	{ BTRFS_IOC_INO_LOOKUP, 0 },
	{ BTRFS_IOC_INO_LOOKUP_USER, FOLD_IOC_IDMAP },
	{ BTRFS_IOC_INO_PATHS, 0 },
	{ BTRFS_IOC_DEFRAG, FOLD_IOC_BLOCKS | FOLD_IOC_WRITE },
	{ BTRFS_IOC_DEFRAG_RANGE, FOLD_IOC_BLOCKS | FOLD_IOC_WRITE },
	{ BTRFS_IOC_ENCODED_READ, 0 },
	{ BTRFS_IOC_ENCODED_WRITE,
	  FOLD_IOC_ADMIN | FOLD_IOC_BLOCKS | FOLD_IOC_WRITE },
	{ FS_IOC_ENABLE_VERITY, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ FS_IOC_MEASURE_VERITY, 0 },

	/* Subvolumes, which are names of a directory. */
	{ BTRFS_IOC_SNAP_CREATE,
	  FOLD_IOC_SNAPSHOT | FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_SNAP_CREATE_V2,
	  FOLD_IOC_SNAPSHOT | FOLD_IOC_WRITE | FOLD_IOC_IDMAP,
	  offsetof(struct btrfs_ioctl_vol_args_v2, flags),
	  BTRFS_SUBVOL_QGROUP_INHERIT },
	{ BTRFS_IOC_SUBVOL_CREATE, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_SUBVOL_CREATE_V2, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_SNAP_DESTROY, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_SNAP_DESTROY_V2, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_SUBVOL_GETFLAGS, 0 },
	{ BTRFS_IOC_SUBVOL_SETFLAGS, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_SET_RECEIVED_SUBVOL, FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
	{ BTRFS_IOC_GET_SUBVOL_INFO, 0 },
	{ BTRFS_IOC_GET_SUBVOL_ROOTREF, 0 },
	{ BTRFS_IOC_DEFAULT_SUBVOL, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_SEND, 0 },

	/* The filesystem: what it has. */
	{ BTRFS_IOC_TREE_SEARCH, 0 },
	{ BTRFS_IOC_TREE_SEARCH_V2, 0 },
	{ BTRFS_IOC_LOGICAL_INO, 0 },
	{ BTRFS_IOC_LOGICAL_INO_V2, 0 },
	{ BTRFS_IOC_FS_INFO, 0 },
	{ BTRFS_IOC_DEV_INFO, 0 },
	{ BTRFS_IOC_SPACE_INFO, 0 },
	{ BTRFS_IOC_GET_DEV_STATS, 0 },
	{ BTRFS_IOC_GET_FEATURES, 0 },
	{ BTRFS_IOC_GET_SUPPORTED_FEATURES, 0 },
	{ BTRFS_IOC_SCRUB_PROGRESS, 0 },
	{ BTRFS_IOC_BALANCE_PROGRESS, 0 },
	{ BTRFS_IOC_QUOTA_RESCAN_STATUS, 0 },
	{ BTRFS_IOC_QUOTA_RESCAN_WAIT, 0 },
	{ FS_IOC_GETFSLABEL, 0 },

	/* The filesystem: what changes it. */
	{ BTRFS_IOC_SYNC, 0 },
	{ BTRFS_IOC_START_SYNC, 0 },
	{ BTRFS_IOC_WAIT_SYNC, 0 },
	{ FITRIM, 0 },
	{ FS_IOC_SETFSLABEL, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_RESIZE, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_ADD_DEV, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_RM_DEV, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_RM_DEV_V2, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_DEV_REPLACE, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_SCRUB, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_SCRUB_CANCEL, 0 },
	{ BTRFS_IOC_BALANCE_V2, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_BALANCE_CTL, 0 },
	{ BTRFS_IOC_QUOTA_CTL, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_QGROUP_ASSIGN, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_QGROUP_CREATE, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_QGROUP_LIMIT, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_QUOTA_RESCAN, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ BTRFS_IOC_SET_FEATURES, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
};

static int btrfs_extents(const struct fold_lower_query *ask,
			 const struct fiemap_extent **out, unsigned int *nr,
			 bool *last)
{
	return fold_query_fiemap(ask->q, ask->inode,
				 ask->settle ? FIEMAP_FLAG_SYNC : 0, ask->start,
				 ask->len, FOLD_QUERY_EXTENTS, out, nr, last);
}

const struct fold_lower_type fold_lower_btrfs = {
	.name		= "btrfs",
	.unsafe		= "sharing is not safe there",
	.extents	= btrfs_extents,
	.ioctls		= btrfs_ioctls,
	.nr_ioctls	= ARRAY_SIZE(btrfs_ioctls),
};
