// SPDX-License-Identifier: GPL-2.0-only
/*
 * lockway KIND FILE OTHER - two ways to one file, and its locks
 *
 * KIND is flock, posix or ofd. A child takes locks through FILE; through OTHER
 * they are asked for, waited for, and got when the child gives them back, closes
 * the file, dies, or ends its mapping. What happens is printed, one line each:
 * where FILE and OTHER are one, it is what the rest has to be.
 */
#include "util.h"

#include <sys/file.h>

static const char *kind;
static int to_child[2], from_child[2];

static int set(int fd, short type, bool wait, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	if (!strcmp(kind, "flock"))
		return flock(fd, (type == F_UNLCK ? LOCK_UN : type == F_RDLCK ? LOCK_SH : LOCK_EX) |
				 (wait ? 0 : LOCK_NB));
	if (!strcmp(kind, "ofd"))
		return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &fl);
	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &fl);
}

static void get(int fd, pid_t child)
{
	struct flock fl = { .l_type = F_WRLCK };

	if (!strcmp(kind, "flock"))
		return;
	sys(fcntl(fd, !strcmp(kind, "ofd") ? F_OFD_GETLK : F_GETLK, &fl));
	printf(" in the way: type %d from %lld, %lld bytes, of %s\n", fl.l_type,
	       (long long)fl.l_start, (long long)fl.l_len,
	       fl.l_pid == child ? "the child" : fl.l_pid == -1 ? "a file" : "nobody");
}

static void say(const char *what, int ret)
{
	printf(" %s: %s\n", what, ret ? strerrorname_np(errno) : "done");
}

static void child_does(char what)
{
	sys(write(to_child[1], &what, 1));
	if (read(from_child[0], &what, 1) != 1)
		die("the child is gone");
}

static void child(const char *path)
{
	int fd = -1;
	char what;
	void *map = NULL;

	while (read(to_child[0], &what, 1) == 1) {
		switch (what) {
		case 'o':
			fd = sys(open(path, O_RDWR));
			break;
		case 'w':
			sys(set(fd, F_WRLCK, false, 0, 100));
			break;
		case 'r':
			sys(set(fd, F_RDLCK, false, 0, 100));
			break;
		case 'p':
			sys(set(fd, F_UNLCK, false, 50, 50));
			break;
		case 'u':
			sys(set(fd, F_UNLCK, false, 0, 0));
			break;
		case 'c':
			close(fd);
			break;
		case 'm':
			map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
			if (map == MAP_FAILED)
				die_errno("mmap");
			close(fd);
			break;
		case 'n':
			munmap(map, 4096);
			break;
		}
		sys(write(from_child[1], &what, 1));
	}
	_exit(0);
}

/* Until somebody waits for a lock of the file that is not to be had. */
static void wait_blocked(const char *path)
{
	char line[256], want[32];
	struct stat st;
	bool found = false;

	sys(stat(path, &st));
	snprintf(want, sizeof(want), ":%llu ", (unsigned long long)st.st_ino);
	while (!found) {
		FILE *f = fopen("/proc/locks", "r");

		while (fgets(line, sizeof(line), f))
			found |= strstr(line, "-> ") && strstr(line, want);
		fclose(f);
		sleep_ms(10);
	}
}

static void waits(const char *what, const char *file, const char *other, char give_back,
		  pid_t holder)
{
	pid_t pid = sys(fork());

	if (!pid) {
		int fd = sys(open(other, O_RDWR));

		sys(set(fd, F_WRLCK, true, 0, 0));
		_exit(0);
	}
	wait_blocked(file);
	if (give_back) {
		child_does(give_back);
	} else {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
	}
	printf(" %s: %s\n", what, reap_within(pid, 60, what) ? "failed" : "got it");
}

int main(int argc, char **argv)
{
	const char *file, *other;
	pid_t pid;
	int fd;

	if (argc != 4)
		die("usage: lockway KIND FILE OTHER");
	kind = argv[1];
	file = argv[2];
	other = argv[3];
	fd = sys(open(other, O_RDWR | O_CREAT, 0666));
	sys(ftruncate(fd, 4096));
	sys(pipe(to_child));
	sys(pipe(from_child));
	pid = sys(fork());
	if (!pid) {
		close(to_child[1]);
		child(file);
	}

	puts(kind);
	child_does('o');
	child_does('w');
	say("exclusive against exclusive", set(fd, F_WRLCK, false, 0, 0));
	say("shared against exclusive", set(fd, F_RDLCK, false, 0, 0));
	say("behind it", set(fd, F_RDLCK, false, 100, 10));
	set(fd, F_UNLCK, false, 0, 0);
	get(fd, pid);
	child_does('r');
	say("exclusive against shared", set(fd, F_WRLCK, false, 0, 0));
	say("shared against shared", set(fd, F_RDLCK, false, 0, 0));
	get(fd, pid);
	say("upgrade", set(fd, F_WRLCK, false, 0, 0));
	sys(set(fd, F_UNLCK, false, 0, 0));
	child_does('w');
	child_does('p');
	say("the half given back", set(fd, F_WRLCK, false, 60, 10));
	say("the half kept", set(fd, F_WRLCK, false, 10, 10));
	sys(set(fd, F_UNLCK, false, 0, 0));
	child_does('w');
	waits("given back", file, other, 'u', pid);
	child_does('w');
	waits("closed", file, other, 'c', pid);
	child_does('o');
	child_does('w');
	child_does('m');
	say("a mapping is left", set(fd, F_WRLCK, false, 0, 0));
	set(fd, F_UNLCK, false, 0, 0);
	child_does('n');
	say("it is gone", set(fd, F_WRLCK, false, 0, 0));
	sys(set(fd, F_UNLCK, false, 0, 0));
	child_does('o');
	child_does('w');
	waits("dead", file, other, 0, pid);
	say("in the end", set(fd, F_WRLCK, false, 0, 0));
	return 0;
}
