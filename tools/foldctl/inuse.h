/* SPDX-License-Identifier: GPL-2.0-only */
/* Files on foldfs that processes have mapped or open, and what each of them saves. */
#ifndef INUSE_H
#define INUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct inuse_file {
	dev_t device;
	uint64_t mount;		/* ID of the mount it was found on, 0 if that is not known */
	ino_t inode;
	char *path;
	uint64_t size;
	uint64_t cached;	/* bytes of it in the shared cache */
	uint64_t saved;		/* its even part of what the sharers save by that, in bytes */
	uint64_t breaks;	/* of those who ask, see breaks.h; 0 at first */
	uint64_t processes;
	pid_t last;		/* the process that was counted last */
};

struct inuse {
	struct inuse_file *file;	/* sorted: what saves most comes first */
	size_t nr;
	bool partial;			/* not all could be looked at: this is not root */
};

/*
 * Looks at all processes that this user may look at. 0, or -1 after it complained.
 * inuse_free() afterwards, also on error.
 */
int inuse_read(struct inuse *inuse);
void inuse_free(struct inuse *inuse);

#endif
