// SPDX-License-Identifier: GPL-2.0-only
/*
 * A look at where a file's blocks are.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "upper.h"
#include "testing.h"

/* What a test plants: all files lie at the same blocks. */
static void forge(const struct fiemap_extent *out, unsigned int nr)
{
	/* They are in memory of the query thread's own. */
	struct fiemap_extent *fe = (struct fiemap_extent *)out;

	for (; nr; nr--, fe++) {
		fe->fe_physical = (1ULL << 30) + fe->fe_logical;
		fe->fe_flags |= FIEMAP_EXTENT_SHARED;
	}
}

/**
 * fold_look - ask a file for its extents
 * @q: of this thread
 * @inode: the upper inode, held, and its superblock as well
 * @start: first byte of the range
 * @len: of the range, bytes, not zero
 * @again: not the first look at a file that wants to join: such a one, which has
 *	   its lease and nothing dirty, is waited for until its extents are settled
 * @out: set to the extents, in memory of this thread's own, valid until its next
 *	look. They ascend and do not overlap; the first may begin before the range,
 *	and the last end after it. One without any of FOLD_UNFIT has an fe_physical
 *	that names its bytes: two files of the lower filesystem that have the same one
 *	at the same moment have the same bytes
 * @nr: set to their number
 * @last: set when there are no more in the range; else ask again from the end
 *	of the last one
 *
 * Context: a query thread, with none of the lower inode's locks held. May wait for
 * the lower inode's lock if somebody takes it just now, and for what is being
 * written to it.
 * Return: 0; -EAGAIN if somebody has the lower inode locked; or another error of
 * the lower filesystem's.
 */
int fold_look(struct fold_querier *q, struct inode *inode, u64 start, u64 len,
	      bool again, const struct fiemap_extent **out, unsigned int *nr,
	      bool *last)
{
	struct fold_sb *fsb = FOLD_SB(inode->i_sb);
	struct fold_lower_query ask = {
		.q	= q,
		.inode	= fold_lower_inode(inode),
		.settle	= !again,
		.start	= start,
		.len	= len,
	};
	int err = fsb->type->extents(&ask, out, nr, last);

	if (!err && fold_test_forge >= (again ? 2 : 1))
		forge(*out, *nr);
	return err;
}
