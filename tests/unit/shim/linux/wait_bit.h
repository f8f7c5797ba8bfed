/* SPDX-License-Identifier: GPL-2.0-only */
/* In a single-threaded program nothing comes true while one waits. */
#ifndef UNIT_WAIT_BIT_H
#define UNIT_WAIT_BIT_H

#define wait_var_event(var, condition)	BUG_ON(!(condition))
#define wake_up_var(var)		do { } while (0)

#endif
