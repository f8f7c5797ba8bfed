// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clones: FICLONE, FICLONERANGE, FIDEDUPERANGE, copy_file_range.
 *
 * A clone is one moment in the life of its source. Both inodes are locked, so nobody
 * writes, and both map_sems are held, so no fault begins. What processes have mapped of the
 * source, if any may store to it, is unmapped, after faults under way have come to their
 * end: a thread that stores to a page goes on until that page is unmapped, and stops at the
 * first page that is unmapped already. So whatever one thread has stored in some order is
 * in the clone up to some point, and no later store is.
 *
 * Then the trees share a root. Faults on either side copy what is written.
 *
 * A page that somebody has in hand, other than by its PTEs, may be written by a device
 * or by the kernel later on: direct I/O into a mapping. It stays with the source, and
 * the clone gets a copy.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "foldtmp.h"

#define LAST_PAGE	((pgoff_t)(MAX_LFS_FILESIZE >> PAGE_SHIFT))

/* Pages of the source that somebody has in hand. */
struct held {
	pgoff_t *index;
	bool *shared;		/* what the page's bit was before */
	unsigned long nr, room;
};

static int held_add(struct held *held, pgoff_t index, bool shared)
{
	unsigned long room = held->room ? 2 * held->room : 64;
	void *index_new, *shared_new;

	if (held->nr == held->room) {
		index_new = kvmalloc_array(room, sizeof(*held->index),
					   GFP_KERNEL);
		shared_new = kvmalloc_array(room, sizeof(*held->shared),
					    GFP_KERNEL);
		if (!index_new || !shared_new) {
			kvfree(index_new);
			kvfree(shared_new);
			return -ENOMEM;
		}
		if (held->nr) {
			memcpy(index_new, held->index,
			       held->nr * sizeof(*held->index));
			memcpy(shared_new, held->shared,
			       held->nr * sizeof(*held->shared));
		}
		kvfree(held->index);
		kvfree(held->shared);
		held->index = index_new;
		held->shared = shared_new;
		held->room = room;
	}
	held->index[held->nr] = index;
	held->shared[held->nr++] = shared;
	return 0;
}

static void held_free(struct held *held)
{
	kvfree(held->index);
	kvfree(held->shared);
}

/* Of a page that no PTE lets anybody store to: is it in anybody's hand? */
static int note_held(struct ftmp_inode *ti, pgoff_t index, unsigned long slot,
		     void *arg)
{
	struct ftmp_batch *batch = ftmp_slot_batch(slot);
	struct folio *folio;
	bool alone;
	int err = 0;

	/* What others refer to already is not being written by anybody. */
	ftmp_map_ease(&ti->map, index);
	ftmp_map_find(&ti->map, index, &alone);
	if (!alone)
		return 0;
	folio = filemap_get_folio(ftmp_slot_inode(slot)->i_mapping,
				  ftmp_slot_index(slot));
	if (IS_ERR(folio))
		return 0;
	/* The page cache's, this one, and one for each PTE. */
	if (folio_ref_count(folio) != 2 + folio_mapcount(folio))
		err = held_add(arg, index,
			       test_bit(ftmp_slot_nr(slot), &batch->shared));
	folio_put(folio);
	return err;
}

/* The clone gets copies of these, and the source has its pages for itself again. */
static int copy_held(struct ftmp_inode *src, struct ftmp_inode *dst,
		     long delta, const struct held *held)
{
	unsigned long i;
	unsigned long slot;
	int err;

	for (i = 0; i < held->nr; i++) {
		slot = ftmp_map_find(&src->map, held->index[i], NULL);
		err = ftmp_page_own(dst, held->index[i] + delta, true);
		if (err)
			return err;
		/* The marks of what was shared a moment ago come down first. */
		ftmp_map_ease(&src->map, held->index[i]);
		if (!held->shared[i])
			clear_bit(ftmp_slot_nr(slot),
				  &ftmp_slot_batch(slot)->shared);
	}
	return 0;
}

static int share_pages(struct ftmp_inode *src, struct ftmp_inode *dst,
		       pgoff_t first, pgoff_t last, long delta,
		       struct ftmp_drop *drop)
{
	struct ftmp_path path;
	unsigned long slot;
	int err;

	while (first <= last) {
		slot = ftmp_map_next(&src->map, &first, last);
		if (!slot)
			break;
		err = ftmp_map_own(&dst->map, first + delta, &path, drop);
		if (err)
			return err;
		ftmp_page_get(slot);
		ftmp_map_put(&path, slot);
		first++;
		cond_resched();
	}
	return 0;
}

/*
 * Nobody stores to the pages by a mapping any more, until map_sem is let go. Who may only
 * read a file cannot take it from those who only read it, too, by cloning it.
 */
static void stop_stores(struct ftmp_inode *ti, pgoff_t first, pgoff_t last)
{
	if (mapping_writably_mapped(ti->vfs_inode.i_mapping))
		ftmp_unmap(ti, first, last);
}

/* Both map_sems are held for writing, both inodes locked. */
static int clone_locked(struct inode *in, pgoff_t first, struct inode *out,
			pgoff_t to, pgoff_t nr, bool whole)
{
	struct ftmp_inode *src = FTMP_I(in), *dst = FTMP_I(out);
	struct ftmp_sb *fs = FTMP_SB(in->i_sb);
	struct ftmp_drop drop = { };
	struct held held = { };
	long delta = to - first;
	int err = 0;

	stop_stores(src, first, whole ? LAST_PAGE : first + nr - 1);
	if (ftmp_viewed(src))
		err = ftmp_walk_viewed(src, first, first + nr - 1, note_held,
				       &held);
	if (err)
		goto out;
	/* While nothing has changed yet. */
	if (held.nr) {
		if (!ftmp_reserve(fs, held.nr)) {
			err = -ENOSPC;
			goto out;
		}
		ftmp_unreserve(fs, held.nr);
	}
	ftmp_unmap(dst, to, whole ? LAST_PAGE : to + nr - 1);
	ftmp_map_clear(&dst->map, to, whole ? LAST_PAGE : to + nr - 1, &drop);
	if (whole) {
		ftmp_map_share(&dst->map, &src->map);
		/* What is allocated beyond the end is the source's. */
		first = nr;
		if (ftmp_map_next(&dst->map, &first, LAST_PAGE))
			ftmp_map_clear(&dst->map, first, LAST_PAGE, &drop);
	} else {
		err = share_pages(src, dst, first, first + nr - 1, delta,
				  &drop);
	}
	ftmp_drop_end(&drop);
	if (!err)
		err = copy_held(src, dst, delta, &held);
	/* Pages that may still be written are nothing to be shared. */
	if (err && held.nr) {
		ftmp_map_clear(&dst->map, to, to + nr - 1, &drop);
		ftmp_drop_end(&drop);
	}
out:
	held_free(&held);
	return err == -EHWPOISON ? -EIO : err;
}

static void lock_maps(struct ftmp_inode *a, struct ftmp_inode *b)
{
	if (a > b)
		swap(a, b);
	down_write(&a->map_sem);
	if (a != b)
		down_write_nested(&b->map_sem, SINGLE_DEPTH_NESTING);
}

static void unlock_maps(struct ftmp_inode *a, struct ftmp_inode *b)
{
	up_write(&a->map_sem);
	if (a != b)
		up_write(&b->map_sem);
}

static int do_clone(struct file *file_in, loff_t pos_in, struct file *file_out,
		    loff_t pos_out, loff_t *len, unsigned int flags)
{
	struct inode *in = file_inode(file_in), *out = file_inode(file_out);
	pgoff_t nr;
	bool whole;
	int err;

	err = generic_remap_file_range_prep(file_in, pos_in, file_out, pos_out,
					    len, flags);
	if (err || !*len)
		return err;
	nr = DIV_ROUND_UP_ULL(*len, PAGE_SIZE);
	whole = in != out && !pos_in && !pos_out && *len >= in->i_size &&
		*len >= out->i_size;
	lock_maps(FTMP_I(in), FTMP_I(out));
	err = clone_locked(in, pos_in >> PAGE_SHIFT, out, pos_out >> PAGE_SHIFT,
			   nr, whole);
	if (!err && pos_out + *len > out->i_size)
		i_size_write(out, pos_out + *len);
	unlock_maps(FTMP_I(in), FTMP_I(out));
	return err;
}

/* A page for a comparison; NULL for a hole. No device may be writing to it. */
static int compare_get(struct ftmp_inode *ti, pgoff_t index,
		       struct folio **foliop)
{
	unsigned long slot;
	int err;

	*foliop = NULL;
	slot = ftmp_map_find(&ti->map, index, NULL);
	if (!slot)
		return 0;
	err = ftmp_page_find(slot, foliop);
	if (!err && folio_maybe_dma_pinned(*foliop)) {
		folio_put(*foliop);
		*foliop = NULL;
		err = -EBADE;
	}
	return err;
}

static bool same_bytes(struct folio *a, struct folio *b, size_t nr)
{
	const char *from, *to;
	bool same;

	if (!a && !b)
		return true;
	from = a ? kmap_local_folio(a, 0) : kmap_local_page(ZERO_PAGE(0));
	to = b ? kmap_local_folio(b, 0) : kmap_local_page(ZERO_PAGE(0));
	same = !memcmp(from, to, nr);
	kunmap_local(to);
	kunmap_local(from);
	return same;
}

/* Both are locked, and nobody stores: what is the same now stays the same. */
static int compare(struct ftmp_inode *src, pgoff_t first,
		   struct ftmp_inode *dst, pgoff_t to, loff_t len)
{
	struct folio *a, *b;
	int err = 0;

	for (; len > 0 && !err; len -= PAGE_SIZE, first++, to++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ftmp_map_find(&src->map, first, NULL) ==
		    ftmp_map_find(&dst->map, to, NULL))
			continue;
		err = compare_get(src, first, &a);
		if (err)
			break;
		err = compare_get(dst, to, &b);
		if (!err && !same_bytes(a, b, min_t(loff_t, len, PAGE_SIZE)))
			err = -EBADE;
		if (a)
			folio_put(a);
		if (b)
			folio_put(b);
		cond_resched();
	}
	return err;
}

/* The VFS has asked who may, and that both are regular files of one filesystem. */
static int do_dedupe(struct inode *in, loff_t pos_in, struct inode *out,
		     loff_t pos_out, loff_t *len)
{
	struct ftmp_inode *src = FTMP_I(in), *dst = FTMP_I(out);
	loff_t end_in, end_out;
	pgoff_t nr;
	int err;

	if (IS_IMMUTABLE(out))
		return -EPERM;
	if (IS_SWAPFILE(in) || IS_SWAPFILE(out))
		return -ETXTBSY;
	if (!PAGE_ALIGNED(pos_in) || !PAGE_ALIGNED(pos_out) ||
	    check_add_overflow(pos_in, *len, &end_in) ||
	    check_add_overflow(pos_out, *len, &end_out) ||
	    end_in > in->i_size || end_out > out->i_size)
		return -EINVAL;
	/* A part of a page only if it is where both end; what comes before goes. */
	if (!PAGE_ALIGNED(*len) &&
	    (end_in != in->i_size || end_out != out->i_size))
		*len = round_down(*len, PAGE_SIZE);
	if (!*len)
		return 0;
	if (in == out && pos_in < pos_out + *len && pos_out < pos_in + *len)
		return -EINVAL;
	nr = DIV_ROUND_UP_ULL(*len, PAGE_SIZE);
	lock_maps(src, dst);
	stop_stores(src, pos_in >> PAGE_SHIFT, (pos_in >> PAGE_SHIFT) + nr - 1);
	stop_stores(dst, pos_out >> PAGE_SHIFT, (pos_out >> PAGE_SHIFT) + nr - 1);
	err = compare(src, pos_in >> PAGE_SHIFT, dst, pos_out >> PAGE_SHIFT,
		      *len);
	if (!err)
		err = clone_locked(in, pos_in >> PAGE_SHIFT, out,
				   pos_out >> PAGE_SHIFT, nr, false);
	unlock_maps(src, dst);
	return err == -EHWPOISON ? -EIO : err;
}

/**
 * ftmp_remap_file_range - ->remap_file_range
 * @in: the source
 * @pos_in: bytes
 * @out: the destination, on the same mount of the same filesystem
 * @pos_out: bytes
 * @len: bytes; 0 for up to the end
 * @flags: REMAP_FILE_*
 *
 * Context: may sleep. Waits for memory and for swap, and for faults that have a page
 * locked; not for user memory.
 * Return: bytes; -EINVAL for what is not aligned, -EBADE for what differs, -ENOSPC and
 * -ENOMEM if pages that are in use had to be copied, or the tree.
 */
loff_t ftmp_remap_file_range(struct file *in, loff_t pos_in, struct file *out,
			     loff_t pos_out, loff_t len, unsigned int flags)
{
	struct inode *src = file_inode(in), *dst = file_inode(out);
	int err;

	if (flags & ~(REMAP_FILE_DEDUP | REMAP_FILE_ADVISORY))
		return -EINVAL;
	lock_two_nondirectories(src, dst);
	if (flags & REMAP_FILE_DEDUP)
		err = do_dedupe(src, pos_in, dst, pos_out, &len);
	else
		err = do_clone(in, pos_in, out, pos_out, &len, flags);
	unlock_two_nondirectories(src, dst);
	return err ? err : len;
}
