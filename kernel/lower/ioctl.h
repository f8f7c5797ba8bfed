/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What foldfs knows of a lower filesystem's ioctls: a list in the file of each.
 * What it does not know it refuses: nobody can say what such a command locks,
 * changes or opens.
 */
#ifndef FOLDFS_LOWER_IOCTL_H
#define FOLDFS_LOWER_IOCTL_H

#include <linux/bits.h>
#include <linux/types.h>

/*
 * What a command wants above, before the lower filesystem is asked. One with
 * none of these reads, or changes what no upper inode knows of, and decides by
 * the caller's own rights alone.
 */

/* For CAP_SYS_ADMIN; said here so that others hear of that before all else. */
#define FOLD_IOC_ADMIN		BIT(0)
/* Changes the filesystem: the upper mount must be writable. */
#define FOLD_IOC_WRITE		BIT(1)
/* Decides by the ID mapping of the mount, and that below has none. */
#define FOLD_IOC_IDMAP		BIT(2)
/* Moves blocks of the file, or changes its bytes: announced. */
#define FOLD_IOC_BLOCKS		BIT(3)
/* Opens a lower file for the caller, out of sight of this mount: refused. */
#define FOLD_IOC_OPENS		BIT(4)
/* Its argument is, or begins with, a struct fold_ioctl_exchange. */
#define FOLD_IOC_EXCHANGE	BIT(5)
/* Its argument begins with a struct fold_ioctl_swap. */
#define FOLD_IOC_SWAP		BIT(6)
/* Its argument begins with a 64-bit descriptor of what to take a snapshot of. */
#define FOLD_IOC_SNAPSHOT	BIT(7)
/* Known to 32-bit programs alone, whose structures differ. */
#define FOLD_IOC_COMPAT		BIT(8)
/*
 * Changes any file of the filesystem, unannounced, for CAP_SYS_ADMIN, or is for
 * those who do: refused to him. Others hear from the lower filesystem that they may
 * not, or that there is no such command.
 */
#define FOLD_IOC_MENDS		BIT(9)
/* One of those that carry descriptors. */
#define FOLD_IOC_CARRIES	(FOLD_IOC_EXCHANGE | FOLD_IOC_SWAP | \
				 FOLD_IOC_SNAPSHOT)

/* The arguments of those; the lower filesystems' own headers have the names. */
struct fold_ioctl_exchange {
	s32 fd;			/* of file 1; file 2 is the one that is asked */
	u32 pad;
	u64 offset1;
	u64 offset2;
	u64 length;
	u64 flags;
};

#define FOLD_IOC_EXCHANGE_TO_EOF	BIT_ULL(0)
#define FOLD_IOC_EXCHANGE_DRY		BIT_ULL(2)

struct fold_ioctl_swap {
	s64 version;
	s64 fd[2];		/* the file, and the one to exchange with */
	s64 offset;
	s64 length;
};

/**
 * struct fold_ioctl - one command
 * @cmd: with direction and size: a lower filesystem answers to no other
 * @flags: FOLD_IOC_*
 * @pointer_at: where in the argument of one that carries descriptors 64 bits of
 *	flags stand, of which
 * @pointer_if: say that there is a pointer to the caller's memory in it, too
 */
struct fold_ioctl {
	unsigned int cmd;
	unsigned int flags;
	unsigned int pointer_at;
	u64 pointer_if;
};

#endif
