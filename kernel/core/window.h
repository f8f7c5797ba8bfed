/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the test build a module parameter makes a race's window wide enough for a
 * test to hit it. In the real one there is neither.
 */
#ifndef FOLD_CORE_WINDOW_H
#define FOLD_CORE_WINDOW_H

#ifdef FOLDFS_TEST
#include <linux/delay.h>
#include <linux/moduleparam.h>
#endif

/**
 * fold_widen_window - sleep where a race's other side is to come in
 * @ms: the parameter, in milliseconds; 0 does nothing
 *
 * Context: may sleep.
 */
static inline void fold_widen_window(const unsigned int *ms)
{
#ifdef FOLDFS_TEST
	if (READ_ONCE(*ms))
		msleep(READ_ONCE(*ms));
#endif
}

#endif
