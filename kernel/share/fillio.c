// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a sharer does for the shared cache: reading the lower file's bytes for
 * a fill.
 *
 * A fill may run in a fault, even in one that the lower filesystem took while
 * it held its inode's lock. So the first try is direct I/O that waits for no
 * lock, where the lower filesystem knows that; the second is a worker that copies
 * from the lower page cache, for which filesystems do not take that lock.
 *
 * Both run with the mounter's credentials on a file of our own: whether the
 * reader may read was decided when he opened his file.
 */
#include <linux/cred.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "compat.h"
#include "../core/fill.h"
#include "upper.h"
#include "mapped.h"

static struct fold_share *to_share(struct fold_map *map)
{
	return container_of(map, struct fold_share, map);
}

static struct fold_inode *to_inode(struct fold_map *map)
{
	return container_of(to_share(map), struct fold_inode, share);
}

static void read_complete(struct kiocb *iocb, long res)
{
	fold_fill_done(container_of(iocb, struct fold_fill, iocb), res);
}

/*
 * The source file and the inode stay until the fill is over and this call has
 * returned: the break that would let them go waits for both.
 */
static void sharer_read(struct fold_map *map, struct fold_fill *fill)
{
	struct file *file = to_share(map)->source;
	const struct cred *old;
	struct iov_iter iter;
	ssize_t ret;

	if (!FOLD_SB(to_inode(map)->vfs_inode.i_sb)->type->reads_direct ||
	    !(file->f_mode & FMODE_CAN_ODIRECT) ||
	    !(file->f_mode & FMODE_NOWAIT)) {
		fold_fill_done(fill, -EAGAIN);
		return;
	}
	iov_iter_bvec(&iter, ITER_DEST, fill->bvec, fill->nr_folios,
		      fill->nr << PAGE_SHIFT);
	init_sync_kiocb(&fill->iocb, file);
	fill->iocb.ki_complete = read_complete;
	fill->iocb.ki_pos = (loff_t)fill->index << PAGE_SHIFT;
	fill->iocb.ki_flags |= IOCB_DIRECT | IOCB_NOWAIT;

	old = override_creds(FOLD_SB(to_inode(map)->vfs_inode.i_sb)->cred);
	/*
	 * Not by vfs_iocb_iter_read(): a fill may run in a fault that somebody
	 * takes while he holds the lower filesystem's freeze protection, where
	 * nobody may be asked whether this file may be accessed.
	 */
	ret = file->f_op->read_iter(&fill->iocb, &iter);
	revert_creds(old);
	if (ret != -EIOCBQUEUED)
		fold_fill_done(fill, ret);
}

/* Its mount may be another than the one that asks, and about to go away. */
static bool sharer_hold(struct fold_map *map)
{
	struct inode *inode = &to_inode(map)->vfs_inode;

	if (!fold_share_sb_hold(inode->i_sb))
		return false;
	if (igrab(inode))
		return true;
	fold_share_sb_let_go(inode->i_sb);
	return false;
}

/**
 * fold_let_go - undo fold_sharer_ops.hold
 * @map: the sharer
 *
 * Context: process context; may evict the inode.
 */
void fold_let_go(struct fold_map *map)
{
	struct inode *inode = &to_inode(map)->vfs_inode;
	struct super_block *sb = inode->i_sb;

	iput(inode);
	fold_share_sb_let_go(sb);
}

static bool sharer_in_use(struct fold_map *map)
{
	return fold_warm_in_use(to_share(map));
}

static bool sharer_disturbed(struct fold_map *map)
{
	return fold_write_by_others(to_inode(map));
}

static int copy_folio(struct address_space *lower, struct file *file,
		      struct folio *dst, unsigned long index)
{
	unsigned long i, nr = folio_nr_pages(dst);
	struct folio *src;

	for (i = 0; i < nr; i++) {
		src = read_mapping_folio(lower, index + i, file);
		if (IS_ERR(src))
			return PTR_ERR(src);
		copy_highpage(folio_page(dst, i),
			      folio_file_page(src, index + i));
		folio_put(src);
	}
	return 0;
}

/* All of it at once, where it would be page by page. */
static void read_ahead(struct file *file, struct address_space *lower,
		       unsigned long index, unsigned long nr)
{
	struct file_ra_state ra = { .ra_pages = nr };
	DEFINE_READAHEAD(ractl, file, &ra, lower, index);

	fold_ra_unbounded(&ractl, nr);
}

/*
 * Is what was read what lies at the address? Where reads of the file may go elsewhere, it
 * is not believed to be there any more.
 */
static int verify(struct fold_map *map, struct fold_fill *fill)
{
	struct inode *inode = &to_inode(map)->vfs_inode;
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);
	int err;

	if (!fsb->type->verify)
		return 0;
	err = fsb->type->verify(fsb->share.root, fill->start, fill->bvec,
				fill->nr_folios);
	if (err == -ESTALE)
		fold_lease_distrust(inode);
	return err;
}

static int sharer_copy(struct fold_map *map, struct fold_fill *fill)
{
	struct address_space *lower = to_inode(map)->lower->i_mapping;
	struct file *file = to_share(map)->source;
	unsigned long index = fill->index;
	struct folio *folio;
	unsigned int i;
	int err = 0;

	read_ahead(file, lower, index, DIV_ROUND_UP(fill->bytes, PAGE_SIZE));
	/* Else a page could come into being in a hole that is being punched. */
	filemap_invalidate_lock_shared(lower);
	for (i = 0; i < fill->nr_folios && !err; i++) {
		folio = fold_fill_folio(fill, i);
		err = copy_folio(lower, file, folio, index);
		index += folio_nr_pages(folio);
	}
	filemap_invalidate_unlock_shared(lower);
	/* Takes what was read to be copied out of the lower page cache again. */
	fold_copies_drop_range(lower, fill->index, fill->index + fill->nr - 1);
	return err ?: verify(map, fill);
}

const struct fold_sharer_ops fold_lower_sharer_ops = {
	.zap	= fold_mapped_zap,
	.is_mapped = fold_mapped_anywhere,
	.bar_mappings = fold_mapped_bar,
	.allow_mappings = fold_mapped_allow,
	.look	= fold_mapped_look,
	.read	= sharer_read,
	.copy	= sharer_copy,
	.hold	= sharer_hold,
	.in_use	= sharer_in_use,
	.disturbed = sharer_disturbed,
};
