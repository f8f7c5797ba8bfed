/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an upper inode takes part in sharing: its share map, its lease, and what
 * is known about joining. Everything here is inert on a mount with "nofold".
 */
#ifndef FOLDFS_SHARE_H
#define FOLDFS_SHARE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../core/sharemap.h"
#include "../core/stats.h"

struct fiemap_extent;
struct file;
struct fold_backing;
struct fold_cache;
struct fold_claim;
struct fold_inode;
struct fold_job;
struct fold_mark;
struct fold_querier;
struct fold_sysfs;
struct fs_context;
struct mem_cgroup;
struct pipe_inode_info;
struct shrink_control;

/**
 * struct fold_opener - a task that is about to change a lower file for us
 * @entry: on share->openers
 * @task: the task
 *
 * Lives on the task's stack between fold_write_open_begin() and _end(), so
 * that the lease and the mark of the inode know our own writers.
 */
struct fold_opener {
	struct list_head entry;
	struct task_struct *task;
};

/**
 * struct fold_sole_writer - a change that no descriptor open for writing announced
 * @op: the task
 * @access: i_writecount of the lower inode is ours to put
 */
struct fold_sole_writer {
	struct fold_opener op;
	bool access;
};

/**
 * struct fold_share - sharing state of one upper inode
 * @map: the share map
 * @lock: protects @openers, @state, @pending, @expires, @patience, @wait_until,
 *	  @overdue, @retry; those but for the first and the last may be read
 *	  without it, as hints
 * @openers: tasks that change the lower file on our behalf
 * @state: enum foldfs_state
 * @pending: a join is queued or runs
 * @expires: jiffies from which on a verdict may be asked for again
 * @patience: jiffies until the next verdict expires; doubles while asking
 *	      again is in vain
 * @wait: for the end of a join
 * @wait_until: jiffies until which it is worthwhile to wait for that
 * @overdue: somebody has waited in vain: nobody does so again
 * @retry: the job that lets the file join once more when its time has come, if
 *	   there is one; it holds the inode
 * @files: open upper files
 * @lease_mutex: protects @source, @leased and @mark against one another;
 *		 whoever uses @source to fill holds an extent instead, since it
 *		 outlives the last one
 * @source: lower file that carries the lease and through which fills read
 * @leased: the lease is held; set after it is taken, cleared before it is unlocked
 * @mark: tells of truncations that no lease sees
 * @outside_work: ends the sharing for a writer around the mount; holds a reference
 *		  on the inode
 * @outside_due: it is queued and has not begun
 * @warm_entry: on a list of warm.c; ss->warm_lock
 * @warm: where it is with respect to that list, see warm.c; ss->warm_lock, may
 *	  be read without it as a hint
 * @warm_at: page up to which it has been examined; whoever has it off the lists
 * @writers: low half: how many of the lower inode's openers for writing are
 *	     lower files of ours; high half: moves whenever that does
 */
struct fold_share {
	struct fold_map map;
	spinlock_t lock;
	struct list_head openers;
	unsigned int state;
	bool pending;
	unsigned long expires;
	unsigned long patience;
	wait_queue_head_t wait;
	unsigned long wait_until;
	bool overdue;
	struct fold_job *retry;
	atomic_t files;
	struct mutex lease_mutex;
	struct file *source;
	bool leased;
	struct fold_mark *mark;
	struct work_struct outside_work;
	struct list_head warm_entry;
	unsigned long warm_at;
	int warm;
	atomic_t outside_due;
	atomic64_t writers;
};

/**
 * struct fold_sb_share - sharing state of one superblock
 * @cache: the lower filesystem's shared page cache, which other mounts over it
 *	   use as well; or NULL: nothing folds
 * @stats: counters of what concerns files of this mount
 * @queries: the pool of query threads is ours to put
 * @stopping: no more joins, and no more warm inodes: the mount is going away
 * @holds: how often joins, those of other mounts over the same lower filesystem
 *	   included, hold an inode of the mount
 * @warm_lock: protects the lists, see warm.c; nests inside i_lock
 * @warm: unused inodes that are kept for the pages
 * @nr_warm: how many; may be read without the lock
 * @queued: those of them that are to be examined
 * @leaving: those whose references are to end
 * @decide_work: examines @queued
 * @leave_work: ends the references of @leaving
 * @sysfs: the directory in sysfs, or NULL
 * @backing: operations of lower files and their mappings; set once, by the
 *	     first open
 * @root: a file of the lower filesystem, where extents are asked for by one, or
 *	  NULL; immutable until inodes are gone
 */
struct fold_sb_share {
	struct fold_cache *cache;
	struct fold_stats stats;
	bool queries;
	bool stopping;
	atomic_t holds;
	spinlock_t warm_lock;	/* @warm to @leaving */
	struct list_head warm;
	unsigned long nr_warm;
	struct list_head queued;
	struct list_head leaving;
	struct work_struct decide_work;
	struct work_struct leave_work;
	struct fold_sysfs *sysfs;
	struct fold_backing *backing;
	struct file *root;
};

/* share.c */
int fold_share_module_init(void);
void fold_share_module_exit(void);
int fold_share_sb_init(struct super_block *sb, struct fs_context *fc);
void fold_share_sb_stop(struct super_block *sb);
void fold_share_sb_exit(struct super_block *sb);
bool fold_share_sb_hold(struct super_block *sb);
void fold_share_sb_let_go(struct super_block *sb);
void fold_share_init(struct fold_inode *fi, struct super_block *sb);
void fold_share_evict(struct inode *inode);
void fold_share_cloned(struct inode *inode);

/* warm.c */
int fold_warm_module_init(void);
void fold_warm_module_exit(void);
void fold_warm_sb_init(struct fold_sb_share *ss);
void fold_warm_init(struct fold_share *share);
bool fold_warm_hand_on(struct inode *inode);
void fold_warm_keep(struct inode *inode);
void fold_warm_used(struct inode *inode);
bool fold_warm_in_use(struct fold_share *share);
long fold_warm_count(struct super_block *sb, struct shrink_control *sc);
long fold_warm_scan(struct super_block *sb, struct shrink_control *sc);
void fold_warm_end(struct super_block *sb);

/* break.c */
int fold_change_begin(struct inode *inode, loff_t start, loff_t len);
int fold_fallocate_begin(struct inode *inode, int mode, loff_t offset,
			 loff_t len);
void fold_change_end(struct inode *inode);
void fold_verity_end(struct inode *inode);
void fold_write_open_begin(struct inode *inode, struct fold_opener *op);
void fold_write_open_end(struct inode *inode, struct fold_opener *op);
int fold_sole_writer_begin(struct file *file, struct fold_sole_writer *sw);
void fold_sole_writer_end(struct file *file, struct fold_sole_writer *sw);
bool fold_write_is_ours(struct fold_share *share);
void fold_writer_opened(struct inode *inode);
void fold_writer_closes(struct inode *inode);
bool fold_write_by_others(struct fold_inode *fi);

/* lease.c */
int fold_lease_module_init(void);
void fold_lease_module_exit(void);
int fold_lease_take(struct inode *inode, const struct path *lower);
void fold_lease_drop(struct inode *inode);
bool fold_reader_opened(struct inode *inode);
void fold_reader_closes(struct inode *inode);
void fold_lease_wait(struct inode *lower);
void fold_lease_distrust(struct inode *inode);
void fold_lease_init(struct fold_share *share);
void fold_lease_end(struct inode *inode);

/* look.c */
int fold_look(struct fold_querier *q, struct inode *inode, u64 start, u64 len,
	      bool again, const struct fiemap_extent **out, unsigned int *nr,
	      bool *last);

/* proof.c */
unsigned long fold_prove(struct fold_claim *claim, struct inode *inode,
			 struct fold_querier *q, bool *again);

/* join.c */
bool fold_join_wanted(struct fold_share *share);
void fold_join(struct inode *inode, const struct path *lower, bool wait);
void fold_join_hurry(struct inode *inode);

/* copies.c */
bool fold_copies_drop_range(struct address_space *mapping, unsigned long index,
			    unsigned long last);
void fold_drop_copies(struct inode *inode, unsigned long index,
		      unsigned long last);
void fold_reads_wait(struct address_space *mapping, unsigned long index,
		     unsigned long last);
bool fold_joined_since(struct fold_share *share, unsigned long seq);

/* budget.c */
bool fold_budget_left(struct mem_cgroup *memcg);

/* private.c */
unsigned long fold_private_read_ahead(struct inode *inode, struct file *file,
				      unsigned long index, unsigned long nr,
				      unsigned long want);

/* fillio.c */
extern const struct fold_sharer_ops fold_lower_sharer_ops;
void fold_let_go(struct fold_map *map);

/* sysfs.c */
int fold_sysfs_module_init(void);
void fold_sysfs_module_exit(void);
int fold_sysfs_add(struct super_block *sb);
void fold_sysfs_remove(struct super_block *sb);

/* report.c */
long fold_map_ioctl(struct file *file, void __user *arg);

#endif
