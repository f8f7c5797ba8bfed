// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases-data - the group "data": reads, writes and other uses of file contents (see cases.h)
 */
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "cases.h"

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
	{ 0 }
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, all);
}
