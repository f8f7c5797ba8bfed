/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SCHED_MM_H
#define UNIT_SCHED_MM_H

#define might_alloc(gfp)	BUG_ON(shim_no_alloc)

#endif
