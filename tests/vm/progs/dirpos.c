// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirpos - read a directory, then seek to each of its entries again
 *
 *	dirpos DIRECTORY
 *
 * Prints name, inode number, type and position of each entry, in the order in
 * which they come. "." and ".." of the top are the mount's own business: only
 * their names are printed.
 */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 10000

int main(int argc, char **argv)
{
	static char *names[MAX_ENTRIES];
	static long positions[MAX_ENTRIES];
	struct dirent *entry;
	int n = 0, i;
	DIR *dir;

	if (argc != 2)
		errx(2, "usage: dirpos DIRECTORY");
	dir = opendir(argv[1]);
	if (!dir)
		err(1, "%s", argv[1]);

	while (n < MAX_ENTRIES) {
		positions[n] = telldir(dir);
		entry = readdir(dir);
		if (!entry)
			break;
		if (entry->d_name[0] == '.')
			printf("%s\n", entry->d_name);
		else
			printf("%s %llu %d %ld\n", entry->d_name,
			       (unsigned long long)entry->d_ino, entry->d_type,
			       positions[n]);
		names[n++] = strdup(entry->d_name);
	}

	/* Backwards, so that no entry follows from where the last one ended. */
	for (i = n - 1; i >= 0; i -= 7) {
		seekdir(dir, positions[i]);
		entry = readdir(dir);
		if (!entry || strcmp(entry->d_name, names[i]))
			errx(1, "at position %ld there is %s, not %s", positions[i],
			     entry ? entry->d_name : "nothing", names[i]);
	}
	rewinddir(dir);
	entry = readdir(dir);
	if (!entry || strcmp(entry->d_name, names[0]))
		errx(1, "the beginning is not where it was");
	closedir(dir);
	return 0;
}
