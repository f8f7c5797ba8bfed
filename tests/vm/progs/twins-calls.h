/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls of twins.c. Each takes one of the twins and arguments that
 * are the same for both, and says what it answered.
 */
#ifndef TWINS_CALLS_H
#define TWINS_CALLS_H

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SLOTS	8
#define BUFSIZE	(1 << 20)
#define BLOCK	4096

struct twin {
	const char *name;
	int root;		/* where paths start */
	int below;		/* or here, if the call goes around the mount */
	int fd[SLOTS];
};

/* What a call is made with; the same for both twins. */
struct args {
	char path[2][64];
	int slot[2];
	int flags, mode;
	off_t off[2];
	size_t len;
	uint32_t fill;
	unsigned int pick[2];
	bool around;
};

/* What it answered. */
struct outcome {
	long ret;
	int err;
	uint64_t digest;
	char text[160];
};

static unsigned char *buffer;
static uint64_t state;
static bool verbose;
static unsigned int percent_around;

static uint32_t rnd(uint32_t n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % n;
}

static uint64_t digest(uint64_t h, const void *p, size_t n)
{
	const unsigned char *c = p;

	while (n--)
		h = (h ^ *c++) * 1099511628211ull;
	return h;
}

static void fill(uint32_t seed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		buffer[i] = seed >> 24;
	}
}

static void note(struct outcome *o, const char *fmt, ...)
{
	size_t used = strlen(o->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->text + used, sizeof(o->text) - used, fmt, ap);
	va_end(ap);
}

static int at(const struct twin *t, const struct args *a)
{
	return a->around ? t->below : t->root;
}

/*
 * Opening a FIFO must not wait. Opening a shared file below for writing must: it
 * breaks the lease, and with O_NONBLOCK fails meanwhile.
 */
static int nonblock(const struct args *a)
{
	return a->around ? 0 : O_NONBLOCK;
}

/* Everything stat shows that does not depend on which twin it is. */
static void put_stat(struct outcome *o, const struct statx *x)
{
	note(o, "mode %o links %u owner %u:%u rdev %u:%u blksize %u attr %llx/%llx",
	     x->stx_mode, x->stx_nlink, x->stx_uid, x->stx_gid,
	     x->stx_rdev_major, x->stx_rdev_minor, x->stx_blksize,
	     (unsigned long long)(x->stx_attributes & ~STATX_ATTR_MOUNT_ROOT),
	     (unsigned long long)x->stx_attributes_mask);
	if (!S_ISDIR(x->stx_mode))
		note(o, " size %llu", (unsigned long long)x->stx_size);
}

#define CALL(name) static long name(struct twin *t, struct args *a, struct outcome *o)
#define UNUSED(x) ((void)(x))

CALL(do_open)
{
	int fd;

	UNUSED(o);
	fd = openat(at(t, a), a->path[0], a->flags | nonblock(a), a->mode);
	if (fd < 0)
		return -1;
	/* Calls with two descriptors want them of one mount. */
	if (a->around)
		return close(fd);
	if (t->fd[a->slot[0]] >= 0)
		close(t->fd[a->slot[0]]);
	t->fd[a->slot[0]] = fd;
	return 0;
}

CALL(do_poke)
{
	int fd = openat(at(t, a), a->path[0],
			O_WRONLY | nonblock(a) | (a->pick[0] % 4 ? 0 : O_DIRECT));
	ssize_t n;

	UNUSED(o);
	if (fd < 0)
		return -1;
	fill(a->fill, a->len);
	n = pwrite(fd, buffer, a->len, a->off[0]);
	close(fd);
	return n;
}

CALL(do_peek)
{
	int fd = openat(at(t, a), a->path[0],
			O_RDONLY | nonblock(a) | (a->pick[0] % 4 ? 0 : O_DIRECT));
	ssize_t n;

	if (fd < 0)
		return -1;
	n = pread(fd, buffer, a->len, a->off[0] & -BLOCK);
	if (n > 0)
		o->digest = digest(0, buffer, n);
	close(fd);
	return n;
}

CALL(do_close)
{
	int fd = t->fd[a->slot[0]];

	UNUSED(o);
	t->fd[a->slot[0]] = -1;
	return close(fd);
}

CALL(do_tmpfile)
{
	int fd = openat(at(t, a), a->path[0],
			O_TMPFILE | O_RDWR | (a->pick[0] % 4 ? 0 : O_EXCL),
			a->mode);
	char name[64];
	long ret;

	UNUSED(o);
	if (fd < 0)
		return -1;
	fill(a->fill, a->len);
	if (write(fd, buffer, a->len) != (ssize_t)a->len)
		err(2, "write to a temporary file");
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ret = linkat(AT_FDCWD, name, at(t, a), a->path[1], AT_SYMLINK_FOLLOW);
	close(fd);
	return ret;
}

CALL(do_pwrite)
{
	UNUSED(o);
	fill(a->fill, a->len);
	return pwrite(t->fd[a->slot[0]], buffer, a->len, a->off[0]);
}

CALL(do_write)
{
	UNUSED(o);
	fill(a->fill, a->len);
	return write(t->fd[a->slot[0]], buffer, a->len);
}

/* A vector whose last part is not there: a short write. */
CALL(do_writev)
{
	struct iovec v[3] = {
		{ buffer, a->len / 3 },
		{ buffer + a->len / 3, a->len - a->len / 3 },
		{ NULL, a->pick[0] % 3 ? 0 : 100 },
	};

	UNUSED(o);
	fill(a->fill, a->len);
	return writev(t->fd[a->slot[0]], v, 3);
}

CALL(do_pwritev2)
{
	static const int flags[] = { 0, RWF_APPEND, RWF_DSYNC, RWF_SYNC, RWF_HIPRI };
	struct iovec v = { buffer, a->len };

	UNUSED(o);
	fill(a->fill, a->len);
	return pwritev2(t->fd[a->slot[0]], &v, 1, a->off[0],
			flags[a->pick[0] % (sizeof(flags) / sizeof(*flags))]);
}

CALL(do_pread)
{
	ssize_t n = pread(t->fd[a->slot[0]], buffer, a->len, a->off[0]);

	if (n > 0)
		o->digest = digest(0, buffer, n);
	return n;
}

CALL(do_read)
{
	ssize_t n = read(t->fd[a->slot[0]], buffer, a->len);

	if (n > 0)
		o->digest = digest(0, buffer, n);
	return n;
}

CALL(do_lseek)
{
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END };

	UNUSED(o);
	return lseek(t->fd[a->slot[0]], a->off[0], whence[a->pick[0] % 3]);
}

CALL(do_ftruncate)
{
	UNUSED(o);
	return ftruncate(t->fd[a->slot[0]], a->off[0]);
}

CALL(do_fallocate)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_PUNCH_HOLE,
	};
	int mode = modes[a->pick[0] % (sizeof(modes) / sizeof(*modes))];
	off_t off = a->off[0], len = a->len;

	UNUSED(o);
	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) {
		off &= -BLOCK;
		len = (len + BLOCK) & -BLOCK;
	}
	return fallocate(t->fd[a->slot[0]], mode, off, len);
}

CALL(do_fsync)
{
	UNUSED(o);
	return a->pick[0] % 2 ? fsync(t->fd[a->slot[0]]) :
				fdatasync(t->fd[a->slot[0]]);
}

CALL(do_fstat)
{
	struct statx x;
	int ret = statx(t->fd[a->slot[0]], "", AT_EMPTY_PATH,
			STATX_BASIC_STATS, &x);

	if (!ret)
		put_stat(o, &x);
	return ret;
}

CALL(do_fchmod)
{
	UNUSED(o);
	return fchmod(t->fd[a->slot[0]], a->mode);
}

CALL(do_flock)
{
	static const int ops[] = { LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN };

	UNUSED(o);
	return flock(t->fd[a->slot[0]], ops[a->pick[0] % 3]);
}

CALL(do_record_lock)
{
	struct flock lock = {
		.l_type = (short []){ F_RDLCK, F_WRLCK, F_UNLCK }[a->pick[0] % 3],
		.l_whence = a->pick[1] % 2 ? SEEK_SET : SEEK_END,
		.l_len = a->len,
	};

	UNUSED(o);
	return fcntl(t->fd[a->slot[0]], F_OFD_SETLK, &lock);
}

CALL(do_clone)
{
	UNUSED(o);
	return ioctl(t->fd[a->slot[0]], FICLONE, t->fd[a->slot[1]]);
}

CALL(do_clone_range)
{
	struct file_clone_range r = {
		.src_fd = t->fd[a->slot[1]],
		.src_offset = a->off[1] & (a->pick[0] % 8 ? -BLOCK : -1),
		.src_length = a->len & (a->pick[1] % 8 ? -BLOCK : -1),
		.dest_offset = a->off[0] & -BLOCK,
	};

	UNUSED(o);
	return ioctl(t->fd[a->slot[0]], FICLONERANGE, &r);
}

CALL(do_dedupe)
{
	struct {
		struct file_dedupe_range r;
		struct file_dedupe_range_info info;
	} d = {
		.r = {
			.src_offset = a->off[0] & -BLOCK,
			.src_length = a->len & -BLOCK,
			.dest_count = 1,
		},
		.info = {
			.dest_fd = t->fd[a->slot[1]],
			.dest_offset = a->off[1] & -BLOCK,
		},
	};
	int ret = ioctl(t->fd[a->slot[0]], FIDEDUPERANGE, &d);

	note(o, "status %d deduped %llu", d.info.status,
	     (unsigned long long)d.info.bytes_deduped);
	return ret;
}

CALL(do_copy_range)
{
	off_t from = a->off[0], to = a->off[1];

	UNUSED(o);
	return copy_file_range(t->fd[a->slot[0]], &from, t->fd[a->slot[1]], &to,
			       a->len, 0);
}

CALL(do_sendfile)
{
	off_t from = a->off[0];

	UNUSED(o);
	return sendfile(t->fd[a->slot[1]], t->fd[a->slot[0]], &from, a->len);
}

CALL(do_splice)
{
	loff_t from = a->off[0], to = a->off[1];
	long ret, moved = 0;
	int p[2];

	UNUSED(o);
	if (pipe(p))
		err(2, "pipe");
	ret = splice(t->fd[a->slot[0]], &from, p[1], NULL, a->len % 60000, 0);
	if (ret > 0) {
		close(p[1]);
		p[1] = -1;
		while (ret > 0) {
			ret = splice(p[0], NULL, t->fd[a->slot[1]], &to, ret, 0);
			moved += ret > 0 ? ret : 0;
		}
	}
	if (ret < 0) {
		int saved = errno;

		close(p[0]);
		if (p[1] >= 0)
			close(p[1]);
		errno = saved;
		return ret;
	}
	close(p[0]);
	if (p[1] >= 0)
		close(p[1]);
	return moved;
}

/* Map a part, look at it, and change it where that is allowed. */
CALL(do_mmap)
{
	bool write = a->pick[0] % 2, shared = a->pick[1] % 4;
	off_t off = a->off[0] & -BLOCK;
	struct stat st;
	unsigned char *p;
	size_t len;

	if (fstat(t->fd[a->slot[0]], &st))
		return -1;
	p = mmap(NULL, a->len, PROT_READ | (write ? PROT_WRITE : 0),
		 shared ? MAP_SHARED : MAP_PRIVATE, t->fd[a->slot[0]], off);
	if (p == MAP_FAILED)
		return -1;
	if (S_ISREG(st.st_mode) && st.st_size > off) {
		len = st.st_size - off;
		if (len > a->len)
			len = a->len;
		o->digest = digest(0, p, len);
		if (write)
			for (size_t i = a->fill % BLOCK; i < len; i += BLOCK / 2)
				p[i] = a->fill + i;
		o->digest = digest(o->digest, p, len);
		if (a->pick[1] % 3 == 0 && msync(p, len, MS_SYNC))
			note(o, "msync: %s", strerror(errno));
	}
	return munmap(p, a->len);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

static uint64_t list_dir(int dirfd, const char *path, struct outcome *o, long *ret)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	char *names[256];
	struct dirent *d;
	uint64_t h = 0;
	size_t n = 0;
	DIR *dir;

	*ret = -1;
	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	while ((d = readdir(dir)) && n < 256) {
		if (asprintf(&names[n++], "%s %d", d->d_name, d->d_type) < 0)
			err(2, "asprintf");
	}
	closedir(dir);
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		h = digest(h, names[i], strlen(names[i]) + 1);
		note(o, " %s", names[i]);
		free(names[i]);
	}
	*ret = n;
	return h;
}

CALL(do_list)
{
	long ret;

	o->digest = list_dir(at(t, a), a->path[0], o, &ret);
	return ret;
}

CALL(do_mkdir)
{
	UNUSED(o);
	return mkdirat(at(t, a), a->path[0], a->mode);
}

CALL(do_rmdir)
{
	UNUSED(o);
	return unlinkat(at(t, a), a->path[0], AT_REMOVEDIR);
}

CALL(do_unlink)
{
	UNUSED(o);
	return unlinkat(at(t, a), a->path[0], 0);
}

CALL(do_rename)
{
	static const unsigned int flags[] = {
		0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT,
		RENAME_NOREPLACE | RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_WHITEOUT,
	};

	UNUSED(o);
	return syscall(SYS_renameat2, at(t, a), a->path[0], at(t, a), a->path[1],
		       flags[a->pick[0] % (sizeof(flags) / sizeof(*flags))]);
}

CALL(do_link)
{
	UNUSED(o);
	return linkat(at(t, a), a->path[0], at(t, a), a->path[1], 0);
}

CALL(do_symlink)
{
	UNUSED(o);
	return symlinkat(a->path[0], at(t, a), a->path[1]);
}

CALL(do_readlink)
{
	char target[256];
	ssize_t n = readlinkat(at(t, a), a->path[0], target, sizeof(target));

	if (n > 0)
		note(o, "%.*s", (int)n, target);
	return n;
}

CALL(do_mknod)
{
	static const mode_t types[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFREG };
	mode_t type = types[a->pick[0] % 5];

	UNUSED(o);
	/* The two ends of a FIFO meet only if both are opened the same way. */
	if (type == S_IFIFO && percent_around)
		type = S_IFSOCK;
	/* Only the whiteout device: others could be opened by chance. */
	return mknodat(at(t, a), a->path[0], type | a->mode, 0);
}

CALL(do_chmod)
{
	UNUSED(o);
	return fchmodat(at(t, a), a->path[0], a->mode, 0);
}

CALL(do_chown)
{
	static const int ids[] = { -1, 0, 1000, 2000 };

	UNUSED(o);
	return fchownat(at(t, a), a->path[0], ids[a->pick[0] % 4],
			ids[a->pick[1] % 4], AT_SYMLINK_NOFOLLOW);
}

CALL(do_truncate)
{
	char path[96];

	UNUSED(o);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", at(t, a), a->path[0]);
	return truncate(path, a->off[0]);
}

CALL(do_utimes)
{
	struct timespec ts[2] = {
		{ a->pick[0], a->pick[0] % 3 ? a->pick[0] % 1000000000 : UTIME_NOW },
		{ a->pick[1], a->pick[1] % 3 ? a->pick[1] % 1000000000 : UTIME_OMIT },
	};
	struct statx x;

	if (utimensat(at(t, a), a->path[0], ts, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (statx(at(t, a), a->path[0], AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x))
		return -1;
	if (ts[0].tv_nsec != UTIME_NOW)
		note(o, "atime %lld.%u", (long long)x.stx_atime.tv_sec,
		     x.stx_atime.tv_nsec);
	if (ts[1].tv_nsec != UTIME_OMIT)
		note(o, "mtime %lld.%u", (long long)x.stx_mtime.tv_sec,
		     x.stx_mtime.tv_nsec);
	return 0;
}

CALL(do_access)
{
	UNUSED(o);
	return faccessat(at(t, a), a->path[0], a->pick[0] % 8,
			 a->pick[1] % 2 ? AT_EACCESS : 0);
}

CALL(do_stat)
{
	struct statx x;
	int ret = statx(at(t, a), a->path[0],
			a->pick[0] % 2 ? AT_SYMLINK_NOFOLLOW : 0,
			STATX_BASIC_STATS, &x);

	if (!ret)
		put_stat(o, &x);
	return ret;
}

static const char *const xattr_names[] = {
	"user.one", "user.two", "trusted.three", "security.four", "bad.five",
	"system.posix_acl_access", "system.posix_acl_default",
	"security.capability",
};

#define XATTR_NAMES (sizeof(xattr_names) / sizeof(*xattr_names))

static const char *proc_path(const struct twin *t, const struct args *a)
{
	static char path[96];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", at(t, a), a->path[0]);
	return path;
}

static size_t xattr_value(const struct args *a, unsigned char *value)
{
	const char *name = xattr_names[a->pick[0] % XATTR_NAMES];

	if (strstr(name, "acl")) {
		/* owner, user 1000, group, mask, other */
		static const uint16_t tags[] = { 1, 2, 4, 16, 32 };
		uint32_t version = 2;

		memcpy(value, &version, 4);
		for (int i = 0; i < 5; i++) {
			uint16_t perm = (a->fill >> (3 * i)) & 7;
			uint32_t id = tags[i] == 2 ? 1000 : -1;

			memcpy(value + 4 + 8 * i, &tags[i], 2);
			memcpy(value + 6 + 8 * i, &perm, 2);
			memcpy(value + 8 + 8 * i, &id, 4);
		}
		return 44;
	}
	if (strstr(name, "capability")) {
		uint32_t cap[5] = { 0x02000001, 1 << (a->fill % 8), 0, 0, 0 };

		memcpy(value, cap, sizeof(cap));
		return sizeof(cap);
	}
	fill(a->fill, a->len % 200);
	memcpy(value, buffer, a->len % 200);
	return a->len % 200;
}

CALL(do_setxattr)
{
	unsigned char value[256];
	size_t size = xattr_value(a, value);

	UNUSED(o);
	return lsetxattr(proc_path(t, a), xattr_names[a->pick[0] % XATTR_NAMES],
			 value, size, a->pick[1] % 5 > 2 ? 0 : a->pick[1] % 5);
}

CALL(do_getxattr)
{
	unsigned char value[256];
	ssize_t n = lgetxattr(proc_path(t, a), xattr_names[a->pick[0] % XATTR_NAMES],
			      value, a->pick[1] % 4 ? sizeof(value) : 4);

	if (n > 0)
		o->digest = digest(0, value, n);
	return n;
}

CALL(do_removexattr)
{
	UNUSED(o);
	return lremovexattr(proc_path(t, a), xattr_names[a->pick[0] % XATTR_NAMES]);
}

CALL(do_listxattr)
{
	char list[1024];
	ssize_t n = llistxattr(proc_path(t, a), list, sizeof(list));

	for (ssize_t i = 0; i < n; i += strlen(list + i) + 1)
		note(o, " %s", list + i);
	return n;
}

CALL(do_getflags)
{
	struct fsxattr x;
	long flags = 0;
	int ret = ioctl(t->fd[a->slot[0]], FS_IOC_GETFLAGS, &flags);

	if (!ret) {
		note(o, "flags %x", (int)flags);
		ret = ioctl(t->fd[a->slot[0]], FS_IOC_FSGETXATTR, &x);
		if (!ret)
			note(o, " xflags %x extsize %u project %u cow %u",
			     x.fsx_xflags, x.fsx_extsize, x.fsx_projid,
			     x.fsx_cowextsize);
	}
	return ret;
}

/* Set and soon cleared again, or nothing would be left to do in the end. */
CALL(do_setflags)
{
	static const long which[] = {
		FS_NOATIME_FL, FS_SYNC_FL, FS_APPEND_FL, FS_IMMUTABLE_FL, FS_NODUMP_FL,
		FS_COMPR_FL,
	};
	int fd = t->fd[a->slot[0]], ret, undo;
	long flags, old;

	if (ioctl(fd, FS_IOC_GETFLAGS, &old))
		return -1;
	flags = old ^ which[a->pick[0] % (sizeof(which) / sizeof(*which))];
	ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	if (ret)
		return ret;
	if (flags & (FS_APPEND_FL | FS_IMMUTABLE_FL)) {
		note(o, "chmod %d", fchmod(fd, 0755) ? errno : 0);
		note(o, " write %d", pwrite(fd, "x", 1, 0) < 0 ? errno : 0);
		note(o, " truncate %d", ftruncate(fd, 1) ? errno : 0);
		note(o, " xattr %d", fsetxattr(fd, "user.one", "1", 1, 0) ? errno : 0);
		flags &= ~(FS_APPEND_FL | FS_IMMUTABLE_FL);
		undo = ioctl(fd, FS_IOC_SETFLAGS, &flags);
		if (undo)
			err(2, "cannot clear the flags again");
	}
	return ret;
}

CALL(do_setfl)
{
	static const int flags[] = { 0, O_APPEND, O_DIRECT, O_NOATIME };

	UNUSED(o);
	/* The descriptor may be a FIFO's. */
	return fcntl(t->fd[a->slot[0]], F_SETFL,
		     flags[a->pick[0] % 4] | O_NONBLOCK);
}

/*
 * Nobody has anything open and nothing is dirty: files that share blocks can
 * begin to share pages when they are read next.
 */
CALL(do_settle)
{
	UNUSED(a);
	UNUSED(o);
	for (int i = 0; i < SLOTS; i++) {
		if (t->fd[i] >= 0)
			close(t->fd[i]);
		t->fd[i] = -1;
	}
	return syncfs(t->root);
}

struct call {
	const char *name;
	long (*make)(struct twin *t, struct args *a, struct outcome *o);
	int weight;
	bool by_path;
};

static const struct call calls[] = {
	{ "open", do_open, 120, true },
	{ "poke", do_poke, 20, true },
	{ "peek", do_peek, 30, true },
	{ "close", do_close, 2, false },
	{ "tmpfile", do_tmpfile, 8, true },
	{ "pwrite", do_pwrite, 30, false },
	{ "write", do_write, 15, false },
	{ "writev", do_writev, 10, false },
	{ "pwritev2", do_pwritev2, 10, false },
	{ "pread", do_pread, 40, false },
	{ "read", do_read, 20, false },
	{ "lseek", do_lseek, 15, false },
	{ "ftruncate", do_ftruncate, 10, false },
	{ "fallocate", do_fallocate, 20, false },
	{ "fsync", do_fsync, 3, false },
	{ "fstat", do_fstat, 20, false },
	{ "fchmod", do_fchmod, 5, false },
	{ "flock", do_flock, 5, false },
	{ "record lock", do_record_lock, 5, false },
	{ "FICLONE", do_clone, 10, false },
	{ "FICLONERANGE", do_clone_range, 15, false },
	{ "FIDEDUPERANGE", do_dedupe, 10, false },
	{ "copy_file_range", do_copy_range, 10, false },
	{ "sendfile", do_sendfile, 10, false },
	{ "splice", do_splice, 10, false },
	{ "mmap", do_mmap, 30, false },
	{ "list", do_list, 20, true },
	{ "mkdir", do_mkdir, 20, true },
	{ "rmdir", do_rmdir, 12, true },
	{ "unlink", do_unlink, 15, true },
	{ "rename", do_rename, 30, true },
	{ "link", do_link, 15, true },
	{ "symlink", do_symlink, 10, true },
	{ "readlink", do_readlink, 5, true },
	{ "mknod", do_mknod, 8, true },
	{ "chmod", do_chmod, 15, true },
	{ "chown", do_chown, 10, true },
	{ "truncate", do_truncate, 10, true },
	{ "utimensat", do_utimes, 10, true },
	{ "access", do_access, 10, true },
	{ "stat", do_stat, 30, true },
	{ "setxattr", do_setxattr, 20, true },
	{ "getxattr", do_getxattr, 20, true },
	{ "removexattr", do_removexattr, 6, true },
	{ "listxattr", do_listxattr, 8, true },
	{ "getflags", do_getflags, 6, false },
	{ "setflags", do_setflags, 6, false },
	{ "F_SETFL", do_setfl, 6, false },
	{ "settle", do_settle, 10, true },
};

#define CALLS (sizeof(calls) / sizeof(*calls))

#endif
