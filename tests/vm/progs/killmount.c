// SPDX-License-Identifier: GPL-2.0-only
/*
 * killmount LOWER DIR: mounts of foldfs that are killed at random moments, until
 * some were cut off and some were too quick. Prints how many of each.
 */
#include "util.h"
#include <sys/mount.h>

#define WANTED	10
#define TRIES	2000

static const char *lower, *dir;
static dev_t below;

static bool mounted(void)
{
	struct stat st;

	sys(stat(dir, &st));
	return st.st_dev != below;
}

/* Forks a child that mounts; returns when it is about to. */
static pid_t begin(void)
{
	int pipes[2];
	pid_t pid;
	char c;

	sys(pipe(pipes));
	pid = sys(fork());
	if (!pid) {
		sys(write(pipes[1], "", 1));
		_exit(mount(lower, dir, "foldfs", 0, NULL) ? errno : 0);
	}
	sys(read(pipes[0], &c, 1));
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

int main(int argc, char **argv)
{
	unsigned int cut = 0, done = 0, i;
	uint64_t start, took = 0, seed = 7;
	struct stat st;
	pid_t pid;
	int status;

	if (argc != 3)
		die("usage: killmount LOWER DIR");
	lower = argv[1];
	dir = argv[2];
	sys(stat(dir, &st));
	below = st.st_dev;
	/* How long it takes when nobody disturbs it. */
	for (i = 0; i < 3; i++) {
		start = now_us();
		status = reap_within(begin(), 60, "a mount");
		if (status)
			die("mount: wait status %#x", status);
		took = MAX(took, now_us() - start);
		sys(umount2(dir, 0));
	}
	for (i = 0; i < TRIES && (cut < WANTED || done < WANTED); i++) {
		seed = mix(seed);
		pid = begin();
		usleep(seed % (took + took / 2));
		kill(pid, SIGKILL);
		status = reap_within(pid, 60, "a killed mount");
		if (mounted()) {
			done++;
			took -= took / 8;	/* whatever it takes on this machine now */
			sys(umount2(dir, 0));
			if (mounted())
				die("mounted more than once");
		} else if (WIFSIGNALED(status)) {
			cut++;
			took += took / 8 + 1;
		} else {
			die("not killed, not mounted: wait status %#x", status);
		}
	}
	if (cut < WANTED || done < WANTED)
		die("%u mounts: %u cut off, %u done", i, cut, done);
	printf("%u %u\n", cut, done);
	return 0;
}
