// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters of the test build's module.
 */
#include <linux/moduleparam.h>

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
