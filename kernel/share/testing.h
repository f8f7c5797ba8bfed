/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only the test build has: joins that do not wait for old verdicts to
 * expire, and bugs that are switched on to see that the tests find them.
 */
#ifndef FOLDFS_TESTING_H
#define FOLDFS_TESTING_H

#include <linux/atomic.h>
#include <linux/types.h>

#ifdef FOLDFS_TEST
extern bool fold_test_join_eagerly;
extern bool fold_test_skip_break;
extern bool fold_test_break_one;
extern bool fold_test_drop_errno;
extern atomic_t fold_test_waits;
void fold_test_race(void);

static inline void fold_test_waited(void)
{
	atomic_inc(&fold_test_waits);
}

extern unsigned int fold_test_forge;
#else
#define fold_test_join_eagerly	false
#define fold_test_skip_break	false
#define fold_test_break_one	false
#define fold_test_drop_errno	false
#define fold_test_forge		0
static inline void fold_test_race(void)
{
}

static inline void fold_test_waited(void)
{
}
#endif

#endif
