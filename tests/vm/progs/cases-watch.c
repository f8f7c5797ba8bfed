// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases-watch - the group "fanotify": events, names and permissions (see cases.h)
 */
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "cases.h"

static int group;

static const char *relative(const char *path)
{
	static char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)))
		die("getcwd");
	if (!strncmp(path, cwd, strlen(cwd)))
		return path[strlen(cwd)] ? path + strlen(cwd) + 1 : ".";
	return path;
}

/* Of files with a descriptor, the name behind it; of others, what FID and name say. */
static void say_event(const struct fanotify_event_metadata *e)
{
	const struct fanotify_event_info_fid *fid;
	char link[64], path[PATH_MAX] = "";
	struct file_handle *h;
	struct statfs fs;
	int fd;

	printf(" %llx", (unsigned long long)e->mask);
	if (e->fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", e->fd);
		if (readlink(link, path, sizeof(path) - 1) < 0)
			die("readlink");
		printf("=%s", strchr(path, '#') ? "unnamed" : relative(path));
		close(e->fd);
		return;
	}
	for (size_t off = e->metadata_len; off < e->event_len; off += fid->hdr.len) {
		fid = (const void *)((const char *)e + off);
		h = (void *)fid->handle;
		if (statfs(".", &fs))
			die("statfs");
		printf("/%d fsid %s", fid->hdr.info_type,
		       memcmp(&fs.f_fsid, &fid->fsid, 8) ? "other" : "ours");
		fd = open(".", O_RDONLY);
		path[0] = 0;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", open_by_handle_at(fd, h, O_PATH));
		if (readlink(link, path, sizeof(path) - 1) < 0)
			strcpy(path, "stale");
		close(atoi(link + 14));
		close(fd);
		printf("=%s", strchr(path, '#') ? "unnamed" : relative(path));
		if (fid->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) {
			const char *name = (char *)h->f_handle + h->handle_bytes;

			printf("+%s", name[0] == '#' ? "unnamed" : name);
		}
	}
}

static void say_events(const char *what)
{
	char events[8192] __attribute__((aligned(8)));
	ssize_t n;

	printf("  %s:", what);
	while ((n = read(group, events, sizeof(events))) > 0) {
		struct fanotify_event_metadata *e = (void *)events;

		for (; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n))
			say_event(e);
	}
	printf("\n");
}

#define EVENTS(call)	do {				\
	(void)!(long)(call);				\
	say_events(#call);				\
} while (0)

static void open_group(unsigned int flags)
{
	group = fanotify_init(flags | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE);
	if (group < 0)
		die("fanotify_init %x: %s", flags, strerror(errno));
}

static void do_things(void)
{
	unsigned char *map;
	int fd = open("watched/file", O_RDWR), to = open("watched/clone", O_RDWR);

	say_events("open");
	EVENTS(pread(fd, buf, 10, 0));
	EVENTS(pread(to, buf, 10, 0));
	EVENTS(pwrite(fd, buf, 10, 0));
	EVENTS(ftruncate(fd, 5000));
	EVENTS(ioctl(to, FICLONE, fd));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	EVENTS(map[0] = 1);
	munmap(map, PAGE);
	EVENTS(fchmod(fd, 0600));
	EVENTS(fsetxattr(fd, "user.a", "b", 1, 0));
	EVENTS(close(fd));
	EVENTS(close(to));
	EVENTS(close(open("watched/new", O_CREAT | O_WRONLY, 0644)));
	EVENTS(link("watched/file", "watched/name"));
	EVENTS(rename("watched/name", "watched/dir/name"));
	EVENTS(mkdir("watched/made", 0755));
	EVENTS(rmdir("watched/made"));
	EVENTS(unlink("watched/dir/name"));
	EVENTS(unlink("watched/new"));
	EVENTS(close(open("watched", O_RDONLY)));
}

static void prepare(void)
{
	int fd, to;

	mkdir("watched", 0755);
	mkdir("watched/dir", 0755);
	fd = new_file("watched/file", 10000);
	to = open("watched/clone", O_CREAT | O_RDWR, 0644);
	if (ioctl(to, FICLONE, fd))
		die("clone: %s", strerror(errno));
	close(fd);
	close(to);
}

#define DATA_EVENTS (FAN_ACCESS | FAN_MODIFY | FAN_OPEN | FAN_CLOSE | FAN_OPEN_EXEC)
#define NAME_EVENTS (FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_ATTRIB | FAN_DELETE_SELF | \
		     FAN_MOVE_SELF | FAN_RENAME | FAN_ONDIR | FAN_EVENT_ON_CHILD)

static void case_descriptors(void)
{
	prepare();
	open_group(FAN_CLASS_NOTIF);
	say("mark the mount", fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT,
					    DATA_EVENTS | FAN_ONDIR, AT_FDCWD, "."));
	do_things();
	close(group);
	open_group(FAN_CLASS_NOTIF);
	say("mark the filesystem", fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
						 DATA_EVENTS | FAN_ONDIR, AT_FDCWD, "."));
	do_things();
	close(group);
	say("name events without FID", fanotify_mark(group = fanotify_init(FAN_CLASS_NOTIF,
			O_RDONLY), FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "watched"));
	close(group);
}

static void case_names(void)
{
	open_group(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_FID);
	say("mark the directory", fanotify_mark(group, FAN_MARK_ADD, DATA_EVENTS | NAME_EVENTS,
						AT_FDCWD, "watched"));
	do_things();
	close(group);
	open_group(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME);
	say("mark the filesystem", fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
						 NAME_EVENTS, AT_FDCWD, "."));
	do_things();
	close(group);
}

/* ---- permissions ---------------------------------------------------------------- */

static volatile int *deny;

/* In a process of its own, whose accesses are not asked about. */
static void answer(void)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r;

	while (read(group, &e, sizeof(e)) == sizeof(e)) {
		r.fd = e.fd;
		r.response = e.mask & *deny ? FAN_DENY : FAN_ALLOW;
		if (write(group, &r, sizeof(r)) != sizeof(r))
			break;
		close(e.fd);
	}
	_exit(0);
}

static long run_it(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execl("watched/program", "sleep", "0", NULL);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void case_permissions(void)
{
	static const int what[] = { 0, FAN_OPEN_PERM, FAN_ACCESS_PERM, FAN_OPEN_EXEC_PERM };
	pid_t pid;
	int fd;

	if (system("cp /bin/sleep watched/program"))
		die("cp");
	group = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY | O_LARGEFILE);
	if (group < 0)
		die("fanotify: %s", strerror(errno));
	deny = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	pid = fork();
	if (!pid)
		answer();
	for (int i = 0; i < 2; i++)
		if (fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM | FAN_ACCESS_PERM |
				  FAN_OPEN_EXEC_PERM, AT_FDCWD,
				  i ? "watched/clone" : "watched/program"))
			die("fanotify_mark: %s", strerror(errno));
	for (int i = 0; i < 4; i++) {
		unsigned char *map;

		*deny = what[i];
		printf(" denied: %x\n", *deny);
		fd = open("watched/clone", O_RDONLY);
		say("open", fd < 0 ? -1 : 0);
		if (fd >= 0) {
			say("read", pread(fd, buf, 100, 0));
			map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
			if (map == MAP_FAILED) {
				say("mmap", -1);
			} else {
				printf("  mapped: %02x\n", map[5]);
				munmap(map, PAGE);
			}
			close(fd);
		}
		printf("  exec: %s\n", strerror(run_it()));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(group);
}

static const struct group_case all[] = {
	{ "fanotify", "descriptors", case_descriptors },
	{ "fanotify", "names", case_names },
	{ "fanotify", "permissions", case_permissions },
	{ 0 }
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, all);
}
