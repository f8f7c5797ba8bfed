// SPDX-License-Identifier: GPL-2.0-only
/*
 * Btrfs below.
 *
 * Its addresses are logical ones, the same for all devices and profiles, and one
 * space for all subvolumes. Some things are different from what one would expect.
 *
 * Writeback ends before the file's items tell where it has written: that is done by
 * an ordered extent, which nothing outside of Btrfs sees. A file that looks settled
 * is reported where it was before, or not at all (seen: wrong bytes). fiemap with
 * FIEMAP_FLAG_SYNC waits for all of the inode's ordered extents, and once more with
 * the inode locked. So the first look at a file that wants to join is made with it.
 * Later looks are not: they are at files with leases, whose bytes stay what they are
 * wherever their blocks go; what is being written through the mount has left the
 * share map before.
 *
 * A direct read waits for the inode's lock, with IOCB_NOWAIT too. So fills copy from
 * the page cache.
 *
 * And a read is not believed. Where an inode's bytes are Btrfs remembers in memory, and
 * a clone or a deduplication over a part of an extent, during which a page beside it is
 * read for the first time, may leave it with the old blocks there, for as long as the
 * inode lives (seen on 6.12, without foldfs: 70-btrfs-clones). Its own file then shows
 * what is in these blocks, whoever owns them by now. fiemap tells the truth, so the file
 * would be taken for one that has the new blocks, and what is read of it be shown to all
 * who have them. Through the mount it does not come to that (@remembers); around it, it
 * may. So what a fill has read is compared with the checksums that Btrfs keeps of the
 * blocks (sums.c). Files without, and what is compressed, whose checksums are those of
 * other bytes, stay private.
 *
 * The list of commands is of those whose source was read to its end. Those that the
 * VFS does by itself never come to a lower filesystem.
 */
#include <linux/array_size.h>
#include <linux/btrfs.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/sizes.h>
#include <linux/stddef.h>

#include "compat.h"
#include "ioctl.h"
#include "lower.h"
#include "query.h"
#include "sums.h"

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

/* No item of a file is longer. */
#define EXTENT_MAX	SZ_256M

/* What has no checksums is not fit: nobody could say whether it was read rightly. */
static bool btrfs_fit(struct dentry *lower)
{
	struct file_kattr fa;

	return vfs_fileattr_get(lower, &fa) || !(fa.flags & FS_NOCOW_FL);
}

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
	.moves		= true,
	.asks_by_root	= true,
	.remembers	= EXTENT_MAX / PAGE_SIZE,
	.able		= fold_btrfs_has_sums,
	.fit		= btrfs_fit,
	.extents	= btrfs_extents,
	.verify		= fold_btrfs_verify,
	.ioctls		= btrfs_ioctls,
	.nr_ioctls	= ARRAY_SIZE(btrfs_ioctls),
};
