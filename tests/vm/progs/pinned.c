// SPDX-License-Identifier: GPL-2.0-only
/*
 * pinned FILE DEVICE: starts a direct read of the first 16 KiB of DEVICE into a
 * writable shared mapping of FILE's second to fifth page, takes the mapping away
 * and closes the file, and prints "started". With the first line on its standard
 * input waits for the read to be over, and prints "over".
 */
#include "util.h"
#include <linux/aio_abi.h>

#define LEN	(4 * PAGE)

int main(int argc, char **argv)
{
	struct iocb iocb = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_nbytes = LEN };
	struct iocb *list[] = { &iocb };
	aio_context_t ctx = 0;
	struct io_event event;
	char line[16], *map;
	int fd, device;

	if (argc != 3)
		die("usage: pinned FILE DEVICE");
	fd = sys(open(argv[1], O_RDWR));
	map = sys(mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE));
	close(fd);
	device = sys(open(argv[2], O_RDONLY | O_DIRECT));
	iocb.aio_fildes = device;
	iocb.aio_buf = (uintptr_t)map;
	sys(syscall(SYS_io_setup, 1, &ctx));
	if (sys(syscall(SYS_io_submit, ctx, 1, list)) != 1)
		die("io_submit");
	sys(munmap(map, LEN));
	puts("started");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	if (sys(syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL)) != 1 || event.res != LEN)
		die("the read has not succeeded");
	puts("over");
	return 0;
}
