// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests whose names contain the argument, or all: one line each, and
 * then "N passed, N failed". SEED=number makes the random ones take another
 * way; what they did before they failed is found again with the same seed.
 */
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static struct unit_test *tests;
static const char *running = "";
static u64 seed = 20200601, state;

void test_register(struct unit_test *test)
{
	struct unit_test **link = &tests;

	while (*link && strcmp((*link)->name, test->name) < 0)
		link = &(*link)->next;
	test->next = *link;
	*link = test;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "  %s: %s:%d (SEED=%llu): ", running, file, line,
		(unsigned long long)seed);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	/* No leak report for what a failing test leaves behind. */
	_exit(1);
}

unsigned long rnd(unsigned long n)
{
	/* Weyl sequence, mixed: any seed will do, 0 as well. */
	u64 x = state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return (x ^ x >> 31) % n;
}

static bool run(const struct unit_test *test)
{
	struct timespec from, to;
	int status = -1;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &from);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		alarm(120);
		running = test->name;
		state = seed;
		test->fn();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = -1;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%s %s (%.1f s)\n", status ? "FAIL" : "ok  ", test->name,
	       to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	return !status;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;
	const struct unit_test *test;

	setlinebuf(stdout);
	if (getenv("SEED"))
		seed = strtoull(getenv("SEED"), NULL, 0);
	for (test = tests; test; test = test->next) {
		if (argc > 1 && !strstr(test->name, argv[1]))
			continue;
		if (run(test))
			passed++;
		else
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
