// SPDX-License-Identifier: GPL-2.0-only
/*
 * idmap - mount a directory once more, with other user and group IDs
 *
 *	idmap FIRST-ON-DISK FIRST-SEEN COUNT SOURCE TARGET
 */
#include <linux/mount.h>
#include <sched.h>

#include "util.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

static void write_map(pid_t pid, const char *which, char **argv)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	fd = open(path, O_WRONLY);
	if (fd < 0 || dprintf(fd, "%s %s %s", argv[1], argv[2], argv[3]) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int tree, sync[2];
	char path[64], c;
	pid_t pid;

	if (argc != 6)
		die("usage: idmap FIRST-ON-DISK FIRST-SEEN COUNT SOURCE TARGET");
	if (pipe(sync))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			die("unshare: %s", strerror(errno));
		if (write(sync[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	if (read(sync[0], &c, 1) != 1)
		die("the child is gone");
	write_map(pid, "uid_map", argv);
	write_map(pid, "gid_map", argv);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	attr.userns_fd = open(path, O_RDONLY);
	tree = syscall(SYS_open_tree, AT_FDCWD, argv[4], OPEN_TREE_CLONE);
	if (tree < 0)
		die("open_tree %s: %s", argv[4], strerror(errno));
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)))
		die("mount_setattr %s: %s", argv[4], strerror(errno));
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, argv[5], 0x4))
		die("move_mount %s: %s", argv[5], strerror(errno));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
