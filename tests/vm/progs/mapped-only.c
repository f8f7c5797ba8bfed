// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped-only UID FILE...: as user UID, opens all files, prints "open", and for
 * the first line on its standard input maps them all, touches nothing, and prints
 * "mapped". Holds the mappings until there is no more input.
 */
#include "util.h"

int main(int argc, char **argv)
{
	struct stat st;
	char line[16];
	int fds[256];
	int i;

	if (argc < 3 || argc > 250)
		die("usage: mapped-only UID FILE...");
	for (i = 2; i < argc; i++)
		fds[i] = sys(open(argv[i], O_RDONLY));
	sys(setresuid(atoi(argv[1]), atoi(argv[1]), atoi(argv[1])));
	puts("open");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	for (i = 2; i < argc; i++) {
		sys(fstat(fds[i], &st));
		sys(mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fds[i], 0));
		close(fds[i]);
	}
	puts("mapped");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}
