// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sweep over the blocks of a disk.
 *
 * Between two events the number of files that map a block (m) and of caches that
 * hold it (c) stay the same. There m - 1 pages could be saved, and c - 1 are held
 * for nothing. Each holder's even part of them, (c - 1) / c a page, is summed up
 * along the way; what a range gets is the difference of that sum between its end
 * and its beginning. So groups get their parts without a list of who is open.
 */
#include <string.h>

#include "overlap.h"

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int overlap_compare(const void *a, const void *b)
{
	const struct overlap_event *x = a, *y = b;
	int result = order(x->filesystem, y->filesystem);

	if (!result)
		result = order(x->at, y->at);
	/* Ends first: a run is closed before the next one is opened. */
	if (!result)
		result = order(y->kind & OVERLAP_END, x->kind & OVERLAP_END);
	if (!result)
		result = order(x->file, y->file);
	return result;
}

static int end_run(struct overlap *overlap)
{
	struct overlap_sum sum = overlap->sum;

	memset(&overlap->sum, 0, sizeof(overlap->sum));
	if (!sum.saveable && !sum.duplicates)
		return 0;
	overlap->total.cached += sum.cached;
	overlap->total.duplicates += sum.duplicates;
	overlap->total.saveable += sum.saveable;
	if (sum.copies > overlap->total.copies)
		overlap->total.copies = sum.copies;
	return overlap->run(overlap->arg, overlap->file, &sum);
}

/* Accounts for the blocks since the last event. */
static void advance(struct overlap *overlap, uint64_t at)
{
	uint64_t pages = at - overlap->at;

	overlap->at = at;
	if (overlap->cached) {
		if (overlap->mapped > 1)
			overlap->sum.cached += overlap->cached * pages;
		overlap->sum.duplicates += (overlap->cached - 1) * pages;
		overlap->duplicates += (overlap->cached - 1.0) / overlap->cached * pages;
	}
	if (overlap->mapped) {
		overlap->sum.saveable += (overlap->mapped - 1) * pages;
		overlap->saveable += (overlap->mapped - 1.0) / overlap->mapped * pages;
		if (pages && overlap->mapped > overlap->sum.copies)
			overlap->sum.copies = overlap->mapped;
	}
}

int overlap_event(struct overlap *overlap, const struct overlap_event *event)
{
	struct overlap_group *group = &overlap->group[event->group];

	/* Nothing is open where the filesystem changes, and positions start anew. */
	if (!overlap->mapped && !overlap->cached)
		overlap->at = event->at;
	advance(overlap, event->at);

	if (event->kind & OVERLAP_END) {
		if (event->kind & OVERLAP_CACHED) {
			group->duplicates += overlap->duplicates;
			overlap->cached--;
		}
		if (event->kind & OVERLAP_MAPPED) {
			group->saveable += overlap->saveable;
			overlap->mapped--;
		}
		if (overlap->mapped)
			return 0;
		overlap->file_end = 0;
		return end_run(overlap);
	}

	if (event->kind & OVERLAP_CACHED) {
		group->duplicates -= overlap->duplicates;
		overlap->cached++;
	}
	if (event->kind & OVERLAP_MAPPED) {
		group->saveable -= overlap->saveable;
		overlap->mapped++;
		/*
		 * Whatever reaches farthest is open as long as anything is, so one
		 * file is enough to remember. Its clones reach as far and change
		 * nothing.
		 */
		if (event->end > overlap->file_end) {
			if (overlap->file_end && overlap->file != event->file &&
			    end_run(overlap))
				return -1;
			overlap->file = event->file;
			overlap->file_end = event->end;
		}
	}
	return 0;
}
