/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel series that foldfs is tested on.
 */
#ifndef FOLDFS_COMPAT_SERIES_H
#define FOLDFS_COMPAT_SERIES_H

#include <linux/version.h>

#define FOLD_SERIES(major, patchlevel)					\
	(LINUX_VERSION_MAJOR == (major) && LINUX_VERSION_PATCHLEVEL == (patchlevel))

/* FOLDFS_UNTESTED=y on make's command line is for those who work on this. */
#if !FOLD_SERIES(6, 12) && !defined(FOLDFS_UNTESTED)
#error "foldfs is tested on Linux 6.12 only"
#endif

/* Everything else is taken for the newest series, 7.3. */
#if FOLD_SERIES(6, 12)
#define FOLD_LINUX_6_12
#endif

/*
 * Entries of operation tables whose prototypes have changed. FOLD_OP(function)
 * is what goes into the table. An older kernel gets a function around the one
 * with the newest kernel's prototype, made by FOLD_OP_<WHICH>(function) once
 * in the same file.
 */
#ifdef FOLD_LINUX_6_12
#define FOLD_OP(fn)	fn##_6_12
#else
#define FOLD_OP(fn)	fn
#endif

#endif
