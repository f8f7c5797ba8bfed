/* SPDX-License-Identifier: GPL-2.0-only */
/* Which filesystem a file lies on, and what that means for sharing. */
#ifndef FILESYSTEM_H
#define FILESYSTEM_H

#include <stdint.h>
#include <sys/types.h>

enum filesystem_kind {
	FILESYSTEM_OTHER,
	FILESYSTEM_XFS,
	FILESYSTEM_BTRFS,
	FILESYSTEM_FOLDFS,
};

struct filesystem {
	dev_t device;		/* st_dev; each Btrfs subvolume has its own */
	enum filesystem_kind kind;
	uint16_t index;		/* the same for all subvolumes of a Btrfs */
	char name[32];		/* as in /proc/self/mountinfo */
	uint8_t id[16];		/* Btrfs only */
};

/*
 * Tells about the filesystem of the open @fd, whose st_dev is @device. The answer
 * is kept, and stays where it is. NULL after it complained.
 */
const struct filesystem *filesystem_of(int fd, dev_t device);

#endif
