// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that nobody makes, and calls around the mount: ioctls by odd numbers, and
 * changes that come by another way, through a second mount of the same tree (-b).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "difftest.h"

/* ---- ioctls -------------------------------------------------------------------- */

/*
 * Commands that are not asked for. They do what other calls do here already, or more
 * than a test can take back: shut down, freeze, or grow the filesystem both sides are
 * on. And those of which docs/compatibility.md says that they differ: handles.
 */
static bool is_left_out(unsigned int type, unsigned int nr)
{
	switch (type) {
	case 'X':
		return (nr >= 101 && nr <= 125) || nr == 32 || (nr >= 36 && nr <= 43) ||
		       (nr >= 57 && nr <= 64) || (nr >= 127 && nr <= 131) || nr == 9;
	case 'f':
		return nr == 2;		/* FS_IOC_SETFLAGS */
	case 0x94:
		return nr == 50;	/* FS_IOC_SETFSLABEL */
	case 0x12:
		return true;		/* of block devices, and the tree has none */
	}
	return false;
}

CALL(make_ioctl)
{
	static const unsigned char types[] = { 'X', 'X', 'f', 'f', 0x94, 'v', 'T', 0, 0x15 };
	static const unsigned short sizes[] = { 0, 1, 4, 8, 12, 16, 24, 28, 32, 40, 56, 64, 88,
						112, 128, 192, 256, 1024, 4096 };
	unsigned int type = c->pick[0] % 16 ? ONE_OF(types, c->pick[0] >> 4) :
					      (c->pick[0] >> 4) % 256;
	unsigned int nr = (c->pick[1] >> 2) % 256, cmd;

	/* Most of what there is has a low number. */
	if (c->pick[1] & 3)
		nr %= 140;
	cmd = _IOC(c->pick[2] % 4, type, nr, ONE_OF(sizes, c->pick[2] >> 2));
	/* The terminals' are older than the scheme. */
	if (type == 'T' || !type)
		cmd &= 0xffff;
	trace(r, "ioctl(fd[%d], %#x, p)", c->slot[0], cmd);
	if (is_left_out(type, nr))
		return 0;
	if (c->mode & 1)
		fill(c->fill, BLOCK);
	else
		memset(buffer, 0, BLOCK);
	return ioctl(fds[c->slot[0]], cmd, buffer);
}

/* ---- by another way -------------------------------------------------------------- */

/*
 * Nothing of the way itself is kept: what is held is held through the mount. And no
 * link is followed, which could lead out of the tree.
 */
static int open_elsewhere(const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_NONBLOCK,
		.mode = flags & O_CREAT ? 0666 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return syscall(SYS_openat2, elsewhere, path, &how, sizeof(how));
}

/* Opens the directory that @path is in; *@name is what it is called there. */
static int parent_elsewhere(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char dir[300];

	*name = slash ? slash + 1 : path;
	if (!slash)
		return open_elsewhere(".", O_PATH | O_DIRECTORY);
	memcpy(dir, path, slash - path);
	dir[slash - path] = 0;
	return open_elsewhere(dir, O_PATH | O_DIRECTORY);
}

static long closed(int fd, long ret)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return ret;
}

CALL(make_write_elsewhere)
{
	int fd;

	trace(r, "pwrite(openat(elsewhere, \"%.40s\", O_WRONLY), p, %zu, %ld)",
	      c->path[0], c->len, (long)c->off[0]);
	fd = open_elsewhere(c->path[0], O_WRONLY | (c->pick[0] % 4 ? 0 : O_CREAT));
	if (fd < 0)
		return -1;
	fill(c->fill, c->len);
	return closed(fd, pwrite(fd, buffer, c->len, c->off[0]));
}

CALL(make_truncate_elsewhere)
{
	int fd;

	trace(r, "ftruncate(openat(elsewhere, \"%.40s\", O_WRONLY), %ld)", c->path[0],
	      (long)c->off[0]);
	fd = open_elsewhere(c->path[0], O_WRONLY);
	return fd < 0 ? -1 : closed(fd, ftruncate(fd, c->off[0]));
}

CALL(make_read_elsewhere)
{
	int fd;
	long n;

	trace(r, "pread(openat(elsewhere, \"%.40s\", O_RDONLY), p, %zu, %ld)", c->path[0],
	      c->len, (long)c->off[0]);
	fd = open_elsewhere(c->path[0], O_RDONLY);
	if (fd < 0)
		return -1;
	n = pread(fd, buffer, c->len, c->off[0]);
	if (n > 0)
		r->digest = digest(0, buffer, n);
	fact_stat(r, fd, "", AT_EMPTY_PATH);
	return closed(fd, n);
}

CALL(make_unlink_elsewhere)
{
	int flags = c->pick[0] % 3 ? 0 : AT_REMOVEDIR, dir;
	const char *name;

	trace(r, "unlinkat(elsewhere, \"%.40s\", %d)", c->path[0], flags);
	dir = parent_elsewhere(c->path[0], &name);
	return dir < 0 ? -1 : closed(dir, unlinkat(dir, name, flags));
}

CALL(make_rename_elsewhere)
{
	const char *name[2];
	int dir[2];
	long ret;

	trace(r, "renameat(elsewhere, \"%.40s\", elsewhere, \"%.40s\")", c->path[1], c->path[0]);
	dir[1] = parent_elsewhere(c->path[1], &name[1]);
	if (dir[1] < 0)
		return -1;
	dir[0] = parent_elsewhere(c->path[0], &name[0]);
	if (dir[0] < 0)
		return closed(dir[1], -1);
	ret = syscall(SYS_renameat2, dir[1], name[1], dir[0], name[0], 0);
	return closed(dir[0], closed(dir[1], ret));
}

CALL(make_mkdir_elsewhere)
{
	const char *name;
	int dir;

	trace(r, "mkdirat(elsewhere, \"%.40s\", 0%o)", c->path[0], c->mode);
	dir = parent_elsewhere(c->path[0], &name);
	return dir < 0 ? -1 : closed(dir, mkdirat(dir, name, c->mode));
}

CALL(make_chmod_elsewhere)
{
	int fd;

	trace(r, "fchmod(openat(elsewhere, \"%.40s\", O_RDONLY), 0%o)", c->path[0], c->mode);
	fd = open_elsewhere(c->path[0], O_RDONLY);
	return fd < 0 ? -1 : closed(fd, fchmod(fd, c->mode));
}

/* Would a lock be had by who comes the other way? It is given back at once. */
CALL(make_lock_elsewhere)
{
	static const int ops[] = { LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB };
	struct flock lock = {
		.l_type = c->pick[1] % 2 ? F_WRLCK : F_RDLCK,
		.l_start = c->off[0] % 1000,
		.l_len = c->len % 1000,
	};
	int fd;

	trace(r, "flock(fd, %d), fcntl(fd, F_OFD_SETLK, {%d, %ld, %ld}), fd = openat(elsewhere, \"%.40s\", O_RDWR)",
	      ONE_OF(ops, c->pick[0]), lock.l_type, (long)lock.l_start, (long)lock.l_len,
	      c->path[0]);
	fd = open_elsewhere(c->path[0], O_RDWR);
	if (fd < 0)
		return -1;
	fact(r, "flock", flock(fd, ONE_OF(ops, c->pick[0])) ? errno : 0);
	fact(r, "lock", fcntl(fd, F_OFD_SETLK, &lock) ? errno : 0);
	return closed(fd, 0);
}

const struct kind odd_kinds[] = {
	{ "odd ioctl", make_ioctl, { 8, 4, 12, 4 }, NOTHING },
	{ "write elsewhere", make_write_elsewhere, { 8, 3, 3, 6 }, PATH },
	{ "truncate elsewhere", make_truncate_elsewhere, { 5, 2, 2, 3 }, PATH },
	{ "read elsewhere", make_read_elsewhere, { 6, 2, 2, 6 }, NOTHING },
	{ "unlink elsewhere", make_unlink_elsewhere, { 2, 8, 3, 2 }, PATH },
	{ "rename elsewhere", make_rename_elsewhere, { 2, 14, 4, 2 }, PATH },
	{ "mkdir elsewhere", make_mkdir_elsewhere, { 1, 8, 3, 1 }, PATH },
	{ "chmod elsewhere", make_chmod_elsewhere, { 2, 4, 8, 2 }, PATH },
	{ "lock elsewhere", make_lock_elsewhere, { 3, 3, 2, 2 }, NOTHING },
	{ 0 }
};
