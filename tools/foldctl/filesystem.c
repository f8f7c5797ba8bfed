// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which filesystem a file lies on.
 *
 * The type comes from the mount table, not from statfs(2): foldfs shows the
 * statfs of the filesystem below it.
 */
#include <fcntl.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/btrfs.h>

#include "../names.h"
#include "filesystem.h"

static struct filesystem **known;
static size_t nr_known;

/* Copies the type of the mount with this id to @name, or leaves that empty. */
static int mount_type(uint64_t id, char *name, size_t room)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int result = -1;

	if (!table || !iter) {
		complain_errno("cannot read /proc/self/mountinfo");
		goto out;
	}
	result = 0;
	while (!mnt_table_next_fs(table, iter, &fs)) {
		const char *type = mnt_fs_get_fstype(fs);

		if ((uint64_t)mnt_fs_get_id(fs) != id || !type)
			continue;
		strncpy(name, type, room - 1);
		break;
	}
out:
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return result;
}

static int identify(int fd, struct filesystem *fs)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx)) {
		complain_errno("statx");
		return -1;
	}
	if (mount_type(stx.stx_mnt_id, fs->name, sizeof(fs->name)))
		return -1;
	if (!strcmp(fs->name, "xfs")) {
		fs->kind = FILESYSTEM_XFS;
	} else if (!strcmp(fs->name, "foldfs")) {
		fs->kind = FILESYSTEM_FOLDFS;
	} else if (!strcmp(fs->name, "btrfs") && !ioctl(fd, BTRFS_IOC_FS_INFO, &info)) {
		fs->kind = FILESYSTEM_BTRFS;
		memcpy(fs->id, info.fsid, sizeof(fs->id));
	}
	return 0;
}

const struct filesystem *filesystem_of(int fd, dev_t device)
{
	static const struct filesystem *last;
	struct filesystem *fs, **more;

	if (last && last->device == device)
		return last;
	for (size_t i = 0; i < nr_known; i++)
		if (known[i]->device == device)
			return last = known[i];

	fs = calloc(1, sizeof(*fs));
	more = realloc(known, (nr_known + 1) * sizeof(*known));
	if (more)
		known = more;
	if (!fs || !more) {
		complain_errno("cannot remember filesystems");
		free(fs);
		return NULL;
	}
	fs->device = device;
	if (identify(fd, fs)) {
		free(fs);
		return NULL;
	}
	fs->index = nr_known;
	for (size_t i = 0; fs->kind == FILESYSTEM_BTRFS && i < nr_known; i++) {
		if (known[i]->kind == FILESYSTEM_BTRFS &&
		    !memcmp(known[i]->id, fs->id, sizeof(fs->id))) {
			fs->index = known[i]->index;
			break;
		}
	}
	known[nr_known++] = fs;
	return last = fs;
}
