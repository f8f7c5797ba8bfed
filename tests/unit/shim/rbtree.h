/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Augmented search trees without any balance: the kernel's calls, and what they
 * promise. A node of a list (see interval_tree.h) has the same type.
 */
#ifndef UNIT_RBTREE_H
#define UNIT_RBTREE_H

struct rb_node {
	struct rb_node *rb_left, *rb_right, *up;
	/* Of a sorted list. */
	struct rb_node *next;
	const void *root;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_node *first;
};

#define RB_ROOT		((struct rb_root){ NULL })
#define RB_ROOT_CACHED	((struct rb_root_cached){ NULL })

#define rb_parent(node)	((node)->up)

struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node);
};

#define RB_DECLARE_CALLBACKS(storage, name, type, rb, augmented, compute)    \
static void name##_propagate(struct rb_node *node)			     \
{									     \
	for (; node; node = node->up)					     \
		compute(container_of(node, type, rb), false);		     \
}									     \
									     \
storage const struct rb_augment_callbacks name = {			     \
	.propagate = name##_propagate,					     \
};

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	BUG_ON(*link);
	node->rb_left = NULL;
	node->rb_right = NULL;
	node->up = parent;
	*link = node;
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
}

/* The caller has seen to all above: nothing is moved that would show otherwise. */
static inline void rb_insert_augmented(struct rb_node *node,
				       struct rb_root *root,
				       const struct rb_augment_callbacks *calls)
{
}

static inline void shim_rb_replace(struct rb_node *old, struct rb_node *new,
				   struct rb_root *root)
{
	struct rb_node **link = &root->rb_node;

	if (old->up)
		link = old->up->rb_left == old ? &old->up->rb_left :
						 &old->up->rb_right;
	BUG_ON(*link != old);
	*link = new;
	if (new)
		new->up = old->up;
}

/* Returns the lowest node below which something is missing now. */
static inline struct rb_node *shim_rb_erase(struct rb_node *node,
					    struct rb_root *root)
{
	struct rb_node *next = node->rb_right, *from;

	if (!node->rb_left || !node->rb_right) {
		from = node->up;
		shim_rb_replace(node, node->rb_left ? node->rb_left :
						      node->rb_right, root);
		return from;
	}
	while (next->rb_left)
		next = next->rb_left;
	from = next->up == node ? next : next->up;
	shim_rb_replace(next, next->rb_right, root);
	next->rb_left = node->rb_left;
	next->rb_right = node->rb_right;
	next->rb_left->up = next;
	if (next->rb_right)
		next->rb_right->up = next;
	shim_rb_replace(node, next, root);
	return from;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	shim_rb_erase(node, root);
}

static inline void rb_erase_augmented(struct rb_node *node,
				      struct rb_root *root,
				      const struct rb_augment_callbacks *calls)
{
	struct rb_node *from = shim_rb_erase(node, root);

	if (from)
		calls->propagate(from);
}

#endif
