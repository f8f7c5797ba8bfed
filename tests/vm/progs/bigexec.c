// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program with 4 MiB of read-only data, which it adds up whenever a line
 * comes on its standard input; prints the sum. Something to execute from clones.
 */
#include "util.h"

#define WORDS	(4UL << 17)

static const volatile uint64_t table[WORDS] = { [0 ... WORDS - 1] = 0x0123456789abcdefULL };

int main(void)
{
	char line[16];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t sum = 0;
		unsigned long i;

		for (i = 0; i < WORDS; i++)
			sum += table[i] * (i + 1);
		printf("%016llx\n", (unsigned long long)sum);
	}
	return 0;
}
