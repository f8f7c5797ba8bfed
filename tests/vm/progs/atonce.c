// SPDX-License-Identifier: GPL-2.0-only
/*
 * atonce read FILE...	a process for each file; all begin to read at once
 * atonce map FILE		map it, touch each page, say so, and stay
 * atonce reversed SOURCE FILE N	make FILE of the first N pages of SOURCE, the
 *					last one first
 * atonce same SOURCE FILE N		make FILE of N times the first page of SOURCE
 */
#include "util.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <stdbool.h>

static void read_whole(const char *path)
{
	static char buf[128 * 1024];
	int fd = sys(open(path, O_RDONLY));
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	sys(n);
	close(fd);
}

static void all_read(char **paths)
{
	int start[2], status, bad = 0;
	char c;

	sys(pipe(start));
	for (; *paths; paths++) {
		if (sys(fork()))
			continue;
		close(start[1]);
		/* It ends when the last one who could write to it has gone. */
		if (read(start[0], &c, 1))
			die("the start");
		read_whole(*paths);
		exit(0);
	}
	close(start[0]);
	close(start[1]);
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		die("a reader failed");
}

static void map_and_stay(const char *path)
{
	int fd = sys(open(path, O_RDONLY));
	volatile unsigned char *map;
	struct stat st;
	off_t at;

	sys(fstat(fd, &st));
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	for (at = 0; at < st.st_size; at += PAGE)
		(void)map[at];
	puts("mapped");
	fflush(stdout);
	pause();
}

/* One extent for each page: none lies on the disk behind the one before. */
static void pieces(const char *how, const char *from, const char *path,
		   unsigned int nr)
{
	struct file_clone_range range = { .src_length = PAGE };
	int fd = sys(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
	bool same = !strcmp(how, "same");
	unsigned int i;

	range.src_fd = sys(open(from, O_RDONLY));
	for (i = 0; i < nr; i++) {
		range.src_offset = same ? 0 : (nr - 1 - i) * PAGE;
		range.dest_offset = i * PAGE;
		sys(ioctl(fd, FICLONERANGE, &range));
	}
	close(range.src_fd);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "read"))
		all_read(argv + 2);
	else if (argc == 3 && !strcmp(argv[1], "map"))
		map_and_stay(argv[2]);
	else if (argc == 5 && (!strcmp(argv[1], "reversed") || !strcmp(argv[1], "same")))
		pieces(argv[1], argv[2], argv[3], atoi(argv[4]));
	else
		die("usage: atonce read FILE... | map FILE | reversed|same SOURCE FILE N");
	return 0;
}
