// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases - say how a filesystem answers in situations that random calls rarely hit
 *
 *	cases GROUP DIRECTORY
 *
 * Runs the cases of GROUP (data, times, modes, locks) in the empty DIRECTORY and
 * prints what happened, in words that do not depend on where that is. A test
 * runs it on foldfs and on the lower filesystem and compares the two.
 */
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <stddef.h>
#include <sys/fsuid.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include "util.h"

static unsigned char *buf;	/* 4 MiB, aligned */
#define BUF	(4UL << 20)

static void say(const char *what, long ret)
{
	if (ret < 0)
		printf("  %s: %s\n", what, strerror(errno));
	else
		printf("  %s: %ld\n", what, ret);
}

static unsigned int sum(const void *p, size_t n)
{
	const unsigned char *c = p;
	unsigned int h = 1;

	while (n--)
		h = h * 31 + *c++;
	return h;
}

static void say_contents(int fd)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		die("fstat: %s", strerror(errno));
	n = pread(fd, buf, BUF, 0);
	printf("  size %lld mode %o reads %zd sum %08x\n", (long long)st.st_size,
	       st.st_mode & 07777, n, n > 0 ? sum(buf, n) : 0);
}

static void pattern(unsigned int seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = (i >> 9) * 7 + i + seed;
}

static int new_file(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		die("%s: %s", name, strerror(errno));
	pattern(size, size);
	if (pwrite(fd, buf, size, 0) != (ssize_t)size)
		die("%s: %s", name, strerror(errno));
	return fd;
}

/* As a user without any right to override anything. */
static void as_user(int uid)
{
	setfsgid(uid);
	setfsuid(uid);
}

/* ---- data ----------------------------------------------------------------- */

static void case_fault_in_source(void)
{
	int fd = new_file("fault", 10000);
	unsigned char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v[2] = { { p, 100 }, { p + 2 * PAGE - 50, 100 } };

	munmap(p + 2 * PAGE, PAGE);
	memset(p, 'x', 2 * PAGE);
	say("write that begins in nothing", pwrite(fd, p + 2 * PAGE, 100, 0));
	say("write that ends in nothing", pwrite(fd, p + PAGE, 2 * PAGE, 5000));
	say_contents(fd);
	say("vector that ends in nothing", pwritev(fd, v, 2, 20000));
	say_contents(fd);
	say("read into nothing", pread(fd, p + 2 * PAGE, 100, 0));
	say("read that ends in nothing", pread(fd, p + PAGE, 2 * PAGE, 0));
	close(fd);
}

static void case_large_writes(void)
{
	int fd = new_file("large", 1);

	pattern(3, BUF);
	say("write", pwrite(fd, buf, 3000001, 12345));
	say_contents(fd);
	pattern(4, BUF);
	say("write", pwrite(fd, buf, 262144, 4096));
	say("write", pwrite(fd, buf, 262145, 1000000));
	say_contents(fd);
	close(fd);
}

static volatile int signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

static void case_file_size_limit(void)
{
	struct rlimit limit, old;
	int fd = new_file("limit", 1000);

	signal(SIGXFSZ, count_signal);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){ 600000, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	pattern(5, BUF);
	say("write across the limit", pwrite(fd, buf, 1000000, 1000));
	say("write at the limit", pwrite(fd, buf, 10, 600000));
	say("truncate behind the limit", ftruncate(fd, 600001));
	say("allocate behind the limit", fallocate(fd, 0, 500000, 200000));
	setrlimit(RLIMIT_FSIZE, &old);
	printf("  %d signals\n", signals);
	say_contents(fd);
	close(fd);
}

static void case_append(void)
{
	int fd = new_file("append", 100);
	int a = open("append", O_WRONLY | O_APPEND), b = open("append", O_RDWR);
	struct iovec v = { buf, 10 };
	int p[2];

	say("appending pwrite", pwrite(a, buf, 50, 0));
	say("RWF_APPEND", pwritev2(b, &v, 1, 0, RWF_APPEND));
	say("RWF_NOAPPEND", pwritev2(a, &v, 1, 5, 0x20));
	say("write", write(a, buf, 7));
	say("position", lseek(a, 0, SEEK_CUR));
	if (pipe(p) || write(p[1], buf, 10) != 10)
		die("pipe");
	say("splice to an appending file", splice(p[0], NULL, a, NULL, 10, 0));
	fcntl(a, F_SETFL, 0);
	say("splice after F_SETFL", splice(p[0], NULL, a, &(loff_t){ 3 }, 10, 0));
	say("write after F_SETFL", pwrite(a, "XY", 2, 1));
	say_contents(fd);
	close(p[0]);
	close(p[1]);
	close(a);
	close(b);
	close(fd);
}

static void case_direct(void)
{
	int fd = new_file("direct", 100000);
	int d = open("direct", O_RDWR | O_DIRECT);

	pattern(8, BUF);
	say("aligned", pwrite(d, buf, 65536, 8192));
	say("offset", pwrite(d, buf, 4096, 100));
	say("length", pwrite(d, buf, 100, 4096));
	say("memory", pwrite(d, buf + 8, 4096, 0));
	say("behind the end", pwrite(d, buf, 8192, 200704));
	say("read", pread(d, buf, 65536, 0));
	printf("  sum %08x\n", sum(buf, 65536));
	say("read at the end", pread(d, buf, 65536, 98304 + 102400));
	say("read length", pread(d, buf, 100, 0));
	say_contents(fd);
	fcntl(d, F_SETFL, 0);
	say("length without O_DIRECT", pwrite(d, buf, 100, 4096));
	fcntl(fd, F_SETFL, O_DIRECT);
	say("length with O_DIRECT", pwrite(fd, buf, 100, 4096));
	say_contents(fd);
	close(d);
	close(fd);
}

#define AIOS	16

static void case_asynchronous(void)
{
	struct iocb iocbs[AIOS] = { 0 }, *list[AIOS];
	struct io_event events[AIOS];
	long results[AIOS] = { 0 };
	int fd = new_file("aio", 200000);
	int d = open("aio", O_RDWR | O_DIRECT);
	aio_context_t ctx = 0;
	long got, submitted, total = 0;

	if (syscall(SYS_io_setup, AIOS, &ctx))
		die("io_setup: %s", strerror(errno));
	pattern(9, BUF);
	for (int i = 0; i < AIOS; i++) {
		/* Half of them extend the file. */
		iocbs[i].aio_fildes = d;
		iocbs[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		iocbs[i].aio_buf = (unsigned long)buf + i * 32768;
		iocbs[i].aio_nbytes = 32768;
		iocbs[i].aio_offset = (i * 5 % AIOS) * 32768;
		list[i] = &iocbs[i];
	}
	say("submit", syscall(SYS_io_submit, ctx, AIOS, list));
	for (int n = 0; n < AIOS; n += got) {
		got = syscall(SYS_io_getevents, ctx, 1, AIOS, events, NULL);
		if (got <= 0)
			die("io_getevents: %s", strerror(errno));
		for (int i = 0; i < got; i++)
			total += events[i].res;
	}
	say("written", total);
	say_contents(fd);

	iocbs[0].aio_lio_opcode = IOCB_CMD_PREAD;
	iocbs[0].aio_buf = (unsigned long)buf;
	iocbs[1].aio_nbytes = 100;	/* not aligned */
	iocbs[2] = (struct iocb){ .aio_fildes = d, .aio_lio_opcode = IOCB_CMD_FDSYNC };
	iocbs[3].aio_fildes = fd;	/* not direct */
	submitted = syscall(SYS_io_submit, ctx, 4, list);
	say("submit", submitted);
	for (int n = 0; n < submitted; n += got) {
		got = syscall(SYS_io_getevents, ctx, 1, AIOS, events, NULL);
		for (int i = 0; i < got; i++)
			results[(struct iocb *)events[i].obj - iocbs] = events[i].res;
	}
	for (int i = 0; i < 4; i++)
		printf("  result: %ld\n", results[i]);
	syscall(SYS_io_destroy, ctx);
	close(d);
	close(fd);
}

static void case_holes(void)
{
	int fd = new_file("holes", 1);
	off_t pos = 0;

	pattern(1, BUF);
	if (pwrite(fd, buf, 4096, 65536) < 0 || pwrite(fd, buf, 4096, 262144) < 0)
		die("pwrite");
	ftruncate(fd, 1000000);
	fsync(fd);
	for (int i = 0; i < 4; i++) {
		pos = lseek(fd, pos, SEEK_DATA);
		say("data", pos);
		pos = lseek(fd, pos, SEEK_HOLE);
		say("hole", pos);
	}
	say("data behind the end", lseek(fd, 1000000, SEEK_DATA));
	say("hole at the end", lseek(fd, 999999, SEEK_HOLE));
	say("before the beginning", lseek(fd, -1, SEEK_SET));
	say("end", lseek(fd, 5, SEEK_END));
	say("no such thing", lseek(fd, 0, 17));
	say("far", lseek(fd, 0x7fffffffffffffff, SEEK_SET));
	close(fd);
}

static void case_pipes(void)
{
	int fd = new_file("pipes", 300000), out = new_file("out", 10);
	off_t from = 1000;
	loff_t pos = 4000;
	ssize_t n;
	int p[2];

	if (pipe(p))
		die("pipe");
	say("sendfile", sendfile(out, fd, &from, 250000));
	say_contents(out);
	say("from here", from);
	say("splice to a pipe", n = splice(fd, &pos, p[1], NULL, 60000, 0));
	pos = 30000;
	while (n > 0) {
		ssize_t m = splice(p[0], NULL, out, &pos, n, 0);

		if (m <= 0)
			die("splice: %s", strerror(errno));
		n -= m;
	}
	say("splice from an empty pipe",
	    splice(p[0], NULL, out, &pos, 10, SPLICE_F_NONBLOCK));
	say_contents(out);
	if (!fork()) {
		usleep(50000);
		_exit(write(p[1], "late", 4) != 4);
	}
	say("splice of what comes late", splice(p[0], NULL, out, &pos, 4, 0));
	wait(NULL);
	close(p[1]);
	say("splice after the last writer", splice(p[0], NULL, out, &pos, 4, 0));
	say("copy", copy_file_range(fd, &(loff_t){ 7 }, out, &(loff_t){ 90 }, 70000, 0));
	say("copy onto itself", copy_file_range(out, &(loff_t){ 0 }, out,
						&(loff_t){ 10 }, 100, 0));
	say_contents(out);
	close(p[0]);
	close(fd);
	close(out);
}

static void case_other_calls(void)
{
	int fd = new_file("other", 50000), n = 0;
	char termios[256];

	say("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM));
	say("fadvise", posix_fadvise(fd, 0, 4096, POSIX_FADV_DONTNEED));
	say("fadvise", posix_fadvise(fd, 0, 0, 77));
	say("readahead", readahead(fd, 0, 50000));
	say("sync_file_range", sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	say("FIONREAD", ioctl(fd, FIONREAD, &n) ? -1 : n);
	say("FIGETBSZ", ioctl(fd, FIGETBSZ, &n) ? -1 : n);
	say("TCGETS", ioctl(fd, 0x5401, termios));
	say("nonsense", ioctl(fd, 0x12345678, termios));
	say("XFS_IOC_DIOINFO", ioctl(fd, 0x800c581e, termios));
	printf("  sum %08x\n", sum(termios, 12));
	n = 0;
	say("FS_IOC_GETVERSION", ioctl(fd, FS_IOC_GETVERSION, &n));
	say("allocate nothing", fallocate(fd, 0, 0, 0));
	say("allocate before the beginning", fallocate(fd, 0, -1, 10));
	say("punch without keeping", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	say("collapse all", fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 53248));
	say("fsync", fsync(fd));
	say("truncate", ftruncate(fd, -5));
	close(fd);
}

/* ---- times ---------------------------------------------------------------- */

static struct statx before;
static int base;

/* Which times has an operation moved? Ticks are some milliseconds apart. */
static void snap(const char *path)
{
	usleep(20000);
	if (statx(base, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &before))
		die("statx %s: %s", path, strerror(errno));
}

static bool moved(struct statx_timestamp a, struct statx_timestamp b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static void say_moved(const char *what, const char *path, long ret)
{
	int error = errno;
	struct statx x;

	if (statx(base, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x))
		die("statx %s: %s", path, strerror(errno));
	printf("  %s: %s%s%s%s\n", what, ret < 0 ? strerror(error) : "done",
	       moved(before.stx_atime, x.stx_atime) ? " atime" : "",
	       moved(before.stx_mtime, x.stx_mtime) ? " mtime" : "",
	       moved(before.stx_ctime, x.stx_ctime) ? " ctime" : "");
}

#define MOVES(path, call)	do {			\
	snap(path);					\
	say_moved(#call, path, (long)(call));		\
} while (0)

static void case_times_of_files(void)
{
	int fd = new_file("file", 20000);
	struct timespec past[2] = { { 1000000, 5 }, { 1000000, 6 } };
	unsigned char *map;

	fsync(fd);
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", pwrite(fd, "x", 1, 0));
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", ftruncate(fd, 20000));
	MOVES("file", ftruncate(fd, 10000));
	MOVES("file", truncate("file", 10000));
	MOVES("file", truncate("file", 12000));
	MOVES("file", fchmod(fd, 0600));
	MOVES("file", fchown(fd, 0, 0));
	MOVES("file", link("file", "name"));
	MOVES("file", rename("name", "name2"));
	MOVES("file", unlink("name2"));
	MOVES("file", setxattr("file", "user.a", "b", 1, 0));
	MOVES("file", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
	MOVES("file", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	MOVES("file", futimens(fd, past));
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", utimes("file", NULL));
	MOVES("file", close(open("file", O_WRONLY | O_TRUNC)));
	if (ftruncate(fd, 20000))
		die("ftruncate");
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	futimens(fd, past);
	MOVES("file", *(volatile unsigned char *)map);
	snap("file");
	map[0] = 1;
	say_moved("write to a mapping", "file", msync(map, 4096, MS_SYNC));
	munmap(map, 8192);
	MOVES("file", ioctl(fd, FICLONE, fd));
	close(fd);
}

static void case_times_of_directories(void)
{
	mkdir("dir", 0755);
	mkdir("dir/sub", 0755);
	close(new_file("dir/old", 10));
	MOVES("dir", mknod("dir/file", S_IFREG | 0644, 0));
	MOVES("dir", link("dir/file", "dir/name"));
	MOVES("dir", rename("dir/name", "dir/name2"));
	MOVES("dir", rename("dir/name2", "dir/sub/name"));
	MOVES("dir", unlink("dir/file"));
	MOVES("dir", mkdir("dir/new", 0755));
	MOVES("dir", rmdir("dir/new"));
	MOVES("dir", symlink("x", "dir/link"));
	MOVES("dir", readlink("dir/link", (char *)buf, 10));
	MOVES("dir/link", readlink("dir/link", (char *)buf, 10));
	MOVES("dir", chmod("dir", 0700));
	MOVES("dir", truncate("dir/old", 5));
	MOVES("dir", unlink("dir/nothing"));
}

/* ---- modes ---------------------------------------------------------------- */

static void say_mode(const char *path)
{
	unsigned char value[256];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st))
		die("%s: %s", path, strerror(errno));
	printf("  %s: mode %o owner %u:%u", path, st.st_mode, st.st_uid, st.st_gid);
	n = getxattr(path, "system.posix_acl_access", value, sizeof(value));
	printf(" access %08x", n > 0 ? sum(value, n) : 0);
	n = getxattr(path, "system.posix_acl_default", value, sizeof(value));
	printf(" default %08x", n > 0 ? sum(value, n) : 0);
	n = getxattr(path, "security.capability", value, sizeof(value));
	printf(" capability %08x\n", n > 0 ? sum(value, n) : 0);
}

static void privileged(const char *name, mode_t mode)
{
	uint32_t cap[5] = { 0x02000001, 1, 0, 0, 0 };
	int fd = new_file(name, 5000);

	if (setxattr(name, "security.capability", cap, sizeof(cap), 0))
		die("security.capability: %s", strerror(errno));
	if (fchown(fd, 2000, 2000) || fchmod(fd, mode))
		die("%s: %s", name, strerror(errno));
	if (setxattr(name, "security.capability", cap, sizeof(cap), 0))
		die("security.capability: %s", strerror(errno));
	close(fd);
}

/* What takes set-ID bits and capabilities away, and from whom? */
static void case_privileges(void)
{
	static const int uids[] = { 0, 1000, 2000 };
	static const mode_t modes[] = { 06777, 02767 };

	for (int u = 0; u < 3; u++) {
		for (int m = 0; m < 2; m++) {
			for (int op = 0; op < 9; op++) {
				int fd, other = new_file("other", 4096);
				char name[32];

				snprintf(name, sizeof(name), "p%d-%d-%d", u, m, op);
				privileged(name, modes[m]);
				fd = open(name, O_RDWR);
				as_user(uids[u]);
				switch (op) {
				case 0:
					say("write", pwrite(fd, "x", 1, 0));
					break;
				case 1:
					say("ftruncate", ftruncate(fd, 10));
					break;
				case 2:
					say("truncate", truncate(name, 10));
					break;
				case 3:
					say("fallocate", fallocate(fd, 0, 0, 9999));
					break;
				case 4:
					say("clone", ioctl(fd, FICLONE, other));
					break;
				case 5:
					say("chown", fchown(fd, -1, uids[u]));
					break;
				case 6:
					say("O_TRUNC", close(open(name, O_WRONLY | O_TRUNC)));
					break;
				case 7:
					say("write nothing", pwrite(fd, "x", 0, 0));
					break;
				case 8:
					say("splice", copy_file_range(other, NULL, fd,
								      NULL, 100, 0));
					break;
				}
				as_user(0);
				say_mode(name);
				close(other);
				close(fd);
			}
		}
	}
}

/* ACL of owner, one user, group, mask, other. */
static size_t acl(unsigned char *value, int owner, int user, int group, int mask,
		  int other)
{
	const uint16_t tags[] = { 1, 2, 4, 16, 32 };
	const uint16_t perms[] = { owner, user, group, mask, other };
	uint32_t version = 2;

	memcpy(value, &version, 4);
	for (int i = 0; i < 5; i++) {
		uint32_t id = tags[i] == 2 ? 1000 : -1;

		memcpy(value + 4 + 8 * i, &tags[i], 2);
		memcpy(value + 6 + 8 * i, &perms[i], 2);
		memcpy(value + 8 + 8 * i, &id, 4);
	}
	return 44;
}

static void case_inherited(void)
{
	unsigned char value[64];
	int fd;

	umask(027);
	mkdir("plain", 0777);
	close(open("plain/file", O_CREAT | O_RDWR, 0666));
	mkdir("plain/dir", 0777);
	mkdir("group", 0777);
	if (chown("group", 0, 3000) || chmod("group", 02775))
		die("group");
	close(open("group/file", O_CREAT | O_RDWR, 0666));
	mkdir("group/dir", 0777);
	mkdir("acl", 0777);
	if (setxattr("acl", "system.posix_acl_default", value,
		     acl(value, 7, 5, 5, 7, 2), 0))
		die("default ACL: %s", strerror(errno));
	close(open("acl/file", O_CREAT | O_RDWR, 0666));
	mkdir("acl/dir", 0777);
	mknod("acl/fifo", S_IFIFO | 0666, 0);
	symlink("file", "acl/link");
	fd = open("acl", O_TMPFILE | O_RDWR, 0666);
	snprintf((char *)buf, 64, "/proc/self/fd/%d", fd);
	linkat(AT_FDCWD, (char *)buf, AT_FDCWD, "acl/tmp", AT_SYMLINK_FOLLOW);
	chmod("group", 02777);
	as_user(1000);
	close(open("group/theirs", O_CREAT | O_RDWR, 02777));
	mkdir("group/their-dir", 0777);
	say("set-group-ID by a stranger", chmod("group/theirs", 02755));
	as_user(0);
	umask(022);
	say_mode("plain/file");
	say_mode("plain/dir");
	say_mode("group/file");
	say_mode("group/dir");
	say_mode("group/theirs");
	say_mode("group/their-dir");
	say_mode("acl");
	say_mode("acl/file");
	say_mode("acl/dir");
	say_mode("acl/fifo");
	say_mode("acl/link");
	say_mode("acl/tmp");
	close(fd);
}

static void case_acl_decides(void)
{
	unsigned char value[64];

	close(new_file("acl-file", 10));
	chmod("acl-file", 0600);
	say("ACL", setxattr("acl-file", "system.posix_acl_access", value,
			    acl(value, 6, 4, 0, 4, 0), 0));
	for (int uid = 1000; uid <= 2000; uid += 1000) {
		as_user(uid);
		say("read", open("acl-file", O_RDONLY) < 0 ? -1 : 0);
		say("write", open("acl-file", O_WRONLY) < 0 ? -1 : 0);
		say("ACL of a stranger", setxattr("acl-file", "system.posix_acl_access",
						  value, acl(value, 7, 7, 7, 7, 7), 0));
		say("xattr", setxattr("acl-file", "user.a", "b", 1, 0));
		say("trusted", setxattr("acl-file", "trusted.a", "b", 1, 0));
		as_user(0);
	}
	say("chmod", chmod("acl-file", 0640));
	say_mode("acl-file");
	say("remove", removexattr("acl-file", "system.posix_acl_access"));
	say_mode("acl-file");
	say("default ACL of a file", setxattr("acl-file", "system.posix_acl_default",
					      value, acl(value, 7, 7, 7, 7, 7), 0));
}

/* A sticky directory: who may remove what? */
static void case_sticky(void)
{
	mkdir("sticky", 0777);
	chmod("sticky", 01777);
	close(new_file("sticky/a", 1));
	as_user(1000);
	say("create", open("sticky/b", O_CREAT | O_WRONLY, 0644) < 0 ? -1 : 0);
	say("remove another's", unlink("sticky/a"));
	say("rename another's", rename("sticky/a", "sticky/c"));
	as_user(2000);
	say("remove another's", unlink("sticky/b"));
	say("rename over another's", rename("sticky/b", "sticky/a"));
	as_user(1000);
	say("remove one's own", unlink("sticky/b"));
	as_user(0);
	say("remove", unlink("sticky/a"));
}

/* ---- locks ---------------------------------------------------------------- */

static long record_lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET,
			      .l_start = start, .l_len = len };
	long ret = fcntl(fd, cmd, &lock);

	return cmd == F_GETLK && !ret ? lock.l_type : ret;
}

static void in_child(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void child_locks(void)
{
	int fd = open("lock", O_RDWR);

	say("write lock", record_lock(fd, F_SETLK, F_WRLCK, 0, 10));
	say("read lock", record_lock(fd, F_SETLK, F_RDLCK, 50, 10));
	say("elsewhere", record_lock(fd, F_SETLK, F_WRLCK, 200, 10));
	say("who", record_lock(fd, F_GETLK, F_WRLCK, 0, 10));
	say("flock", flock(fd, LOCK_EX | LOCK_NB));
	fd = open("lock2", O_RDWR);
	say("by the other name", record_lock(fd, F_SETLK, F_WRLCK, 0, 10));
}

static void case_record_locks(void)
{
	int fd = new_file("lock", 1000), ro = open("lock", O_RDONLY);

	link("lock", "lock2");
	say("write lock", record_lock(fd, F_SETLK, F_WRLCK, 0, 20));
	say("read lock", record_lock(fd, F_SETLK, F_RDLCK, 50, 20));
	say("write lock on a reader", record_lock(ro, F_SETLK, F_WRLCK, 300, 1));
	say("read lock on a reader", record_lock(ro, F_SETLK, F_RDLCK, 300, 1));
	say("flock", flock(fd, LOCK_SH));
	in_child(child_locks);
	say("open file description", record_lock(ro, F_OFD_SETLK, F_RDLCK, 0, 5));
	close(ro);	/* lets all POSIX locks of the process go */
	in_child(child_locks);
	close(fd);
}

static void child_breaks(void)
{
	say("open for reading", open("leased", O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
	say("open for writing", open("leased", O_WRONLY | O_NONBLOCK) < 0 ? -1 : 0);
	say("truncate", truncate("leased", 1) < 0 ? -1 : 0);
}

static void let_go(int sig)
{
	(void)sig;
	signals++;
}

static void case_leases(void)
{
	int fd = new_file("leased", 10), ro;

	signal(SIGIO, let_go);
	signals = 0;
	say("write lease", fcntl(fd, F_SETLEASE, F_WRLCK));
	say("read lease of a writer", fcntl(fd, F_SETLEASE, F_RDLCK));
	say("lease", fcntl(fd, F_GETLEASE));
	fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	ro = open("leased", O_RDONLY);
	say("read lease", fcntl(ro, F_SETLEASE, F_RDLCK));
	fflush(stdout);
	if (!fork()) {
		say("open for reading", open("leased", O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
		say("open for writing", open("leased", O_WRONLY | O_NONBLOCK) < 0 ? -1 : 0);
		fflush(stdout);
		_exit(0);
	}
	while (wait(NULL) < 0 && errno == EINTR)
		;
	printf("  signals: %d\n", signals);
	say("lease", fcntl(ro, F_GETLEASE));
	fcntl(ro, F_SETLEASE, F_UNLCK);
	close(ro);
	in_child(child_breaks);
}

struct group_case {
	const char *group, *name;
	void (*run)(void);
};

static const struct group_case all[] = {
	{ "data", "fault in the source", case_fault_in_source },
	{ "data", "large writes", case_large_writes },
	{ "data", "file size limit", case_file_size_limit },
	{ "data", "append", case_append },
	{ "data", "direct", case_direct },
	{ "data", "asynchronous", case_asynchronous },
	{ "data", "holes", case_holes },
	{ "data", "pipes", case_pipes },
	{ "data", "other calls", case_other_calls },
	{ "times", "files", case_times_of_files },
	{ "times", "directories", case_times_of_directories },
	{ "modes", "privileges", case_privileges },
	{ "modes", "inherited", case_inherited },
	{ "modes", "access control lists", case_acl_decides },
	{ "modes", "sticky directory", case_sticky },
	{ "locks", "record locks", case_record_locks },
	{ "locks", "leases", case_leases },
};

int main(int argc, char **argv)
{
	int ran = 0;

	if (argc != 3 || chdir(argv[2]))
		die("usage: cases GROUP DIRECTORY");
	buf = aligned_alloc(PAGE, BUF);
	base = AT_FDCWD;
	umask(022);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (strcmp(all[i].group, argv[1]))
			continue;
		printf("%s:\n", all[i].name);
		all[i].run();
		ran++;
	}
	if (!ran)
		die("no such group: %s", argv[1]);
	return 0;
}
