// SPDX-License-Identifier: GPL-2.0-only
/*
 * clonecost DIR LOWER FILE TIMES: clone FILE so many times through DIR and so
 * many times on LOWER, in turns. Prints the medians of FICLONE in ns: through
 * DIR, on LOWER, and the median of their ratios, in thousandths.
 */
#include "util.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static long clone_once(const char *dir, int src)
{
	char *path = path_of(dir, "clonecost.clone");
	int fd = sys(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
	uint64_t start;
	long took;

	/* The clones before this one are freed in the background: let that end. */
	sleep_ms(10);
	start = now_ns();

	sys(ioctl(fd, FICLONE, src));
	took = now_ns() - start;
	close(fd);
	sys(unlink(path));
	free(path);
	return took;
}

static int compare(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	long *above, *below, *ratio;
	int i, n, fd[2];

	if (argc != 5)
		die("usage: clonecost DIR LOWER FILE TIMES");
	n = atoi(argv[4]);
	above = calloc(n, sizeof(*above));
	below = calloc(n, sizeof(*below));
	ratio = calloc(n, sizeof(*ratio));
	fd[0] = open_in(argv[1], argv[3], O_RDONLY);
	fd[1] = open_in(argv[2], argv[3], O_RDONLY);
	for (i = -3; i < n; i++) {
		long a, b;

		if (i & 1) {
			a = clone_once(argv[1], fd[0]);
			b = clone_once(argv[2], fd[1]);
		} else {
			b = clone_once(argv[2], fd[1]);
			a = clone_once(argv[1], fd[0]);
		}
		if (i < 0)	/* warm up */
			continue;
		above[i] = a;
		below[i] = b;
		ratio[i] = a * 1000 / b;
	}
	qsort(above, n, sizeof(*above), compare);
	qsort(below, n, sizeof(*below), compare);
	qsort(ratio, n, sizeof(*ratio), compare);
	printf("%ld %ld %ld\n", above[n / 2], below[n / 2], ratio[n / 2]);
	return 0;
}
