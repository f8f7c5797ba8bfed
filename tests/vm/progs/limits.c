// SPDX-License-Identifier: GPL-2.0-only
/*
 * limits WHAT ...: system calls whose answers docs/compatibility.md has rows for.
 *
 *	limits mount TYPE FILE DIR	mount(2) of a file, without a loop device
 *	limits copy FROM TO		copy_file_range(2)
 *	limits hint FILE OTHER		a life-time hint, set by one way, asked for by the other
 *	limits iopoll FILE		a polled direct read by io_uring
 *	limits grown FILE BELOW		FIONREAD and copy_file_range(2) of what has grown
 *	limits core FILE		maps a file and dies, so that it is in the core
 *	limits lease FILE OTHER		a lease by one way, and an open for writing by the other
 *
 * What comes is printed: the name of an error, or what was asked for.
 */
#include "util.h"

#include <linux/io_uring.h>
#include <sys/mount.h>

#ifndef F_SET_RW_HINT
#define F_GET_RW_HINT	1035
#define F_SET_RW_HINT	1036
#endif

static void say(long ret)
{
	if (ret < 0)
		puts(strerrorname_np(errno));
	else
		printf("%ld\n", ret);
}

static void mount_file(char **args)
{
	say(mount(args[1], args[2], args[0], MS_RDONLY, NULL));
}

static void copy(char **args)
{
	int from = sys(open(args[0], O_RDONLY)), to = sys(open(args[1], O_RDWR | O_CREAT, 0600));

	say(copy_file_range(from, NULL, to, NULL, 4096, 0));
}

static void hint(char **args)
{
	uint64_t set = 3 /* RWH_WRITE_LIFE_MEDIUM */, got = 99;
	int fd = sys(open(args[0], O_RDWR)), other = sys(open(args[1], O_RDWR));

	sys(fcntl(fd, F_SET_RW_HINT, &set));
	sys(fcntl(fd, F_GET_RW_HINT, &got));
	printf("%d ", (int)got);
	sys(fcntl(other, F_GET_RW_HINT, &got));
	printf("%d\n", (int)got);
}

static void iopoll(char **args)
{
	struct io_uring_params params = { .flags = IORING_SETUP_IOPOLL };
	int fd = sys(open(args[0], O_RDONLY | O_DIRECT));
	int ring = sys(syscall(__NR_io_uring_setup, 4, &params));
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *sq, *cq, *buf;

	sq = mmap(NULL, params.sq_off.array + 4 * sizeof(uint32_t), PROT_READ | PROT_WRITE,
		  MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, 4 * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		die_errno("mmap");
	buf = aligned_alloc(4096, 4096);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = 4096;
	*(uint32_t *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	sys(syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	cqe = (void *)(cq + params.cq_off.cqes);
	errno = -cqe->res;
	say(cqe->res);
}

static void grown(char **args)
{
	int fd, below, out, bytes;
	struct stat st;
	char *to;

	if (asprintf(&to, "%s.new", args[0]) < 0)
		die("no memory");
	fd = sys(open(args[0], O_RDONLY));
	below = sys(open(args[1], O_WRONLY | O_APPEND));
	out = sys(open(to, O_RDWR | O_CREAT | O_TRUNC, 0600));
	sys(write(below, "grown", 5));
	sys(ioctl(fd, FIONREAD, &bytes));
	printf("%d ", bytes);
	printf("%zd ", sys(copy_file_range(fd, NULL, out, NULL, 1 << 30, 0)));
	sys(fstat(fd, &st));
	sys(lseek(fd, 0, SEEK_SET));
	sys(ioctl(fd, FIONREAD, &bytes));
	printf("%d\n", bytes);
	unlink(to);
}

static void core(char **args)
{
	int fd = sys(open(args[0], O_RDONLY));

	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		die_errno("mmap");
	abort();
}

static void lease(char **args)
{
	int fd = sys(open(args[0], O_RDONLY));

	signal(SIGIO, SIG_IGN);
	sys(fcntl(fd, F_SETLEASE, F_RDLCK));
	say(open(args[1], O_WRONLY | O_NONBLOCK) < 0 ? -1 : 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		void (*fn)(char **args);
	} all[] = {
		{ "mount", 3, mount_file },
		{ "copy", 2, copy },
		{ "hint", 2, hint },
		{ "iopoll", 1, iopoll },
		{ "grown", 2, grown },
		{ "core", 1, core },
		{ "lease", 2, lease },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (argc > 1 && !strcmp(argv[1], all[i].name) && argc - 2 == all[i].args) {
			all[i].fn(argv + 2);
			return 0;
		}
	}
	die("usage: limits WHAT ..., see its source");
}
