// SPDX-License-Identifier: GPL-2.0-only
/*
 * delegation DIR LOWER: take a lease of a file; then hold a delegation of the lower directory and give it back when
 * the kernel asks for it, while names in it change through the mount. Ends with 77
 * where the kernel has no such delegations.
 */
#include "util.h"

#ifndef F_SETDELEG
#define F_SETDELEG	(1024 + 16)
struct delegation {
	uint32_t d_flags;
	uint16_t d_type;
	uint16_t pad;
};
#endif

static const char *lower;
static int ready[2];
static volatile sig_atomic_t asked;

static void on_sigio(int sig)
{
	asked = sig;
}

static int set_delegation(int fd, short type)
{
	struct delegation d = { .d_type = type };

	return fcntl(fd, F_SETDELEG, &d);
}

/* Holds one, gives it back when asked, and ends. */
static void holder(void)
{
	sigset_t block, old;
	int fd = sys(open(lower, O_RDONLY | O_DIRECTORY));

	signal(SIGIO, on_sigio);
	sigemptyset(&block);
	sigaddset(&block, SIGIO);
	sys(sigprocmask(SIG_BLOCK, &block, &old));
	if (set_delegation(fd, F_RDLCK)) {
		if (errno != EINVAL)
			die_errno("F_SETDELEG");
		_exit(77);
	}
	sys(write(ready[1], "", 1));
	while (!asked)
		sigsuspend(&old);
	sys(set_delegation(fd, F_UNLCK));
	_exit(0);
}

static void change(const char *what, int how, const char *dir)
{
	char *name = path_of(dir, "name"), *other = path_of(dir, "other");
	char byte;
	int status, ret = -1;
	pid_t pid;

	sys(pipe(ready));
	fflush(NULL);
	pid = sys(fork());
	if (!pid)
		holder();
	close(ready[1]);
	if (sys(read(ready[0], &byte, 1)) != 1) {
		status = reap_within(pid, 20, "the holder");
		if (WEXITSTATUS(status) == 77)
			exit(77);
		die("the holder ended, wait status %#x", status);
	}
	switch (how) {
	case 0:
		ret = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (ret >= 0)
			ret = close(ret);
		break;
	case 1:
		ret = link(name, other);
		break;
	case 2:
		ret = unlink(other);
		break;
	case 3:
		ret = rename(name, other);
		break;
	case 4:
		ret = mkdir(name, 0755);
		break;
	case 5:
		ret = rmdir(name);
		break;
	case 6:
		ret = symlink("nowhere", name);
		break;
	case 7:
		ret = unlink(name);
		break;
	case 8:
		ret = mknod(name, S_IFIFO | 0644, 0);
		break;
	case 9:
		ret = unlink(name);
		break;
	}
	if (ret)
		die_errno("%s, while the lower directory was delegated", what);
	status = reap_within(pid, 20, what);
	if (status)
		die("%s: the holder ended with %#x", what, status);
	close(ready[0]);
	free(name);
	free(other);
}

int main(int argc, char **argv)
{
	static const char * const what[] = {
		"create", "link", "unlink", "rename", "mkdir", "rmdir", "symlink",
		"unlink of a symlink", "mknod", "unlink of a fifo",
	};
	unsigned int i;
	int fd;

	if (argc != 3)
		die("usage: delegation DIR LOWER");
	lower = argv[2];
	make_file(argv[1], "leased", 1, PAGE);
	fd = open_in(argv[1], "leased", O_RDONLY);
	if (fcntl(fd, F_SETLEASE, F_RDLCK) || fcntl(fd, F_SETLEASE, F_UNLCK))
		die_errno("F_SETLEASE of a file of the mount");
	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		change(what[i], i, argv[1]);

	/* And one of the upper directory is to be had, as on the lower one. */
	fd = sys(open(argv[1], O_RDONLY | O_DIRECTORY));
	if (set_delegation(fd, F_RDLCK))
		die_errno("F_SETDELEG of a directory of the mount");
	return 0;
}
