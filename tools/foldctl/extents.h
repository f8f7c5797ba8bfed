/* SPDX-License-Identifier: GPL-2.0-only */
/* The blocks of a file that other files may share. */
#ifndef EXTENTS_H
#define EXTENTS_H

#include <stdint.h>

/* In pages. */
struct extent {
	uint64_t logical;	/* in the file */
	uint64_t physical;	/* on the filesystem */
	uint64_t length;
};

/*
 * Calls @found for each run of @fd's first @pages pages that is shared on the disk and
 * that foldfs could share in memory: written, not compressed, aligned to pages. Data
 * that is not on the disk yet is not counted, and not written out either.
 * Adds the bytes that are shared, but not so, to *@unfit.
 * 0, or -1 if @found said so or FIEMAP failed.
 */
int extents_shared(int fd, uint64_t pages,
		   int (*found)(void *arg, const struct extent *extent), void *arg,
		   uint64_t *unfit);

#endif
