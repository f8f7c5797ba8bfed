// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases-processes - the groups "locks" and "events": what processes notice of one another (see cases.h)
 */
#include <linux/falloc.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#include "cases.h"

/* ---- locks ---------------------------------------------------------------- */

static long record_lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET,
			      .l_start = start, .l_len = len };
	long ret = fcntl(fd, cmd, &lock);

	return cmd == F_GETLK && !ret ? lock.l_type : ret;
}

static void in_child(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void child_locks(void)
{
	int fd = open("lock", O_RDWR);

	say("write lock", record_lock(fd, F_SETLK, F_WRLCK, 0, 10));
	say("read lock", record_lock(fd, F_SETLK, F_RDLCK, 50, 10));
	say("elsewhere", record_lock(fd, F_SETLK, F_WRLCK, 200, 10));
	say("who", record_lock(fd, F_GETLK, F_WRLCK, 0, 10));
	say("flock", flock(fd, LOCK_EX | LOCK_NB));
	fd = open("lock2", O_RDWR);
	say("by the other name", record_lock(fd, F_SETLK, F_WRLCK, 0, 10));
}

static void case_record_locks(void)
{
	int fd = new_file("lock", 1000), ro = open("lock", O_RDONLY);

	link("lock", "lock2");
	say("write lock", record_lock(fd, F_SETLK, F_WRLCK, 0, 20));
	say("read lock", record_lock(fd, F_SETLK, F_RDLCK, 50, 20));
	say("write lock on a reader", record_lock(ro, F_SETLK, F_WRLCK, 300, 1));
	say("read lock on a reader", record_lock(ro, F_SETLK, F_RDLCK, 300, 1));
	say("flock", flock(fd, LOCK_SH));
	in_child(child_locks);
	say("open file description", record_lock(ro, F_OFD_SETLK, F_RDLCK, 0, 5));
	close(ro);	/* lets all POSIX locks of the process go */
	in_child(child_locks);
	close(fd);
}

static void child_breaks(void)
{
	say("open for reading", open("leased", O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
	say("open for writing", open("leased", O_WRONLY | O_NONBLOCK) < 0 ? -1 : 0);
	say("truncate", truncate("leased", 1) < 0 ? -1 : 0);
}

static void case_leases(void)
{
	int fd = new_file("leased", 10), ro;

	signal(SIGIO, count_signal);
	signals = 0;
	say("write lease", fcntl(fd, F_SETLEASE, F_WRLCK));
	say("read lease of a writer", fcntl(fd, F_SETLEASE, F_RDLCK));
	say("lease", fcntl(fd, F_GETLEASE));
	fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	ro = open("leased", O_RDONLY);
	say("read lease", fcntl(ro, F_SETLEASE, F_RDLCK));
	fflush(stdout);
	if (!fork()) {
		say("open for reading", open("leased", O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
		say("open for writing", open("leased", O_WRONLY | O_NONBLOCK) < 0 ? -1 : 0);
		fflush(stdout);
		_exit(0);
	}
	while (wait(NULL) < 0 && errno == EINTR)
		;
	printf("  signals: %d\n", signals);
	say("lease", fcntl(ro, F_GETLEASE));
	fcntl(ro, F_SETLEASE, F_UNLCK);
	close(ro);
	in_child(child_breaks);
}

/* ---- events --------------------------------------------------------------- */

static int watch;

static void say_events(const char *what)
{
	char events[4096] __attribute__((aligned(8)));
	ssize_t n;

	printf("  %s:", what);
	while ((n = read(watch, events, sizeof(events))) > 0) {
		for (char *p = events; p < events + n;) {
			struct inotify_event *e = (void *)p;

			/* An unnamed file is shown by its inode number. */
			printf(" %x/%d=%s", e->mask, e->wd,
			       e->len && e->name[0] != '#' ? e->name : "");
			p += sizeof(*e) + e->len;
		}
	}
	printf("\n");
}

#define EVENTS(call)	do {				\
	(void)!(long)(call);				\
	say_events(#call);				\
} while (0)

static void case_events(void)
{
	unsigned char *map;
	int fd, p[2];

	mkdir("watched", 0755);
	mkdir("elsewhere", 0755);
	close(new_file("watched/file", 10000));
	watch = inotify_init1(IN_NONBLOCK);
	inotify_add_watch(watch, "watched", IN_ALL_EVENTS);
	inotify_add_watch(watch, "watched/file", IN_ALL_EVENTS);
	if (pipe(p))
		die("pipe");
	EVENTS(fd = open("watched/file", O_RDWR));
	EVENTS(pread(fd, buf, 10, 0));
	EVENTS(pwrite(fd, buf, 10, 0));
	EVENTS(pwrite(fd, buf, 300000, 0));
	EVENTS(sendfile(p[1], fd, NULL, 100));
	EVENTS(splice(p[0], NULL, fd, NULL, 100, 0));
	EVENTS(ftruncate(fd, 100));
	EVENTS(truncate("watched/file", 10));
	EVENTS(fallocate(fd, 0, 0, 5000));
	EVENTS(fchmod(fd, 0600));
	EVENTS(fchown(fd, 1, 1));
	EVENTS(fsetxattr(fd, "user.a", "b", 1, 0));
	EVENTS(ioctl(fd, FICLONE, fd));
	EVENTS(fsync(fd));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	EVENTS(map[0] = 1);
	munmap(map, PAGE);
	EVENTS(close(fd));
	EVENTS(open("watched/new", O_CREAT | O_WRONLY, 0644));
	EVENTS(open("watched", O_TMPFILE | O_WRONLY, 0644));
	EVENTS(mkdir("watched/dir", 0755));
	EVENTS(symlink("a", "watched/link"));
	EVENTS(link("watched/file", "watched/name"));
	EVENTS(rename("watched/name", "watched/name2"));
	EVENTS(rename("watched/name2", "elsewhere/name"));
	EVENTS(rename("elsewhere/name", "watched/back"));
	EVENTS(unlink("watched/back"));
	EVENTS(unlink("watched/file"));
	EVENTS(rmdir("watched/dir"));
	close(watch);
}

static const struct group_case all[] = {
	{ "events", "events", case_events },
	{ "locks", "record locks", case_record_locks },
	{ "locks", "leases", case_leases },
	{ 0 }
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, all);
}
