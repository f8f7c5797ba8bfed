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
#include <linux/timer.h>
#include <linux/types.h>

struct fold_querier;
struct fold_user;
struct inode;

/* Most extents that one call of fold_query_fiemap() returns. */
#define FOLD_QUERY_EXTENTS	512

/**
 * struct fold_job - work for a resident thread
 * @entry: the queue's, until @run is called
 * @owner: what fold_query_cancel() is asked for, such as the super_block;
 *	immutable. It is only compared, never followed.
 * @user: whose work it is; immutable
 * @timer: for when its time comes
 * @later: it waits for its time; the queue's
 * @run: does the work. It owns the job from then on and may free it, after
 *	fold_query_job_exit(), or submit it again. With a NULL querier the job
 *	was cancelled: it must not query, and runs in the task that called
 *	fold_query_cancel(). It may sleep in both cases, and must not call
 *	fold_query_cancel() or fold_query_put().
 */
struct fold_job {
	struct list_head entry;
	const void *owner;
	struct fold_user *user;
	struct timer_list timer;
	bool later;
	void (*run)(struct fold_job *job, struct fold_querier *q);
};

int fold_query_get(void);
void fold_query_put(void);
int fold_query_job_init(struct fold_job *job, const void *owner,
			void (*run)(struct fold_job *job,
				    struct fold_querier *q));
void fold_query_job_exit(struct fold_job *job);
bool fold_query_submit(struct fold_job *job, bool *prompt);
void fold_query_submit_later(struct fold_job *job, unsigned long delay);
void fold_query_hurry(struct fold_job *job);
void fold_query_cancel(const void *owner);
int fold_query_fiemap(struct fold_querier *q, struct inode *lower, u32 flags,
		      u64 start, u64 len, unsigned int max,
		      const struct fiemap_extent **out, unsigned int *nr,
		      bool *last);
long fold_query_enter(long (*fn)(void *data, void __user *mem), void *data,
		      size_t size);
long fold_query_visit(long (*fn)(void *data, void __user *page), void *data);

#endif /* FOLDFS_QUERY_H */
