/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files lose sharing: the tracepoint foldfs_break, counted by mount and inode. */
#ifndef BREAKS_H
#define BREAKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* So many inodes are counted one by one; what comes beyond is lost. */
#define BREAKS_MAX 4096

struct breaks {
	int pipe;		/* -1: cannot be traced */
	char instance[96];
	char line[1024];	/* an event that has come in part */
	size_t used;
	struct breaks_inode {
		dev_t device;	/* of the mount, as in mountinfo */
		ino_t inode;
		uint64_t breaks, pages;
	} inode[BREAKS_MAX];
	size_t nr;
};

/*
 * Starts to count, in a trace instance of its own. Only root may; errno says why it
 * does not work, and breaks_close() is due in any case.
 */
int breaks_open(struct breaks *breaks);

/* Counts what has come meanwhile; does not wait. Most breaks come first then. */
void breaks_read(struct breaks *breaks);

void breaks_close(struct breaks *breaks);

#endif
