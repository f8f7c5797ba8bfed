// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls about attributes: modes, owners, times, extended attributes, ACLs, flags.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "difftest.h"

CALL(make_chmod)
{
	trace(r, "chmod(\"%.40s\", 0%o)", c->path[0], c->mode);
	return chmod(c->path[0], c->mode);
}

CALL(make_fchmod)
{
	trace(r, "fchmod(fd[%d], 0%o)", c->slot[0], c->mode);
	return fchmod(fds[c->slot[0]], c->mode);
}

static const int ids[] = { -1, 0, 1000, 2000, 5000, 1 };

CALL(make_chown)
{
	trace(r, "lchown(\"%.40s\", %d, %d)", c->path[0], ONE_OF(ids, c->pick[0]),
	      ONE_OF(ids, c->pick[1]));
	return lchown(c->path[0], ONE_OF(ids, c->pick[0]), ONE_OF(ids, c->pick[1]));
}

CALL(make_fchown)
{
	trace(r, "fchown(fd[%d], %d, %d)", c->slot[0], ONE_OF(ids, c->pick[0]),
	      ONE_OF(ids, c->pick[1]));
	return fchown(fds[c->slot[0]], ONE_OF(ids, c->pick[0]), ONE_OF(ids, c->pick[1]));
}

static void times(const struct call *c, struct timespec ts[2])
{
	for (int i = 0; i < 2; i++) {
		/* Before the clock's time: see fact_stat(). */
		ts[i].tv_sec = c->pick[i] % 900000000;
		ts[i].tv_nsec = c->pick[i];
		if (c->pick[i] % 4 == 0)
			ts[i].tv_nsec = UTIME_NOW;
		if (c->pick[i] % 4 == 1)
			ts[i].tv_nsec = UTIME_OMIT;
	}
}

CALL(make_utimes)
{
	struct timespec ts[2];

	times(c, ts);
	trace(r, "utimensat(AT_FDCWD, \"%.40s\", {{%ld, %ld}, {%ld, %ld}}, AT_SYMLINK_NOFOLLOW)",
	      c->path[0], ts[0].tv_sec, ts[0].tv_nsec, ts[1].tv_sec, ts[1].tv_nsec);
	return utimensat(AT_FDCWD, c->path[0], ts, AT_SYMLINK_NOFOLLOW);
}

CALL(make_futimes)
{
	struct timespec ts[2];

	times(c, ts);
	trace(r, "futimens(fd[%d], {{%ld, %ld}, {%ld, %ld}})", c->slot[0], ts[0].tv_sec,
	      ts[0].tv_nsec, ts[1].tv_sec, ts[1].tv_nsec);
	return futimens(fds[c->slot[0]], c->pick[2] % 5 ? ts : NULL);
}

/* ---- extended attributes ------------------------------------------------------ */

static const char *const names[] = {
	"user.one", "user.two", "trusted.three", "security.four", "bad.five", "user.",
	"system.posix_acl_access", "system.posix_acl_default", "system.posix_acl_access",
	"system.posix_acl_default", "security.capability", "system.nothing",
};

static size_t acl_value(const struct call *c, unsigned char *value)
{
	/* owner, user, group of the file, group, mask, others */
	static const uint16_t tags[] = { 1, 2, 4, 8, 16, 32 };
	static const uint32_t whose[] = { 1000, 2000, 5000, 0, 77 };
	int n = c->pick[2] % 7 ? 6 : c->pick[2] % 6;
	uint32_t version = 2;

	memcpy(value, &version, 4);
	for (int i = 0; i < n; i++) {
		uint16_t perm = (c->fill >> (3 * i)) & 7;
		uint32_t id = tags[i] == 2 || tags[i] == 8 ? ONE_OF(whose, c->fill >> i) : -1U;

		memcpy(value + 4 + 8 * i, &tags[i], 2);
		memcpy(value + 6 + 8 * i, &perm, 2);
		memcpy(value + 8 + 8 * i, &id, 4);
	}
	return 4 + 8 * n;
}

static size_t xattr_value(const struct call *c, unsigned char *value)
{
	const char *name = ONE_OF(names, c->pick[0]);
	uint32_t cap[5] = { 0x02000001, 1 << (c->fill % 8), 0, 0, 0 };
	size_t size;

	if (strstr(name, "acl"))
		return acl_value(c, value);
	if (strstr(name, "capability")) {
		memcpy(value, cap, sizeof(cap));
		return sizeof(cap);
	}
	/* Some of them do not fit into the inode. */
	size = c->len % (c->pick[2] % 4 ? 200 : 3000);
	fill(c->fill, size);
	memcpy(value, buffer, size);
	return size;
}

CALL(make_setxattr)
{
	static const int flags[] = { 0, 0, 0, XATTR_CREATE, XATTR_REPLACE };
	unsigned char value[4096];
	size_t size = xattr_value(c, value);
	const char *name = ONE_OF(names, c->pick[0]);
	int f = ONE_OF(flags, c->pick[1]);

	trace(r, "%s(\"%.40s\", \"%s\", p, %zu, %d)", c->fill % 2 ? "setxattr" : "lsetxattr",
	      c->path[0], name, size, f);
	return c->fill % 2 ? setxattr(c->path[0], name, value, size, f) :
			     lsetxattr(c->path[0], name, value, size, f);
}

CALL(make_fsetxattr)
{
	unsigned char value[4096];
	size_t size = xattr_value(c, value);
	const char *name = ONE_OF(names, c->pick[0]);

	trace(r, "fsetxattr(fd[%d], \"%s\", p, %zu, 0)", c->slot[0], name, size);
	return fsetxattr(fds[c->slot[0]], name, value, size, 0);
}

CALL(make_getxattr)
{
	const char *name = ONE_OF(names, c->pick[0]);
	size_t size = c->pick[1] % 4 ? 4096 : c->pick[1] % 8;
	long n;

	trace(r, "lgetxattr(\"%.40s\", \"%s\", p, %zu)", c->path[0], name, size);
	n = lgetxattr(c->path[0], name, buffer, size);
	if (n > 0 && size)
		r->digest = digest(0, buffer, n);
	return n;
}

CALL(make_fgetxattr)
{
	const char *name = ONE_OF(names, c->pick[0]);
	long n;

	trace(r, "fgetxattr(fd[%d], \"%s\", p, 4096)", c->slot[0], name);
	n = fgetxattr(fds[c->slot[0]], name, buffer, 4096);
	if (n > 0)
		r->digest = digest(0, buffer, n);
	return n;
}

CALL(make_removexattr)
{
	trace(r, "lremovexattr(\"%.40s\", \"%s\")", c->path[0], ONE_OF(names, c->pick[0]));
	return lremovexattr(c->path[0], ONE_OF(names, c->pick[0]));
}

CALL(make_listxattr)
{
	size_t size = c->pick[0] % 4 ? 4096 : c->pick[0] % 20;
	char *list = (char *)buffer;
	long n;

	trace(r, "llistxattr(\"%.40s\", p, %zu)", c->path[0], size);
	n = llistxattr(c->path[0], list, size);
	/* The order is the allocator's. */
	for (long i = 0; size && i < n; i += strlen(list + i) + 1)
		r->digest += digest(1, list + i, strlen(list + i));
	return n;
}

/* ---- flags -------------------------------------------------------------------- */

static void fact_flags(struct result *r, int fd)
{
	struct fsxattr x;
	int flags = 0;

	fact(r, "getflags", ioctl(fd, FS_IOC_GETFLAGS, &flags) ? errno : 0);
	fact(r, "flags", flags);
	if (ioctl(fd, FS_IOC_FSGETXATTR, &x)) {
		fact(r, "fsgetxattr", errno);
		return;
	}
	fact(r, "xflags", x.fsx_xflags);
	fact(r, "extsize", x.fsx_extsize);
	fact(r, "project", x.fsx_projid);
	fact(r, "cow extsize", x.fsx_cowextsize);
}

/* Flags that forbid changes are cleared again at once: all would soon have them. */
CALL(make_setflags)
{
	static const int which[] = {
		FS_NOATIME_FL, FS_SYNC_FL, FS_APPEND_FL, FS_IMMUTABLE_FL, FS_NODUMP_FL,
		FS_COMPR_FL, FS_DIRSYNC_FL,
	};
	int fd = fds[c->slot[0]], flags, flag = ONE_OF(which, c->pick[0]), forbids;
	long ret;

	forbids = flag & (FS_APPEND_FL | FS_IMMUTABLE_FL);
	trace(r, "ioctl(fd[%d], FS_IOC_SETFLAGS, old ^ %#x)%s", c->slot[0], flag,
	      forbids ? "; chmod, pwrite, write, ftruncate, setxattr; and back" : "");
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags ^= flag;
	ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	if (!ret && flags & forbids) {
		fact(r, "chmod", fchmod(fd, 0755) ? errno : 0);
		fact(r, "pwrite", pwrite(fd, "x", 1, 0) < 0 ? errno : 0);
		fact(r, "ftruncate", ftruncate(fd, 1) ? errno : 0);
		fact(r, "setxattr", fsetxattr(fd, "user.one", "1", 1, 0) ? errno : 0);
		fact(r, "utimes", futimens(fd, NULL) ? errno : 0);
		fact(r, "unlink", unlink(c->path[0]) ? errno : 0);
		flags &= ~forbids;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			err(2, "cannot clear the flags again");
	} else if (!ret) {
		fact_flags(r, fd);
	}
	return ret;
}

CALL(make_setproject)
{
	struct fsxattr x;

	trace(r, "set project %u of fd[%d]", c->pick[0] % 3, c->slot[0]);
	if (ioctl(fds[c->slot[0]], FS_IOC_FSGETXATTR, &x))
		return -1;
	x.fsx_projid = c->pick[0] % 3;
	if (c->pick[1] % 8 == 0)
		x.fsx_extsize = c->pick[2] % 3 ? 65536 : 100;
	return ioctl(fds[c->slot[0]], FS_IOC_FSSETXATTR, &x);
}

CALL(make_getflags)
{
	trace(r, "FS_IOC_GETFLAGS and FS_IOC_FSGETXATTR of fd[%d]", c->slot[0]);
	fact_flags(r, fds[c->slot[0]]);
	return 0;
}

CALL(make_umask)
{
	static const int masks[] = { 022, 022, 0, 077, 027 };

	trace(r, "umask(0%o)", ONE_OF(masks, c->pick[0]));
	return umask(ONE_OF(masks, c->pick[0]));
}

const struct kind attribute_kinds[] = {
	{ "chmod", make_chmod, { 5, 8, 30, 4 }, PATH },
	{ "fchmod", make_fchmod, { 4, 4, 15, 2 }, SLOT },
	{ "chown", make_chown, { 4, 6, 25, 3 }, PATH },
	{ "fchown", make_fchown, { 3, 3, 15, 2 }, SLOT },
	{ "utimensat", make_utimes, { 8, 10, 25, 6 }, PATH },
	{ "futimens", make_futimes, { 6, 4, 15, 4 }, SLOT },
	{ "setxattr", make_setxattr, { 6, 8, 45, 4 }, PATH },
	{ "fsetxattr", make_fsetxattr, { 3, 3, 15, 2 }, SLOT },
	{ "getxattr", make_getxattr, { 4, 5, 30, 2 }, NOTHING },
	{ "fgetxattr", make_fgetxattr, { 2, 2, 10, 1 }, NOTHING },
	{ "removexattr", make_removexattr, { 2, 3, 15, 1 }, PATH },
	{ "listxattr", make_listxattr, { 2, 3, 15, 1 }, NOTHING },
	{ "setflags", make_setflags, { 2, 2, 8, 1 }, SLOT },
	{ "setproject", make_setproject, { 1, 1, 5, 1 }, SLOT },
	{ "getflags", make_getflags, { 1, 1, 5, 1 }, NOTHING },
	{ "umask", make_umask, { 1, 2, 3, 1 }, NOTHING },
	{ 0 }
};
