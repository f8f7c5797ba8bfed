// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists of what programs ask of XFS and of Btrfs, each command read to its
 * end in the filesystem's source. Those that the VFS does by itself (flags,
 * clones, deduplication, preallocation, freezing, fiemap) never come here.
 */
#include <linux/btrfs.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include <linux/fsverity.h>
#include <linux/magic.h>

#include "ioctl.h"

/*
 * The kernel's headers for modules have no XFS. The sizes are those of the
 * structures, which are the same for all 64-bit programs; after it, where they
 * differ, those of x86's 32-bit ones.
 */
#define XFS_R(nr, size)		_IOC(_IOC_READ, 'X', nr, size)
#define XFS_W(nr, size)		_IOC(_IOC_WRITE, 'X', nr, size)
#define XFS_WR(nr, size)	_IOC(_IOC_READ | _IOC_WRITE, 'X', nr, size)

static const struct fold_ioctl xfs_ioctls[] = {
	/* The file: what it is made of. */
	{ XFS_R(30, 12), 0 },			/* DIOINFO */
	{ XFS_WR(38, 32), 0 },			/* GETBMAP */
	{ XFS_WR(44, 32), 0 },			/* GETBMAPA */
	{ XFS_R(45, 28), 0 },			/* FSGETXATTRA */
	{ XFS_WR(56, 32), 0 },			/* GETBMAPX */
	{ XFS_R(130, 88), 0 },			/* START_COMMIT */
	{ FS_IOC_GETVERSION, 0 },
	{ FS_IOC32_GETVERSION, FOLD_IOC_COMPAT },

	/* The file and another one: their bytes change places. */
	{ XFS_W(129, 40), FOLD_IOC_EXCHANGE | FOLD_IOC_WRITE },	/* EXCHANGE_RANGE */
	{ XFS_W(131, 88), FOLD_IOC_EXCHANGE | FOLD_IOC_WRITE },	/* COMMIT_RANGE */
	{ XFS_WR(109, 192), FOLD_IOC_SWAP | FOLD_IOC_WRITE },	/* SWAPEXT */

	/* Handles: names are looked up, user memory is written, nothing changes. */
	{ XFS_WR(104, 56), 0 }, { XFS_WR(104, 28), FOLD_IOC_COMPAT },	/* PATH_TO_FSHANDLE */
	{ XFS_WR(105, 56), 0 }, { XFS_WR(105, 28), FOLD_IOC_COMPAT },	/* PATH_TO_HANDLE */
	{ XFS_WR(106, 56), 0 }, { XFS_WR(106, 28), FOLD_IOC_COMPAT },	/* FD_TO_HANDLE */
	{ XFS_WR(107, 56), FOLD_IOC_ADMIN | FOLD_IOC_OPENS },	/* OPEN_BY_HANDLE */
	{ XFS_WR(107, 28), FOLD_IOC_COMPAT | FOLD_IOC_ADMIN | FOLD_IOC_OPENS },
	{ XFS_WR(108, 56), 0 }, { XFS_WR(108, 28), FOLD_IOC_COMPAT },	/* READLINK_BY_HANDLE */
	{ XFS_W(122, 88), 0 }, { XFS_W(122, 56), FOLD_IOC_COMPAT },	/* ATTRLIST_BY_HANDLE */
	{ XFS_W(123, 72), FOLD_IOC_ADMIN | FOLD_IOC_WRITE },	/* ATTRMULTI_BY_HANDLE */
	{ XFS_W(123, 36), FOLD_IOC_COMPAT | FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ XFS_WR(62, 40), 0 },			/* GETPARENTS */
	{ XFS_WR(63, 64), 0 },			/* GETPARENTS_BY_HANDLE */

	/* The filesystem: what it has. */
	{ FS_IOC_GETFSMAP, 0 },
	{ XFS_WR(61, 128), 0 },			/* AG_GEOMETRY */
	{ XFS_R(100, 112), 0 }, { XFS_R(100, 108), FOLD_IOC_COMPAT },	/* FSGEOMETRY_V1 */
	{ XFS_R(124, 112), 0 },			/* FSGEOMETRY_V4 */
	{ XFS_R(126, 256), 0 },			/* FSGEOMETRY */
	{ XFS_R(113, 32), 0 },			/* FSCOUNTS */
	{ XFS_R(115, 16), 0 },			/* GET_RESBLKS */
	{ XFS_WR(101, 32), FOLD_IOC_ADMIN | FOLD_IOC_IDMAP },	/* FSBULKSTAT */
	{ XFS_WR(101, 16), FOLD_IOC_COMPAT | FOLD_IOC_ADMIN | FOLD_IOC_IDMAP },
	{ XFS_WR(102, 32), FOLD_IOC_ADMIN | FOLD_IOC_IDMAP },	/* FSBULKSTAT_SINGLE */
	{ XFS_WR(102, 16), FOLD_IOC_COMPAT | FOLD_IOC_ADMIN | FOLD_IOC_IDMAP },
	{ XFS_WR(103, 32), 0 }, { XFS_WR(103, 16), FOLD_IOC_COMPAT },	/* FSINUMBERS */
	{ XFS_R(127, 64), FOLD_IOC_ADMIN | FOLD_IOC_IDMAP },	/* BULKSTAT */
	{ XFS_R(128, 64), 0 },			/* INUMBERS */
	{ FS_IOC_GETFSLABEL, 0 },

	/* The filesystem: what changes it, and no file's bytes. */
	{ FS_IOC_SETFSLABEL, FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ FITRIM, 0 },
	{ XFS_R(58, 128), FOLD_IOC_ADMIN | FOLD_IOC_WRITE },	/* FREE_EOFBLOCKS */
	{ XFS_W(110, 16), FOLD_IOC_ADMIN | FOLD_IOC_WRITE },	/* FSGROWFSDATA */
	{ XFS_W(110, 12), FOLD_IOC_COMPAT | FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ XFS_W(111, 8), FOLD_IOC_ADMIN | FOLD_IOC_WRITE },	/* FSGROWFSLOG */
	{ XFS_W(112, 16), FOLD_IOC_ADMIN | FOLD_IOC_WRITE },	/* FSGROWFSRT */
	{ XFS_W(112, 12), FOLD_IOC_COMPAT | FOLD_IOC_ADMIN | FOLD_IOC_WRITE },
	{ XFS_WR(114, 16), FOLD_IOC_ADMIN | FOLD_IOC_WRITE },	/* SET_RESBLKS */
	{ XFS_R(125, 4), 0 },			/* GOINGDOWN */
	{ XFS_W(116, 8), 0 },			/* ERROR_INJECTION */
	{ XFS_W(117, 8), 0 },			/* ERROR_CLEARALL */

	/* Any file, by its number. */
	{ XFS_WR(60, 64), FOLD_IOC_MENDS },	/* SCRUB_METADATA */
	{ XFS_WR(64, 40), FOLD_IOC_MENDS },	/* SCRUBV_METADATA */
};

/* Below a mount with "nofold" only, so nothing of it is announced to anyone. */
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
	  FOLD_IOC_SNAPSHOT | FOLD_IOC_WRITE | FOLD_IOC_IDMAP },
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

static const struct fold_ioctl *find(const struct fold_ioctl *list, int nr,
				     unsigned int cmd, bool compat)
{
	for (; nr; nr--, list++)
		if (list->cmd == cmd)
			return list->flags & FOLD_IOC_COMPAT && !compat ? NULL :
									  list;
	return NULL;
}

/**
 * fold_ioctl_find - what is known of a command
 * @lower: the lower superblock
 * @cmd: the command
 * @compat: a 32-bit program asks
 *
 * Context: any.
 * Return: its entry, or NULL: the lower filesystem has no such command, or one
 * that foldfs cannot vouch for.
 */
const struct fold_ioctl *fold_ioctl_find(const struct super_block *lower,
					 unsigned int cmd, bool compat)
{
	if (lower->s_magic == XFS_SUPER_MAGIC)
		return find(xfs_ioctls, ARRAY_SIZE(xfs_ioctls), cmd,
			    compat);
	return find(btrfs_ioctls, ARRAY_SIZE(btrfs_ioctls), cmd, compat);
}
