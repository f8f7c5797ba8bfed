// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checksums that Btrfs keeps of blocks, and whether bytes are those.
 *
 * They lie in a tree of their own, by the blocks' addresses: an item has those of a
 * number of blocks in a row. A search of the tree finds them, whatever any inode
 * believes of where its bytes are. That is what makes them worth asking: see btrfs.c.
 *
 * crc32c finds what goes wrong by itself. It does not keep out somebody who makes
 * bytes with the same sum; for his file to be read at other blocks than it has, he
 * would have to deduplicate or clone around the mount.
 */
#include <crypto/hash.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/bvec.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "query.h"
#include "sums.h"

/* An item has so many sums at most, and so it begins so far before a block. */
#define ITEM_SUMS	4096UL
#define ITEM_SPAN	(ITEM_SUMS * PAGE_SIZE)

/* Room for an answer: the longest item, and some short ones. */
#define ROOM		SZ_32K
#define ARGS		(sizeof(struct btrfs_ioctl_search_args_v2) + ROOM)

static long ask_info(void *data, void __user *page)
{
	struct file *root = data;
	struct btrfs_ioctl_fs_info_args __user *uargs = page;
	u16 type, size;
	u64 flags;
	u32 sector;
	long err;

	if (put_user((u64)BTRFS_FS_INFO_FLAG_CSUM_INFO, &uargs->flags))
		return -EFAULT;
	err = root->f_op->unlocked_ioctl(root, BTRFS_IOC_FS_INFO,
					 (unsigned long)uargs);
	if (err)
		return err;
	if (get_user(flags, &uargs->flags) || get_user(type, &uargs->csum_type) ||
	    get_user(size, &uargs->csum_size) ||
	    get_user(sector, &uargs->sectorsize))
		return -EFAULT;
	return flags & BTRFS_FS_INFO_FLAG_CSUM_INFO &&
	       type == BTRFS_CSUM_TYPE_CRC32 && size == sizeof(__le32) &&
	       sector == PAGE_SIZE;
}

/**
 * fold_btrfs_has_sums - has a filesystem checksums that can be compared
 * @root: a file of it
 *
 * Context: process context, no lock held.
 * Return: true if they are crc32c, of blocks of a page's size.
 */
bool fold_btrfs_has_sums(struct file *root)
{
	return fold_query_visit(ask_info, root) == 1;
}

/**
 * struct sums - the checksums of blocks in a row
 * @root: a file to ask by
 * @start: address of the first block
 * @end: where the last one ends
 * @at: those of the blocks in front are known
 * @args: what is asked, and what was answered
 * @sum: the sums
 */
struct sums {
	struct file *root;
	u64 start;
	u64 end;
	u64 at;
	struct btrfs_ioctl_search_args_v2 *args;
	__le32 *sum;
};

/* Takes from an item what is wanted. Returns false where a block has no sum. */
static bool take_item(struct sums *sums, u64 start, const char *item, size_t len)
{
	u64 end = start + len / sizeof(__le32) * PAGE_SIZE;

	if (end <= sums->at)
		return true;
	if (start > sums->at)
		return false;
	end = min(end, sums->end);
	memcpy(sums->sum + ((sums->at - sums->start) >> PAGE_SHIFT),
	       item + ((sums->at - start) >> PAGE_SHIFT) * sizeof(__le32),
	       ((end - sums->at) >> PAGE_SHIFT) * sizeof(__le32));
	sums->at = end;
	return true;
}

/* One search, for items from *@from on. Returns 0, or an error. */
static long ask_items(struct sums *sums, void __user *uargs, u64 *from)
{
	struct btrfs_ioctl_search_args_v2 *args = sums->args;
	struct btrfs_ioctl_search_header header;
	const char *at = (const char *)args->buf, *end = at + ROOM;
	u32 left;
	long err;

	memset(args, 0, sizeof(*args));
	args->key.tree_id = BTRFS_CSUM_TREE_OBJECTID;
	args->key.min_objectid = BTRFS_EXTENT_CSUM_OBJECTID;
	args->key.max_objectid = BTRFS_EXTENT_CSUM_OBJECTID;
	args->key.min_type = BTRFS_EXTENT_CSUM_KEY;
	args->key.max_type = BTRFS_EXTENT_CSUM_KEY;
	args->key.min_offset = *from;
	args->key.max_offset = sums->end - 1;
	args->key.max_transid = U64_MAX;
	args->key.nr_items = U32_MAX;
	args->buf_size = ROOM;
	if (copy_to_user(uargs, args, sizeof(*args)))
		return -EFAULT;
	err = sums->root->f_op->unlocked_ioctl(sums->root,
					       BTRFS_IOC_TREE_SEARCH_V2,
					       (unsigned long)uargs);
	if (err)
		return err;
	if (copy_from_user(args, uargs, ARGS))
		return -EFAULT;
	left = args->key.nr_items;
	if (!left)
		return -ENODATA;
	for (; left; left--) {
		if (end - at < sizeof(header))
			return -EIO;
		memcpy(&header, at, sizeof(header));
		at += sizeof(header);
		if (header.len > end - at || header.offset < *from)
			return -EIO;
		if (!take_item(sums, header.offset, at, header.len))
			return -ENODATA;
		at += header.len;
		*from = header.offset + 1;
	}
	return 0;
}

static long ask_sums(void *data, void __user *uargs)
{
	struct sums *sums = data;
	u64 from = sums->start - min_t(u64, sums->start, ITEM_SPAN);
	long err = 0;

	while (!err && sums->at < sums->end) {
		err = ask_items(sums, uargs, &from);
		cond_resched();
	}
	return err;
}

/* Returns 0, -ESTALE, or an error. */
static int compare_sum(struct crypto_shash *crc32c, struct page *page,
		       __le32 sum)
{
	void *bytes = kmap_local_page(page);
	__le32 is;
	int err;

	err = crypto_shash_tfm_digest(crc32c, bytes, PAGE_SIZE, (u8 *)&is);
	kunmap_local(bytes);
	return err ?: is == sum ? 0 : -ESTALE;
}

static int compare_sums(const struct bio_vec *bvec, unsigned int nr,
			const __le32 *sum)
{
	struct crypto_shash *crc32c = crypto_alloc_shash("crc32c", 0, 0);
	unsigned int i;
	int err = 0;
	size_t at;

	if (IS_ERR(crc32c))
		return PTR_ERR(crc32c);
	for (i = 0; i < nr && !err; i++)
		for (at = 0; at < bvec[i].bv_len && !err; at += PAGE_SIZE)
			err = compare_sum(crc32c,
					  bvec[i].bv_page + (at >> PAGE_SHIFT),
					  *sum++);
	crypto_free_shash(crc32c);
	return err;
}

/**
 * fold_btrfs_verify - are these the bytes of blocks
 * @root: a file of the filesystem, to ask by
 * @phys: address of the first block, in pages
 * @bvec: pages, whole
 * @nr: how many entries
 *
 * Context: a kernel thread; pages of the shared cache may be locked. Waits for
 * Btrfs's trees as a read does.
 * Return: 0 if all blocks have checksums and these are those of the pages; -ESTALE if
 * not; or an error that kept them from being compared.
 */
int fold_btrfs_verify(struct file *root, unsigned long phys,
		      const struct bio_vec *bvec, unsigned int nr)
{
	struct sums sums = { .root = root, .start = (u64)phys << PAGE_SHIFT };
	unsigned int pages = 0, i;
	long err = -ENOMEM;

	for (i = 0; i < nr; i++)
		pages += bvec[i].bv_len >> PAGE_SHIFT;
	sums.at = sums.start;
	sums.end = sums.start + ((u64)pages << PAGE_SHIFT);
	sums.args = kvmalloc(ARGS, GFP_KERNEL);
	sums.sum = kvmalloc_array(pages, sizeof(*sums.sum), GFP_KERNEL);
	if (sums.args && sums.sum)
		err = fold_query_enter(ask_sums, &sums, ARGS);
	if (!err)
		err = compare_sums(bvec, nr, sums.sum);
	kvfree(sums.sum);
	kvfree(sums.args);
	/* Blocks without are no longer those of a file that has them. */
	return err == -ENODATA ? -ESTALE : err;
}
