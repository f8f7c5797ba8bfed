/* SPDX-License-Identifier: GPL-2.0-only */
/* Walking trees of files. */
#ifndef WALK_H
#define WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Directories below the given one are entered to this depth; what lies deeper counts as
 * unreadable. Anybody can make deeper ones, and each level costs a descriptor and a buffer.
 */
#define WALK_DEPTH 512

/* So no path is longer than this, with the zero at its end. */
#define WALK_PATH_MAX (PATH_MAX + (WALK_DEPTH + 1) * (NAME_MAX + 1) + 1)

struct walk {
	/*
	 * A regular file of at least one byte; @path is good during the call only.
	 * @depth is that of its directory and 1 more, or 0 if it was given itself.
	 * 0, 1 if it is not wanted (and that was said, where @depth is 0), or -1 to
	 * stop the walk.
	 */
	int (*file)(struct walk *walk, const char *path, const struct stat *st,
		    unsigned int depth);
	/*
	 * A directory is about to be read; @depth is 0 for the one that was asked
	 * for. Returns the same. May be NULL.
	 */
	int (*directory)(struct walk *walk, int fd, const char *path, const struct stat *st,
			 unsigned int depth);
	bool one_filesystem;	/* enter no directory on another device */
	bool verbose;		/* complain about each thing that cannot be read */
	uint64_t unreadable;	/* things below the given paths that could not be read */
};

/*
 * Walks @path, a directory or a regular file; a symbolic link is followed here, and
 * not below. Directories are streamed: the memory depends on their depth only.
 * 0, 1 after it complained that @path itself cannot be walked, -1 if a function said
 * stop.
 */
int walk_tree(struct walk *walk, const char *path);

/* Counts, and perhaps mentions, something that cannot be read; errno says why. */
void walk_unreadable(struct walk *walk, const char *path);

/*
 * Opens a file that a walk has found, for reading and without touching its access
 * time where that is allowed, and only if it still is that file. A descriptor or
 * -1: gone if errno is ENOENT or ESTALE.
 */
int walk_open(const char *path, dev_t device, ino_t inode, struct stat *st);

#endif
