/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels that foldfs is tested on. Nothing outside of
 * this folder knows of them.
 *
 * Where an interface changed inside one stable series, the type of what the
 * headers declare decides, at compile time, and not the version.
 */
#ifndef FOLDFS_COMPAT_H
#define FOLDFS_COMPAT_H

#include <linux/backing-file.h>
#include <linux/pgtable.h>
#include <linux/version.h>

#if !defined(FOLDFS_UNTESTED) && \
	(LINUX_VERSION_MAJOR != 6 || LINUX_VERSION_PATCHLEVEL != 12)
#error "foldfs is tested on Linux 6.12 only"
#endif

/* backing_file_open() where the user's file, not its path, is to be handed in. */
#define BACKING_OPEN_BY_FILE						\
	struct file *(const struct file *, int, const struct path *,	\
		      const struct cred *)

/**
 * fold_backing_file_open - open a file on behalf of one that the user opened
 * @user_file: what the user opened
 * @flags: flags for the new file
 * @path: what to open
 * @cred: the new file's credentials
 *
 * Return: the file or an error pointer.
 */
static inline struct file *fold_backing_file_open(const struct file *user_file,
						  int flags,
						  const struct path *path,
						  const struct cred *cred)
{
	const void *user;

	if (__builtin_types_compatible_p(typeof(backing_file_open),
					 BACKING_OPEN_BY_FILE))
		user = user_file;
	else
		user = &user_file->f_path;
	return backing_file_open(user, flags, path, cred);
}

/**
 * fold_pte_clear_young - was a page used through this entry since the last time
 * @vma: the mapping
 * @addr: the user address
 * @pte: the present entry of it, its table locked
 *
 * x86 does not export its ptep_test_and_clear_young().
 *
 * Return: true if it was.
 */
static inline bool fold_pte_clear_young(struct vm_area_struct *vma,
					unsigned long addr, pte_t *pte)
{
#ifdef CONFIG_X86
	return pte_young(ptep_get(pte)) &&
	       test_and_clear_bit(_PAGE_BIT_ACCESSED,
				  (unsigned long *)&pte->pte);
#else
	return ptep_test_and_clear_young(vma, addr, pte);
#endif
}

#endif
