/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels that foldfs is tested on. Nothing outside of
 * this folder knows of them: the rest is written for the newest kernel, and here
 * stands how an older one does the same.
 *
 *	names.h		operations on names, delegations
 *	attributes.h	inodes, their attributes, superblocks, timers, workqueues
 *	files.h		lower files: opening, mapping, splicing them
 *	pages.h		page cache, page tables, VMAs
 *
 * Where an interface changed inside one stable series, the type of what the
 * headers declare decides, at compile time, and not the version.
 */
#ifndef FOLDFS_COMPAT_H
#define FOLDFS_COMPAT_H

#include "series.h"
#include "attributes.h"
#include "files.h"
#include "names.h"
#include "pages.h"

#endif
