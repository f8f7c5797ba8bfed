/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages a file has, and what the tree needs of those who keep the pages.
 * tests/unit compiles tree.c in user space.
 */
#ifndef FOLDTMP_TREE_H
#define FOLDTMP_TREE_H

#include <linux/bits.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct ftmp_batch;

/* Pages of a batch, and slots of a node. */
#define FTMP_BITS	6
#define FTMP_BATCH	BIT(FTMP_BITS)

/*
 * A slot, an unsigned long, is one page: its batch's address and, in the low bits, which page
 * of it. Zero is a hole.
 */

/**
 * struct ftmp_node - a node of a file's tree
 * @refs: who refers to it: parents and roots, of any files. With more than one, on it
 *	or on a node above it, it is immutable
 * @level: 1: slots are pages; else nodes one level below; immutable
 * @made: pages made for this leaf, up to a few
 * @once: it had more than one reference, and what is below does not know yet: somebody
 *	may have pages of it in hand through another file
 * @used: slots that are not empty
 * @pages: pages below
 * @home: where this leaf's further pages are made; or NULL
 * @slot: children
 *
 * Changes under the map_sem of the one inode that it belongs to then.
 */
struct ftmp_node {
	refcount_t refs;
	u8 level;
	u8 made;
	bool once;
	u16 used;
	unsigned long pages;
	struct ftmp_batch *home;
	unsigned long slot[FTMP_BATCH];
};

#define FTMP_LEVELS	(BITS_PER_LONG / FTMP_BITS)

/**
 * struct ftmp_map - which pages a file has
 * @root: a node, or with no level, the slot of page 0
 * @levels: of nodes
 */
struct ftmp_map {
	unsigned long root;
	unsigned int levels;
};

/**
 * struct ftmp_path - from a root to a page, of one file alone
 * @node: nodes, the leaf first
 * @levels: how many
 * @slot: where the page's slot is
 */
struct ftmp_path {
	struct ftmp_node *node[FTMP_LEVELS + 1];
	unsigned int levels;
	unsigned long *slot;
};

/**
 * struct ftmp_drop - pages on their way out of the store
 * @batch: of them, with a reference to it for each page; NULL: none
 * @first: the first one
 * @nr: so many
 */
struct ftmp_drop {
	struct ftmp_batch *batch;
	unsigned int first;
	unsigned int nr;
};

/* store.c */
bool ftmp_page_sole(unsigned long slot);
void ftmp_page_get(unsigned long slot);
void ftmp_page_mark(unsigned long slot);
void ftmp_page_put(unsigned long slot, struct ftmp_drop *drop);
void ftmp_drop_end(struct ftmp_drop *drop);
void ftmp_batch_put(struct ftmp_batch *batch);

/* tree.c */
int ftmp_tree_cache_init(void);
void ftmp_tree_cache_exit(void);
unsigned long ftmp_map_find(const struct ftmp_map *map, pgoff_t index,
			    bool *alone);
void ftmp_map_ease(struct ftmp_map *map, pgoff_t index);
int ftmp_map_own(struct ftmp_map *map, pgoff_t index, struct ftmp_path *path,
		 struct ftmp_drop *drop);
unsigned long ftmp_map_put(struct ftmp_path *path, unsigned long slot);
void ftmp_map_clear(struct ftmp_map *map, pgoff_t first, pgoff_t last,
		    struct ftmp_drop *drop);
void ftmp_map_share(struct ftmp_map *dst, const struct ftmp_map *src);
unsigned long ftmp_map_pages(const struct ftmp_map *map);
unsigned long ftmp_map_next(const struct ftmp_map *map, pgoff_t *index,
			    pgoff_t last);
pgoff_t ftmp_map_next_hole(const struct ftmp_map *map, pgoff_t index,
			   pgoff_t last);

#endif
