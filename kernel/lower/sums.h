/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checksums that Btrfs keeps of blocks.
 */
#ifndef FOLDFS_LOWER_SUMS_H
#define FOLDFS_LOWER_SUMS_H

#include <linux/types.h>

struct bio_vec;
struct file;

bool fold_btrfs_has_sums(struct file *root);
int fold_btrfs_verify(struct file *root, unsigned long phys,
		      const struct bio_vec *bvec, unsigned int nr);

#endif
