// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls about descriptors and bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "difftest.h"

static int slot(const struct call *c, int which)
{
	return fds[c->slot[which]];
}

static long took(struct result *r, long n)
{
	if (n > 0)
		r->digest = digest(0, buffer, n);
	return n;
}

/* Nothing may wait: other actors come later. */
CALL(make_open)
{
	int fd;

	trace(r, "fd[%d] = open(\"%.40s\", %s, 0%o)", c->slot[0], c->path[0],
	      open_flags(c->flags), c->mode);
	fd = open(c->path[0], c->flags | O_NONBLOCK, c->mode);
	if (fd < 0)
		return -1;
	put_slot(c->slot[0], fd);
	return 0;
}

CALL(make_close)
{
	trace(r, "close(fd[%d])", c->slot[0]);
	put_slot(c->slot[0], -1);
	return 0;
}

/* With nobody writing, files can begin to share again. */
CALL(close_all)
{
	trace(r, "close all of this process");
	for (int i = 0; i < SLOTS; i++)
		put_slot(i, -1);
	for (int i = 0; i < MAPS; i++)
		drop_map(i);
	return 0;
}

CALL(make_dup)
{
	int fd;

	trace(r, "fd[%d] = dup(fd[%d])", c->slot[0], c->slot[1]);
	fd = dup(slot(c, 1));
	if (fd < 0)
		return -1;
	put_slot(c->slot[0], fd);
	return 0;
}

CALL(make_reopen)
{
	char name[16];
	int fd;

	trace(r, "fd[%d] = open(\"/proc/self/fd/<fd[%d]>\", %s)", c->slot[0], c->slot[1],
	      open_flags(c->flags & (O_ACCMODE | O_TRUNC | O_APPEND)));
	snprintf(name, sizeof(name), "%d", slot(c, 1));
	fd = openat(proc_fds, name,
		    (c->flags & (O_ACCMODE | O_TRUNC | O_APPEND)) | O_NONBLOCK);
	if (fd < 0)
		return -1;
	put_slot(c->slot[0], fd);
	return 0;
}

CALL(make_lseek)
{
	static const int ways[] = { SEEK_SET, SEEK_CUR, SEEK_END };
	int whence = ONE_OF(ways, c->pick[0]);
	struct stat st;

	/* XFS goes by the size that a directory had when its inode was read. */
	if (!fstat(slot(c, 0), &st) && S_ISDIR(st.st_mode) && whence == SEEK_END)
		whence = SEEK_SET;
	trace(r, "lseek(fd[%d], %ld, %d)", c->slot[0], (long)c->off[0], whence);
	return lseek(slot(c, 0), c->off[0], whence);
}

CALL(make_pread)
{
	trace(r, "pread(fd[%d], p, %zu, %ld)", c->slot[0], c->len, (long)c->off[0]);
	return took(r, pread(slot(c, 0), buffer, c->len, c->off[0]));
}

CALL(make_read)
{
	trace(r, "read(fd[%d], p, %zu)", c->slot[0], c->len);
	return took(r, read(slot(c, 0), buffer, c->len));
}

CALL(make_readv)
{
	struct iovec v[3] = {
		{ buffer, c->len / 3 },
		{ NULL, c->pick[0] % 3 ? 0 : 50 },
		{ buffer + c->len / 3, c->len - c->len / 3 },
	};

	trace(r, "preadv(fd[%d], {%zu, %zu in nothing, %zu}, 3, %ld)", c->slot[0],
	      v[0].iov_len, v[1].iov_len, v[2].iov_len, (long)c->off[0]);
	return took(r, preadv(slot(c, 0), v, 3, c->off[0]));
}

/* Opens, reads and closes: a file can be shared while nobody has it open. */
CALL(make_peek)
{
	int fd = open(c->path[0], O_RDONLY | O_NONBLOCK | (c->pick[0] % 6 ? 0 : O_DIRECT));
	long n;

	trace(r, "fd = open(\"%.40s\", O_RDONLY%s); pread(fd, p, %zu, %ld); close(fd)",
	      c->path[0], c->pick[0] % 6 ? "" : "|O_DIRECT", c->len,
	      (long)(c->off[0] & -BLOCK));
	if (fd < 0)
		return -1;
	n = took(r, pread(fd, buffer, c->len, c->off[0] & -BLOCK));
	close(fd);
	return n;
}

CALL(make_poke)
{
	int fd = open(c->path[0], O_WRONLY | O_NONBLOCK | (c->pick[0] % 6 ? 0 : O_DIRECT));
	long n;

	trace(r, "fd = open(\"%.40s\", O_WRONLY%s); pwrite(fd, p, %zu, %ld); close(fd)",
	      c->path[0], c->pick[0] % 6 ? "" : "|O_DIRECT", c->len, (long)c->off[0]);
	if (fd < 0)
		return -1;
	fill(c->fill, c->len);
	n = pwrite(fd, buffer, c->len, c->off[0]);
	close(fd);
	return n;
}

CALL(make_pwrite)
{
	trace(r, "pwrite(fd[%d], p, %zu, %ld)", c->slot[0], c->len, (long)c->off[0]);
	fill(c->fill, c->len);
	return pwrite(slot(c, 0), buffer, c->len, c->off[0]);
}

CALL(make_write)
{
	trace(r, "write(fd[%d], p, %zu)", c->slot[0], c->len);
	fill(c->fill, c->len);
	return write(slot(c, 0), buffer, c->len);
}

/* A vector whose last part is not there: a short write. */
CALL(make_writev)
{
	struct iovec v[3] = {
		{ buffer, c->len / 3 },
		{ buffer + c->len / 3, c->len - c->len / 3 },
		{ NULL, c->pick[0] % 3 ? 0 : 100 },
	};

	trace(r, "writev(fd[%d], {%zu, %zu, %zu in nothing}, 3)", c->slot[0],
	      v[0].iov_len, v[1].iov_len, v[2].iov_len);
	fill(c->fill, c->len);
	return writev(slot(c, 0), v, 3);
}

CALL(make_pwritev2)
{
	static const int flags[] = {
		0, RWF_APPEND, RWF_DSYNC, RWF_SYNC, RWF_HIPRI, RWF_APPEND | RWF_DSYNC, 1 << 30,
	};
	struct iovec v = { buffer, c->len };

	trace(r, "pwritev2(fd[%d], {%zu}, 1, %ld, %#x)", c->slot[0], c->len,
	      (long)c->off[0], ONE_OF(flags, c->pick[0]));
	fill(c->fill, c->len);
	return pwritev2(slot(c, 0), &v, 1, c->pick[1] % 8 ? c->off[0] : -1,
			ONE_OF(flags, c->pick[0]));
}

CALL(make_ftruncate)
{
	trace(r, "ftruncate(fd[%d], %ld)", c->slot[0], (long)c->off[0]);
	return ftruncate(slot(c, 0), c->off[0]);
}

CALL(make_truncate)
{
	trace(r, "truncate(\"%.40s\", %ld)", c->path[0], (long)c->off[0]);
	return truncate(c->path[0], c->off[0]);
}

CALL(make_fallocate)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_PUNCH_HOLE, 0x4000,
	};
	int mode = ONE_OF(modes, c->pick[0]);
	off_t off = c->off[0], len = c->len;

	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE) && c->pick[1] % 8) {
		off &= -BLOCK;
		len = (len + BLOCK) & -BLOCK;
	}
	trace(r, "fallocate(fd[%d], %#x, %ld, %ld)", c->slot[0], mode, (long)off, (long)len);
	return fallocate(slot(c, 0), mode, off, len);
}

CALL(make_fsync)
{
	trace(r, "%s(fd[%d])", c->pick[0] % 2 ? "fsync" : "fdatasync", c->slot[0]);
	return c->pick[0] % 2 ? fsync(slot(c, 0)) : fdatasync(slot(c, 0));
}

CALL(make_syncfs)
{
	trace(r, "syncfs(fd[%d])", c->slot[0]);
	return syncfs(slot(c, 0));
}

/*
 * Where data lies depends on what is in memory, so it is asked for after it has
 * been written back and dropped.
 */
CALL(make_seek_data)
{
	int whence = c->pick[0] % 2 ? SEEK_DATA : SEEK_HOLE;

	trace(r, "fsync(fd[%d]); lseek(fd[%d], %ld, %s)", c->slot[0], c->slot[0],
	      (long)c->off[0], whence == SEEK_DATA ? "SEEK_DATA" : "SEEK_HOLE");
	if (fsync(slot(c, 0)))
		return -1;
	posix_fadvise(slot(c, 0), 0, 0, POSIX_FADV_DONTNEED);
	return lseek(slot(c, 0), c->off[0], whence);
}

CALL(make_advise)
{
	static const int advice[] = {
		POSIX_FADV_DONTNEED, POSIX_FADV_WILLNEED, POSIX_FADV_RANDOM,
		POSIX_FADV_SEQUENTIAL, POSIX_FADV_NORMAL, POSIX_FADV_NOREUSE, 77,
	};

	trace(r, "posix_fadvise(fd[%d], %ld, %zu, %d)", c->slot[0], (long)c->off[0], c->len,
	      ONE_OF(advice, c->pick[0]));
	return posix_fadvise(slot(c, 0), c->off[0], c->len, ONE_OF(advice, c->pick[0]));
}

CALL(make_readahead)
{
	trace(r, "readahead(fd[%d], %ld, %zu)", c->slot[0], (long)c->off[0], c->len);
	return readahead(slot(c, 0), c->off[0], c->len);
}

CALL(make_sync_range)
{
	trace(r, "sync_file_range(fd[%d], %ld, %zu, %u)", c->slot[0], (long)c->off[0], c->len,
	      c->pick[0] % 9);
	return sync_file_range(slot(c, 0), c->off[0], c->len, c->pick[0] % 9);
}

/* ---- from file to file ------------------------------------------------------- */

CALL(make_clone)
{
	trace(r, "ioctl(fd[%d], FICLONE, fd[%d])", c->slot[0], c->slot[1]);
	return ioctl(slot(c, 0), FICLONE, slot(c, 1));
}

/* As cp --reflink=always does it. */
CALL(make_copy)
{
	int from, to;
	long ret;

	trace(r, "cp --reflink=always %.40s %.40s", c->path[1], c->path[0]);
	from = open(c->path[1], O_RDONLY | O_NONBLOCK);
	if (from < 0)
		return -1;
	to = open(c->path[0], O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0666);
	ret = to < 0 ? -1 : ioctl(to, FICLONE, from);
	if (to >= 0)
		close(to);
	close(from);
	return ret;
}

/* A new file and its clone, on the disk: from here on they share. */
CALL(make_twins)
{
	int to[2];
	long ret;

	trace(r, "write %zu bytes to a new \"%.40s\", fsync, clone it to \"%.40s\"", c->len,
	      c->path[1], c->path[0]);
	unlink(c->path[1]);
	to[1] = open(c->path[1], O_RDWR | O_CREAT | O_EXCL, 0666);
	if (to[1] < 0)
		return -1;
	fill(c->fill, c->len);
	ret = write(to[1], buffer, c->len);
	if (fsync(to[1]))
		ret = -1;
	unlink(c->path[0]);
	to[0] = open(c->path[0], O_RDWR | O_CREAT | O_EXCL, 0666);
	if (to[0] >= 0) {
		fact(r, "clone", ioctl(to[0], FICLONE, to[1]) ? errno : 0);
		close(to[0]);
	}
	close(to[1]);
	return ret;
}

CALL(make_sync)
{
	int fd = open(c->path[0], O_RDONLY | O_NONBLOCK);
	long ret;

	trace(r, "fd = open(\"%.40s\", O_RDONLY); fsync(fd); close(fd)", c->path[0]);
	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

CALL(make_clone_range)
{
	struct file_clone_range range = {
		.src_fd = slot(c, 1),
		.src_offset = c->off[1] & (c->pick[0] % 8 ? -BLOCK : -1),
		.src_length = c->len & (c->pick[1] % 8 ? -BLOCK : -1),
		.dest_offset = c->off[0] & -BLOCK,
	};

	trace(r, "ioctl(fd[%d], FICLONERANGE, {fd[%d], %lld, %lld, %lld})", c->slot[0],
	      c->slot[1], range.src_offset, range.src_length, range.dest_offset);
	return ioctl(slot(c, 0), FICLONERANGE, &range);
}

CALL(make_dedupe)
{
	struct {
		struct file_dedupe_range r;
		struct file_dedupe_range_info info;
	} d = {
		.r = {
			.src_offset = c->off[0] & -BLOCK,
			.src_length = c->len & -BLOCK,
			.dest_count = 1,
		},
		.info = {
			.dest_fd = slot(c, 1),
			.dest_offset = (c->pick[0] % 2 ? c->off[1] : c->off[0]) & -BLOCK,
		},
	};
	long ret;

	trace(r, "ioctl(fd[%d], FIDEDUPERANGE, {%lld, %lld, {fd[%d], %lld}})", c->slot[0],
	      d.r.src_offset, d.r.src_length, c->slot[1], d.info.dest_offset);
	ret = ioctl(slot(c, 0), FIDEDUPERANGE, &d);
	fact(r, "status", d.info.status);
	fact(r, "deduped", d.info.bytes_deduped);
	return ret;
}

CALL(make_copy_range)
{
	off_t from = c->off[0], to = c->off[1];
	long ret;

	trace(r, "copy_file_range(fd[%d], {%ld}, fd[%d], {%ld}, %zu, 0)", c->slot[0],
	      (long)from, c->slot[1], (long)to, c->len);
	ret = copy_file_range(slot(c, 0), &from, slot(c, 1), &to, c->len, 0);
	fact(r, "from", from);
	fact(r, "to", to);
	return ret;
}

/*
 * A pipe holds pages, not bytes: what comes out of it is what the file has then, or
 * what it had if foldfs has broken the page meanwhile. So not to the same file.
 */
static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino;
}

CALL(make_sendfile)
{
	off_t from = c->off[0];

	if (same_file(slot(c, 0), slot(c, 1)))
		return 0;

	trace(r, "sendfile(fd[%d], fd[%d], {%ld}, %zu)", c->slot[1], c->slot[0], (long)from,
	      c->len);
	return sendfile(slot(c, 1), slot(c, 0), &from, c->len);
}

/* Through a pipe, with the pipe's bytes looked at by tee(2) or not. */
CALL(make_splice)
{
	loff_t from = c->off[0], to = c->off[1], *to_pos = &to;
	int p[2], q[2], saved;
	long n, m = 0, moved = 0;

	if (same_file(slot(c, 0), slot(c, 1)))
		return 0;

	trace(r, "splice %zu bytes from fd[%d] at %ld through a pipe to fd[%d] at %ld",
	      c->len % 60000, c->slot[0], (long)from, c->slot[1], (long)to);
	if (pipe(p) || pipe(q))
		return -1;
	n = splice(slot(c, 0), &from, p[1], NULL, c->len % 60000, SPLICE_F_NONBLOCK);
	saved = errno;
	fact(r, "spliced", n < 0 ? -saved : n);
	if (n > 0 && c->pick[0] % 2) {
		m = tee(p[0], q[1], n, SPLICE_F_NONBLOCK);
		if (m > 0 && read(q[0], buffer, m) == m)
			r->digest = digest(0, buffer, m);
	}
	while (n > 0) {
		m = splice(p[0], NULL, slot(c, 1), to_pos, n - moved, SPLICE_F_NONBLOCK);
		saved = errno;
		if (m <= 0)
			break;
		moved += m;
		if (moved == n)
			break;
	}
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
	errno = saved;
	return n < 0 || m < 0 ? -1 : moved;
}

CALL(make_fstat)
{
	trace(r, "fstat(fd[%d], &st)", c->slot[0]);
	fact_stat(r, slot(c, 0), "", AT_EMPTY_PATH);
	return 0;
}

CALL(make_setfl)
{
	static const int flags[] = { O_APPEND, O_DIRECT, O_NOATIME, 0, 0, O_APPEND | O_DIRECT };
	long ret;

	trace(r, "fcntl(fd[%d], F_SETFL, %s)", c->slot[0],
	      open_flags(ONE_OF(flags, c->pick[0])));
	ret = fcntl(slot(c, 0), F_SETFL, ONE_OF(flags, c->pick[0]) | O_NONBLOCK);
	fact(r, "flags", fcntl(slot(c, 0), F_GETFL));
	return ret;
}

const struct kind data_kinds[] = {
	{ "open", make_open, { 110, 130, 110, 90 }, PATH },
	{ "close", make_close, { 4, 6, 6, 4 }, NOTHING },
	{ "close all", close_all, { 5, 8, 5, 20 }, NOTHING },
	{ "dup", make_dup, { 4, 2, 2, 2 }, SLOT },
	{ "reopen", make_reopen, { 6, 6, 4, 4 }, SLOT },
	{ "lseek", make_lseek, { 12, 4, 4, 6 }, NOTHING },
	{ "pread", make_pread, { 40, 15, 15, 40 }, SLOT },
	{ "read", make_read, { 20, 8, 8, 15 }, SLOT },
	{ "preadv", make_readv, { 8, 2, 2, 8 }, NOTHING },
	{ "peek", make_peek, { 40, 20, 20, 90 }, PATH },
	{ "poke", make_poke, { 20, 10, 10, 35 }, PATH },
	{ "pwrite", make_pwrite, { 25, 8, 8, 10 }, BYTES },
	{ "write", make_write, { 15, 8, 8, 5 }, BYTES },
	{ "writev", make_writev, { 8, 2, 2, 3 }, BYTES },
	{ "pwritev2", make_pwritev2, { 12, 2, 2, 3 }, BYTES },
	{ "ftruncate", make_ftruncate, { 10, 4, 4, 6 }, BYTES },
	{ "truncate", make_truncate, { 10, 8, 8, 10 }, PATH },
	{ "fallocate", make_fallocate, { 20, 4, 4, 15 }, BYTES },
	{ "fsync", make_fsync, { 2, 1, 1, 2 }, SLOT },
	{ "syncfs", make_syncfs, { 1, 1, 1, 2 }, NOTHING },
	{ "seek data", make_seek_data, { 2, 1, 1, 2 }, NOTHING },
	{ "fadvise", make_advise, { 5, 1, 1, 5 }, NOTHING },
	{ "readahead", make_readahead, { 4, 1, 1, 5 }, NOTHING },
	{ "sync_file_range", make_sync_range, { 2, 1, 1, 1 }, NOTHING },
	{ "FICLONE", make_clone, { 10, 3, 3, 8 }, SLOT },
	{ "copy", make_copy, { 25, 15, 10, 50 }, PATH },
	{ "twins", make_twins, { 5, 3, 2, 15 }, PATH },
	{ "sync", make_sync, { 3, 1, 1, 25 }, PATH },
	{ "FICLONERANGE", make_clone_range, { 15, 3, 3, 15 }, BYTES },
	{ "FIDEDUPERANGE", make_dedupe, { 8, 2, 2, 8 }, SLOT1 },
	{ "copy_file_range", make_copy_range, { 10, 3, 3, 6 }, SLOT1 },
	{ "sendfile", make_sendfile, { 10, 3, 3, 6 }, SLOT1 },
	{ "splice", make_splice, { 10, 3, 3, 8 }, SLOT1 },
	{ "fstat", make_fstat, { 6, 6, 10, 4 }, NOTHING },
	{ "F_SETFL", make_setfl, { 6, 2, 4, 2 }, NOTHING },
	{ 0 }
};
