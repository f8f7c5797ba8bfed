// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls about what a process holds: mappings, locks, leases, file handles.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "difftest.h"

/* ---- mappings ------------------------------------------------------------------ */

CALL(make_mmap)
{
	static const int prots[] = {
		PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_EXEC, PROT_WRITE,
	};
	int prot = ONE_OF(prots, c->pick[0]);
	int flags = c->pick[1] % 3 ? MAP_SHARED : MAP_PRIVATE;
	off_t off = c->off[0] & -BLOCK;
	struct mapping m;

	trace(r, "map[%d] = mmap(NULL, %zu, %d, %s, fd[%d], %ld)", c->map, c->len, prot,
	      flags == MAP_SHARED ? "MAP_SHARED" : "MAP_PRIVATE", c->slot[0], (long)off);
	m.p = mmap(NULL, c->len, prot, flags, fds[c->slot[0]], off);
	if (m.p == MAP_FAILED)
		return -1;
	m.len = c->len;
	m.off = off;
	m.fd = dup(fds[c->slot[0]]);
	m.shared = flags == MAP_SHARED;
	drop_map(c->map);
	maps[c->map] = m;
	return 0;
}

CALL(make_munmap)
{
	trace(r, "munmap(map[%d])", c->map);
	drop_map(c->map);
	return 0;
}

/*
 * How much of a mapping can be compared. Behind the end of the file, its last page
 * has what anyone stored there, until it is written back.
 */
static size_t usable(const struct mapping *m)
{
	struct stat st;

	if (!m->p || fstat(m->fd, &st) || st.st_size <= m->off)
		return 0;
	return (size_t)(st.st_size - m->off) < m->len ? (size_t)(st.st_size - m->off) : m->len;
}

struct access {
	unsigned char *p;
	size_t len;
	uint32_t fill;
	uint64_t digest;
};

static void read_some(void *arg)
{
	struct access *a = arg;

	a->digest = digest(1, a->p, a->len);
}

static void write_some(void *arg)
{
	struct access *a = arg;

	for (size_t i = 0; i < a->len; i += 8)
		a->p[i] = a->fill + i;
}

/* A part of the mapping, inside of the file; and sometimes the page behind that. */
static struct access part_of(const struct call *c, const struct mapping *m)
{
	size_t size = usable(m), off = size ? c->off[1] % size : 0;
	struct access a = { .p = m->p + off, .fill = c->fill };

	a.len = size - off < c->len ? size - off : c->len;
	return a;
}

CALL(make_map_read)
{
	const struct mapping *m = &maps[c->map];
	struct access a = part_of(c, m);
	size_t behind = (usable(m) + BLOCK - 1) & -BLOCK;

	trace(r, "read %zu bytes at %ld of map[%d]", a.len, (long)(a.p - m->p), c->map);
	if (!m->p)
		return 0;
	if (a.len) {
		fact(r, "signal", guarded(read_some, &a));
		r->digest = a.digest;
	}
	if (c->pick[0] % 4 == 0 && behind < m->len) {
		a.p = m->p + behind;
		a.len = 1;
		fact(r, "signal behind the end", guarded(read_some, &a));
	}
	return 0;
}

CALL(make_map_write)
{
	const struct mapping *m = &maps[c->map];
	struct access a = part_of(c, m);

	trace(r, "write %zu bytes at %ld of map[%d]", a.len, (long)(a.p - m->p), c->map);
	if (!m->p || !a.len)
		return 0;
	fact(r, "signal", guarded(write_some, &a));
	fact_stat(r, m->fd, "", AT_EMPTY_PATH);
	return 0;
}

CALL(make_msync)
{
	static const int flags[] = { MS_SYNC, MS_ASYNC, MS_INVALIDATE };
	const struct mapping *m = &maps[c->map];

	trace(r, "msync(map[%d], %zu, %d)", c->map, m->len, ONE_OF(flags, c->pick[0]));
	return m->p ? msync(m->p, m->len, ONE_OF(flags, c->pick[0])) : 0;
}

CALL(make_mprotect)
{
	static const int prots[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE };
	const struct mapping *m = &maps[c->map];

	trace(r, "mprotect(map[%d], %zu, %d)", c->map, m->len, ONE_OF(prots, c->pick[0]));
	return m->p ? mprotect(m->p, m->len, ONE_OF(prots, c->pick[0])) : 0;
}

CALL(make_madvise)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_WILLNEED, MADV_REMOVE, MADV_PAGEOUT, MADV_COLD,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_RANDOM, MADV_SEQUENTIAL,
	};
	const struct mapping *m = &maps[c->map];
	size_t off = c->off[1] & -BLOCK;
	int a = ONE_OF(advice, c->pick[0]);

	if (!m->p || off >= m->len)
		off = 0;
	trace(r, "madvise(map[%d] + %zu, %zu, %d)", c->map, off, m->len - off, a);
	return m->p ? madvise(m->p + off, m->len - off, a) : 0;
}

CALL(make_mremap)
{
	struct mapping *m = &maps[c->map];
	unsigned char *p;

	trace(r, "map[%d] = mremap(map[%d], %zu, %zu, MREMAP_MAYMOVE)", c->map, c->map,
	      m->len, c->len);
	if (!m->p)
		return 0;
	p = mremap(m->p, m->len, c->len, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return -1;
	m->p = p;
	m->len = c->len;
	return 0;
}

/*
 * The source, or the destination, of file I/O is a mapping of a file; of another
 * one, since it is not said in which order bytes are copied.
 */
static bool of_same_file(const struct mapping *m, int fd)
{
	struct stat x, y;

	return !fstat(m->fd, &x) && !fstat(fd, &y) && x.st_ino == y.st_ino;
}

CALL(make_write_from_map)
{
	const struct mapping *m = &maps[c->map];
	struct access a = part_of(c, m);

	if (!m->p || of_same_file(m, fds[c->slot[0]]))
		return 0;

	trace(r, "pwrite(fd[%d], map[%d] + %ld, %zu, %ld)", c->slot[0], c->map,
	      (long)(a.p - m->p), a.len, (long)c->off[0]);
	return pwrite(fds[c->slot[0]], a.p, a.len, c->off[0]);
}

CALL(make_read_to_map)
{
	const struct mapping *m = &maps[c->map];
	struct access a = part_of(c, m);

	if (!m->p || of_same_file(m, fds[c->slot[0]]))
		return 0;

	trace(r, "pread(fd[%d], map[%d] + %ld, %zu, %ld)", c->slot[0], c->map,
	      (long)(a.p - m->p), a.len, (long)c->off[0]);
	return pread(fds[c->slot[0]], a.p, a.len, c->off[0]);
}

/* ---- locks ---------------------------------------------------------------------- */

CALL(make_flock)
{
	static const int ops[] = { LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN };

	trace(r, "flock(fd[%d], %d)", c->slot[0], ONE_OF(ops, c->pick[0]));
	return flock(fds[c->slot[0]], ONE_OF(ops, c->pick[0]));
}

CALL(make_lock)
{
	static const int commands[] = {
		F_OFD_SETLK, F_SETLK, F_OFD_SETLK, F_SETLK, F_OFD_GETLK, F_GETLK,
	};
	static const short types[] = { F_RDLCK, F_WRLCK, F_UNLCK };
	int cmd = ONE_OF(commands, c->pick[2]);
	struct flock lock = {
		.l_type = ONE_OF(types, c->pick[0]),
		.l_whence = c->pick[1] % 3,
		.l_start = c->off[0] % 1000,
		.l_len = c->len % 1000,
	};
	long ret;

	trace(r, "fcntl(fd[%d], %d, {type %d, whence %d, start %ld, len %ld})", c->slot[0],
	      cmd, lock.l_type, lock.l_whence, (long)lock.l_start, (long)lock.l_len);
	ret = fcntl(fds[c->slot[0]], cmd, &lock);
	if (!ret) {
		fact(r, "type", lock.l_type);
		fact(r, "start", lock.l_start);
		fact(r, "len", lock.l_len);
	}
	return ret;
}

/* Given back at once: who waits for a lease to be given up waits for a long time. */
CALL(make_lease)
{
	static const int types[] = { F_RDLCK, F_WRLCK };
	int fd = fds[c->slot[0]];
	long ret;

	trace(r, "fcntl(fd[%d], F_SETLEASE, %d); F_GETLEASE; F_UNLCK", c->slot[0],
	      ONE_OF(types, c->pick[0]));
	ret = fcntl(fd, F_SETLEASE, ONE_OF(types, c->pick[0]));
	if (!ret) {
		fact(r, "lease", fcntl(fd, F_GETLEASE));
		fcntl(fd, F_SETLEASE, F_UNLCK);
	}
	return ret;
}

/* ---- handles -------------------------------------------------------------------- */

CALL(make_handle)
{
	struct file_handle *h = malloc(sizeof(*h) + MAX_HANDLE_SZ);
	int mount_id, mount, fd, saved;
	struct stat a, b;
	long ret;

	trace(r, "open by the handle of \"%.40s\"", c->path[0]);
	h->handle_bytes = c->pick[0] % 8 ? MAX_HANDLE_SZ : 4;
	ret = name_to_handle_at(AT_FDCWD, c->path[0], h, &mount_id, 0);
	fact(r, "bytes", h->handle_bytes);
	if (!ret) {
		fact(r, "type", h->handle_type);
		mount = open("/", O_RDONLY | O_DIRECTORY);
		fd = open_by_handle_at(mount, h, O_PATH);
		fact(r, "open", fd < 0 ? errno : 0);
		if (fd >= 0 && !fstat(fd, &a) && !lstat(c->path[0], &b))
			fact(r, "same", a.st_ino == b.st_ino);
		if (fd >= 0)
			close(fd);
		close(mount);
	}
	saved = errno;
	free(h);
	errno = saved;
	return ret;
}

const struct kind held_kinds[] = {
	{ "mmap", make_mmap, { 25, 3, 3, 25 }, NOTHING },
	{ "munmap", make_munmap, { 4, 1, 1, 6 }, NOTHING },
	{ "read mapping", make_map_read, { 30, 3, 3, 35 }, NOTHING },
	{ "write mapping", make_map_write, { 20, 2, 2, 15 }, NOTHING },
	{ "msync", make_msync, { 3, 1, 1, 3 }, NOTHING },
	{ "mprotect", make_mprotect, { 3, 1, 1, 2 }, NOTHING },
	{ "madvise", make_madvise, { 6, 1, 1, 8 }, NOTHING },
	{ "mremap", make_mremap, { 3, 1, 1, 3 }, NOTHING },
	{ "write from mapping", make_write_from_map, { 6, 1, 1, 5 }, BYTES },
	{ "read into mapping", make_read_to_map, { 4, 1, 1, 3 }, SLOT },
	{ "flock", make_flock, { 3, 6, 3, 2 }, NOTHING },
	{ "lock", make_lock, { 6, 12, 6, 3 }, NOTHING },
	{ "lease", make_lease, { 3, 4, 3, 3 }, NOTHING },
	{ "handle", make_handle, { 1, 8, 3, 2 }, NOTHING },
	{ 0 }
};
