// SPDX-License-Identifier: GPL-2.0-only
/*
 * Btrfs below.
 *
 * Its addresses are logical ones, the same for all devices and profiles, and one
 * space for all subvolumes. Three things are different from what one would expect.
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
 * A direct read waits for the inode's lock, with IOCB_NOWAIT too, and one of what is
 * compressed goes by the page cache. So fills copy from there. A read of what is
 * compressed brings in what follows in the same extent.
 *
 * Of compressed extents files may have parts. fiemap tells where such an extent
 * begins, not which part a file has of it, so the same address can be said of
 * different bytes. The items of the file's subvolume have both; a search of the tree
 * finds them. For each byte that an extent can hold, a number is made of where on the
 * disk it begins and of the offset inside: unique, in a row where the bytes are, and
 * above all addresses of blocks.
 *
 * The list of commands is of those whose source was read to its end. Those that the
 * VFS does by itself never come to a lower filesystem.
 */
#include <linux/array_size.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/unaligned.h>

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

/*
 * How the thread's memory is used for one answer: what fiemap says, then the answer
 * that is made of it, then the items of a search.
 */
#define FIEMAP_PART	128
#define ANSWER_PART	256
#define SEARCH_AT	((FIEMAP_PART + ANSWER_PART) * \
			 sizeof(struct fiemap_extent))

/* No item of a file is longer. */
#define EXTENT_MAX	SZ_256M

/* What a compressed extent holds at most. */
#define COMPRESSED_MAX	SZ_128K

/*
 * Addresses for the bytes of compressed extents, where no block is: from here on,
 * for each byte that the disk has, as many as it can hold at most.
 */
#define COMPRESSED_BASE	BIT_ULL(62)
#define COMPRESSED_UNIT	SZ_4K
#define COMPRESSED_END	(BIT_ULL(62) / (COMPRESSED_MAX / COMPRESSED_UNIT))

/**
 * struct items - the compressed extents of an inode, one after the other
 * @root: the file to ask by
 * @fid: names the inode and its subvolume
 * @args: what is asked, and what was answered, as the kernel sees it
 * @uargs: the same as the lower filesystem sees it
 * @room: bytes for items in it
 * @at: the next item of the answer
 * @end: where the answer ends
 * @next: where in the file the next answer begins
 * @over: there is no other answer
 * @pos: of the item that is looked at: where it lies in the file
 * @len: how much of the file it is; 0: there is none
 * @id: what names its bytes, or 0: it is not compressed, or makes no sense
 */
struct items {
	struct file *root;
	struct {
		__le64 objectid;
		__le64 subvolume;
		__le32 generation;
	} __packed fid;
	struct btrfs_ioctl_search_args_v2 *args;
	void __user *uargs;
	size_t room;
	const char *at;
	const char *end;
	u64 next;
	bool over;
	u64 pos;
	u64 len;
	u64 id;
};

/* The file handle of an inode is where its subvolume's number can be had. */
static int items_begin(struct items *items, const struct fold_lower_query *ask,
		       u64 from)
{
	int words = sizeof(items->fid) / sizeof(u32), max = words;
	size_t size;
	void *slot;

	memset(items, 0, sizeof(*items));
	if (exportfs_encode_inode_fh(ask->inode, (struct fid *)&items->fid,
				     &max, NULL, 0) !=
	    FILEID_BTRFS_WITHOUT_PARENT || max != words)
		return -EOPNOTSUPP;
	slot = fold_query_slot(ask->q, &items->uargs, &size);
	items->root = ask->root;
	items->args = slot + SEARCH_AT;
	items->args->key.nr_items = 0;
	items->uargs += SEARCH_AT;
	items->room = size - SEARCH_AT - sizeof(*items->args);
	/* The one that covers the first byte may begin before it. */
	items->next = from - min_t(u64, from, COMPRESSED_MAX - 1);
	return 0;
}

/* A kernel thread has the rights for this. It takes no lock of the inode's. */
static int items_ask(struct items *items)
{
	u64 ino = get_unaligned_le64(&items->fid.objectid);
	struct btrfs_ioctl_search_args_v2 *args = items->args;
	int err;

	args->key = (struct btrfs_ioctl_search_key) {
		.tree_id	= get_unaligned_le64(&items->fid.subvolume),
		.min_objectid	= ino,
		.max_objectid	= ino,
		.min_type	= BTRFS_EXTENT_DATA_KEY,
		.max_type	= BTRFS_EXTENT_DATA_KEY,
		.min_offset	= items->next,
		.max_offset	= U64_MAX,
		.max_transid	= U64_MAX,
		.nr_items	= U32_MAX,
	};
	args->buf_size = items->room;
	err = items->root->f_op->unlocked_ioctl(items->root,
						BTRFS_IOC_TREE_SEARCH_V2,
						(unsigned long)items->uargs);
	/* An item that is larger than all the room is none of those wanted. */
	if (err)
		return err == -EOVERFLOW ? -EIO : err;
	items->at = (const char *)args->buf;
	items->end = items->at + items->room;
	items->over = !args->key.nr_items;
	return 0;
}

/* What names the bytes of an item, if it is compressed. */
static u64 item_id(const struct btrfs_file_extent_item *item)
{
	u64 disk = get_unaligned_le64(&item->disk_bytenr);
	u64 offset = get_unaligned_le64(&item->offset);
	u64 len = get_unaligned_le64(&item->num_bytes);
	u64 ram = get_unaligned_le64(&item->ram_bytes);

	if (item->type != BTRFS_FILE_EXTENT_REG || !item->compression ||
	    item->encryption || item->other_encoding || !disk ||
	    disk % COMPRESSED_UNIT || disk >= COMPRESSED_END ||
	    ram > COMPRESSED_MAX || len > ram || offset > ram - len)
		return 0;
	return COMPRESSED_BASE +
	       disk / COMPRESSED_UNIT * COMPRESSED_MAX + offset;
}

/* Go on to the next item. */
static int items_next(struct items *items)
{
	struct btrfs_ioctl_search_header header;
	struct btrfs_file_extent_item item;
	int err;

	items->len = 0;
	if (!items->over && !items->args->key.nr_items) {
		err = items_ask(items);
		if (err)
			return err;
	}
	if (items->over)
		return 0;
	/* The answer is in memory that nobody else writes to. */
	if (items->end - items->at < sizeof(header))
		return -EIO;
	memcpy(&header, items->at, sizeof(header));
	items->at += sizeof(header);
	if (header.len > items->end - items->at ||
	    header.offset < items->next)
		return -EIO;
	items->pos = header.offset;
	items->next = header.offset + 1;
	items->args->key.nr_items--;
	items->id = 0;
	/* One with its bytes in it is shorter, or longer. */
	items->len = 1;
	if (header.len == sizeof(item)) {
		memcpy(&item, items->at, sizeof(item));
		if (item.type != BTRFS_FILE_EXTENT_INLINE) {
			items->len = get_unaligned_le64(&item.num_bytes);
			items->id = item_id(&item);
		}
	}
	items->at += header.len;
	return items->len ? 0 : -EIO;
}

/**
 * struct answer - what is made of fiemap's
 * @out: the extents
 * @nr: how many
 */
struct answer {
	struct fiemap_extent *out;
	unsigned int nr;
};

/* Returns false if there is no room left. */
static bool answer_add(struct answer *answer, const struct fiemap_extent *fe,
		       u64 from, u64 to, u64 id)
{
	struct fiemap_extent *out = &answer->out[answer->nr];

	if (answer->nr == ANSWER_PART)
		return false;
	*out = *fe;
	out->fe_logical = from;
	out->fe_length = to - from;
	if (id) {
		out->fe_physical = id;
		out->fe_flags &= ~FIEMAP_EXTENT_ENCODED;
	}
	answer->nr++;
	return true;
}

/*
 * A compressed extent, or several that fiemap took for one: fiemap knows where on the
 * disk they begin, but not which part of one a file has.
 *
 * Returns 1 if there is no more room, 0, or an error.
 */
static int answer_compressed(struct answer *answer, struct items *items,
			     const struct fiemap_extent *fe)
{
	u64 at = fe->fe_logical, end = at + fe->fe_length, to;
	int err = 0;

	while (at < end) {
		while (!items->over && items->pos + items->len <= at) {
			err = items_next(items);
			if (err)
				return err;
		}
		/* What has moved meanwhile stays without a name. */
		if (items->over || items->pos >= end)
			return !answer_add(answer, fe, at, end, 0);
		if (items->pos > at) {
			to = items->pos;
			if (!answer_add(answer, fe, at, to, 0))
				return 1;
			at = to;
		}
		to = min(end, items->pos + items->len);
		if (!answer_add(answer, fe, at, to, items->id ?
				items->id + (at - items->pos) : 0))
			return 1;
		at = to;
	}
	return 0;
}

static bool is_compressed(const struct fiemap_extent *fe)
{
	return (fe->fe_flags & FOLD_UNFIT) == FIEMAP_EXTENT_ENCODED;
}

static int btrfs_extents(const struct fold_lower_query *ask,
			 const struct fiemap_extent **out, unsigned int *nr,
			 bool *last)
{
	const struct fiemap_extent *fe;
	struct answer answer = { };
	struct items items;
	bool begun = false;
	unsigned int i;
	int err;

	err = fold_query_fiemap(ask->q, ask->inode,
				ask->settle ? FIEMAP_FLAG_SYNC : 0, ask->start,
				ask->len, FIEMAP_PART, &fe, nr, last);
	if (err)
		return err;
	*out = fe;
	for (i = 0; i < *nr && !is_compressed(&fe[i]); i++)
		;
	if (i == *nr)
		return 0;

	answer.out = (struct fiemap_extent *)fe + FIEMAP_PART;
	for (i = 0; i < *nr && !err; i++, fe++) {
		if (!is_compressed(fe)) {
			err = !answer_add(&answer, fe, fe->fe_logical,
					  fe->fe_logical + fe->fe_length, 0);
			continue;
		}
		if (!begun)
			err = items_begin(&items, ask, fe->fe_logical);
		begun = true;
		if (!err)
			err = answer_compressed(&answer, &items, fe);
	}
	if (err < 0)
		return err;
	/* Who asks goes on from the end of the last one. */
	if (err)
		*last = false;
	*out = answer.out;
	*nr = answer.nr;
	return 0;
}

const struct fold_lower_type fold_lower_btrfs = {
	.name		= "btrfs",
	.unsafe		= "sharing is not safe there",
	.moves		= true,
	.asks_by_root	= true,
	.around		= COMPRESSED_MAX / PAGE_SIZE,
	.remembers	= EXTENT_MAX / PAGE_SIZE,
	.extents	= btrfs_extents,
	.ioctls		= btrfs_ioctls,
	.nr_ioctls	= ARRAY_SIZE(btrfs_ioctls),
};
