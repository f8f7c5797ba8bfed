// SPDX-License-Identifier: GPL-2.0-only
/*
 * firstbyte FILE OFFSET LENGTH: one read(2), into memory that stops whoever
 * touches it. Prints "stopped" when the first byte is about to be copied, and
 * stays like this until there is no more input.
 */
#include "util.h"
#include <linux/userfaultfd.h>
#include <pthread.h>

static int fd;
static char *buf;
static size_t length;
static off_t offset;

static void *read_it(void *unused)
{
	(void)unused;
	if (pread(fd, buf, length, offset) < 0)
		die_errno("pread");
	return NULL;
}

int main(int argc, char **argv)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct pollfd wait;
	pthread_t thread;
	char line[16];
	int uffd;

	if (argc != 4)
		die("usage: firstbyte FILE OFFSET LENGTH");
	fd = sys(open(argv[1], O_RDONLY));
	offset = strtoull(argv[2], NULL, 0);
	length = strtoull(argv[3], NULL, 0);
	buf = sys(mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	uffd = sys(syscall(SYS_userfaultfd, O_CLOEXEC));
	sys(ioctl(uffd, UFFDIO_API, &api));
	reg.range.start = (uintptr_t)buf;
	reg.range.len = length;
	sys(ioctl(uffd, UFFDIO_REGISTER, &reg));
	if (pthread_create(&thread, NULL, read_it, NULL))
		die("pthread_create");
	wait = (struct pollfd){ .fd = uffd, .events = POLLIN };
	if (poll(&wait, 1, -1) != 1)
		die("poll");
	puts("stopped");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}
