// SPDX-License-Identifier: GPL-2.0-only
/*
 * lockfile FILE...: have the lock of each file's inode waited for, by means
 * that anyone has who may read the file and owns it, and nothing open for
 * writing: a read stops, with the lock held shared, in a page that userfaultfd
 * does not fill; then a chmod waits for the lock, and all who want it shared
 * queue behind that. Prints "ready" and stays like this until it is killed.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

struct reader {
	int fd;
	void *page;
};

static void die(const char *what)
{
	perror(what);
	kill(0, SIGKILL);
	exit(2);
}

static void *read_into_trap(void *data)
{
	struct reader *reader = data;

	if (pread(reader->fd, reader->page, 100, 0) < 0)
		die("read");
	return NULL;
}

/* Returns when a read of the file holds its lock. */
static void stop_in_read(const char *file)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct reader *reader = malloc(sizeof(*reader));
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct pollfd poll_fd;
	struct uffd_msg msg;
	pthread_t thread;
	int uffd;

	reader->fd = open(file, O_RDONLY);
	reader->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (reader->fd < 0 || reader->page == MAP_FAILED || uffd < 0)
		die(file);
	reg.range.start = (unsigned long)reader->page;
	reg.range.len = 4096;
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	if (pthread_create(&thread, NULL, read_into_trap, reader))
		die("pthread_create");
	poll_fd = (struct pollfd){ .fd = uffd, .events = POLLIN };
	if (poll(&poll_fd, 1, 20000) != 1 ||
	    read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		die("no fault came");
}

static char state_of(pid_t pid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return state;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = '?';
	fclose(f);
	return state;
}

/* Returns when a change of the file's mode waits for the lock. */
static void wait_in_chmod(const char *file)
{
	int seen = 0;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(chmod(file, 0644));
	}
	/* For ever, if it does not: the test's limit ends that. */
	while (seen < 5) {
		usleep(10000);
		seen = state_of(pid) == 'D' ? seen + 1 : 0;
	}
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		stop_in_read(argv[i]);
		wait_in_chmod(argv[i]);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
