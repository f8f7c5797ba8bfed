// SPDX-License-Identifier: GPL-2.0-only
/*
 * FOLDFS_IOC_MAP: what of a file is shared at this moment.
 */
#include <linux/capability.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/foldfs.h>

#include "../core/refer.h"
#include "upper.h"

/* Ranges of one call; who wants more asks again. */
#define REPORT_MAX	4096

/*
 * Reports from physical page @start of @ext's run on, as far as the same
 * references cover it. Returns the pages that were reported.
 */
static unsigned long report_range(struct fold_map *map, struct fold_extent *ext,
				  unsigned long start,
				  struct foldfs_map_range *range)
{
	struct fold_fragment *frag = ext->frag, *other;
	struct fold_space *space = fold_space(map->cache, start);
	unsigned long last = frag->last;

	down_read(&space->sem);
	for (other = fold_table_first(&space->table, start, last); other;
	     other = fold_table_next(other, start, last)) {
		if (other->start > start) {
			last = other->start - 1;
		} else {
			last = min(last, other->last);
			range->sharers += other->refs;
		}
	}
	up_read(&space->sem);

	range->offset = (u64)(ext->index + (start - frag->start)) << PAGE_SHIFT;
	range->length = (u64)(last - start + 1) << PAGE_SHIFT;
	if (frag->tail && last == frag->last) {
		range->length -= PAGE_SIZE - frag->tail;
		range->flags |= FOLDFS_RANGE_TAIL;
	}
	if (capable(CAP_SYS_ADMIN))
		range->physical = (u64)start << PAGE_SHIFT;
	range->cached = (u64)fold_cache_count(map->cache, start, last) <<
			PAGE_SHIFT;
	return last - start + 1;
}

/* Returns how many ranges were filled in; sets *more. */
static unsigned int report_ranges(struct fold_inode *fi, u64 from, u64 length,
				  struct foldfs_map_range *ranges,
				  unsigned int nr, bool *more)
{
	struct fold_map *map = &fi->share.map;
	unsigned long first = from >> PAGE_SHIFT, last = ULONG_MAX, start;
	struct fold_extent *ext;
	unsigned int found = 0;
	u64 end;

	if (!length)
		return 0;
	if (!check_add_overflow(from, length - 1, &end))
		last = end >> PAGE_SHIFT;
	/* Keeps the extents; their fragments change around them. */
	mutex_lock(&map->mutex);
	for (ext = fold_map_first(map, first, last); ext;
	     ext = fold_map_next(ext, first, last)) {
		/* Who asks for more asks from where the last range ended. */
		start = ext->frag->start;
		if (first > ext->index)
			start += first - ext->index;
		while (start <= ext->frag->last) {
			if (found == nr || fatal_signal_pending(current)) {
				*more = true;
				goto unlock;
			}
			start += report_range(map, ext, start,
					      &ranges[found++]);
			cond_resched();
		}
	}
unlock:
	mutex_unlock(&map->mutex);
	return found;
}

static unsigned int report_state(struct fold_inode *fi)
{
	unsigned int state = READ_ONCE(fi->share.state);

	if (!fi->share.map.cache)
		return FOLDFS_STATE_REFUSED;
	if (READ_ONCE(fi->share.pending))
		return FOLDFS_STATE_JOINING;
	if (READ_ONCE(fi->share.map.nr))
		return FOLDFS_STATE_JOINED;
	/* All that it joined with has changed since. */
	return state == FOLDFS_STATE_JOINED ? FOLDFS_STATE_NEW : state;
}

/**
 * fold_map_ioctl - FOLDFS_IOC_MAP
 * @file: an upper file of a regular inode
 * @arg: struct foldfs_map of user space
 *
 * Return: 0 or a negative errno, see the header.
 */
long fold_map_ioctl(struct file *file, void __user *arg)
{
	struct fold_inode *fi = FOLD_I(file_inode(file));
	struct foldfs_map_range *ranges = NULL;
	struct foldfs_map req;
	unsigned int nr;
	bool more = false;
	long err = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.version != FOLDFS_MAP_VERSION)
		return -EOPNOTSUPP;
	if (req.range_size != sizeof(*ranges) || req.flags ||
	    memchr_inv(req.reserved, 0, sizeof(req.reserved)) ||
	    req.start > LLONG_MAX)
		return -EINVAL;
	nr = min_t(unsigned int, req.nr, REPORT_MAX);
	if (nr) {
		ranges = kvcalloc(nr, sizeof(*ranges), GFP_KERNEL);
		if (!ranges)
			return -ENOMEM;
		nr = report_ranges(fi, req.start, req.length, ranges, nr,
				   &more);
	}
	req.nr = nr;
	req.out_flags = more ? FOLDFS_MAP_MORE : 0;
	req.state = report_state(fi);
	if (copy_to_user(arg, &req, sizeof(req)) ||
	    copy_to_user(arg + sizeof(req), ranges,
			 array_size(nr, sizeof(*ranges))))
		err = -EFAULT;
	kvfree(ranges);
	return err;
}
