/* SPDX-License-Identifier: GPL-2.0-only */
/* A test is a function; each runs in a process of its own. */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

/**
 * struct unit_test - one test
 * @name: as it is listed, "file/what"
 * @fn: runs it; returns if it has passed
 * @next: in the order of their names
 */
struct unit_test {
	const char *name;
	void (*fn)(void);
	struct unit_test *next;
};

void test_register(struct unit_test *test);
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define TEST(file, what)						\
static void what(void);							\
static struct unit_test test_##what = { #file "/" #what, what, NULL };	\
__attribute__((constructor)) static void register_##what(void)		\
{									\
	test_register(&test_##what);					\
}									\
static void what(void)

#define CHECK(cond, ...) \
	((cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond "; " __VA_ARGS__))

/* A random number below n. Every test begins with the same seed. */
unsigned long rnd(unsigned long n);

#endif
