// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases-calls - the group "calls": statx, flags of preadv2, io_uring, ioctls (see cases.h)
 */
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/io_uring.h>
#include <linux/fiemap.h>
#include <linux/stat.h>
#include <sys/uio.h>

#include "cases.h"

/* ---- statx -------------------------------------------------------------------- */

static void say_statx(const char *path, unsigned int mask, int flags)
{
	struct statx x;

	memset(&x, 0, sizeof(x));
	printf("  %s, mask %#x, flags %#x: ", path, mask, flags);
	if (statx(AT_FDCWD, path, flags | AT_SYMLINK_NOFOLLOW, mask, &x)) {
		printf("%s\n", strerror(errno));
		return;
	}
	/* XFS tells more than it was asked for; how many blocks is its business. */
	printf("got %#x mode %o links %u owner %u:%u size %llu blksize %u attr %#llx of %#llx "
	       "rdev %u:%u dio %u/%u birth %d\n",
	       x.stx_mask, x.stx_mode, x.stx_nlink, x.stx_uid, x.stx_gid,
	       S_ISDIR(x.stx_mode) ? 0 : x.stx_size, x.stx_blksize,
	       x.stx_attributes & ~STATX_ATTR_MOUNT_ROOT, x.stx_attributes_mask,
	       x.stx_rdev_major, x.stx_rdev_minor, x.stx_dio_mem_align,
	       x.stx_dio_offset_align,
	       x.stx_mask & STATX_BTIME && x.stx_btime.tv_sec > 1000000000);
}

static void case_statx(void)
{
	static const char *const paths[] = { "file", "dir", "link", "fifo", "null", "." };
	struct {
		struct file_handle h;
		unsigned char space[128];
	} h = { .h.handle_bytes = 128 };
	struct statx x;
	int id, p;

	close(new_file("file", 12345));
	mkdir("dir", 0750);
	symlink("file", "link");
	mkfifo("fifo", 0600);
	mknod("null", S_IFCHR | 0666, makedev(1, 3));
	for (p = 0; p < 6; p++) {
		for (int bit = 0; bit < 16; bit++)
			say_statx(paths[p], 1U << bit, 0);
		say_statx(paths[p], 0, 0);
		say_statx(paths[p], 0x7fffffff, 0);
		say_statx(paths[p], 0x80000000, 0);
		say_statx(paths[p], STATX_ALL, AT_STATX_FORCE_SYNC);
		say_statx(paths[p], STATX_ALL, AT_STATX_DONT_SYNC);
		say_statx(paths[p], STATX_ALL, AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC);
	}
	if (name_to_handle_at(AT_FDCWD, "file", &h.h, &id, 0) ||
	    statx(AT_FDCWD, "file", 0, STATX_MNT_ID, &x))
		die("mount ID: %s", strerror(errno));
	printf("  the mount's ID: %s\n", (int)x.stx_mnt_id == id ? "is shown" : "is wrong");
}

/* ---- reads and writes that do not wait ------------------------------------------ */

static void say_nowait(const char *what, int fd, int flags, off_t off)
{
	struct iovec v = { buf, 8192 };
	long n = preadv2(fd, &v, 1, off, flags);

	say(what, n);
	if (n > 0)
		printf("  sum %08x\n", sum(buf, n));
}

/*
 * What RWF_NOWAIT says of bytes that are not cached is not compared: it starts to
 * read them, and sometimes has them before it looks again.
 */
static void forget(int fd)
{
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("cannot forget");
}

static void case_nowait(void)
{
	struct iovec v = { buf, 4096 };
	int fd = new_file("plain", 65536), to;

	forget(fd);
	say_nowait("wait", fd, 0, 0);
	say_nowait("RWF_NOWAIT of what is cached", fd, RWF_NOWAIT, 0);
	say_nowait("RWF_NOWAIT at the end", fd, RWF_NOWAIT, 65536);
	say_nowait("RWF_HIPRI", fd, RWF_HIPRI, 0);
	say_nowait("RWF_DSYNC", fd, RWF_DSYNC, 0);
	say_nowait("RWF_APPEND", fd, RWF_APPEND, 0);
	say_nowait("no such flag", fd, 1 << 20, 0);
	say("RWF_NOWAIT write over", pwritev2(fd, &v, 1, 0, RWF_NOWAIT));
	say("RWF_NOWAIT and RWF_DSYNC", pwritev2(fd, &v, 1, 0, RWF_NOWAIT | RWF_DSYNC) < 0);
	say("RWF_ATOMIC", pwritev2(fd, &v, 1, 0, 0x40));
	say_contents(fd);
	close(fd);

	/* The same of a file that shares its blocks. */
	fd = new_file("from", 65536);
	to = open("clone", O_CREAT | O_RDWR, 0644);
	say("clone", ioctl(to, FICLONE, fd));
	close(to);
	close(fd);
	fd = open("clone", O_RDONLY);
	say_nowait("wait", fd, 0, 0);
	say_nowait("RWF_NOWAIT of what is cached", fd, RWF_NOWAIT, 0);
	forget(fd);
	say_nowait("wait", fd, 0, 0);
	say("readahead", readahead(fd, 0, 65536));
	/* It comes, sooner or later. */
	while (preadv2(fd, &v, 1, 32768, RWF_NOWAIT) < 0 && errno == EAGAIN)
		usleep(10000);
	say_nowait("RWF_NOWAIT of what was read ahead", fd, RWF_NOWAIT, 32768);
	close(fd);
	fd = open("clone", O_RDWR);
	say("write", pwrite(fd, "changed", 7, 5000));
	say("RWF_NOWAIT of what was written", preadv2(fd, &v, 1, 4096, RWF_NOWAIT));
	printf("  sum %08x\n", sum(buf, 4096));
	close(fd);
}

/* ---- io_uring ------------------------------------------------------------------- */

static struct {
	int fd;
	struct io_uring_params p;
	unsigned char *ring;
	struct io_uring_sqe *sqe;
} uring;

static void uring_open(void)
{
	uring.fd = syscall(__NR_io_uring_setup, 8, &uring.p);
	if (uring.fd < 0)
		die("io_uring_setup: %s", strerror(errno));
	uring.ring = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  uring.fd, IORING_OFF_SQ_RING);
	uring.sqe = mmap(NULL, 8 * sizeof(*uring.sqe), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, uring.fd, IORING_OFF_SQES);
	if (uring.ring == MAP_FAILED || uring.sqe == MAP_FAILED)
		die("io_uring: %s", strerror(errno));
}

static unsigned int *ring_word(unsigned int off)
{
	return (unsigned int *)(uring.ring + off);
}

static long uring_do(int op, int fd, const void *addr, unsigned int len, off_t off, int flags)
{
	unsigned int *tail = ring_word(uring.p.sq_off.tail), *head, i;
	struct io_uring_cqe *cqe;
	long res;

	i = *tail & *ring_word(uring.p.sq_off.ring_mask);
	ring_word(uring.p.sq_off.array)[i] = i;
	memset(&uring.sqe[i], 0, sizeof(uring.sqe[i]));
	uring.sqe[i].opcode = op;
	uring.sqe[i].fd = fd;
	uring.sqe[i].addr = (unsigned long)addr;
	uring.sqe[i].len = len;
	uring.sqe[i].off = off;
	uring.sqe[i].rw_flags = flags;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, uring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		die("io_uring_enter: %s", strerror(errno));
	head = ring_word(uring.p.cq_off.head);
	cqe = (struct io_uring_cqe *)(uring.ring + uring.p.cq_off.cqes);
	res = cqe[*head & *ring_word(uring.p.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (res >= 0)
		return res;
	errno = -res;
	return -1;
}

static void case_uring(void)
{
	int fd = new_file("uring", 100000), direct, to;

	uring_open();
	forget(fd);
	say("read", uring_do(IORING_OP_READ, fd, buf, 50000, 1000, 0));
	printf("  sum %08x\n", sum(buf, 50000));
	pattern(77, 30000);
	say("write", uring_do(IORING_OP_WRITE, fd, buf, 30000, 90000, 0));
	say("append", uring_do(IORING_OP_WRITE, fd, buf, 10, 0, RWF_APPEND));
	say("fsync", uring_do(IORING_OP_FSYNC, fd, NULL, 0, 0, 0));
	say("fallocate", uring_do(IORING_OP_FALLOCATE, fd, (void *)4096, 0, 200000, 0));
	say("fadvise", uring_do(IORING_OP_FADVISE, fd, NULL, 0, 0, POSIX_FADV_DONTNEED));
	say("sync_file_range", uring_do(IORING_OP_SYNC_FILE_RANGE, fd, NULL, 4096, 0, 2));
	say("open", uring_do(IORING_OP_OPENAT, AT_FDCWD, "nothing", 0, 0, O_RDWR));
	say("mkdir", uring_do(IORING_OP_MKDIRAT, AT_FDCWD, "made", 0755, 0, 0));
	say("unlink a directory", uring_do(IORING_OP_UNLINKAT, AT_FDCWD, "made", 0, 0, 0));
	say("rmdir", uring_do(IORING_OP_UNLINKAT, AT_FDCWD, "made", 0, 0, AT_REMOVEDIR));
	say("no such file", uring_do(IORING_OP_READ, 999, buf, 10, 0, 0));
	direct = open("uring", O_RDWR | O_DIRECT);
	say("direct write", uring_do(IORING_OP_WRITE, direct, buf, 8192, 8192, 0));
	say("direct read", uring_do(IORING_OP_READ, direct, buf, 65536, 0, 0));
	printf("  sum %08x\n", sum(buf, 65536));
	say("direct write, not aligned", uring_do(IORING_OP_WRITE, direct, buf, 100, 0, 0));
	say_contents(fd);
	to = open("uring2", O_CREAT | O_RDWR, 0644);
	say("clone", ioctl(to, FICLONE, fd));
	close(to);
	to = open("uring2", O_RDONLY);
	say("read the clone", uring_do(IORING_OP_READ, to, buf, 100000, 0, 0));
	printf("  sum %08x\n", sum(buf, 100000));
	say("again", uring_do(IORING_OP_READ, to, buf, 100000, 0, 0));
	printf("  sum %08x\n", sum(buf, 100000));
	close(to);
	close(direct);
	close(fd);
	close(uring.fd);
}

/* ---- ioctls --------------------------------------------------------------------- */

static void say_ioctls(int fd)
{
	struct fsverity_enable_arg verity = { .version = 1, .hash_algorithm = 1,
					      .block_size = 4096 };
	struct {
		struct fiemap f;
		struct fiemap_extent e[8];
	} map = { .f = { .fm_length = ~0ULL, .fm_extent_count = 8,
			 .fm_flags = FIEMAP_FLAG_SYNC } };
	unsigned char space[4096] = { 4, 0 };
	int n = 0;

	say("FS_IOC_ENABLE_VERITY", ioctl(fd, FS_IOC_ENABLE_VERITY, &verity));
	say("FS_IOC_MEASURE_VERITY", ioctl(fd, FS_IOC_MEASURE_VERITY, space));
	say("FS_IOC_SET_ENCRYPTION_POLICY", ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, space));
	say("FS_IOC_GET_ENCRYPTION_POLICY", ioctl(fd, FS_IOC_GET_ENCRYPTION_POLICY, space));
	say("FS_IOC_ADD_ENCRYPTION_KEY", ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, space));
	say("FIEMAP", ioctl(fd, FS_IOC_FIEMAP, &map));
	for (unsigned int i = 0; i < map.f.fm_mapped_extents; i++)
		printf("  extent at %llu, %llu long, flags %x\n", map.e[i].fe_logical,
		       map.e[i].fe_length, map.e[i].fe_flags);
	say("FIBMAP", ioctl(fd, FIBMAP, &n) ? -1 : n > 0);
	say("FS_IOC_GETFSUUID", ioctl(fd, 0x80111500, space));
	say("FS_IOC_GETFSLABEL", ioctl(fd, FS_IOC_GETFSLABEL, space));
	say("FITRIM of nothing", ioctl(fd, FITRIM, &(struct fstrim_range){ .len = 0 }));
	say("XFS_IOC_FSGEOMETRY", ioctl(fd, 0x8100587e, space));
	say("XFS_IOC_GETBMAP of nowhere", ioctl(fd, 0xc0205826, NULL));
	say("FS_IOC_FSGETXATTR to nowhere", ioctl(fd, FS_IOC_FSGETXATTR, NULL));
	say("BLKGETSIZE64", ioctl(fd, BLKGETSIZE64, space));
	say("BTRFS_IOC_SYNC", ioctl(fd, 0x9408));
	/* Not as_user(): these ask for other rights than those to files. */
	fflush(stdout);
	if (fork()) {
		wait(NULL);
		return;
	}
	if (setresuid(1000, 1000, 1000))
		die("setresuid");
	say("FIFREEZE by a user", ioctl(fd, FIFREEZE, 0));
	say("FITRIM by a user", ioctl(fd, FITRIM, &(struct fstrim_range){ .len = 0 }));
	say("XFS_IOC_GOINGDOWN by a user", ioctl(fd, 0x8004587d, &n));
	n = FS_NODUMP_FL;
	say("FS_IOC_SETFLAGS by a user", ioctl(fd, FS_IOC_SETFLAGS, &n));
	fflush(stdout);
	_exit(0);
}

static void case_ioctls(void)
{
	int fd = new_file("ioctls", 70000), to = open("ioctls2", O_CREAT | O_RDWR, 0644);

	say("clone", ioctl(to, FICLONE, fd));
	if (pwrite(to, "x", 1, 20000) != 1)
		die("pwrite");
	say_ioctls(to);
	close(to);
	close(fd);
	to = open(".", O_RDONLY);
	say_ioctls(to);
	close(to);
}

static const struct group_case all[] = {
	{ "calls", "statx", case_statx },
	{ "calls", "without waiting", case_nowait },
	{ "calls", "io_uring", case_uring },
	{ "calls", "ioctls", case_ioctls },
	{ 0 }
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, all);
}
