// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts breaks by mount and inode.
 *
 * Events come as text through an instance of the kernel's ring buffer that belongs
 * to this process alone, so that nobody else's tracing is disturbed. Instances that
 * a killed foldctl has left behind are removed by the next one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "breaks.h"

#define INSTANCES	"/sys/kernel/tracing/instances"
#define PREFIX		"foldctl-"

static void remove_orphans(void)
{
	DIR *instances = opendir(INSTANCES);
	struct dirent *entry;

	if (!instances)
		return;
	while ((entry = readdir(instances))) {
		int pid;

		if (sscanf(entry->d_name, PREFIX "%d", &pid) == 1 && kill(pid, 0) &&
		    errno == ESRCH)
			unlinkat(dirfd(instances), entry->d_name, AT_REMOVEDIR);
	}
	closedir(instances);
}

static int write_to(const char *instance, const char *file, const char *text)
{
	char path[256];
	int fd, result;

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return result;
}

int breaks_open(struct breaks *breaks)
{
	char path[256];

	memset(breaks, 0, sizeof(*breaks));
	breaks->pipe = -1;
	remove_orphans();
	snprintf(breaks->instance, sizeof(breaks->instance), INSTANCES "/" PREFIX "%d", getpid());
	if (mkdir(breaks->instance, 0700)) {
		breaks->instance[0] = '\0';
		return -1;
	}
	snprintf(path, sizeof(path), "%s/trace_pipe", breaks->instance);
	if (write_to(breaks->instance, "events/foldfs/foldfs_break/enable", "1"))
		return -1;
	breaks->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return breaks->pipe < 0 ? -1 : 0;
}

void breaks_close(struct breaks *breaks)
{
	if (breaks->pipe >= 0)
		close(breaks->pipe);
	breaks->pipe = -1;
	if (breaks->instance[0]) {
		write_to(breaks->instance, "events/foldfs/foldfs_break/enable", "0");
		rmdir(breaks->instance);
	}
	breaks->instance[0] = '\0';
}

static void count(struct breaks *breaks, dev_t device, ino_t inode, uint64_t pages)
{
	size_t i = 0;

	while (i < breaks->nr &&
	       (breaks->inode[i].inode != inode || breaks->inode[i].device != device))
		i++;
	if (i == BREAKS_MAX)
		return;
	if (i == breaks->nr) {
		memset(&breaks->inode[i], 0, sizeof(breaks->inode[i]));
		breaks->inode[i].device = device;
		breaks->inode[i].inode = inode;
		breaks->nr++;
	}
	breaks->inode[i].breaks++;
	breaks->inode[i].pages += pages;
}

static void take_line(struct breaks *breaks, const char *line)
{
	const char *event = strstr(line, "foldfs_break: dev=");
	unsigned int first, second;
	unsigned long inode, pages;

	if (event && sscanf(event, "foldfs_break: dev=%u:%u ino=%lu index=%*u nr=%lu", &first,
			    &second, &inode, &pages) == 4)
		count(breaks, makedev(first, second), inode, pages);
}

static int by_breaks(const void *a, const void *b)
{
	const struct breaks_inode *x = a, *y = b;

	if (x->breaks != y->breaks)
		return x->breaks > y->breaks ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

void breaks_read(struct breaks *breaks)
{
	char *line, *end;
	ssize_t got;

	while (breaks->pipe >= 0) {
		got = read(breaks->pipe, breaks->line + breaks->used,
			   sizeof(breaks->line) - 1 - breaks->used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		breaks->used += got;
		breaks->line[breaks->used] = '\0';
		for (line = breaks->line; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			take_line(breaks, line);
		}
		breaks->used -= line - breaks->line;
		/* No event is that long: give the rest of the line up. */
		if (breaks->used == sizeof(breaks->line) - 1)
			breaks->used = 0;
		memmove(breaks->line, line, breaks->used);
	}
	qsort(breaks->inode, breaks->nr, sizeof(breaks->inode[0]), by_breaks);
}
