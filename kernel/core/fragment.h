/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of fragments: runs of physical pages that files refer to.
 *
 * A fragment is an exact run. Two files that refer to the same run share the
 * fragment; runs that merely overlap are two fragments, whose pages are the
 * same all the same, since a page's place in the shared address space is its
 * physical address. A page may stay cached while any fragment covers it.
 *
 * Where clones have drifted apart very many fragments lie over one page. So no
 * question here is answered by going through them: the tree knows the greatest
 * end and the latest birth below each node, and who is mapped stands in a tree
 * of its own.
 */
#ifndef FOLD_CORE_FRAGMENT_H
#define FOLD_CORE_FRAGMENT_H

#include "kernel.h"

struct fold_extent;

/**
 * struct fold_fragment - a run of physical pages and those who refer to it
 * @rb: in the table's tree, by @start and then @last
 * @start: first physical page; immutable
 * @last: last physical page, inclusive; immutable
 * @below: of all fragments in the tree from @rb downwards, greatest @last and
 *	   @born
 * @tail_rb: in the table's tree of those with a @tail, by @last
 * @tail: bytes of the last page that belong to the files, 1..PAGE_SIZE-1, or
 *        0 if all of it does; immutable
 * @refs: number of extents on @sharers and @mapped
 * @sharers: the extents that refer to it and that nobody maps
 * @mapped: those that somebody may have mapped
 * @mapped_rb: in the table's tree of mapped fragments, if @mapped is not empty
 * @mapped_below: greatest @last below @mapped_rb
 * @seen: some sharer was seen to map the run on the disk, in a look that began
 *	  at this moment of the cache's clock and is over; 0 if none was
 * @born: when the references to one of the pages began that have not been
 *	  interrupted since, that of the youngest page or later
 *
 * All but the immutable fields are protected by the semaphore of the space
 * that the table belongs to, but for @seen: it may be moved on by whoever keeps
 * the fragment where it is, with that or with the lock of a map that refers to
 * it, and be read as a hint by whoever keeps one of the sharers. Who sets it back
 * by a race only has a look repeated.
 * The table owns the fragment while it has sharers.
 */
struct fold_fragment {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	struct {
		unsigned long last;
		u64 born;
	} below;
	struct rb_node tail_rb;
	unsigned int tail;
	unsigned int refs;
	struct list_head sharers;
	struct list_head mapped;
	struct rb_node mapped_rb;
	unsigned long mapped_below;
	u64 seen;
	u64 born;
};

/**
 * struct fold_table - fragments of one space
 * @tree: fragments by physical page
 * @tails: those with a tail, by their last page
 * @mapped: those that somebody may have mapped, by physical page
 * @fragments: how many there are; sysfs reads it without a lock
 * @references: sum of their references; as well
 */
struct fold_table {
	struct rb_root tree;
	struct rb_root tails;
	struct rb_root_cached mapped;
	unsigned long fragments;
	unsigned long references;
};

void fold_table_init(struct fold_table *table);
int fold_table_attach(struct fold_table *table, struct fold_extent *ext,
		      unsigned long start, unsigned int tail, u64 now,
		      struct fold_fragment **spare);
struct fold_fragment *fold_table_detach(struct fold_table *table,
					struct fold_extent *ext);
void fold_table_map(struct fold_table *table, struct fold_extent *ext);
void fold_table_unmap(struct fold_table *table, struct fold_extent *ext);
struct fold_fragment *fold_table_first(struct fold_table *table,
				       unsigned long start, unsigned long last);
struct fold_fragment *fold_table_next(struct fold_fragment *frag,
				      unsigned long start, unsigned long last);
struct fold_fragment *fold_table_behind(struct fold_table *table,
					unsigned long start,
					unsigned long last);
struct fold_fragment *fold_table_first_mapped(struct fold_table *table,
					      unsigned long start,
					      unsigned long last);
struct fold_fragment *fold_table_next_mapped(struct fold_fragment *frag,
					     unsigned long start,
					     unsigned long last);
struct fold_fragment *fold_table_widest(struct fold_table *table,
					unsigned long page);
bool fold_table_gap(struct fold_table *table, unsigned long *start,
		    unsigned long last, unsigned long *gap_last);
bool fold_table_covers(struct fold_table *table, unsigned long start,
		       unsigned long last);
u64 fold_table_born(struct fold_table *table, unsigned long start,
		    unsigned long last);
struct fold_extent *fold_fragment_sharer(struct fold_fragment *frag,
					 struct fold_extent *prev);
struct fold_extent *fold_table_source(struct fold_table *table,
				      unsigned long start, unsigned long last,
				      bool (*fit)(struct fold_extent *ext));

#endif
