/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_ATOMIC_H
#define UNIT_ATOMIC_H

typedef struct {
	long counter;
} atomic_long_t;

typedef struct {
	int64_t counter;
} atomic64_t;

typedef struct {
	int counter;
} atomic_t;

#define atomic_set(v, i)	((v)->counter = (i))
#define atomic_read(v)		((v)->counter)
#define atomic_dec_and_test(v)	(!--(v)->counter)
#define atomic64_inc_return(v)	(++(v)->counter)
#define atomic_long_add(n, v)	((v)->counter += (n))
#define atomic_long_read(v)	((v)->counter)

#endif
