// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases-attributes - the groups "times" and "modes" (see cases.h)
 */
#include <linux/falloc.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/xattr.h>

#include "cases.h"

/* ---- times ---------------------------------------------------------------- */

static struct statx before;

/* Which times has an operation moved? Ticks are some milliseconds apart. */
static void snap(const char *path)
{
	usleep(20000);
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &before))
		die("statx %s: %s", path, strerror(errno));
}

static bool moved(struct statx_timestamp a, struct statx_timestamp b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static void say_moved(const char *what, const char *path, long ret)
{
	int error = errno;
	struct statx x;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x))
		die("statx %s: %s", path, strerror(errno));
	printf("  %s: %s%s%s%s\n", what, ret < 0 ? strerror(error) : "done",
	       moved(before.stx_atime, x.stx_atime) ? " atime" : "",
	       moved(before.stx_mtime, x.stx_mtime) ? " mtime" : "",
	       moved(before.stx_ctime, x.stx_ctime) ? " ctime" : "");
}

#define MOVES(path, call)	do {			\
	snap(path);					\
	say_moved(#call, path, (long)(call));		\
} while (0)

static void case_times_of_files(void)
{
	int fd = new_file("file", 20000);
	struct timespec past[2] = { { 1000000, 5 }, { 1000000, 6 } };
	unsigned char *map;

	fsync(fd);
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", pwrite(fd, "x", 1, 0));
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", ftruncate(fd, 20000));
	MOVES("file", ftruncate(fd, 10000));
	MOVES("file", truncate("file", 10000));
	MOVES("file", truncate("file", 12000));
	MOVES("file", fchmod(fd, 0600));
	MOVES("file", fchown(fd, 0, 0));
	MOVES("file", link("file", "name"));
	MOVES("file", rename("name", "name2"));
	MOVES("file", unlink("name2"));
	MOVES("file", setxattr("file", "user.a", "b", 1, 0));
	MOVES("file", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
	MOVES("file", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	MOVES("file", futimens(fd, past));
	MOVES("file", pread(fd, buf, 10, 0));
	MOVES("file", utimes("file", NULL));
	MOVES("file", close(open("file", O_WRONLY | O_TRUNC)));
	if (ftruncate(fd, 20000))
		die("ftruncate");
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	futimens(fd, past);
	MOVES("file", *(volatile unsigned char *)map);
	snap("file");
	map[0] = 1;
	say_moved("write to a mapping", "file", msync(map, 4096, MS_SYNC));
	munmap(map, 8192);
	MOVES("file", ioctl(fd, FICLONE, fd));
	close(fd);
}

static void case_times_of_directories(void)
{
	mkdir("dir", 0755);
	mkdir("dir/sub", 0755);
	close(new_file("dir/old", 10));
	MOVES("dir", mknod("dir/file", S_IFREG | 0644, 0));
	MOVES("dir", link("dir/file", "dir/name"));
	MOVES("dir", rename("dir/name", "dir/name2"));
	MOVES("dir", rename("dir/name2", "dir/sub/name"));
	MOVES("dir", unlink("dir/file"));
	MOVES("dir", mkdir("dir/new", 0755));
	MOVES("dir", rmdir("dir/new"));
	MOVES("dir", symlink("x", "dir/link"));
	MOVES("dir", readlink("dir/link", (char *)buf, 10));
	MOVES("dir/link", readlink("dir/link", (char *)buf, 10));
	MOVES("dir", chmod("dir", 0700));
	MOVES("dir", truncate("dir/old", 5));
	MOVES("dir", unlink("dir/nothing"));
}

/* ---- modes ---------------------------------------------------------------- */

static void say_mode(const char *path)
{
	unsigned char value[256];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st))
		die("%s: %s", path, strerror(errno));
	printf("  %s: mode %o owner %u:%u", path, st.st_mode, st.st_uid, st.st_gid);
	n = getxattr(path, "system.posix_acl_access", value, sizeof(value));
	printf(" access %08x", n > 0 ? sum(value, n) : 0);
	n = getxattr(path, "system.posix_acl_default", value, sizeof(value));
	printf(" default %08x", n > 0 ? sum(value, n) : 0);
	n = getxattr(path, "security.capability", value, sizeof(value));
	printf(" capability %08x\n", n > 0 ? sum(value, n) : 0);
}

static void privileged(const char *name, mode_t mode)
{
	uint32_t cap[5] = { 0x02000001, 1, 0, 0, 0 };
	int fd = new_file(name, 5000);

	if (setxattr(name, "security.capability", cap, sizeof(cap), 0))
		die("security.capability: %s", strerror(errno));
	if (fchown(fd, 2000, 2000) || fchmod(fd, mode))
		die("%s: %s", name, strerror(errno));
	if (setxattr(name, "security.capability", cap, sizeof(cap), 0))
		die("security.capability: %s", strerror(errno));
	close(fd);
}

/* What takes set-ID bits and capabilities away, and from whom? */
static void case_privileges(void)
{
	static const int uids[] = { 0, 1000, 2000 };
	static const mode_t modes[] = { 06777, 02767 };

	for (int u = 0; u < 3; u++) {
		for (int m = 0; m < 2; m++) {
			for (int op = 0; op < 9; op++) {
				int fd, other = new_file("other", 4096);
				char name[32];

				snprintf(name, sizeof(name), "p%d-%d-%d", u, m, op);
				privileged(name, modes[m]);
				fd = open(name, O_RDWR);
				as_user(uids[u]);
				switch (op) {
				case 0:
					say("write", pwrite(fd, "x", 1, 0));
					break;
				case 1:
					say("ftruncate", ftruncate(fd, 10));
					break;
				case 2:
					say("truncate", truncate(name, 10));
					break;
				case 3:
					say("fallocate", fallocate(fd, 0, 0, 9999));
					break;
				case 4:
					say("clone", ioctl(fd, FICLONE, other));
					break;
				case 5:
					say("chown", fchown(fd, -1, uids[u]));
					break;
				case 6:
					say("O_TRUNC", close(open(name, O_WRONLY | O_TRUNC)));
					break;
				case 7:
					say("write nothing", pwrite(fd, "x", 0, 0));
					break;
				case 8:
					say("splice", copy_file_range(other, NULL, fd,
								      NULL, 100, 0));
					break;
				}
				as_user(0);
				say_mode(name);
				close(other);
				close(fd);
			}
		}
	}
}

/* ACL of owner, one user, group, mask, other. */
static size_t acl(unsigned char *value, int owner, int user, int group, int mask,
		  int other)
{
	const uint16_t tags[] = { 1, 2, 4, 16, 32 };
	const uint16_t perms[] = { owner, user, group, mask, other };
	uint32_t version = 2;

	memcpy(value, &version, 4);
	for (int i = 0; i < 5; i++) {
		uint32_t id = tags[i] == 2 ? 1000 : -1;

		memcpy(value + 4 + 8 * i, &tags[i], 2);
		memcpy(value + 6 + 8 * i, &perms[i], 2);
		memcpy(value + 8 + 8 * i, &id, 4);
	}
	return 44;
}

static void case_inherited(void)
{
	unsigned char value[64];
	int fd;

	umask(027);
	mkdir("plain", 0777);
	close(open("plain/file", O_CREAT | O_RDWR, 0666));
	mkdir("plain/dir", 0777);
	mkdir("group", 0777);
	if (chown("group", 0, 3000) || chmod("group", 02775))
		die("group");
	close(open("group/file", O_CREAT | O_RDWR, 0666));
	mkdir("group/dir", 0777);
	mkdir("acl", 0777);
	if (setxattr("acl", "system.posix_acl_default", value,
		     acl(value, 7, 5, 5, 7, 2), 0))
		die("default ACL: %s", strerror(errno));
	close(open("acl/file", O_CREAT | O_RDWR, 0666));
	mkdir("acl/dir", 0777);
	mknod("acl/fifo", S_IFIFO | 0666, 0);
	symlink("file", "acl/link");
	fd = open("acl", O_TMPFILE | O_RDWR, 0666);
	snprintf((char *)buf, 64, "/proc/self/fd/%d", fd);
	linkat(AT_FDCWD, (char *)buf, AT_FDCWD, "acl/tmp", AT_SYMLINK_FOLLOW);
	chmod("group", 02777);
	as_user(1000);
	close(open("group/theirs", O_CREAT | O_RDWR, 02777));
	mkdir("group/their-dir", 0777);
	say("set-group-ID by a stranger", chmod("group/theirs", 02755));
	as_user(0);
	umask(022);
	say_mode("plain/file");
	say_mode("plain/dir");
	say_mode("group/file");
	say_mode("group/dir");
	say_mode("group/theirs");
	say_mode("group/their-dir");
	say_mode("acl");
	say_mode("acl/file");
	say_mode("acl/dir");
	say_mode("acl/fifo");
	say_mode("acl/link");
	say_mode("acl/tmp");
	close(fd);
}

static void case_acl_decides(void)
{
	unsigned char value[64];

	close(new_file("acl-file", 10));
	chmod("acl-file", 0600);
	say("ACL", setxattr("acl-file", "system.posix_acl_access", value,
			    acl(value, 6, 4, 0, 4, 0), 0));
	for (int uid = 1000; uid <= 2000; uid += 1000) {
		as_user(uid);
		say("read", open("acl-file", O_RDONLY) < 0 ? -1 : 0);
		say("write", open("acl-file", O_WRONLY) < 0 ? -1 : 0);
		say("ACL of a stranger", setxattr("acl-file", "system.posix_acl_access",
						  value, acl(value, 7, 7, 7, 7, 7), 0));
		say("xattr", setxattr("acl-file", "user.a", "b", 1, 0));
		say("trusted", setxattr("acl-file", "trusted.a", "b", 1, 0));
		as_user(0);
	}
	say("chmod", chmod("acl-file", 0640));
	say_mode("acl-file");
	say("remove", removexattr("acl-file", "system.posix_acl_access"));
	say_mode("acl-file");
	say("default ACL of a file", setxattr("acl-file", "system.posix_acl_default",
					      value, acl(value, 7, 7, 7, 7, 7), 0));
}

/* A sticky directory: who may remove what? */
static void case_sticky(void)
{
	mkdir("sticky", 0777);
	chmod("sticky", 01777);
	close(new_file("sticky/a", 1));
	as_user(1000);
	say("create", open("sticky/b", O_CREAT | O_WRONLY, 0644) < 0 ? -1 : 0);
	say("remove another's", unlink("sticky/a"));
	say("rename another's", rename("sticky/a", "sticky/c"));
	as_user(2000);
	say("remove another's", unlink("sticky/b"));
	say("rename over another's", rename("sticky/b", "sticky/a"));
	as_user(1000);
	say("remove one's own", unlink("sticky/b"));
	as_user(0);
	say("remove", unlink("sticky/a"));
}

/*
 * In a user namespace "root" may give capabilities to its own files: the kernel
 * stores for which namespace they hold, and hides that inside of it.
 */
static void case_capabilities_of_containers(void)
{
	uint32_t cap[5] = { 0x02000001, 1, 0, 0, 0 };
	unsigned char value[64];
	int fd = new_file("contained", 10);
	int alone[2], mapped[2];
	char map[32], c;
	pid_t pid;

	fflush(stdout);
	if (pipe(alone) || pipe(mapped))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			die("unshare: %s", strerror(errno));
		if (write(alone[1], "", 1) != 1 || read(mapped[0], &c, 1) != 1)
			die("the parent is gone");
		say("set", setxattr("contained", "security.capability", cap,
				    sizeof(cap), 0));
		say("get", getxattr("contained", "security.capability", value,
				    sizeof(value)));
		fflush(stdout);
		_exit(0);
	}
	close(alone[1]);
	if (read(alone[0], &c, 1) != 1)
		die("there is no user namespace");
	fchown(fd, 70000, 70000);
	for (int i = 0; i < 2; i++) {
		int mapfd;

		snprintf((char *)buf, 64, "/proc/%d/%s", pid, i ? "gid_map" : "uid_map");
		mapfd = open((char *)buf, O_WRONLY);
		snprintf(map, sizeof(map), "0 70000 1");
		if (write(mapfd, map, strlen(map)) < 0)
			die("%s: %s", buf, strerror(errno));
		close(mapfd);
	}
	if (write(mapped[1], "", 1) != 1)
		die("pipe: %s", strerror(errno));
	waitpid(pid, NULL, 0);
	close(alone[0]);
	close(mapped[0]);
	close(mapped[1]);
	say("get outside", getxattr("contained", "security.capability", value,
				    sizeof(value)));
	say_mode("contained");
	close(fd);
}

static const struct group_case all[] = {
	{ "times", "files", case_times_of_files },
	{ "times", "directories", case_times_of_directories },
	{ "modes", "privileges", case_privileges },
	{ "modes", "inherited", case_inherited },
	{ "modes", "access control lists", case_acl_decides },
	{ "modes", "sticky directory", case_sticky },
	{ "modes", "capabilities of containers", case_capabilities_of_containers },
	{ 0 }
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, all);
}
