// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walking trees of files.
 *
 * Each directory on the way is an open descriptor, and names are looked up in the last
 * one: no path is too long for the kernel. The limit of open files is raised as far as it
 * may be; where that is not far enough, or the tree deeper than WALK_DEPTH, what lies below
 * counts as unreadable.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../names.h"
#include "walk.h"

struct path {
	char *text;
	size_t length, room;
};

static int walk_directory(struct walk *walk, int fd, struct path *path, const struct stat *st,
			  unsigned int depth);

void walk_unreadable(struct walk *walk, const char *path)
{
	walk->unreadable++;
	if (walk->verbose)
		complain_errno("%s", path);
}

/* Adds "/@name" to the path. 0, or -1 after it complained. */
static int path_push(struct path *path, const char *name)
{
	size_t length = strlen(name);

	if (path->length + length + 2 > path->room) {
		size_t room = (path->length + length + 2) * 2;
		char *text = realloc(path->text, room);

		if (!text) {
			complain_errno("%s", path->text);
			return -1;
		}
		path->text = text;
		path->room = room;
	}
	if (path->length && path->text[path->length - 1] != '/')
		path->text[path->length++] = '/';
	memcpy(path->text + path->length, name, length + 1);
	path->length += length;
	return 0;
}

static void path_pop(struct path *path, size_t length)
{
	path->length = length;
	path->text[length] = '\0';
}

static int walk_entry(struct walk *walk, int parent, const char *name, struct path *path,
		      const struct stat *above, unsigned int depth)
{
	struct stat st;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
		if (errno != ENOENT)
			walk_unreadable(walk, path->text);
		return 0;
	}
	if (S_ISREG(st.st_mode))
		return st.st_size && walk->file(walk, path->text, &st, depth) < 0 ? -1 : 0;
	if (!S_ISDIR(st.st_mode) || (walk->one_filesystem && st.st_dev != above->st_dev))
		return 0;

	if (depth > WALK_DEPTH) {
		errno = ENAMETOOLONG;
		walk_unreadable(walk, path->text);
		return 0;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		if (errno != ENOENT)
			walk_unreadable(walk, path->text);
		if (fd >= 0)
			close(fd);
		return 0;
	}
	return walk_directory(walk, fd, path, &st, depth);
}

/* Takes over @fd. */
static int walk_directory(struct walk *walk, int fd, struct path *path, const struct stat *st,
			  unsigned int depth)
{
	size_t length = path->length;
	struct dirent *entry;
	int result = 0;
	DIR *directory;

	if (walk->directory)
		result = walk->directory(walk, fd, path->text, st, depth);
	if (result) {
		close(fd);
		return result < 0 ? -1 : !depth;
	}
	directory = fdopendir(fd);
	if (!directory) {
		walk_unreadable(walk, path->text);
		close(fd);
		return 0;
	}
	while (!result) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			if (errno)
				walk_unreadable(walk, path->text);
			break;
		}
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_REG &&
		    entry->d_type != DT_DIR)
			continue;
		result = path_push(path, entry->d_name);
		if (!result)
			result = walk_entry(walk, dirfd(directory), entry->d_name, path, st,
					    depth + 1);
		path_pop(path, length);
	}
	closedir(directory);
	return result;
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int walk_tree(struct walk *walk, const char *name)
{
	struct path path = { 0 };
	struct stat st;
	int fd, result;

	raise_file_limit();
	if (stat(name, &st)) {
		complain_errno("%s", name);
		return 1;
	}
	if (S_ISREG(st.st_mode))
		return st.st_size ? walk->file(walk, name, &st, 0) : 0;
	if (!S_ISDIR(st.st_mode)) {
		complain("%s: neither a directory nor a regular file", name);
		return 1;
	}
	fd = open(name, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		complain_errno("%s", name);
		if (fd >= 0)
			close(fd);
		return 1;
	}
	if (path_push(&path, name)) {
		close(fd);
		return -1;
	}
	result = walk_directory(walk, fd, &path, &st, 0);
	free(path.text);
	return result;
}

/* As open(2), also where the path is longer than the kernel takes in one piece. */
static int open_path(const char *path, int flags)
{
	int directory = AT_FDCWD, fd, error;
	char part[PATH_MAX];
	size_t length;

	while (strlen(path) >= PATH_MAX) {
		/* A name has 255 bytes at most, so there is a slash. */
		memcpy(part, path, PATH_MAX - 1);
		part[PATH_MAX - 1] = '\0';
		length = strrchr(part, '/') - part;
		part[length] = '\0';
		fd = openat(directory, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (directory >= 0)
			close(directory);
		if (fd < 0)
			return -1;
		directory = fd;
		path += length + 1;
	}
	fd = openat(directory, path, flags);
	error = errno;
	if (directory >= 0)
		close(directory);
	errno = error;
	return fd;
}

int walk_open(const char *path, dev_t device, ino_t inode, struct stat *st)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd;

	fd = open_path(path, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open_path(path, flags);
	if (fd < 0) {
		/* A file that was given itself may be a symbolic link. */
		if (errno == ELOOP)
			fd = open_path(path, flags & ~O_NOFOLLOW);
		if (fd < 0)
			return -1;
	}
	if (fstat(fd, st)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	if (!S_ISREG(st->st_mode) || st->st_dev != device || st->st_ino != inode) {
		close(fd);
		errno = ESTALE;
		return -1;
	}
	return fd;
}
