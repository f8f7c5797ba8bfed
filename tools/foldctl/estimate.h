/* SPDX-License-Identifier: GPL-2.0-only */
/* What foldctl estimate has found out, before it is printed. */
#ifndef ESTIMATE_H
#define ESTIMATE_H

#include <stdint.h>

#include "overlap.h"
#include "sorter.h"
#include "spill.h"
#include "walk.h"

/* Directories that are summed up each; what comes beyond is one line. */
#define ESTIMATE_GROUPS 65536
#define ESTIMATE_GROUP_NAMES (16 * 1024 * 1024)
#define ESTIMATE_DEPTH 64
#define ESTIMATE_TOP 1000

/*
 * The records that are sorted get so much memory. Two sorters live at a time, and
 * qsort(3) may take as much again for the moment: with what else there is, foldctl
 * stays below 64 MiB whatever the number of files.
 */
#define ESTIMATE_SORT_MEMORY (8 * 1024 * 1024)

/* A directory with what is below it. */
struct estimate_group {
	char *path;
	uint64_t files;
	uint64_t cached;	/* pages */
};

/* A file that stands for its copies. */
struct estimate_top {
	uint64_t file;
	struct overlap_sum sum;
};

struct estimate {
	struct walk walk;
	unsigned int depth;	/* of the directories that are summed up */
	unsigned int top;	/* lines of each table */

	struct spill_names names;
	struct sorter *files;
	struct sorter *events;
	struct sorter *sums;

	/* Number 0 is for what has no room. */
	struct estimate_group *group;
	struct overlap_group *part;
	uint32_t nr_groups;
	size_t group_names;	/* bytes of their names */
	uint32_t group_at[ESTIMATE_DEPTH + 1];	/* of the walk's path */

	struct overlap overlap;
	struct estimate_top *best;	/* sorted, best first */
	unsigned int nr_best;

	uint64_t nr_files;
	uint64_t size;		/* bytes of all files */
	uint64_t cached;	/* pages of all files */
	uint64_t unfit;		/* bytes that are shared, but not by foldfs */
	uint64_t hidden;	/* files whose cache the kernel does not tell */
};

/* 0, or -1 after it complained. estimate_free() in any case. */
int estimate_init(struct estimate *estimate);
void estimate_free(struct estimate *estimate);

/* Walks @path. 0, 1 after it complained about this path, or -1 about everything. */
int estimate_walk(struct estimate *estimate, const char *path);

/* Then looks at the files, and sums up. 0, or -1 after it complained. */
int estimate_files(struct estimate *estimate);
int estimate_sum(struct estimate *estimate);

#endif
