/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking a lower inode for its extents from inside the kernel.
 *
 * An inode's ->fiemap() writes its answer to a user pointer, so whoever asks
 * must run in an address space. A few resident kernel threads do, in one that
 * belongs to no process (see lender/lender.h); work that needs extents is
 * handed to them as jobs.
 */
#ifndef FOLDFS_QUERY_H
#define FOLDFS_QUERY_H

#include <linux/fiemap.h>
#include <linux/list.h>
#include <linux/types.h>

struct fold_querier;
struct inode;

/* Most extents that one call of fold_query_extents() returns. */
#define FOLD_QUERY_EXTENTS	512

/**
 * struct fold_job - work for a resident thread
 * @entry: the queue's, until @run is called
 * @owner: what fold_query_cancel() is asked for, such as the super_block;
 *	immutable from fold_query_submit() on. It is only compared, never
 *	followed.
 * @run: does the work. It owns the job from then on and may free it or submit
 *	it again. With a NULL querier the job was cancelled: it must not query,
 *	and runs in the task that called fold_query_cancel(). It may sleep in
 *	both cases, and must not call fold_query_cancel() or fold_query_put().
 */
struct fold_job {
	struct list_head entry;
	const void *owner;
	void (*run)(struct fold_job *job, struct fold_querier *q);
};

int fold_query_get(void);
void fold_query_put(void);
void fold_query_submit(struct fold_job *job);
void fold_query_cancel(const void *owner);
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

int fold_query_extents(struct fold_querier *q, struct inode *lower, u64 start,
		       u64 len, const struct fiemap_extent **out,
		       unsigned int *nr, bool *last);
long fold_query_visit(long (*fn)(void *data, void __user *page), void *data);

#endif /* FOLDFS_QUERY_H */
