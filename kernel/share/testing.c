// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters of the test build's module.
 */
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "testing.h"

bool fold_test_join_eagerly;
module_param_named(join_eagerly, fold_test_join_eagerly, bool, 0644);
MODULE_PARM_DESC(join_eagerly, "let every read of a private file join it");

bool fold_test_skip_break;
module_param_named(skip_break, fold_test_skip_break, bool, 0644);
MODULE_PARM_DESC(skip_break, "planted bug: changes end no sharing");

bool fold_test_break_one;
module_param_named(break_one, fold_test_break_one, bool, 0644);
MODULE_PARM_DESC(break_one, "planted bug: of a longer range, only the first page stops to be shared");

bool fold_test_drop_errno;
module_param_named(drop_errno, fold_test_drop_errno, bool, 0644);
MODULE_PARM_DESC(drop_errno, "planted bug: setting an extended attribute never fails");

/* How often a reader has waited for a join. */
atomic_t fold_test_waits = ATOMIC_INIT(0);

static int waits_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&fold_test_waits));
}

static const struct kernel_param_ops waits_ops = { .get = waits_get };
module_param_cb(waits, &waits_ops, NULL, 0444);
MODULE_PARM_DESC(waits, "how often a reader has waited for a join");

static bool race;
module_param(race, bool, 0644);
MODULE_PARM_DESC(race, "planted bug: reads of shared pages are counted without a lock");

/**
 * fold_test_race - a shared page is about to be read: what KCSAN has to find
 *
 * Context: any.
 */
noinline void fold_test_race(void)
{
	static unsigned long reads;

	if (READ_ONCE(race))
		reads++;
}

unsigned int fold_test_forge;
module_param_named(forge, fold_test_forge, uint, 0644);
MODULE_PARM_DESC(forge, "extents lie, all at the same blocks: 1 when a file asks to join, 2 always");
