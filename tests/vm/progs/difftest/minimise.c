// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a difference after thousands of calls to a short program: parts of the
 * sequence are left out and the rest is replayed on fresh trees, for as long as
 * it still comes to a difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "difftest.h"

static void print_call(unsigned int i)
{
	const struct result *r = stage->result[0] + i;
	unsigned int index = stage->index[i];

	/* What only one side came to is not worth a line. */
	printf("/* %s */\t%s;\t/* %ld %s*/\n", actor_names[actor_of(seed, index)],
	       r->text, r->ret, r->ret < 0 ? "" : " ");
}

/* Compares what has been played; returns the first call that differs, or -1. */
static int first_difference(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!same_result(&stage->result[0][i], &stage->result[1][i]))
			return i;
	return -1;
}

/*
 * Plays calls on fresh trees. Returns at which of them there is a difference, @n
 * if there is one in the trees that they leave, -1 if there is none. With @tell,
 * prints them up to there.
 */
int replay(const unsigned int *index, unsigned int n, bool tell)
{
	unsigned int from, part, i;
	int at = -1;

	tracing = tell;
	stage_open();
	for (from = 0; from < n && at < 0; from += part) {
		part = n - from < STRETCH ? n - from : STRETCH;
		if (!stage_play(index + from, part)) {
			at = from + part - 1;
			break;
		}
		at = first_difference(part);
		for (i = 0; tell && i < part && (at < 0 || i <= (unsigned int)at); i++)
			print_call(i);
		if (at >= 0 && tell)
			for (int side = 0; side < SIDES; side++)
				print_result(roots[side], &stage->result[side][at]);
		if (at >= 0)
			at += from;
	}
	if (at < 0 && !same_trees(tell))
		at = n;
	stage_close();
	tracing = false;
	return at;
}

/* The end of a sequence is often enough. Returns how many calls stay, at its front. */
static unsigned int take_end(unsigned int *index, unsigned int n)
{
	unsigned int size;
	int where;

	for (size = 64; size < n; size *= 8) {
		where = replay(index + n - size, size, false);
		if (where < 0)
			continue;
		memmove(index, index + n - size, size * sizeof(*index));
		return (unsigned int)where < size ? (unsigned int)where + 1 : size;
	}
	return n;
}

/*
 * Leaves out parts of @index, of half the size each time, until @limit calls were made
 * again for that. Returns how many stay.
 */
static unsigned int reduce(unsigned int *index, unsigned int n, unsigned long limit)
{
	unsigned long again = 0;
	unsigned int *trial = calloc(n, sizeof(*trial));
	unsigned int size, at, m;
	int where;

	for (size = n / 2; size; size = size == 1 ? 0 : (size + 1) / 2) {
		for (at = 0; at < n && again < limit;) {
			unsigned int gap = size < n - at ? size : n - at;

			m = n - gap;
			again += m;
			memcpy(trial, index, at * sizeof(*trial));
			memcpy(trial + at, index + at + gap, (m - at) * sizeof(*trial));
			where = m ? replay(trial, m, false) : -1;
			if (where < 0) {
				at += gap;
				continue;
			}
			/* What comes behind the difference goes as well. */
			n = (unsigned int)where < m ? (unsigned int)where + 1 : m;
			memcpy(index, trial, n * sizeof(*index));
		}
	}
	free(trial);
	return n;
}

/*
 * Prints a short program that shows the difference after these calls. When @limit
 * calls have been made again it is as short as it is.
 */
void minimise(const unsigned int *index, unsigned int n, unsigned long limit)
{
	unsigned int *left = calloc(n + 1, sizeof(*left)), i;
	time_t start = time(NULL);
	int at;

	memcpy(left, index, n * sizeof(*left));
	n = take_end(left, n);
	/* When files join depends on the clock, too. */
	at = replay(left, n, false);
	for (i = 0; at < 0 && i < 2; i++)
		at = replay(left, n, false);
	if (at < 0) {
		printf("/* %u calls, made again three times, come to no difference */\n", n);
		free(left);
		return;
	}
	if ((unsigned int)at < n)
		n = at + 1;
	n = reduce(left, n, limit);
	printf("/* %u calls are left after %ld s; to make them again: difftest -s %llu -k ",
	       n, (long)(time(NULL) - start), (unsigned long long)seed);
	for (i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", left[i]);
	printf(" */\n");
	if (replay(left, n, true) < 0)
		printf("/* this time they came to no difference */\n");
	free(left);
}
