// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a join proves before a file meets others on the same blocks.
 *
 * A lease keeps the bytes of a file, but not the blocks under them: FIDEDUPERANGE
 * asks no lease, as it changes no bytes, and needs no descriptor for writing.
 * It leaves foldfs believing in blocks that the file no longer holds. For that
 * file nothing is wrong, its bytes are the same; but the next one who gets these
 * blocks must not meet it there. So of those who refer to a page one is asked
 * again for his extents when somebody new comes, and then the newcomer himself
 * (see core/claim.c for why this order, and why one is enough). Who is found
 * elsewhere loses his references, and may join again where he is.
 *
 * Each look is at one file, and serves for all of its extents and for all who
 * want to know.
 *
 * With the module's parameter "verify" the bytes are compared as well. That is
 * for those who trust neither the disk nor the lower filesystem's answers; it
 * reads both files.
 */
#include <linux/fiemap.h>
#include <linux/highmem.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>

#include "../core/claim.h"
#include "upper.h"
#include "testing.h"

/*
 * Who joins at the same time may be met only when a claim is committed, and is
 * looked at then. That happens once for a page, but to different pages.
 */
#define PROOF_ROUNDS	8

static bool verify;
module_param(verify, bool, 0644);
MODULE_PARM_DESC(verify, "compare the bytes of files before they share a page: slow");

/* With @verify, joins take turns: nobody is there whom nobody has compared. */
static DEFINE_MUTEX(verify_mutex);

/* Whole pages that lie together in the file and on the disk. */
struct run {
	u64 pos;
	u64 phys;
	u64 len;
};

typedef void (*run_fn)(const struct run *run, void *arg);

static void run_end(struct run *run, run_fn fn, void *arg)
{
	if (run->len)
		fn(run, arg);
	run->len = 0;
}

/*
 * The runs of a file from @start to @end; of one answer only if @reached, which is
 * set to where that ends.
 */
static int walk_runs(struct fold_querier *q, struct inode *inode, u64 start,
		     u64 end, u64 *reached, run_fn fn, void *arg)
{
	u64 from;
	const struct fiemap_extent *fe;
	struct run run = { };
	unsigned int nr, i;
	bool last = false;
	int err = 0;

	while (!last && start < end) {
		err = fold_look(q, inode, start, end - start, true, &fe, &nr,
				&last);
		if (err || !nr)
			break;
		for (i = 0; i < nr; i++, fe++) {
			start = fe->fe_logical + fe->fe_length;
			if (fe->fe_flags & FOLD_UNFIT) {
				run_end(&run, fn, arg);
				continue;
			}
			from = run.pos + run.len;
			if (!run.len || fe->fe_logical != from ||
			    fe->fe_physical != run.phys + run.len) {
				run_end(&run, fn, arg);
				run.pos = fe->fe_logical;
				run.phys = fe->fe_physical;
			}
			run.len += fe->fe_length;
		}
		if (reached) {
			*reached = last ? end : start;
			break;
		}
	}
	run_end(&run, fn, arg);
	return err;
}

/* In pages; a part of one at the end of a file counts as one. */
static bool run_pages(const struct run *run, unsigned long *index,
		      unsigned long *nr, unsigned long *phys)
{
	u64 skip = -run->pos & ~PAGE_MASK;

	if ((run->pos ^ run->phys) & ~PAGE_MASK || run->len <= skip)
		return false;
	*index = (run->pos + skip) >> PAGE_SHIFT;
	*phys = (run->phys + skip) >> PAGE_SHIFT;
	*nr = DIV_ROUND_UP_ULL(run->len - skip, PAGE_SIZE);
	return true;
}

struct sighting {
	const struct fold_meeting *meeting;
	u64 from;
};

/* The answer is complete by now, so the look is over. */
static void sharer_seen(const struct run *run, void *arg)
{
	struct sighting *sighting = arg;
	unsigned long index, nr, phys;

	if (run_pages(run, &index, &nr, &phys))
		fold_map_seen(sighting->meeting, index, nr, phys,
			      sighting->from);
}

static void claimer_seen(const struct run *run, void *arg)
{
	unsigned long index, nr, phys;

	if (run_pages(run, &index, &nr, &phys))
		fold_claim_seen(arg, index, nr, phys);
}

static struct inode *map_inode(struct fold_map *map)
{
	struct fold_share *share = container_of(map, struct fold_share, map);

	return &container_of(share, struct fold_inode, share)->vfs_inode;
}

/* Believed in blocks that it does not hold. */
static void end_sharing(struct inode *inode)
{
	fold_change_begin(inode, 0, LLONG_MAX);
	fold_change_end(inode);
}

/*
 * Looks at a sharer, if that is possible. Nobody's lock is waited for on behalf of
 * another, but for the blink between try and query.
 */
static void look_at_sharer(const struct fold_meeting *meeting,
			   struct fold_querier *q)
{
	struct inode *inode = map_inode(meeting->map);
	struct inode *lower = FOLD_I(inode)->lower;
	struct sighting sighting = { .meeting = meeting };
	u64 at = (u64)meeting->from << PAGE_SHIFT;
	u64 pos = (u64)meeting->index << PAGE_SHIFT;
	u64 size = i_size_read(lower), reached;

	if (!inode_trylock_shared(lower))
		return;
	inode_unlock_shared(lower);
	sighting.from = fold_clock(meeting->map->cache);
	for (;;) {
		reached = size;
		if (walk_runs(q, inode, at, size, &reached, sharer_seen,
			      &sighting))
			return;
		/* What lies in front may be more than one answer has room for. */
		if (at == pos ||
		    reached >= min(size, pos + ((u64)meeting->nr << PAGE_SHIFT)))
			break;
		at = pos;
	}
	if (fold_meeting_stale(meeting, sighting.from))
		end_sharing(inode);
}

static int prove(struct fold_claim *claim, struct inode *inode,
		 struct fold_querier *q)
{
	struct fold_map *map = &FOLD_I(inode)->share.map;
	unsigned long first, last;
	struct fold_meeting meeting;
	int err;

	while (fold_claim_meets(claim, map, &meeting)) {
		look_at_sharer(&meeting, q);
		fold_let_go(meeting.map);
		cond_resched();
	}
	if (!fold_claim_look_again(claim, map, &first, &last))
		return 0;
	err = walk_runs(q, inode, (u64)first << PAGE_SHIFT,
			min_t(u64, ((u64)last + 1) << PAGE_SHIFT,
			      i_size_read(FOLD_I(inode)->lower)), NULL,
			claimer_seen, claim);
	fold_claim_looked_again(claim);
	return err;
}

/* The page of a lower file, or NULL. The caller puts it. */
static struct folio *lower_page(struct inode *lower, unsigned long index)
{
	struct folio *folio;

	filemap_invalidate_lock_shared(lower->i_mapping);
	folio = read_mapping_folio(lower->i_mapping, index, NULL);
	filemap_invalidate_unlock_shared(lower->i_mapping);
	return IS_ERR(folio) ? NULL : folio;
}

static bool same_page(struct inode *a, unsigned long at_a, struct inode *b,
		      unsigned long at_b)
{
	struct folio *fa = lower_page(a, at_a), *fb = lower_page(b, at_b);
	bool same = false;
	void *pa, *pb;

	if (fa && fb) {
		pa = kmap_local_page(folio_file_page(fa, at_a));
		pb = kmap_local_page(folio_file_page(fb, at_b));
		same = !memcmp(pa, pb, PAGE_SIZE);
		kunmap_local(pb);
		kunmap_local(pa);
	}
	if (fa)
		folio_put(fa);
	if (fb)
		folio_put(fb);
	return same;
}

static bool same_bytes(struct inode *a, unsigned long at_a, struct inode *b,
		       unsigned long at_b, unsigned long nr)
{
	unsigned long i;
	bool same = true;

	for (i = 0; i < nr && same; i++) {
		same = same_page(a, at_a + i, b, at_b + i);
		cond_resched();
	}
	/* Copies of what is cached once. */
	invalidate_mapping_pages(a->i_mapping, at_a, at_a + nr - 1);
	invalidate_mapping_pages(b->i_mapping, at_b, at_b + nr - 1);
	return same;
}

/* Compares everything that the claim would meet; forgets what differs. */
static void compare(struct fold_claim *claim, struct inode *inode)
{
	struct fold_map *map = &FOLD_I(inode)->share.map;
	struct fold_meeting meeting;
	struct inode *other;
	unsigned long index;
	unsigned int n = 0;

	while (fold_claim_overlap(claim, map, n, &index, &meeting)) {
		other = map_inode(meeting.map);
		if (same_bytes(FOLD_I(inode)->lower, index,
			       FOLD_I(other)->lower, meeting.index,
			       meeting.nr)) {
			n++;
		} else {
			pr_err_ratelimited("foldfs: inodes %llu and %llu are said to share blocks, but their bytes differ\n",
					   (u64)inode->i_ino,
					   (u64)other->i_ino);
			end_sharing(other);
			fold_claim_forget(claim, index);
			n = 0;
		}
		fold_let_go(meeting.map);
		if (fatal_signal_pending(current))
			break;
	}
}

/**
 * fold_prove - prove a file's claims, and commit what is proved
 * @claim: the file's claims; empty afterwards
 * @inode: the upper inode
 * @q: of this thread
 * @again: set if something was left out that another try may bring
 *
 * Context: a query thread, no locks held; may read if "verify" is set.
 * Return: number of pages that the file now refers to by this claim.
 */
unsigned long fold_prove(struct fold_claim *claim, struct inode *inode,
			 struct fold_querier *q, bool *again)
{
	struct fold_map *map = &FOLD_I(inode)->share.map;
	bool compared = READ_ONCE(verify);
	unsigned long pages = 0, left;
	int rounds = 0, err = 0;

	if (compared)
		mutex_lock(&verify_mutex);
	while (!err && !list_empty(&claim->list) && rounds++ < PROOF_ROUNDS) {
		err = prove(claim, inode, q);
		if (compared && !err)
			compare(claim, inode);
		if (!err)
			pages += fold_claim_commit(claim, map, inode->i_ino);
	}
	if (compared)
		mutex_unlock(&verify_mutex);
	left = fold_claim_end(claim);
	*again = err || left || claim->given_up;
	fold_stat_add(map->stats, FOLD_STAT_FALLBACKS, left);
	return pages;
}
