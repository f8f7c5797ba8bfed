// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings are mappings of the lower file.
 */
#include <linux/backing-file.h>
#include <linux/mm.h>

#include "foldfs.h"

/**
 * fold_mmap - map a regular file
 * @file: the upper file
 * @vma: the new mapping
 *
 * Context: mmap_lock held for writing.
 * Return: 0 or a negative errno.
 */
int fold_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct backing_file_ctx ctx = {
		.cred = current_cred(),
		.user_file = file,
		.accessed = fold_accessed,
	};

	return backing_file_mmap(fold_lower_file(file), vma, &ctx);
}
