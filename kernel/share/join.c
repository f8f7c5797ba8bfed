// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining: how a file's ranges begin to refer to fragments.
 *
 * One job joins a whole file. It runs in a thread that can query extents, so
 * that a lower filesystem that keeps it waiting stops nobody else; the first
 * readers wait for it, killably and briefly. The proof, in this order:
 *
 *  1. the lease: nobody writes around the mount, and nobody of ours has the
 *     file open for writing;
 *  2. nothing of it is dirty or under writeback, and the lower filesystem has
 *     settled what it reports (see fold_look());
 *  3. the extents that it reports as shared, and whose bytes it can name;
 *  4. no page of those is left in the lower page cache: one that is mapped or
 *     pinned could still be changed through an old pin;
 *  5. who refers to the same blocks already still has them (proof.c);
 *  6. the claim is committed only if no change was announced since 1.
 *
 * A cheaper question comes first, where the lower filesystem has one: whether the
 * file can share anything at all.
 *
 * Much of what keeps a file or a part of it from joining passes: somebody has
 * the lower inode locked, a page pinned, there is no memory, others who share
 * the blocks are joining as well. Who reads asks again by reading. But a file
 * that is mapped whole faults no more, and would keep its copies for as long as
 * the program lives; so the job itself comes back, again and again after longer
 * pauses, as long as anybody has the file open or mapped.
 */
#include <linux/fiemap.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include <uapi/linux/foldfs.h>

#include "compat.h"
#include "../core/claim.h"
#include "../core/refer.h"
#include "upper.h"
#include "../lower/query.h"
#include "testing.h"

/* How long readers wait for a file's first join before they go to the lower. */
#define JOIN_PATIENCE	(HZ / 2)
/* Longest time for which "nothing is shared" is believed. */
#define JOIN_MAX_EXPIRY	(16 * HZ)
/* The first pause before the job comes back; it doubles, up to the longest. */
#define RETRY_PAUSE	max(HZ / 100, 1)
#define RETRY_MAX_PAUSE	(16 * HZ)
/* So often for what was claimed and not joined, though nobody said why. */
#define RETRY_UNEXPLAINED	6
/* After so many claims the budget is looked at again. */
#define BUDGET_STEP	64

/**
 * struct join - one file being joined
 * @job: for the query threads
 * @inode: the upper inode, with a reference
 * @lower: a path of the lower inode, with a reference
 * @memcg: the memory cgroup that pays for what the file will refer to, with a
 *	   reference; or NULL
 * @claim: what was proved
 * @claims: ranges that were claimed in this try
 * @claimed: pages that were claimed in this try
 * @again: another try may bring more
 * @retries: so often the job has come back
 */
struct join {
	struct fold_job job;
	struct inode *inode;
	struct path lower;
	struct mem_cgroup *memcg;
	struct fold_claim claim;
	unsigned long claims;
	unsigned long claimed;
	bool again;
	unsigned int retries;
};

static bool lower_is_settled(struct inode *lower)
{
	return !inode_is_open_for_write(lower) &&
	       !mapping_tagged(lower->i_mapping, PAGECACHE_TAG_DIRTY) &&
	       !mapping_tagged(lower->i_mapping, PAGECACHE_TAG_WRITEBACK);
}

static const struct fold_lower_type *lower_type(const struct inode *inode)
{
	return FOLD_SB(inode->i_sb)->type;
}

/*
 * Physical addresses name blocks only if the file lies where they are counted,
 * and bytes only if they are stored as they are read.
 */
static bool lower_is_fit(struct join *join)
{
	const struct fold_lower_type *type = lower_type(join->inode);
	struct inode *lower = d_inode(join->lower.dentry);

	/* What fs-verity vouches for, others would read unverified. */
	if (IS_DAX(lower) || IS_ENCRYPTED(lower) || IS_SWAPFILE(lower) ||
	    IS_VERITY(lower) || !i_size_read(lower))
		return false;
	return !type->fit || type->fit(join->lower.dentry);
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

/* Claims pages that are not in the lower page cache. Whoever asked pays. */
static int claim_pages(struct join *join, unsigned long index, unsigned long nr,
		       unsigned long start, unsigned int tail)
{
	struct fold_map *map = &FOLD_I(join->inode)->share.map;
	struct mem_cgroup *old;
	int err;

	if (!(join->claims++ % BUDGET_STEP) && !fold_budget_left(join->memcg))
		return -ENOMEM;
	old = set_active_memcg(join->memcg);
	err = fold_claim_add(&join->claim, map, index, nr, start, tail);
	set_active_memcg(old);
	if (!err)
		join->claimed += nr;
	return err;
}

/*
 * Claims a run of private pages, without what cannot be taken out of the lower
 * page cache now.
 */
static int claim_private(struct join *join, unsigned long index,
			 unsigned long nr, unsigned long start,
			 unsigned int tail)
{
	struct fold_inode *fi = FOLD_I(join->inode);
	struct address_space *mapping = fi->lower->i_mapping;
	unsigned long last = index + nr - 1, end, next;
	int err = 0;

	if (fold_copies_drop_range(mapping, index, last))
		return claim_pages(join, index, nr, start, tail);
	join->again = true;
	fold_stat_add(fi->share.map.stats, FOLD_STAT_FALLBACKS, 1);
	while (index <= last && !err) {
		end = max(first_cached(mapping, index, last, &next), index);
		if (end > index)
			err = claim_pages(join, index, end - index, start,
					  end > last ? tail : 0);
		start += next - index;
		index = next;
	}
	return err;
}

/*
 * Claims what is private yet of a run of whole pages that lies inside one
 * segment. What refers to other pages has moved, with the bytes that it has: those
 * who come to the new place should find it there.
 */
static int claim_run(struct join *join, unsigned long index, unsigned long nr,
		     unsigned long start, unsigned int tail)
{
	struct fold_map *map = &FOLD_I(join->inode)->share.map;
	unsigned long last = index + nr - 1;
	struct fold_run run;
	bool shared;
	int err = 0;

	while (index <= last && !err) {
		shared = fold_map_lookup(map, index, &run);
		nr = min(run.nr, last - index + 1);
		if (shared && run.phys != start) {
			fold_break(map, index, index + nr - 1,
				   join->inode->i_ino);
			shared = false;
		}
		if (!shared)
			err = claim_private(join, index, nr, start,
					    index + nr - 1 == last ? tail : 0);
		index += nr;
		start += nr;
		cond_resched();
	}
	return err;
}

static bool extent_is_fit(const struct fiemap_extent *fe)
{
	return fe->fe_flags & FIEMAP_EXTENT_SHARED &&
	       !(fe->fe_flags & FOLD_UNFIT);
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

	if (!extent_is_fit(fe))
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

/*
 * Before a mapped file joins for the first time: what lies in its page cache will
 * be taken out extent by extent, and it costs every processor an interrupt to
 * unmap something. So all of an answer is unmapped at once.
 */
static void unmap_claimed(struct join *join, const struct fiemap_extent *fe,
			  unsigned int nr)
{
	struct fold_inode *fi = FOLD_I(join->inode);
	struct address_space *mapping = fi->lower->i_mapping;
	u64 from = U64_MAX, to = 0;
	unsigned int i;

	if (join->retries || READ_ONCE(fi->share.map.nr) ||
	    !READ_ONCE(mapping->nrpages) || !mapping_mapped(mapping))
		return;
	for (i = 0; i < nr; i++) {
		if (!extent_is_fit(&fe[i]))
			continue;
		from = min(from, fe[i].fe_logical);
		to = max(to, fe[i].fe_logical + fe[i].fe_length);
	}
	if (from < to)
		unmap_mapping_range(mapping, from, to - from, 0);
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
		err = fold_look(q, join->inode, start, end - start, false, &fe, &nr,
				&last);
		if (err)
			return err;
		unmap_claimed(join, fe, nr);
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

/* Only for what is settled: it may be written back first. */
static bool unshared(const struct inode *inode)
{
	const struct fold_lower_type *type = lower_type(inode);

	return type->unshared && type->unshared(fold_lower_inode(inode));
}

/* Proves and commits what there is. Returns 0, or why not all was looked at. */
static int join_ranges(struct join *join, struct fold_querier *q,
		       unsigned long *pages)
{
	struct inode *inode = join->inode;
	struct fold_map *map = &FOLD_I(inode)->share.map;
	u64 from = fold_clock(map->cache);
	int err = -EAGAIN;
	bool again;

	if (lower_is_settled(FOLD_I(inode)->lower))
		err = claim_file(join, q);
	fold_claim_looked(&join->claim, map, from);
	/* What was claimed before an error can be proved all the same. */
	*pages = fold_prove(&join->claim, inode, q, &again);
	join->again |= again || err == -EAGAIN || err == -ENOMEM ||
		       (*pages < join->claimed &&
			join->retries < RETRY_UNEXPLAINED);
	if (READ_ONCE(map->nr)) {
		/* Pairs with the one in fold_joined_since(). */
		smp_mb();
		fold_drop_copies(inode, 0, ULONG_MAX);
	}
	return err;
}

/* Returns the state that the file has got into. */
static unsigned int join_file(struct join *join, struct fold_querier *q)
{
	struct inode *inode = join->inode;
	struct fold_share *share = &FOLD_I(inode)->share;
	struct inode *lower = FOLD_I(inode)->lower;
	struct fold_map *map = &share->map;
	unsigned long pages = 0;
	int err;

	join->claims = 0;
	join->claimed = 0;
	join->again = true;
	if (!lower_is_settled(lower))
		return FOLDFS_STATE_REFUSED;
	join->again = false;
	if (!lower_is_fit(join))
		return FOLDFS_STATE_REFUSED;
	if (!READ_ONCE(map->nr) && unshared(inode))
		return FOLDFS_STATE_PRIVATE;
	if (opted_out(&join->lower))
		return FOLDFS_STATE_PRIVATE;
	err = fold_lease_take(inode, &join->lower);
	if (!err && fold_claim_begin(&join->claim, map))
		err = join_ranges(join, q, &pages);
	else
		join->again = !err || err == -EAGAIN || err == -ENOMEM;
	return err || pages || join->again ? FOLDFS_STATE_REFUSED :
					     FOLDFS_STATE_PRIVATE;
}

/* Until when a verdict is believed; share->lock is held. */
static void set_patience(struct fold_share *share, unsigned long patience)
{
	WRITE_ONCE(share->patience, patience);
	WRITE_ONCE(share->expires, jiffies + patience);
}

/* Has anybody the file open or mapped? Says yes in doubt. */
static bool in_use(struct inode *inode)
{
	struct address_space *mapping = FOLD_I(inode)->lower->i_mapping;
	bool mapped = true;

	if (atomic_read(&FOLD_I(inode)->share.files))
		return true;
	/* The kernel takes a VMA out of the tree while it grows. */
	if (i_mmap_trylock_read(mapping)) {
		mapped = mapping_mapped(mapping);
		i_mmap_unlock_read(mapping);
	}
	return mapped;
}

static bool is_stopping(struct inode *inode)
{
	return READ_ONCE(FOLD_SB(inode->i_sb)->share.stopping);
}

static void join_free(struct join *join)
{
	fold_query_job_exit(&join->job);
	mem_cgroup_put(join->memcg);
	path_put(&join->lower);
	iput(join->inode);
	kfree(join);
}

/* The job will come back; share->retry is set. */
static void join_later(struct join *join)
{
	unsigned long pause = RETRY_PAUSE << min(join->retries, 12U);

	pause = min_t(unsigned long, pause, RETRY_MAX_PAUSE);
	/* Those who failed together do not come back together. */
	pause += get_random_u32_below(pause + 1);
	join->retries++;
	fold_query_submit_later(&join->job, pause);
}

/* Has come back. Returns false if there is no use in another try. */
static bool join_resumed(struct join *join, struct fold_querier *q)
{
	struct fold_share *share = &FOLD_I(join->inode)->share;
	bool go = q && in_use(join->inode);

	spin_lock(&share->lock);
	share->retry = NULL;
	/* Another one that is on its way comes back itself if need be. */
	go &= !share->pending && !is_stopping(join->inode);
	if (go)
		WRITE_ONCE(share->pending, true);
	spin_unlock(&share->lock);
	return go;
}

static void join_run(struct fold_job *job, struct fold_querier *q)
{
	struct join *join = container_of(job, struct join, job);
	struct inode *inode = join->inode;
	struct fold_share *share = &FOLD_I(inode)->share;
	unsigned int state = FOLDFS_STATE_NEW;
	unsigned long had;
	bool later;

	if (READ_ONCE(share->retry) == job && !join_resumed(join, q)) {
		join_free(join);
		return;
	}
	had = READ_ONCE(share->map.nr);
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
	later = q && join->again && in_use(inode);
	spin_lock(&share->lock);
	if (state == FOLDFS_STATE_JOINED && READ_ONCE(share->map.nr) != had)
		set_patience(share, HZ);
	else
		set_patience(share, clamp(2 * share->patience,
					  (unsigned long)HZ / 4,
					  (unsigned long)JOIN_MAX_EXPIRY));
	WRITE_ONCE(share->state, state);
	WRITE_ONCE(share->pending, false);
	later &= !share->retry && !is_stopping(inode);
	if (later)
		share->retry = job;
	spin_unlock(&share->lock);
	wake_up_all(&share->wait);

	if (later)
		join_later(join);
	else
		join_free(join);
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

static struct join *join_new(struct inode *inode, const struct path *lower)
{
	struct join *join;

	/* Nobody is killed for the want of a join. */
	join = kzalloc(sizeof(*join), GFP_KERNEL_ACCOUNT | __GFP_NORETRY |
				      __GFP_NOWARN);
	if (!join)
		return NULL;
	if (fold_query_job_init(&join->job, inode->i_sb, join_run)) {
		kfree(join);
		return NULL;
	}
	ihold(inode);
	join->inode = inode;
	join->lower = *lower;
	path_get(&join->lower);
	join->memcg = get_mem_cgroup_from_mm(current->mm);
	INIT_LIST_HEAD(&join->claim.list);
	return join;
}

/*
 * Hands the job to the threads, or has it come later if too many of the user's
 * wait already. share->pending is set.
 */
static void join_start(struct join *join)
{
	struct fold_share *share = &FOLD_I(join->inode)->share;
	bool prompt = false, later;

	/* The job may be over, and the inode gone, once it is submitted. */
	spin_lock(&share->lock);
	WRITE_ONCE(share->wait_until, jiffies + JOIN_PATIENCE);
	spin_unlock(&share->lock);
	if (fold_query_submit(&join->job, &prompt)) {
		if (!prompt)
			WRITE_ONCE(share->wait_until, jiffies);
		return;
	}
	spin_lock(&share->lock);
	WRITE_ONCE(share->pending, false);
	WRITE_ONCE(share->state, FOLDFS_STATE_REFUSED);
	set_patience(share, HZ);
	later = !share->retry && !is_stopping(join->inode);
	if (later)
		share->retry = &join->job;
	spin_unlock(&share->lock);
	wake_up_all(&share->wait);
	if (later)
		join_later(join);
	else
		join_free(join);
}

/*
 * Waits for the join that is under way, but at most until it has taken as long
 * as one is waited for, and not again where it took longer once.
 */
static void wait_for_join(struct fold_inode *fi)
{
	struct fold_share *share = &fi->share;
	long left = READ_ONCE(share->wait_until) - jiffies;

	if (left <= 0 || left > JOIN_PATIENCE ||
	    (READ_ONCE(share->overdue) && !fold_test_join_eagerly))
		return;
	/* Nobody will ask an inode that is locked. */
	if (!inode_trylock_shared(fi->lower))
		return;
	inode_unlock_shared(fi->lower);
	fold_test_waited();
	if (!wait_event_killable_timeout(share->wait,
					 !READ_ONCE(share->pending), left))
		WRITE_ONCE(share->overdue, true);
}

/**
 * fold_join - let a file join
 * @inode: the upper inode
 * @lower: a path of its lower inode
 * @wait: wait for the answer, if nothing is known of the file yet
 *
 * Context: process context; with @wait no lock may be held, and the lower inode
 * may be asked for a block. Without, mmap locks may be held: it allocates and
 * queues, no more. All who wait for an inode wait half a second at most, once
 * for each inode, and not at all if nothing would come of it soon.
 */
void fold_join(struct inode *inode, const struct path *lower, bool wait)
{
	struct fold_inode *fi = FOLD_I(inode);
	struct fold_share *share = &fi->share;
	bool start = false, later = false, fresh, settled;
	struct join *join = NULL;

	settled = lower_is_settled(fi->lower);
	fresh = READ_ONCE(share->state) == FOLDFS_STATE_NEW ||
		fold_test_join_eagerly;
	/*
	 * Who would wait spares himself the threads, if he can. Who reads what
	 * is being written asks again by himself; a mapping may not.
	 */
	if (!READ_ONCE(share->pending) &&
	    (settled ? !(wait && unshared(inode)) :
		       !wait && !READ_ONCE(share->retry)))
		join = join_new(inode, lower);

	spin_lock(&share->lock);
	if (!share->pending) {
		if (join && !is_stopping(inode)) {
			start = settled;
			later = !settled && !share->retry;
		}
		if (start)
			WRITE_ONCE(share->pending, true);
		else
			/* Asked again soon if it is only being written. */
			WRITE_ONCE(share->state, settled ?
				   FOLDFS_STATE_PRIVATE : FOLDFS_STATE_REFUSED);
		if (later)
			share->retry = &join->job;
		if (!start)
			set_patience(share, clamp(2 * share->patience,
						  (unsigned long)HZ / 4,
						  (unsigned long)(settled ?
								  4 * HZ :
								  HZ)));
	}
	spin_unlock(&share->lock);

	if (start)
		join_start(join);
	else if (later)
		join_later(join);
	else if (join)
		join_free(join);
	if (wait && fresh)
		wait_for_join(fi);
}

/**
 * fold_join_hurry - a file is perhaps no longer in use
 * @inode: the upper inode
 *
 * A join that would come back later holds it: it comes now, to see.
 *
 * Context: process context.
 */
void fold_join_hurry(struct inode *inode)
{
	struct fold_share *share = &FOLD_I(inode)->share;

	if (likely(!READ_ONCE(share->retry)) || in_use(inode))
		return;
	spin_lock(&share->lock);
	if (share->retry)
		fold_query_hurry(share->retry);
	spin_unlock(&share->lock);
}
