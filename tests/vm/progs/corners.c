// SPDX-License-Identifier: GPL-2.0-only
/*
 * corners WHAT ...: small things that programs do with files, each by itself.
 *
 *	corners overlap FILE		a write whose source maps the bytes it changes
 *	corners pin FILE WRITER		pages of a mapping that a pipe holds on to
 *	corners quota FILE		quotactl_fd(2); prints how it fails
 *	corners landlock YES NO		a process that may only read below YES
 */
#include "util.h"
#include <sys/prctl.h>
#include <sys/uio.h>
#include <linux/landlock.h>

#define SIZE	(64 * PAGE)

static char *map_file(const char *path, int *fd)
{
	char *map;

	*fd = sys(open(path, O_RDWR));
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, *fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	return map;
}

static void overlap(char **args)
{
	static char before[SIZE], after[SIZE];
	int fd;
	char *map = map_file(args[0], &fd);

	read_all(fd, before, SIZE, 0);
	/* Up to 256 KiB are copied before the first byte changes. */
	if (pwrite(fd, map, SIZE - 3000, 3000) != SIZE - 3000)
		die_errno("write");
	memcpy(after, before, 3000);
	memcpy(after + 3000, before, SIZE - 3000);
	same_bytes(map, after, SIZE, "a write from a mapping of the same bytes");
}

static void pin(char **args)
{
	static char before[SIZE], got[SIZE];
	int fd, writer, ends[2];
	char *map = map_file(args[0], &fd);
	struct iovec vec = { map, 8 * PAGE };

	memcpy(before, map, SIZE);
	sys(pipe(ends));
	if (sys(vmsplice(ends[1], &vec, 1, 0)) != 8 * PAGE)
		die("vmsplice was short");
	writer = sys(open(args[1], O_WRONLY));
	write_all(writer, "new bytes", 9, 2 * PAGE);
	if (memcmp(map + 2 * PAGE, "new bytes", 9))
		die("the mapping shows old bytes");
	for (size_t n = 0; n < 8 * PAGE;)
		n += sys(read(ends[0], got + n, 8 * PAGE - n));
	same_bytes(got, before, 8 * PAGE, "pages that a pipe holds");
}

static void quota(char **args)
{
	int fd = sys(open(args[0], O_RDONLY));

	if (!syscall(SYS_quotactl_fd, fd, 0x80000800 /* Q_GETINFO, users */, 0, NULL))
		die("quotactl_fd succeeds");
	puts(strerrorname_np(errno));
}

static void landlock(char **args)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				     LANDLOCK_ACCESS_FS_WRITE_FILE,
	};
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = sys(open(args[0], O_PATH | O_DIRECTORY)),
	};
	static char buf[SIZE];
	int rules, fd;
	char *map;

	rules = sys(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));
	sys(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
	sys(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	sys(syscall(SYS_landlock_restrict_self, rules, 0));

	/* Fills run in this process, through whatever file shares the blocks. */
	fd = open_in(args[0], "file", O_RDONLY);
	read_all(fd, buf, SIZE, 0);
	map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	same_bytes(map, buf, SIZE, "a mapping in a sandbox");
	if (open(path_of(args[0], "file"), O_WRONLY) >= 0 || errno != EACCES)
		die("opened for writing what may only be read: %m");
	if (open(path_of(args[1], "file"), O_RDONLY) >= 0 || errno != EACCES)
		die("opened what is not below the allowed directory: %m");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		void (*fn)(char **args);
	} table[] = {
		{ "overlap", 1, overlap }, { "pin", 2, pin }, { "quota", 1, quota },
		{ "landlock", 2, landlock },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (argc == 2 + table[i].args && !strcmp(argv[1], table[i].name)) {
			table[i].fn(argv + 2);
			return 0;
		}
	}
	die("usage: corners WHAT FILE...; see the source");
}
