// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls about names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "difftest.h"

CALL(make_mkdir)
{
	trace(r, "mkdir(\"%.40s\", 0%o)", c->path[0], c->mode);
	return mkdir(c->path[0], c->mode);
}

CALL(make_rmdir)
{
	trace(r, "rmdir(\"%.40s\")", c->path[0]);
	return rmdir(c->path[0]);
}

CALL(make_unlink)
{
	trace(r, "unlink(\"%.40s\")", c->path[0]);
	return unlink(c->path[0]);
}

CALL(make_rename)
{
	static const unsigned int flags[] = {
		0, 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE,
		RENAME_WHITEOUT, RENAME_NOREPLACE | RENAME_EXCHANGE,
		RENAME_NOREPLACE | RENAME_WHITEOUT, 8,
	};
	unsigned int f = ONE_OF(flags, c->pick[0]);

	trace(r, "renameat2(AT_FDCWD, \"%.40s\", AT_FDCWD, \"%.40s\", %u)", c->path[1],
	      c->path[0], f);
	return syscall(SYS_renameat2, AT_FDCWD, c->path[1], AT_FDCWD, c->path[0], f);
}

CALL(make_link)
{
	trace(r, "linkat(AT_FDCWD, \"%.40s\", AT_FDCWD, \"%.40s\", %d)", c->path[1],
	      c->path[0], c->pick[0] % 2 ? AT_SYMLINK_FOLLOW : 0);
	return linkat(AT_FDCWD, c->path[1], AT_FDCWD, c->path[0],
		      c->pick[0] % 2 ? AT_SYMLINK_FOLLOW : 0);
}

/* A name for what is open: a temporary file, or one that has lost its names. */
CALL(make_link_open)
{
	char name[16];

	trace(r, "linkat(AT_FDCWD, \"/proc/self/fd/<fd[%d]>\", AT_FDCWD, \"%.40s\", AT_SYMLINK_FOLLOW)",
	      c->slot[0], c->path[0]);
	if (c->pick[0] % 4 == 0)
		return linkat(fds[c->slot[0]], "", AT_FDCWD, c->path[0], AT_EMPTY_PATH);
	snprintf(name, sizeof(name), "%d", fds[c->slot[0]]);
	return linkat(proc_fds, name, AT_FDCWD, c->path[0], AT_SYMLINK_FOLLOW);
}

CALL(make_symlink)
{
	trace(r, "symlink(\"%.40s\", \"%.40s\")", c->path[1], c->path[0]);
	return symlink(c->path[1], c->path[0]);
}

CALL(make_readlink)
{
	long n;

	trace(r, "readlink(\"%.40s\", p, %d)", c->path[0], c->pick[0] % 4 ? 4096 : 3);
	n = readlink(c->path[0], (char *)buffer, c->pick[0] % 4 ? 4096 : 3);
	if (n > 0)
		r->digest = digest(0, buffer, n);
	return n;
}

CALL(make_mknod)
{
	static const mode_t types[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFREG, S_IFDIR };

	trace(r, "mknod(\"%.40s\", 0%o, 0)", c->path[0], ONE_OF(types, c->pick[0]) | c->mode);
	/* Only the whiteout device: others could be opened by chance. */
	return mknod(c->path[0], ONE_OF(types, c->pick[0]) | c->mode, 0);
}

CALL(make_tmpfile)
{
	int flags = O_TMPFILE | (c->pick[0] % 5 ? O_RDWR : O_RDONLY) |
		    (c->pick[1] % 4 ? 0 : O_EXCL);
	int fd;

	trace(r, "fd[%d] = open(\"%.40s\", %s, 0%o)", c->slot[0], c->path[0],
	      open_flags(flags), c->mode);
	fd = open(c->path[0], flags, c->mode);
	if (fd < 0)
		return -1;
	put_slot(c->slot[0], fd);
	fact_stat(r, fd, "", AT_EMPTY_PATH);
	return 0;
}

CALL(make_openat2)
{
	static const uint64_t resolve[] = {
		RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_IN_ROOT, RESOLVE_NO_XDEV, 0,
	};
	struct open_how how = {
		.flags = (c->flags & ~O_PATH) | O_NONBLOCK,
		.mode = c->flags & O_CREAT ? c->mode & 07777 : 0,
		.resolve = ONE_OF(resolve, c->pick[0]),
	};
	int fd;

	trace(r, "fd[%d] = openat2(AT_FDCWD, \"%.40s\", {%s, 0%o, %#llx})", c->slot[0],
	      c->path[0], open_flags(c->flags), c->mode, how.resolve);
	fd = syscall(SYS_openat2, AT_FDCWD, c->path[0], &how, sizeof(how));
	if (fd < 0)
		return -1;
	put_slot(c->slot[0], fd);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

/* Names, types, and that the inode numbers are those of stat. */
CALL(make_list)
{
	int fd = open(c->path[0], O_RDONLY | O_DIRECTORY), wrong = 0;
	char *names[300];
	struct dirent *d;
	struct stat st;
	long n = 0;
	DIR *dir;

	trace(r, "list \"%.40s\"", c->path[0]);
	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	while ((d = readdir(dir)) && n < 300) {
		if (strcmp(d->d_name, "..") &&
		    !fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			wrong += st.st_ino != d->d_ino;
		if (asprintf(&names[n++], "%s %d", d->d_name, d->d_type) < 0)
			return -1;
	}
	closedir(dir);
	qsort(names, n, sizeof(*names), compare_names);
	for (long i = 0; i < n; i++) {
		r->digest = digest(r->digest, names[i], strlen(names[i]) + 1);
		free(names[i]);
	}
	fact(r, "wrong inode numbers", wrong);
	return n;
}

CALL(make_chdir)
{
	static const char *const to[] = { "/", "/", ".." };
	const char *path = c->pick[0] % 3 ? c->path[0] : ONE_OF(to, c->pick[1]);

	trace(r, "chdir(\"%.40s\")", path);
	return chdir(path);
}

CALL(make_fchdir)
{
	trace(r, "fchdir(fd[%d])", c->slot[0]);
	return fchdir(fds[c->slot[0]]);
}

CALL(make_getcwd)
{
	long n;

	trace(r, "getcwd(p, 4096)");
	n = syscall(SYS_getcwd, buffer, 4096);
	if (n > 0)
		r->digest = digest(0, buffer, n);
	return n;
}

/* Where the kernel says that an open file is. */
CALL(make_where)
{
	char name[16];
	long n;

	trace(r, "readlink(\"/proc/self/fd/<fd[%d]>\", p, 4096)", c->slot[0]);
	snprintf(name, sizeof(name), "%d", fds[c->slot[0]]);
	n = readlinkat(proc_fds, name, (char *)buffer, 4096);
	/* A file that never had a name is shown by its inode number. */
	if (n > 0 && !memchr(buffer, '#', n))
		r->digest = digest(0, buffer, n);
	return n < 0 ? -1 : 0;
}

CALL(make_access)
{
	trace(r, "faccessat(AT_FDCWD, \"%.40s\", %u, %d)", c->path[0], c->pick[0] % 8,
	      c->pick[1] % 2 ? AT_EACCESS : 0);
	return faccessat(AT_FDCWD, c->path[0], c->pick[0] % 8, c->pick[1] % 2 ? AT_EACCESS : 0);
}

CALL(make_stat)
{
	trace(r, "stat(\"%.40s\", &st)", c->path[0]);
	fact_stat(r, AT_FDCWD, c->path[0], 0);
	return 0;
}

/* Are two names one file? */
CALL(make_same)
{
	struct stat a, b;

	trace(r, "are \"%.40s\" and \"%.40s\" the same file?", c->path[0], c->path[1]);
	if (lstat(c->path[0], &a) || lstat(c->path[1], &b))
		return -1;
	return a.st_ino == b.st_ino;
}

CALL(make_statfs)
{
	struct statfs s;

	trace(r, "statfs(\"%.40s\", &s)", c->path[0]);
	if (statfs(c->path[0], &s))
		return -1;
	fact(r, "type", s.f_type);
	fact(r, "block size", s.f_bsize);
	fact(r, "blocks", s.f_blocks);
	fact(r, "name length", s.f_namelen);
	fact(r, "flags", s.f_flags);
	return 0;
}

const struct kind name_kinds[] = {
	{ "mkdir", make_mkdir, { 8, 35, 15, 4 }, PATH },
	{ "rmdir", make_rmdir, { 8, 20, 10, 5 }, PATH },
	{ "unlink", make_unlink, { 10, 25, 12, 6 }, PATH },
	{ "rename", make_rename, { 12, 60, 20, 8 }, PATH },
	{ "link", make_link, { 6, 30, 12, 4 }, PATH },
	{ "link open", make_link_open, { 4, 12, 4, 3 }, PATH },
	{ "symlink", make_symlink, { 4, 20, 8, 2 }, PATH },
	{ "readlink", make_readlink, { 2, 8, 4, 1 }, NOTHING },
	{ "mknod", make_mknod, { 4, 12, 6, 2 }, PATH },
	{ "tmpfile", make_tmpfile, { 6, 12, 6, 4 }, NOTHING },
	{ "openat2", make_openat2, { 6, 12, 6, 4 }, PATH },
	{ "list", make_list, { 6, 30, 10, 4 }, NOTHING },
	{ "chdir", make_chdir, { 2, 8, 3, 2 }, NOTHING },
	{ "fchdir", make_fchdir, { 1, 4, 2, 1 }, NOTHING },
	{ "getcwd", make_getcwd, { 1, 6, 2, 1 }, NOTHING },
	{ "where", make_where, { 1, 8, 2, 1 }, NOTHING },
	{ "access", make_access, { 4, 10, 15, 3 }, NOTHING },
	{ "stat", make_stat, { 8, 25, 25, 5 }, NOTHING },
	{ "same file", make_same, { 2, 8, 4, 1 }, NOTHING },
	{ "statfs", make_statfs, { 1, 3, 3, 1 }, NOTHING },
	{ 0 }
};
