// SPDX-License-Identifier: GPL-2.0-only
/* Unlinked temporary files, and strings that are kept in one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../names.h"
#include "spill.h"

#define NAMES_BUFFER (1024 * 1024)

static int open_in(const char *directory)
{
	char *name;
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* Not every filesystem has O_TMPFILE; old kernels take it for O_DIRECTORY. */
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (asprintf(&name, "%s/foldctl.XXXXXX", directory) < 0)
		return -1;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	free(name);
	return fd;
}

int spill_open(void)
{
	const char *wanted = getenv("TMPDIR");
	int fd = -1;

	if (wanted && *wanted) {
		fd = open_in(wanted);
		if (fd < 0)
			complain_errno("no temporary file in %s; set TMPDIR to a directory that is writable",
			     wanted);
		return fd;
	}
	/* /tmp is in memory on many systems; this is about to save memory. */
	fd = open_in("/var/tmp");
	if (fd < 0)
		fd = open_in("/tmp");
	if (fd < 0)
		complain_errno("no temporary file in /var/tmp or /tmp; set TMPDIR to a directory that is writable");
	return fd;
}

int spill_write(int fd, const void *data, size_t length)
{
	const char *from = data;

	while (length) {
		ssize_t done = write(fd, from, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			complain_errno("temporary file; set TMPDIR to a directory with more room");
			return -1;
		}
		from += done;
		length -= done;
	}
	return 0;
}

int spill_read(int fd, void *data, size_t length, off_t offset)
{
	char *to = data;

	while (length) {
		ssize_t done = pread(fd, to, length, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			if (!done)
				errno = EIO;
			complain_errno("temporary file");
			return -1;
		}
		to += done;
		length -= done;
		offset += done;
	}
	return 0;
}

int spill_names_open(struct spill_names *names)
{
	memset(names, 0, sizeof(*names));
	names->fd = -1;
	names->buffer = malloc(NAMES_BUFFER);
	if (!names->buffer) {
		complain_errno("cannot keep names");
		return -1;
	}
	return 0;
}

void spill_names_close(struct spill_names *names)
{
	if (names->fd >= 0)
		close(names->fd);
	free(names->buffer);
	names->buffer = NULL;
}

int64_t spill_names_add(struct spill_names *names, const char *name)
{
	size_t length = strlen(name) + 1;
	uint64_t number;

	if (length > SPILL_NAME_MAX) {
		errno = ENAMETOOLONG;
		complain_errno("%.64s...", name);
		return -1;
	}
	if (names->used + length > NAMES_BUFFER) {
		if (names->fd < 0) {
			names->fd = spill_open();
			if (names->fd < 0)
				return -1;
		}
		if (spill_write(names->fd, names->buffer, names->used))
			return -1;
		names->flushed += names->used;
		names->used = 0;
	}
	number = names->flushed + names->used;
	memcpy(names->buffer + names->used, name, length);
	names->used += length;
	return number;
}

int spill_names_get(struct spill_names *names, uint64_t number, char *name)
{
	size_t length;

	if (number >= names->flushed) {
		strcpy(name, names->buffer + (number - names->flushed));
		return 0;
	}
	/* Most names are short; a whole string never crosses the end of what is flushed. */
	for (size_t guess = 256;; guess *= 16) {
		length = guess < SPILL_NAME_MAX ? guess : SPILL_NAME_MAX;
		if (length > names->flushed - number)
			length = names->flushed - number;
		if (spill_read(names->fd, name, length, number))
			return -1;
		if (memchr(name, '\0', length))
			return 0;
	}
}
