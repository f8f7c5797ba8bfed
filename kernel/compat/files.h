/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lower files: how they are opened, mapped and spliced.
 *
 * A lower file is mapped by ->mmap_prepare on the newest kernel, by ->mmap before:
 * fold_has_mmap() says whether by what we know, fold_lower_mmap_prepare() does
 * it, and fold_set_mmap_prepare() puts our function in its place, around which
 * FOLD_OP_MMAP_PREPARE() makes one with the older prototype.
 */
#ifndef FOLDFS_COMPAT_FILES_H
#define FOLDFS_COMPAT_FILES_H

#include <linux/backing-file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>

#include "series.h"

/* files.c */
int fold_files_init(void);
void fold_files_exit(void);
struct file *fold_open_backing(struct file *user_file, int flags,
			       const struct path *path,
			       const struct cred *cred);
struct file *fold_open_quietly(const struct path *path, int flags,
			       const struct cred *cred);

/*
 * May a lower file be opened when its upper one has been used already? The newest
 * kernel wants to change that one's mode for the moment: see files.c.
 */
#ifdef FOLD_LINUX_6_12
#define FOLD_OPENS_LATE	1
#else
#define FOLD_OPENS_LATE	0
#endif

#ifdef FOLD_LINUX_6_12

/* A VMA on its way to be mapped, as far as ->mmap_prepare looks at it here. */
struct vm_area_desc {
	struct file *file;
	const struct vm_operations_struct *vm_ops;
	struct vm_area_struct *vma;
};

static inline bool fold_has_mmap(const struct file_operations *fops)
{
	return fops->mmap;
}

static inline int fold_lower_mmap_prepare(const struct file_operations *fops,
					  struct vm_area_desc *desc)
{
	int err = fops->mmap(desc->file, desc->vma);

	desc->vm_ops = desc->vma->vm_ops;
	return err;
}

/* No file of the lower filesystem's is collapsed. */
static inline void fold_mmap_not_huge(struct vm_area_desc *desc)
{
}

#define FOLD_OP_MMAP_PREPARE(fn)					\
static int fn##_6_12(struct file *file, struct vm_area_struct *vma)	\
{									\
	struct vm_area_desc desc = { .file = file, .vma = vma };	\
	int err = fn(&desc);						\
									\
	vma->vm_ops = desc.vm_ops;					\
	return err;							\
}

#define fold_set_mmap_prepare(fops, fn)	((fops)->mmap = fn##_6_12)

/* A file that may have a descriptor. No watcher hears of it. */
static inline struct file *fold_open_plain(const struct path *path, int flags,
					   const struct cred *cred)
{
	return dentry_open(path, flags | __FMODE_NONOTIFY, cred);
}

/* Its pages are accounted for when they come, not now. */
static inline struct file *fold_shmem_file(struct vfsmount *mnt,
					   const char *name, loff_t size)
{
	return shmem_file_setup_with_mnt(mnt, name, size, VM_NORESERVE);
}

static inline struct backing_file_ctx fold_backing_ctx(struct file *file)
{
	return (struct backing_file_ctx) {
		.cred = file->f_cred,
		.user_file = file,
	};
}

static inline ssize_t
fold_backing_splice_read(struct file *lower, struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags, struct backing_file_ctx *ctx)
{
	return backing_file_splice_read(lower, ppos, pipe, len, flags, ctx);
}

#else /* newest */

/* Both at once would be a bug, and XFS and Btrfs have no ->mmap any more. */
static inline bool fold_has_mmap(const struct file_operations *fops)
{
	return fops->mmap_prepare;
}

static inline int fold_lower_mmap_prepare(const struct file_operations *fops,
					  struct vm_area_desc *desc)
{
	return fops->mmap_prepare(desc);
}

/*
 * As after madvise(MADV_NOHUGEPAGE), which the user can take back: khugepaged would
 * read all of the lower file around one page of it, a copy of what is shared.
 */
static inline void fold_mmap_not_huge(struct vm_area_desc *desc)
{
	vma_desc_set_flags(desc, VMA_NOHUGEPAGE_BIT);
}

#define FOLD_OP_MMAP_PREPARE(fn)
#define fold_set_mmap_prepare(fops, fn)	((fops)->mmap_prepare = (fn))

/* Only a backing file can be made quiet by a module, and that gets no descriptor. */
static inline struct file *fold_open_plain(const struct path *path, int flags,
					   const struct cred *cred)
{
	return dentry_open(path, flags, cred);
}

static inline struct file *fold_shmem_file(struct vfsmount *mnt,
					   const char *name, loff_t size)
{
	return shmem_file_setup_with_mnt(mnt, name, size,
					 mk_vma_flags(VMA_NORESERVE_BIT));
}

static inline struct backing_file_ctx fold_backing_ctx(struct file *file)
{
	return (struct backing_file_ctx) { .cred = file->f_cred };
}

static inline ssize_t
fold_backing_splice_read(struct file *lower, struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags, struct backing_file_ctx *ctx)
{
	struct kiocb iocb;
	ssize_t ret;

	init_sync_kiocb(&iocb, in);
	iocb.ki_pos = *ppos;
	ret = backing_file_splice_read(lower, &iocb, pipe, len, flags, ctx);
	*ppos = iocb.ki_pos;
	return ret;
}

#endif /* newest */

/*
 * struct lease_manager_operations: a new lease is asked for, does somebody who
 * has the file open stand in its way. Older kernels ask that themselves.
 */
#ifdef FOLD_LINUX_6_12
#define FOLD_LM_OPEN_CONFLICT(fn)
#else
#define FOLD_LM_OPEN_CONFLICT(fn)	.lm_open_conflict = fn,
#endif

#endif
