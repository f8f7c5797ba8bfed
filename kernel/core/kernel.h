/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that the pure data structures (share map, fragment table) take
 * from the kernel. The unit tests put a header of the same name in front of
 * this one and compile the same sources in user space.
 */
#ifndef FOLD_CORE_KERNEL_H
#define FOLD_CORE_KERNEL_H

#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/interval_tree_generic.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rbtree_augmented.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#endif
