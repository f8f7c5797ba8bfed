// SPDX-License-Identifier: GPL-2.0-only
/*
 * XFS below.
 *
 * What writeback leaves is in the inode's extent map before it ends, so a file with
 * nothing dirty and nothing under writeback says where its bytes are. Direct reads
 * with IOCB_NOWAIT try the inode's lock and leave no copy in the page cache.
 *
 * The list of commands is of those whose source was read to its end. Those that the
 * VFS does by itself (flags, clones, deduplication, preallocation, freezing,
 * fiemap) never come to a lower filesystem.
 */
#include <linux/array_size.h>
#include <linux/compat.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/fsmap.h>

#include "compat.h"
#include "ioctl.h"
#include "lower.h"
#include "query.h"
#include "turn.h"

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
	{ XFS_WR(65, 128), 0 },			/* RTGROUP_GEOMETRY, since 6.13 */
	{ XFS_WR(70, 40), 0 },			/* VERIFY_MEDIA, 7.x: reads the disk */
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
	/* For who mends all of the filesystem, and has its root directory open. */
	{ XFS_W(68, 32), FOLD_IOC_MENDS },	/* HEALTH_MONITOR, 7.x */
};

/* The addresses of realtime files are another device's. */
static bool xfs_fit(struct dentry *lower)
{
	struct file_kattr fa;

	return vfs_fileattr_get(lower, &fa) ||
	       !(fa.fsx_xflags & FS_XFLAG_REALTIME);
}

/*
 * bmap() answers 0 for a file that was ever reflinked, and otherwise the block.
 * It writes back what is dirty, so it is not asked then.
 */
static bool xfs_unshared(struct inode *lower)
{
	sector_t block = 0;

	return lower->i_mapping->a_ops->bmap && !bmap(lower, &block) && block;
}

static int xfs_extents(const struct fold_lower_query *ask,
		       const struct fiemap_extent **out, unsigned int *nr,
		       bool *last)
{
	struct fold_turn turn;
	int err;

	fold_turn_begin(&turn, ask->inode->i_sb);
	err = fold_query_fiemap(ask->q, ask->inode, 0, ask->start, ask->len,
				FOLD_QUERY_EXTENTS, out, nr, last);
	fold_turn_end(&turn);
	return err;
}

const struct fold_lower_type fold_lower_xfs = {
	.name		= "xfs",
	.reads_direct	= true,
	.opens_by_inode	= true,
	.one_device	= true,
	.fit		= xfs_fit,
	.unshared	= xfs_unshared,
	.extents	= xfs_extents,
	.ioctls		= xfs_ioctls,
	.nr_ioctls	= ARRAY_SIZE(xfs_ioctls),
};
