/* SPDX-License-Identifier: GPL-2.0-only */
/* What does not fit into memory goes to unlinked temporary files. */
#ifndef SPILL_H
#define SPILL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "walk.h"

/*
 * Opens a temporary file that has no name: in $TMPDIR, or in /var/tmp or /tmp where
 * that is not set. A descriptor, or -1 after it complained.
 */
int spill_open(void);

/* Writes all at the end of the file. 0, or -1 after it complained. */
int spill_write(int fd, const void *data, size_t length);

/* Reads exactly @length bytes at @offset. 0, or -1 after it complained. */
int spill_read(int fd, void *data, size_t length, off_t offset);

/*
 * Strings, each known by a number, in a fixed amount of memory and a temporary file.
 */
struct spill_names {
	int fd;
	uint64_t flushed;	/* bytes in the file */
	size_t used;		/* bytes that are still in @buffer */
	char *buffer;
};

/* The longest string, with the zero at its end: no path of a walk is longer. */
#define SPILL_NAME_MAX WALK_PATH_MAX

/* 0, or -1 after it complained. */
int spill_names_open(struct spill_names *names);
void spill_names_close(struct spill_names *names);

/*
 * Keeps a string. Its number, which grows with each string, or -1 after it
 * complained.
 */
int64_t spill_names_add(struct spill_names *names, const char *name);

/* Copies a string to @name, SPILL_NAME_MAX bytes. 0, or -1 after it complained. */
int spill_names_get(struct spill_names *names, uint64_t number, char *name);

#endif
