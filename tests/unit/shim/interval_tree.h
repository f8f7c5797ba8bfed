/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * INTERVAL_TREE_DEFINE() over a sorted list: the order and the results of the
 * kernel's tree, by walking everything. Where that augments a search tree with
 * a greatest end, this one writes a value that no code may rely on.
 */
#ifndef UNIT_INTERVAL_TREE_H
#define UNIT_INTERVAL_TREE_H

#include "rbtree.h"

/* The one in front of a node, in the order of the list; or NULL. */
static inline struct rb_node *rb_prev(const struct rb_node *node)
{
	const struct rb_root_cached *root = node->root;
	struct rb_node *prev = NULL, *at;

	for (at = root->first; at != node; at = at->next)
		prev = at;
	return prev;
}

#define INTERVAL_TREE_DEFINE(type, rb, keytype, subtree, first_of, last_of,  \
			     storage, prefix)				     \
storage void prefix##_insert(type *node, struct rb_root_cached *root)	     \
{									     \
	struct rb_node **link = &root->first;				     \
									     \
	BUG_ON(first_of(node) > last_of(node));				     \
	/* Equal ones stay in the order in which they came. */		     \
	while (*link && first_of(container_of(*link, type, rb)) <=	     \
			first_of(node)) {				     \
		BUG_ON(*link == &node->rb);				     \
		link = &(*link)->next;					     \
	}								     \
	node->rb.next = *link;						     \
	node->rb.root = root;						     \
	node->subtree = (keytype)0xdeadUL;				     \
	*link = &node->rb;						     \
}									     \
									     \
storage void prefix##_remove(type *node, struct rb_root_cached *root)	     \
{									     \
	struct rb_node **link = &root->first;				     \
									     \
	while (*link && *link != &node->rb)				     \
		link = &(*link)->next;					     \
	BUG_ON(!*link);							     \
	*link = node->rb.next;						     \
	node->rb.next = NULL;						     \
	node->rb.root = NULL;						     \
}									     \
									     \
static type *prefix##_walk(struct rb_node *rb, keytype start, keytype last)   \
{									     \
	type *node;							     \
									     \
	for (; rb; rb = rb->next) {					     \
		node = container_of(rb, type, rb);			     \
		if (first_of(node) > last)				     \
			return NULL;					     \
		if (last_of(node) >= start)				     \
			return node;					     \
	}								     \
	return NULL;							     \
}									     \
									     \
storage type *prefix##_iter_first(struct rb_root_cached *root, keytype start, \
				  keytype last)				     \
{									     \
	BUG_ON(start > last);						     \
	return prefix##_walk(root->first, start, last);			     \
}									     \
									     \
storage type *prefix##_iter_next(type *node, keytype start, keytype last)    \
{									     \
	BUG_ON(start > last || !node->rb.root);				     \
	return prefix##_walk(node->rb.next, start, last);		     \
}

#endif
