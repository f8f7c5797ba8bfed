// SPDX-License-Identifier: GPL-2.0-only
/*
 * difftest - the same random system calls on two filesystems, compared one by one
 *
 *	difftest [-s SEED] [-n CALLS] [-m CALLS] [-k INDEX,INDEX...] [-b FOLDFS,XFS] FOLDFS XFS
 *
 * Both directories are emptied first. -b names another mount of each, through which some
 * of the calls come. -m limits the time for minimising. With -k,
 * only these calls of the sequence are made, and shown. See difftest.h for the words.
 *
 * Exit status: 0 the same, 1 a difference (which is minimised) or a call that hangs, 2 trouble,
 * 3 a call that hangs and cannot be killed, whose trees are left as they are.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "difftest.h"

static unsigned long good, made;
static unsigned long patience = 1000000;

/* Returns false if a call or the trees differ; *@at is how many calls were made. */
static bool same_stretch(unsigned int from, unsigned int n, unsigned int *at)
{
	static unsigned int index[STRETCH];
	unsigned int i;
	bool same;

	for (i = 0; i < n; i++)
		index[i] = from + i;
	*at = from + n;
	if (!stage_play(index, n))
		return false;
	for (i = 0; i < n; i++) {
		made++;
		good += stage->result[1][i].ret >= 0;
		if (!same_result(&stage->result[0][i], &stage->result[1][i])) {
			struct call c;

			*at = from + i + 1;
			decide(seed, from + i, &c);
			printf("/* seed %llu, call %u (%s) differs */\n",
			       (unsigned long long)seed, from + i, c.kind->name);
			for (int side = 0; side < SIDES; side++)
				print_result(roots[side], &stage->result[side][i]);
			return false;
		}
	}
	same = same_trees(true);
	if (!same)
		printf("/* seed %llu, after call %u */\n", (unsigned long long)seed, *at - 1);
	return same;
}

static int run(unsigned int n)
{
	unsigned int from, part, at, i, *index;

	stage_open();
	for (from = 0; from < n; from += part) {
		part = n - from < STRETCH ? n - from : STRETCH;
		if (same_stretch(from, part, &at))
			continue;
		stage_close();
		index = calloc(at, sizeof(*index));
		for (i = 0; i < at; i++)
			index[i] = i;
		fflush(stdout);
		minimise(index, at, patience);
		free(index);
		return 1;
	}
	stage_close();
	return 0;
}

static int run_some(char *list)
{
	static unsigned int index[100000];
	unsigned int n = 0;

	for (char *p = strtok(list, ","); p && n < 100000; p = strtok(NULL, ","))
		index[n++] = strtoul(p, NULL, 0);
	return replay(index, n, true) >= 0;
}

int main(int argc, char **argv)
{
	unsigned long n = 10000;
	char *list = NULL;
	time_t start = time(NULL);
	int opt, status;

	while ((opt = getopt(argc, argv, "s:n:m:k:b:")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			n = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			patience = strtoul(optarg, NULL, 0);
			break;
		case 'k':
			list = optarg;
			break;
		case 'b':
			ways[0] = strtok(optarg, ",");
			ways[1] = strtok(NULL, ",");
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != SIDES)
		errx(2, "usage: difftest [-s SEED] [-n CALLS] [-m CALLS] [-k INDEX,INDEX...] [-b FOLDFS,XFS] FOLDFS XFS");
	roots[0] = argv[optind];
	roots[1] = argv[optind + 1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0);
	if (list)
		return run_some(list);
	status = run(n);
	if (!status)
		printf("seed %llu: %lu calls, %lu of them successful, no difference (%ld s)\n",
		       (unsigned long long)seed, made, good, (long)(time(NULL) - start));
	return status;
}
