// SPDX-License-Identifier: GPL-2.0-only
/* Writes pages that each begin with their own number: numbered PAGES >FILE */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	static uint64_t page[512];
	uint64_t pages = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;

	if (!pages)
		errx(2, "usage: numbered PAGES");
	for (uint64_t i = 0; i < pages; i++) {
		page[0] = i;
		page[511] = ~i;
		if (fwrite(page, sizeof(page), 1, stdout) != 1)
			err(1, "write");
	}
	if (fflush(stdout))
		err(1, "write");
	return 0;
}
