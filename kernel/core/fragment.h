/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of fragments: runs of physical pages that files refer to.
 *
 * A fragment is an exact run. Two files that refer to the same run share the
 * fragment; runs that merely overlap are two fragments, whose pages are the
 * same all the same, since a page's place in the shared address space is its
 * physical address. A page may stay cached while any fragment covers it.
 */
#ifndef FOLD_CORE_FRAGMENT_H
#define FOLD_CORE_FRAGMENT_H

#include "kernel.h"

struct fold_extent;

/**
 * struct fold_fragment - a run of physical pages and those who refer to it
 * @rb: in the table's tree
 * @start: first physical page; immutable
 * @last: last physical page, inclusive; immutable
 * @subtree_last: greatest @last below @rb
 * @tail: bytes of the last page that belong to the files, 1..PAGE_SIZE-1, or
 *        0 if all of it does; immutable
 * @refs: number of extents on @sharers
 * @sharers: the extents that refer to it
 * @seen_from: some sharer was seen to map the run on the disk, between this
 * @seen_to:   moment of the cache's clock and this one; 0 if none was
 *
 * All but the immutable fields are protected by the semaphore of the space
 * that the table belongs to. The table owns the fragment while it has sharers.
 */
struct fold_fragment {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	unsigned long subtree_last;
	unsigned int tail;
	unsigned int refs;
	struct list_head sharers;
	u64 seen_from;
	u64 seen_to;
};

/**
 * struct fold_table - fragments of one space
 * @tree: fragments by physical page
 * @fragments: how many there are; sysfs reads it without a lock
 * @references: sum of their references; as well
 */
struct fold_table {
	struct rb_root_cached tree;
	unsigned long fragments;
	unsigned long references;
};

void fold_table_init(struct fold_table *table);
int fold_table_attach(struct fold_table *table, struct fold_extent *ext,
		      unsigned long start, unsigned int tail,
		      struct fold_fragment **spare);
struct fold_fragment *fold_table_detach(struct fold_table *table,
					struct fold_extent *ext);
struct fold_fragment *fold_table_first(struct fold_table *table,
				       unsigned long start, unsigned long last);
struct fold_fragment *fold_table_next(struct fold_fragment *frag,
				      unsigned long start, unsigned long last);
bool fold_table_covers(struct fold_table *table, unsigned long start,
		       unsigned long last);
struct fold_extent *fold_table_source(struct fold_table *table,
				      unsigned long start, unsigned long last,
				      bool (*fit)(struct fold_extent *ext));

#endif
