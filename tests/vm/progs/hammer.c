// SPDX-License-Identifier: GPL-2.0-only
/*
 * hammer - several processes work on the same few names, by two ways
 *
 *	hammer [-p PROCESSES] [-n CALLS] [-s SEED] DIRECTORY [OTHER-WAY]
 *
 * Whatever one finds, another has just renamed, replaced or removed. Most errors
 * are thus right; any that such races do not explain ends the program with
 * status 1. What is left in the end is for the caller to compare.
 */
#include <sys/uio.h>
#include <sys/xattr.h>

#include "util.h"

static int roots[2], nr_roots;
static uint64_t state;
static unsigned long calls, stale;

static unsigned int rnd(unsigned int n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(state >> 33) % n;
}

static const char *random_path(char *path)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	int depth = 1 + rnd(4);

	path[0] = '\0';
	while (depth--) {
		strcat(path, names[rnd(4)]);
		if (depth)
			strcat(path, "/");
	}
	return path;
}

static const char *const ops[] = {
	"mkdir", "rmdir", "create", "unlink", "rename", "link", "symlink", "read",
	"list", "stat", "chmod", "tmpfile", "truncate", "setxattr", "map",
};

static void use_file(int fd)
{
	char data[5000];
	void *map;

	memset(data, rnd(256), sizeof(data));
	if (rnd(2))
		(void)!pwrite(fd, data, rnd(sizeof(data)), rnd(20000));
	if (rnd(2))
		(void)!pread(fd, data, sizeof(data), rnd(20000));
	if (rnd(4) == 0) {
		map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED)
			munmap(map, PAGE);
	}
	close(fd);
}

static void list(int root, const char *path)
{
	char entries[4096];
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	while (syscall(SYS_getdents64, fd, entries, sizeof(entries)) > 0)
		;
	close(fd);
}

static long one(unsigned int op, int root, int other)
{
	static const unsigned int renames[] = { 0, 0, 1, 2, 4 };
	char a[64], b[64], proc[128];
	struct statx x;
	int fd;

	random_path(a);
	random_path(b);
	switch (op) {
	case 0:
		return mkdirat(root, a, 0777);
	case 1:
		return unlinkat(root, a, AT_REMOVEDIR);
	case 2:
		fd = openat(root, a, O_RDWR | O_CREAT | (rnd(3) ? 0 : O_TRUNC), 0666);
		if (fd >= 0)
			use_file(fd);
		return fd;
	case 3:
		return unlinkat(root, a, 0);
	case 4:
		return syscall(SYS_renameat2, root, a, root, b, renames[rnd(5)]);
	case 5:
		return linkat(root, a, root, b, 0);
	case 6:
		return symlinkat(b, root, a);
	case 7:
		fd = openat(root, a, O_RDONLY);
		if (fd >= 0)
			use_file(fd);
		return fd;
	case 8:
		list(root, a);
		list(other, b);
		return 0;
	case 9:
		return statx(root, a, rnd(2) ? AT_SYMLINK_NOFOLLOW : 0,
			     STATX_BASIC_STATS, &x);
	case 10:
		return fchmodat(root, a, 0700 | rnd(0100), 0);
	case 11:
		fd = openat(root, a, O_RDWR | O_TMPFILE, 0666);
		if (fd < 0)
			return fd;
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
		(void)!linkat(AT_FDCWD, proc, root, b, AT_SYMLINK_FOLLOW);
		use_file(fd);
		return 0;
	case 12:
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", root, a);
		return truncate(proc, rnd(30000));
	case 13:
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", root, a);
		return setxattr(proc, "user.x", a, strlen(a), 0);
	default:
		fd = openat(root, a, O_RDWR);
		if (fd < 0)
			return fd;
		use_file(fd);
		return 0;
	}
}

static bool explained(int error)
{
	switch (error) {
	case ENOENT: case EEXIST: case ENOTDIR: case EISDIR: case ENOTEMPTY:
	case ELOOP: case EINVAL: case EPERM: case ENODATA: case ENXIO:
		return true;
	case ESTALE:
		/* The VFS looks up anew once; who is outrun twice gets this. */
		stale++;
		return nr_roots > 1;
	default:
		return false;
	}
}

static void work(unsigned long enough)
{
	while (calls < enough) {
		unsigned int op = rnd(sizeof(ops) / sizeof(*ops));
		int root = roots[rnd(nr_roots)];

		calls++;
		if (one(op, root, roots[0]) < 0 && !explained(errno))
			die("%s: %s", ops[op], strerror(errno));
	}
	if (stale)
		printf("%lu of %lu calls were outrun twice\n", stale, calls);
	exit(0);
}

int main(int argc, char **argv)
{
	int processes = 4, opt, status, bad = 0;
	unsigned long enough = 10000;

	while ((opt = getopt(argc, argv, "p:n:s:")) != -1) {
		switch (opt) {
		case 'p':
			processes = atoi(optarg);
			break;
		case 'n':
			enough = strtoul(optarg, NULL, 0);
			break;
		case 's':
			state = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	for (; optind < argc && nr_roots < 2; optind++, nr_roots++) {
		roots[nr_roots] = open(argv[optind], O_RDONLY | O_DIRECTORY);
		if (roots[nr_roots] < 0)
			die("%s: %s", argv[optind], strerror(errno));
	}
	if (!nr_roots)
		die("usage: hammer [-p PROCESSES] [-n CALLS] DIRECTORY [OTHER-WAY]");
	for (int i = 0; i < processes; i++) {
		if (!fork()) {
			state += i * 7919;
			work(enough);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	return bad != 0;
}
