// SPDX-License-Identifier: GPL-2.0-only
/*
 * handles - file handles, as NFS servers and backup programs use them
 *
 *	handles get FILE		print the handle of FILE
 *	handles stat MOUNT HANDLE	open it and print inode, size and path
 *	handles cat MOUNT HANDLE	open it and print what is in it
 */
#include "util.h"

union buffer {
	struct file_handle h;
	unsigned char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static void get(const char *path)
{
	union buffer b = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	if (name_to_handle_at(AT_FDCWD, path, &b.h, &mount, 0))
		die("%s: %s", path, strerror(errno));
	printf("%d:", b.h.handle_type);
	for (unsigned int i = 0; i < b.h.handle_bytes; i++)
		printf("%02x", b.h.f_handle[i]);
	printf("\n");
}

static int open_handle(const char *mount, const char *text, int flags)
{
	int root = open(mount, O_RDONLY | O_DIRECTORY), fd;
	union buffer b = { 0 };
	char *hex;

	if (root < 0)
		die("%s: %s", mount, strerror(errno));
	b.h.handle_type = strtol(text, &hex, 10);
	for (hex++; hex[0] && hex[1]; hex += 2)
		sscanf(hex, "%2hhx", &b.h.f_handle[b.h.handle_bytes++]);
	fd = open_by_handle_at(root, &b.h, flags);
	if (fd < 0) {
		printf("%s\n", strerror(errno));
		exit(1);
	}
	return fd;
}

static void show(int fd)
{
	char path[4096], link[64];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		die("fstat: %s", strerror(errno));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (S_ISDIR(st.st_mode))
		printf("%lu 0 %.*s\n", st.st_ino, (int)n, path);
	else
		printf("%lu %lld\n", st.st_ino, (long long)st.st_size);
}

int main(int argc, char **argv)
{
	char data[4096];
	ssize_t n;
	int fd;

	if (argc == 3 && !strcmp(argv[1], "get")) {
		get(argv[2]);
	} else if (argc == 4 && !strcmp(argv[1], "stat")) {
		show(open_handle(argv[2], argv[3], O_RDONLY));
	} else if (argc == 4 && !strcmp(argv[1], "cat")) {
		fd = open_handle(argv[2], argv[3], O_RDONLY);
		while ((n = read(fd, data, sizeof(data))) > 0)
			fwrite(data, 1, n, stdout);
	} else {
		die("usage: handles get FILE | handles stat|cat MOUNT HANDLE");
	}
	return 0;
}
