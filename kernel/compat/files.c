// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening lower files so that no watcher hears of it.
 *
 * The VFS tells of an open, and asks about it, above. Below nobody may be asked a
 * second time: a listener with a mark on the lower filesystem would hear of opens
 * that no program made, and a join would wait for his permission. On 6.12 a flag
 * of the open says so. On the newest kernel a lower file is as quiet as the file
 * that the user opened; so that is made quiet for the moment, and a file of our own
 * that is stands for it where there is none.
 */
#include <linux/anon_inodes.h>
#include <linux/backing-file.h>
#include <linux/file.h>

#include "files.h"

#ifdef FOLD_LINUX_6_12

/* backing_file_open() where the user's file, not its path, is to be handed in. */
#define BACKING_OPEN_BY_FILE						\
	struct file *(const struct file *, int, const struct path *,	\
		      const struct cred *)

/**
 * fold_files_init - at module load
 *
 * Return: 0 or a negative errno.
 */
int __init fold_files_init(void)
{
	return 0;
}

/**
 * fold_files_exit - at module unload
 */
void fold_files_exit(void)
{
}

/**
 * fold_open_backing - open a file on behalf of one that the user is opening
 * @user_file: what the user is opening
 * @flags: flags for the new file
 * @path: what to open
 * @cred: the new file's credentials
 *
 * It makes no fsnotify events, now or later.
 *
 * Context: process context; waits for whoever holds a lease on the file.
 * Return: the file or an error pointer.
 */
struct file *fold_open_backing(struct file *user_file, int flags,
			       const struct path *path,
			       const struct cred *cred)
{
	const void *user;

	if (__builtin_types_compatible_p(typeof(backing_file_open),
					 BACKING_OPEN_BY_FILE))
		user = user_file;
	else
		user = &user_file->f_path;
	return backing_file_open(user, flags | __FMODE_NONOTIFY, path, cred);
}

/**
 * fold_open_quietly - open a file on behalf of nobody
 * @path: what to open
 * @flags: flags for the new file
 * @cred: its credentials
 *
 * It makes no fsnotify events, now or later, and is nothing that could be given
 * to a process.
 *
 * Context: process context.
 * Return: the file or an error pointer.
 */
struct file *fold_open_quietly(const struct path *path, int flags,
			       const struct cred *cred)
{
	return kernel_file_open(path, flags | __FMODE_NONOTIFY, cred);
}

#else /* newest */

/* Stands for the user's file where there is none. Such files make no events. */
static struct file *nobody __ro_after_init;

static const struct file_operations nobody_fops = {};

int __init fold_files_init(void)
{
	nobody = anon_inode_getfile("[foldfs]", &nobody_fops, NULL, O_RDONLY);
	return PTR_ERR_OR_ZERO(nobody);
}

void fold_files_exit(void)
{
	/* At once: its operations go with the module. */
	__fput_sync(nobody);
}

struct file *fold_open_backing(struct file *user_file, int flags,
			       const struct path *path,
			       const struct cred *cred)
{
	fmode_t mode = user_file->f_mode & FMODE_FSNOTIFY_MASK;
	struct file *file;

	/* It is being opened, so nobody else has it. */
	file_set_fsnotify_mode(user_file, FMODE_NONOTIFY);
	file = backing_file_open(user_file, flags, path, cred);
	file_set_fsnotify_mode(user_file, mode);
	return file;
}

struct file *fold_open_quietly(const struct path *path, int flags,
			       const struct cred *cred)
{
	return backing_file_open(nobody, flags, path, cred);
}

#endif /* newest */
