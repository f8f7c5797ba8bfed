/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is asked of a lower filesystem, and the facts in which they differ. Each
 * one that foldfs works on has a file here; nothing else in the module knows their
 * names.
 */
#ifndef FOLDFS_LOWER_H
#define FOLDFS_LOWER_H

#include <linux/types.h>

struct bio_vec;
struct dentry;
struct fiemap_extent;
struct file;
struct fold_ioctl;
struct fold_querier;
struct inode;
struct super_block;

/**
 * struct fold_lower_query - a question for an inode's extents
 * @q: of this thread
 * @inode: the lower inode, referenced
 * @settle: wait until the extents are those of what was written before. The
 *	caller has a lease, and nothing is dirty or under writeback
 * @start: first byte of the range
 * @len: of the range, bytes, not zero
 */
struct fold_lower_query {
	struct fold_querier *q;
	struct inode *inode;
	bool settle;
	u64 start;
	u64 len;
};

/**
 * struct fold_lower_type - one kind of lower filesystem
 * @name: as in /proc/filesystems
 * @unsafe: why nothing can be shared on it; or NULL. It is mounted with "nofold"
 *	alone then
 * @reads_direct: a direct read with IOCB_NOWAIT waits for none of the inode's
 *	locks, and leaves nothing in the page cache: fills read in that way. Else
 *	they copy from the lower page cache
 * @one_device: sb->s_bdev is where all blocks are that bmap() tells of, and stays
 *	so as long as the superblock
 * @moves: it moves blocks by itself, of many files at once, as when a device is
 *	removed. Files that share are looked at again from time to time, so that they
 *	meet new copies at the new place
 * @opens_by_inode: its ->open() of regular files looks at no more of a file than its
 *	flags, and sets nothing but its mode; what has been opened by it needs no
 *	->release() where nothing was written. Files that share are opened late
 * @asks_by_root: @able and @verify need a file to ask by
 * @remembers: it remembers where bytes are, and whoever reads a page may make it
 *	remember the old blocks of a range that is being cloned over, or deduplicated,
 *	if it is so near: that many pages. Then it is done twice. 0: it does not
 * @able: can anything be shared on this filesystem? NULL: yes. Context: no lock held
 * @fit: may this file share? Its extents name blocks, and hold its bytes as they
 *	are read. NULL: any may. Context: may sleep
 * @unshared: is it known without a query that no block of the inode is shared?
 *	NULL: never. Context: may sleep; may wait for the inode's lock
 * @extents: the answer to fold_look()
 * @verify: are these pages, which were read of a file that should be there, the bytes at
 *	an address that @extents tells? Returns 0, -ESTALE: no, or another error that kept
 *	it from being found out. NULL: what is read is believed. Context: a worker, with
 *	pages of the shared cache locked
 * @ioctls: what foldfs knows of its commands
 * @nr_ioctls: how many
 *
 * Blocks may be exchanged around the mount without anybody being asked, on all of
 * them: by deduplication, by defragmenting, by moving block groups. That changes no
 * byte. Bytes change around the mount only after the lease was broken.
 */
struct fold_lower_type {
	const char *name;
	const char *unsafe;
	bool reads_direct;
	bool one_device;
	bool moves;
	bool opens_by_inode;
	bool asks_by_root;
	unsigned long remembers;
	bool (*able)(struct file *root);
	bool (*fit)(struct dentry *lower);
	bool (*unshared)(struct inode *lower);
	int (*extents)(const struct fold_lower_query *ask,
		       const struct fiemap_extent **out, unsigned int *nr,
		       bool *last);
	int (*verify)(struct file *root, unsigned long phys,
		      const struct bio_vec *bvec, unsigned int nr);
	const struct fold_ioctl *ioctls;
	unsigned int nr_ioctls;
};

extern const struct fold_lower_type fold_lower_xfs;
extern const struct fold_lower_type fold_lower_btrfs;

const struct fold_lower_type *fold_lower_find(const struct super_block *lower);
const struct fold_ioctl *fold_lower_ioctl(const struct fold_lower_type *type,
					  unsigned int cmd, bool compat);

/*
 * Extents whose physical address does not say where the bytes are, or whose
 * bytes are not there yet.
 */
#define FOLD_UNFIT	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | \
			 FIEMAP_EXTENT_ENCODED | \
			 FIEMAP_EXTENT_DATA_ENCRYPTED | \
			 FIEMAP_EXTENT_NOT_ALIGNED | \
			 FIEMAP_EXTENT_DATA_INLINE | \
			 FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_UNWRITTEN)

#endif
