// SPDX-License-Identifier: GPL-2.0-only
/*
 * quiet FILE LOWER: listen on the lower filesystem for opens and for questions about
 * them, while FILE, a clone on the mount, is opened, read, mapped and joins. Nothing may
 * be heard, and nobody may be waited for. FILE's own lower file, opened below, must be.
 */
#include <sys/fanotify.h>

#include "util.h"

static int heard(int group, bool answer)
{
	struct fanotify_event_metadata event[64];
	struct fanotify_response response;
	struct pollfd poller = { .fd = group, .events = POLLIN };
	ssize_t got;
	int n = 0, i;

	while (poll(&poller, 1, 0) > 0) {
		got = sys(read(group, event, sizeof(event)));
		for (i = 0; i < (int)(got / sizeof(event[0])); i++) {
			n++;
			if (answer && event[i].mask & FAN_OPEN_PERM) {
				response.fd = event[i].fd;
				response.response = FAN_ALLOW;
				sys(write(group, &response, sizeof(response)));
			}
			if (event[i].fd >= 0)
				close(event[i].fd);
		}
	}
	return n;
}

static void use(const char *name)
{
	volatile char *map;
	int fd = sys(open(name, O_RDONLY));

	wait_joined(fd, name);
	map = sys(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	(void)map[0];
	close(fd);
	fd = sys(open(name, O_RDWR));
	sys(pwrite(fd, "x", 1, 0));
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t end = now_us() + 60 * 1000000ULL;
	int group, status, n = 0;
	pid_t pid;

	if (argc != 3)
		die("usage: quiet FILE LOWER");
	group = sys(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY));
	sys(fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			  FAN_OPEN | FAN_OPEN_PERM, AT_FDCWD, argv[2]));
	pid = sys(fork());
	if (!pid) {
		use(argv[1]);
		_exit(0);
	}
	/* Without an answer whoever asked would wait for ever. */
	status = reap_within(pid, 60, "use of a clone while the lower filesystem is watched");
	if (status)
		die("using the clone failed, wait status %#x", status);
	n = heard(group, true);
	if (n)
		die("%d events of the lower filesystem were heard", n);

	/* Does it hear anything at all? */
	pid = sys(fork());
	if (!pid) {
		sys(open(argv[2], O_RDONLY));
		_exit(0);
	}
	while (!heard(group, true)) {
		if (now_us() > end)
			die("an open below was not heard");
		sleep_ms(5);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		heard(group, true);
		sleep_ms(5);
	}
	return 0;
}
