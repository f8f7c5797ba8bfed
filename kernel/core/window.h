/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the test build a module parameter makes a race's window wide enough for a
 * test to hit it. In the real one there is neither.
 */
#ifndef FOLD_CORE_WINDOW_H
#define FOLD_CORE_WINDOW_H

/**
 * FOLD_TEST_WINDOW - define widen_window(), for one file
 * @param: the parameter to be made, in milliseconds; 0 does nothing
 * @desc: what it does
 *
 * widen_window() sleeps so long, where the race's other side is to come in.
 */
#ifdef FOLDFS_TEST
#include <linux/delay.h>
#include <linux/moduleparam.h>

#define FOLD_TEST_WINDOW(param, desc)		\
	static unsigned int param;		\
	module_param(param, uint, 0644);	\
	MODULE_PARM_DESC(param, desc);		\
	static void widen_window(void)		\
	{					\
		if (READ_ONCE(param))		\
			msleep(READ_ONCE(param));	\
	}
#else
#define FOLD_TEST_WINDOW(param, desc)		\
	static inline void widen_window(void)	\
	{					\
	}
#endif

#endif
