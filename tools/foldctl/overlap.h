/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which blocks do files share, and how many of them hold each block in memory?
 *
 * Every range of blocks that a file maps, and every range that its page cache
 * holds, is told as two events: where it begins and where it ends. Events come in
 * the order of overlap_compare(), from a sorter. Nothing is kept for a range that
 * is open, so the memory does not depend on how many files share a block.
 */
#ifndef OVERLAP_H
#define OVERLAP_H

#include <stdint.h>

/* struct overlap_event::kind */
#define OVERLAP_END	1	/* the range ends here; otherwise it begins */
#define OVERLAP_MAPPED	2	/* a file maps the range */
#define OVERLAP_CACHED	4	/* the page cache of a file holds it */

/* All positions are in pages. */
struct overlap_event {
	uint64_t at;
	uint64_t end;		/* of the range */
	uint64_t file;		/* the caller's name for the file */
	uint32_t group;		/* index into struct overlap::group */
	uint16_t filesystem;	/* positions on different filesystems never meet */
	uint16_t kind;
};

/* What foldfs would hold once. */
struct overlap_sum {
	uint64_t cached;	/* pages held, all copies */
	uint64_t duplicates;	/* pages held beyond the first of each block */
	uint64_t saveable;	/* duplicates, if everything were cached */
	uint32_t copies;	/* greatest number of ranges on one block */
};

/* One file's share of the sums: a duplicate block is split evenly among its holders. */
struct overlap_group {
	double duplicates;
	double saveable;
};

struct overlap {
	struct overlap_group *group;
	/*
	 * Is told what the blocks of a run amount to. @file is one that maps the run,
	 * the one whose range reaches farthest; it stands for all of them, so clones
	 * of one file are summed up under one of them. 0, or -1 to stop.
	 */
	int (*run)(void *arg, uint64_t file, const struct overlap_sum *sum);
	void *arg;
	struct overlap_sum total;

	/* Own. */
	uint64_t at;
	uint64_t mapped, cached;		/* ranges that are open */
	double duplicates, saveable;		/* per holder of every block so far, summed up */
	uint64_t file, file_end;
	struct overlap_sum sum;
};

/* The order of events, for qsort(3). */
int overlap_compare(const void *a, const void *b);

/* Takes the next event. 0, or -1 if @run said so. */
int overlap_event(struct overlap *overlap, const struct overlap_event *event);

#endif
