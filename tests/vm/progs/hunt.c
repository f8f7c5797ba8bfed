// SPDX-License-Identifier: GPL-2.0-only
/*
 * hunt NAME SIGNAL: send SIGNAL to each process called NAME as soon as it is
 * seen, and print its number, until killed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_called(const char *pid, const char *name)
{
	char path[300], comm[32] = "";
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	len = read(fd, comm, sizeof(comm) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	comm[len - 1] = 0;
	return !strcmp(comm, name);
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	pid_t pid, last = 0;
	DIR *proc;

	if (argc != 3)
		return 2;
	proc = opendir("/proc");
	if (!proc)
		return 2;
	for (;;) {
		rewinddir(proc);
		while ((entry = readdir(proc))) {
			pid = atoi(entry->d_name);
			if (pid <= 0 || !is_called(entry->d_name, argv[1]))
				continue;
			if (!kill(pid, atoi(argv[2])) && pid != last) {
				last = pid;
				printf("%d\n", pid);
				fflush(stdout);
			}
		}
	}
}
