// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases-rights - the group "rights": what people without rights are told (see cases.h)
 */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/xattr.h>

#include "cases.h"

static const char *const files[] = {
	"secret", "public", "closed/file", "mine", "denied", "program", "group", ".", "closed",
	"sticky/theirs", "open",
};

static struct {
	struct file_handle h;
	unsigned char space[128];
} handle;
static int go[2];

static void clone_as(const char *name, mode_t mode, int uid, int gid)
{
	int from = open("secret", O_RDONLY), to = open(name, O_RDWR | O_CREAT, 0600);

	if (from < 0 || to < 0 || ioctl(to, FICLONE, from) || fchown(to, uid, gid) ||
	    fchmod(to, mode))
		die("%s: %s", name, strerror(errno));
	close(from);
	close(to);
}

/* The files are clones of one another: whoever may read one has all their blocks. */
static void furnish(void)
{
	/* owner, user 1000, group, mask, other */
	static const uint16_t tags[] = { 1, 2, 4, 16, 32 }, perms[] = { 6, 0, 6, 6, 6 };
	unsigned char acl[44];
	uint32_t version = 2;
	int id;

	close(new_file("secret", 20000));
	chmod("secret", 0600);
	mkdir("closed", 0700);
	mkdir("sticky", 0777);
	chmod("sticky", 01777);
	mkdir("open", 0777);
	chmod("open", 0777);
	clone_as("public", 0644, 0, 0);
	clone_as("closed/file", 0666, 0, 0);
	clone_as("mine", 0600, 1000, 1000);
	clone_as("denied", 0666, 0, 0);
	clone_as("program", 0711, 0, 0);
	clone_as("group", 0640, 0, 1000);
	clone_as("sticky/theirs", 0666, 0, 0);
	memcpy(acl, &version, 4);
	for (int i = 0; i < 5; i++) {
		uint32_t who = tags[i] == 2 ? 1000 : -1;

		memcpy(acl + 4 + 8 * i, &tags[i], 2);
		memcpy(acl + 6 + 8 * i, &perms[i], 2);
		memcpy(acl + 8 + 8 * i, &who, 4);
	}
	if (setxattr("denied", "system.posix_acl_access", acl, sizeof(acl), 0) ||
	    setxattr("secret", "user.a", "b", 1, 0))
		die("xattr: %s", strerror(errno));
	handle.h.handle_bytes = 128;
	if (name_to_handle_at(AT_FDCWD, "secret", &handle.h, &id, 0))
		die("name_to_handle_at: %s", strerror(errno));
}

static void say_open(const char *what, int fd)
{
	say(what, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	say("  read", pread(fd, buf, 100, 0));
	say("  write", pwrite(fd, "x", 1, 0));
	say("  ftruncate", ftruncate(fd, 20000));
	say("  fchmod", fchmod(fd, 0777));
	say("  fgetxattr", fgetxattr(fd, "user.a", buf, 10));
	say("  fsetxattr", fsetxattr(fd, "user.c", "d", 1, 0));
	say("  fallocate", fallocate(fd, 0, 0, 20000));
	say("  futimens", futimens(fd, NULL));
	close(fd);
}

static void try_file(const char *name)
{
	struct timespec past[2] = { { 1, 1 }, { 1, 1 } };
	int flags = FS_NODUMP_FL, fd, own;
	char reopen[64], sub[64];
	void *map;

	printf(" %s:\n", name);
	say_open("open to read", open(name, O_RDONLY));
	say_open("open to write", open(name, O_RDWR));
	say_open("open to truncate", open(name, O_RDONLY | O_TRUNC));
	say_open("O_NOATIME", open(name, O_RDONLY | O_NOATIME));
	fd = open(name, O_PATH);
	say("O_PATH", fd < 0 ? -1 : 0);
	snprintf(reopen, sizeof(reopen), "/proc/self/fd/%d", fd);
	say_open("reopen", open(reopen, O_RDONLY));
	say("read an O_PATH", pread(fd, buf, 10, 0));
	map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	say("map an O_PATH", map == MAP_FAILED ? -1 : 0);
	own = open("open/own", O_RDWR | O_CREAT, 0600);
	say("clone an O_PATH", ioctl(own, FICLONE, fd));
	say("link an O_PATH", linkat(fd, "", AT_FDCWD, "open/link", AT_EMPTY_PATH));
	say("link by /proc", linkat(AT_FDCWD, reopen, AT_FDCWD, "open/link", AT_SYMLINK_FOLLOW));
	unlink("open/link");
	close(fd);
	fd = open(name, O_RDONLY);
	say("clone", ioctl(own, FICLONE, fd));
	say("set flags", ioctl(fd, FS_IOC_SETFLAGS, &flags));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say("map to write", map == MAP_FAILED ? -1 : 0);
	map = mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE, fd, 0);
	say("map to execute", map == MAP_FAILED ? -1 : 0);
	close(fd);
	close(own);
	say("access to read", access(name, R_OK));
	say("access to write", access(name, W_OK));
	say("access to execute", access(name, X_OK));
	say("truncate", truncate(name, 20000));
	say("link", link(name, "open/link"));
	unlink("open/link");
	say("chmod", chmod(name, 0777));
	say("chown", chown(name, 1000, 1000));
	say("chgrp", chown(name, -1, 5000));
	say("utimes now", utimensat(AT_FDCWD, name, NULL, 0));
	say("utimes", utimensat(AT_FDCWD, name, past, 0));
	say("getxattr", getxattr(name, "user.a", buf, 10));
	say("listxattr", listxattr(name, (char *)buf, 1000) < 0 ? -1 : 0);
	say("user xattr", setxattr(name, "user.b", "c", 1, 0));
	say("trusted xattr", setxattr(name, "trusted.b", "c", 1, 0));
	say("get trusted", getxattr(name, "trusted.b", buf, 10));
	say("security xattr", setxattr(name, "security.b", "c", 1, 0));
	snprintf(sub, sizeof(sub), "%s/new", name);
	say("make", mkdir(sub, 0755));
	say("make a device", mknod(sub, S_IFCHR | 0600, makedev(1, 3)));
	say("temporary", open(name, O_TMPFILE | O_RDWR, 0600) < 0 ? -1 : 0);
	say("rename away", rename(name, "open/moved"));
	say("back", rename("open/moved", name));
	if (!strchr(name, '.'))
		say("remove", unlink(name));
}

static void try_all(void)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		try_file(files[i]);
	say("open by handle", open_by_handle_at(here, &handle.h, O_RDONLY) < 0 ? -1 : 0);
	say("chroot", chroot("open"));
	fflush(stdout);
	_exit(0);
}

static void write_map(pid_t pid, const char *name)
{
	static const char text[] = "0 1000 1\n1 100000 1000\n";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		die("setresuid: %s", strerror(errno));
}

static void become_contained(void)
{
	if (unshare(CLONE_NEWUSER))
		die("unshare: %s", strerror(errno));
	if (write(go[1], "x", 1) != 1)
		die("pipe");
	/* The users are mapped last. */
	while (setresuid(0, 0, 0))
		usleep(10000);
	if (setgroups(0, NULL) || setresgid(0, 0, 0))
		die("setresgid: %s", strerror(errno));
}

static void become_incapable(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (setgroups(0, NULL) || syscall(SYS_capset, &h, none))
		die("capset: %s", strerror(errno));
}

static void as(void (*become)(void))
{
	pid_t pid;
	char c;

	/* What was changed for the last one is put right. */
	if (system("chattr -f -i -R . ; rm -rf ./*"))
		die("cannot clean up");
	furnish();
	if (pipe(go))
		die("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		become();
		try_all();
	}
	if (become == become_contained) {
		if (read(go[0], &c, 1) != 1)
			die("pipe");
		write_map(pid, "gid_map");
		write_map(pid, "uid_map");
	}
	waitpid(pid, NULL, 0);
}

static void case_user(void)
{
	as(become_user);
}

static void case_contained(void)
{
	as(become_contained);
}

static void case_incapable(void)
{
	as(become_incapable);
}

static const struct group_case all[] = {
	{ "rights", "user 1000", case_user },
	{ "rights", "root of a user namespace", case_contained },
	{ "rights", "root without capabilities", case_incapable },
	{ 0 }
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, all);
}
