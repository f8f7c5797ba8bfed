/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at one filesystem take turns.
 */
#ifndef FOLDFS_TURN_H
#define FOLDFS_TURN_H

#include <linux/list.h>

struct task_struct;

/**
 * struct fold_turn - somebody's turn; on his stack
 * @entry: among those whose turn it is
 * @task: whose
 * @place: of what
 * @since: when it began, jiffies
 */
struct fold_turn {
	struct list_head entry;
	struct task_struct *task;
	const void *place;
	unsigned long since;
};

void fold_turn_begin(struct fold_turn *turn, const void *place);
void fold_turn_end(struct fold_turn *turn);

#endif
