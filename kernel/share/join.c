// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining: how a file's ranges begin to refer to fragments.
 *
 * One job joins a whole file. It runs in a thread that can query extents, so
 * that a lower filesystem that keeps it waiting stops nobody else; the first
 * reader waits for it, killably and briefly. The proof, in this order:
 *
 *  1. the lease: nobody writes around the mount, and nobody of ours has the
 *     file open for writing;
 *  2. nothing of it is dirty or under writeback, so that what the lower
 *     filesystem reports is settled;
 *  3. the extents that it reports as shared, written and not encoded;
 *  4. no page of those is left in the lower page cache: one that is mapped or
 *     pinned could still be changed through an old pin;
 *  5. who refers to the same blocks already still has them (proof.c);
 *  6. the claim is committed only if no change was announced since 1.
 *
 * On XFS a cheaper question comes first: bmap() answers only for files that
 * were never reflinked.
 */
#include <linux/fiemap.h>
#include <linux/fileattr.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include <uapi/linux/foldfs.h>

#include "compat.h"
#include "../core/claim.h"
#include "upper.h"
#include "../lower/query.h"
#include "testing.h"

/* How long the first reader waits for a join before it goes to the lower. */
#define JOIN_PATIENCE	(HZ / 2)
/* Longest time for which "nothing is shared" is believed. */
#define JOIN_MAX_EXPIRY	(16 * HZ)

/**
 * struct join - one file being joined
 * @job: for the query threads
 * @inode: the upper inode, with a reference
 * @lower: a path of the lower inode, with a reference
 * @claim: what was proved
 */
struct join {
	struct fold_job job;
	struct inode *inode;
	struct path lower;
	struct fold_claim claim;
};

static bool lower_is_settled(struct inode *lower)
{
	return !inode_is_open_for_write(lower) &&
	       !mapping_tagged(lower->i_mapping, PAGECACHE_TAG_DIRTY) &&
	       !mapping_tagged(lower->i_mapping, PAGECACHE_TAG_WRITEBACK);
}

/*
 * Physical addresses name blocks of the data device only if the file lies
 * there, and bytes only if they are stored as they are read.
 */
static bool lower_is_fit(struct join *join)
{
	struct inode *lower = d_inode(join->lower.dentry);
	struct file_kattr fa;

	if (IS_DAX(lower) || IS_ENCRYPTED(lower) || IS_SWAPFILE(lower) ||
	    !i_size_read(lower))
		return false;
	if (!vfs_fileattr_get(join->lower.dentry, &fa) &&
	    (fa.fsx_xflags & FS_XFLAG_REALTIME))
		return false;
	return true;
}

/*
 * Does the file's owner, or that of a directory above it, want no sharing? Who
 * has several names is asked by the one through which he joins.
 */
static bool opted_out(const struct path *lower)
{
	struct dentry *at = dget(lower->dentry), *above;
	bool out = false;

	while (!out) {
		out = __vfs_getxattr(at, d_inode(at), FOLDFS_XATTR_NOFOLD,
				     NULL, 0) >= 0;
		if (at == lower->mnt->mnt_root || IS_ROOT(at))
			break;
		above = dget_parent(at);
		dput(at);
		at = above;
	}
	dput(at);
	return out;
}

/* The first page from @index to @last that is in the lower page cache. */
static unsigned long first_cached(struct address_space *mapping,
				  unsigned long index, unsigned long last,
				  unsigned long *next)
{
	unsigned long found = last + 1;
	struct folio_batch batch;

	folio_batch_init(&batch);
	*next = found;
	if (filemap_get_folios(mapping, &index, last, &batch)) {
		found = batch.folios[0]->index;
		*next = folio_next_index(batch.folios[0]);
		folio_batch_release(&batch);
	}
	return found;
}

/*
 * Claims a run of whole pages that lies inside one segment, without what cannot
 * be taken out of the lower page cache.
 */
static int claim_run(struct join *join, unsigned long index, unsigned long nr,
		     unsigned long start, unsigned int tail)
{
	struct fold_inode *fi = FOLD_I(join->inode);
	struct fold_map *map = &fi->share.map;
	struct address_space *mapping = fi->lower->i_mapping;
	unsigned long last = index + nr - 1, end, next;
	int err = 0;

	if (!invalidate_inode_pages2_range(mapping, index, last))
		return fold_claim_add(&join->claim, map, index, nr, start,
				      tail);
	fold_stat_add(map->stats, FOLD_STAT_FALLBACKS, 1);
	while (index <= last && !err) {
		end = max(first_cached(mapping, index, last, &next), index);
		if (end > index)
			err = fold_claim_add(&join->claim, map, index,
					     end - index, start,
					     end > last ? tail : 0);
		start += next - index;
		index = next;
	}
	return err;
}

/* What of an extent is fit, cut where a segment ends. */
static int claim_extent(struct join *join, const struct fiemap_extent *fe,
			loff_t size)
{
	struct fold_map *map = &FOLD_I(join->inode)->share.map;
	u64 from = fe->fe_logical, to = from + fe->fe_length;
	unsigned long index, last, start, nr;
	unsigned int tail = 0;
	int err = 0;

	if (!(fe->fe_flags & FIEMAP_EXTENT_SHARED) ||
	    fe->fe_flags & FOLD_UNFIT)
		return 0;
	if ((fe->fe_logical ^ fe->fe_physical) & ~PAGE_MASK) {
		fold_stat_add(map->stats, FOLD_STAT_FALLBACKS, 1);
		return 0;
	}
	/* Whole pages; the last one may end with the file instead. */
	index = DIV_ROUND_UP_ULL(from, PAGE_SIZE);
	start = (fe->fe_physical + (((u64)index << PAGE_SHIFT) - from)) >>
		PAGE_SHIFT;
	if (to >= size) {
		to = size;
		tail = size & ~PAGE_MASK;
	} else {
		to &= PAGE_MASK;
	}
	if (to <= (u64)index << PAGE_SHIFT)
		return 0;
	last = (to - 1) >> PAGE_SHIFT;
	while (index <= last && !err) {
		nr = min(last - index + 1,
			 FOLD_SEGMENT_PAGES - start % FOLD_SEGMENT_PAGES);
		err = claim_run(join, index, nr, start,
				index + nr - 1 == last ? tail : 0);
		index += nr;
		start += nr;
	}
	return err;
}

static int claim_file(struct join *join, struct fold_querier *q)
{
	struct inode *lower = FOLD_I(join->inode)->lower;
	loff_t size = i_size_read(lower);
	const struct fiemap_extent *fe;
	u64 start = 0, end = size;
	unsigned int nr, i;
	bool last = false;
	int err;

	while (!last && start < end) {
		err = fold_look(q, lower, start, end - start, false, &fe, &nr,
				&last);
		if (err)
			return err;
		for (i = 0; i < nr; i++) {
			err = claim_extent(join, &fe[i], size);
			if (err)
				return err;
			start = fe[i].fe_logical + fe[i].fe_length;
		}
		if (!nr)
			break;
	}
	return 0;
}

/**
 * fold_drop_copies - take copies of shared pages out of the lower page cache
 * @inode: the upper inode
 * @index: first page of the file to look at
 * @last: last one
 *
 * Faults and reads that were on their way to the lower file when a join was
 * committed bring pages into the lower page cache. They are right, but they are
 * copies; from now on everybody finds the shared page.
 *
 * Context: process context; mmap locks may be held, but no folio's lock. Waits
 * for pages that are being read.
 */
void fold_drop_copies(struct inode *inode, unsigned long index,
		      unsigned long last)
{
	struct fold_inode *fi = FOLD_I(inode);
	struct address_space *mapping = fi->lower->i_mapping;
	struct fold_run run;
	unsigned long end;

	while (index <= last && READ_ONCE(mapping->nrpages)) {
		bool shared = fold_map_lookup(&fi->share.map, index, &run);

		end = run.nr - 1 < last - index ? index + run.nr - 1 : last;
		if (shared)
			invalidate_inode_pages2_range(mapping, index, end);
		if (end == last)
			return;
		index = end + 1;
		cond_resched();
	}
}

/*
 * bmap() of XFS answers 0 for a file that was ever reflinked, and otherwise
 * the block. It writes back what is dirty, so it is not asked then.
 */
static bool never_reflinked(struct inode *lower)
{
	sector_t block = 0;

	return lower->i_mapping->a_ops->bmap && !bmap(lower, &block) && block;
}

/* Returns the state that the file has got into. */
static unsigned int join_file(struct join *join, struct fold_querier *q)
{
	struct inode *inode = join->inode;
	struct fold_share *share = &FOLD_I(inode)->share;
	struct fold_map *map = &share->map;
	unsigned long pages;
	bool again;
	u64 from;
	int err;

	if (!lower_is_settled(FOLD_I(inode)->lower) || !lower_is_fit(join))
		return FOLDFS_STATE_REFUSED;
	if (!READ_ONCE(map->nr) && never_reflinked(FOLD_I(inode)->lower))
		return FOLDFS_STATE_PRIVATE;
	if (opted_out(&join->lower))
		return FOLDFS_STATE_PRIVATE;
	err = fold_lease_take(inode, &join->lower);
	if (err)
		return FOLDFS_STATE_REFUSED;
	if (!fold_claim_begin(&join->claim, map))
		return FOLDFS_STATE_REFUSED;
	err = -EAGAIN;
	from = fold_clock(map->cache);
	if (lower_is_settled(FOLD_I(inode)->lower))
		err = claim_file(join, q);
	fold_claim_looked(&join->claim, map, from);
	/* What was claimed before an error can be proved all the same. */
	pages = fold_prove(&join->claim, inode, q, &again);
	if (pages)
		fold_drop_copies(inode, 0, ULONG_MAX);
	return err || pages || again ? FOLDFS_STATE_REFUSED : FOLDFS_STATE_PRIVATE;
}

/* Until when a verdict is believed; share->lock is held. */
static void set_patience(struct fold_share *share, unsigned long patience)
{
	WRITE_ONCE(share->patience, patience);
	WRITE_ONCE(share->expires, jiffies + patience);
}

static void join_run(struct fold_job *job, struct fold_querier *q)
{
	struct join *join = container_of(job, struct join, job);
	struct inode *inode = join->inode;
	struct fold_share *share = &FOLD_I(inode)->share;
	unsigned int state = FOLDFS_STATE_NEW;
	unsigned long had = READ_ONCE(share->map.nr);

	if (q)
		state = join_file(join, q);
	/*
	 * An inode that shares nothing holds no lease. Nobody else takes one:
	 * this is the only join of the inode.
	 */
	if (!READ_ONCE(share->map.nr) && !READ_ONCE(share->map.closed))
		fold_lease_drop(inode);

	if (READ_ONCE(share->map.nr))
		state = FOLDFS_STATE_JOINED;
	spin_lock(&share->lock);
	if (state == FOLDFS_STATE_JOINED && READ_ONCE(share->map.nr) != had)
		set_patience(share, HZ);
	else
		set_patience(share, clamp(2 * share->patience,
					  (unsigned long)HZ / 4,
					  (unsigned long)JOIN_MAX_EXPIRY));
	WRITE_ONCE(share->state, state);
	WRITE_ONCE(share->pending, false);
	spin_unlock(&share->lock);
	wake_up_all(&share->wait);

	path_put(&join->lower);
	iput(inode);
	kfree(join);
}

/**
 * fold_join_wanted - is it worthwhile to ask what a file shares
 * @share: the file's sharing state
 *
 * Return: true if nothing is known or what is known has expired.
 */
bool fold_join_wanted(struct fold_share *share)
{
	if (!share->map.cache)
		return false;
	if (READ_ONCE(share->state) == FOLDFS_STATE_NEW ||
	    fold_test_join_eagerly)
		return true;
	return !READ_ONCE(share->pending) &&
	       time_after_eq(jiffies, READ_ONCE(share->expires));
}

/**
 * fold_join - let a file join
 * @inode: the upper inode
 * @lower: a path of its lower inode
 * @wait: wait for the answer, if nothing is known of the file yet
 *
 * Context: process context; with @wait no lock may be held, and the lower inode
 * may be asked for a block. Without, mmap locks may be held: it allocates and
 * queues, no more.
 */
void fold_join(struct inode *inode, const struct path *lower, bool wait)
{
	struct fold_inode *fi = FOLD_I(inode);
	struct fold_share *share = &fi->share;
	bool start = false, fresh, settled;
	struct join *join = NULL;

	settled = lower_is_settled(fi->lower);
	fresh = READ_ONCE(share->state) == FOLDFS_STATE_NEW ||
		fold_test_join_eagerly;
	/* Who would wait spares himself the threads, if he can. */
	if (settled && !READ_ONCE(share->pending) &&
	    !(wait && never_reflinked(fi->lower)))
		join = kzalloc(sizeof(*join), GFP_KERNEL);

	spin_lock(&share->lock);
	if (!share->pending && join &&
	    !READ_ONCE(FOLD_SB(inode->i_sb)->share.stopping)) {
		WRITE_ONCE(share->pending, true);
		start = true;
	} else if (!share->pending) {
		/* Asked again soon if it is only being written. */
		WRITE_ONCE(share->state, settled ? FOLDFS_STATE_PRIVATE :
						   FOLDFS_STATE_REFUSED);
		set_patience(share, clamp(2 * share->patience,
					  (unsigned long)HZ / 4,
					  (unsigned long)(settled ?
							  4 * HZ : HZ)));
	}
	spin_unlock(&share->lock);

	if (start) {
		ihold(inode);
		join->inode = inode;
		join->lower = *lower;
		path_get(&join->lower);
		INIT_LIST_HEAD(&join->claim.list);
		join->job.owner = inode->i_sb;
		join->job.run = join_run;
		fold_query_submit(&join->job);
	} else {
		kfree(join);
	}
	if (wait && fresh)
		wait_event_killable_timeout(share->wait,
					    !READ_ONCE(share->pending),
					    JOIN_PATIENCE);
}
