/* SPDX-License-Identifier: GPL-2.0-only */
/* References, and what the same sources take from the kernel beside them. */
#ifndef UNIT_REFCOUNT_H
#define UNIT_REFCOUNT_H

typedef struct {
	unsigned int refs;
} refcount_t;

typedef unsigned long pgoff_t;
typedef unsigned int gfp_t;

#define refcount_set(r, n)	((r)->refs = (n))
#define refcount_read(r)	((r)->refs)

static inline void refcount_inc(refcount_t *r)
{
	BUG_ON(!r->refs);
	r->refs++;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	BUG_ON(!r->refs);
	return !--r->refs;
}

#define BITS_PER_LONG			64
#define BIT(nr)				(1UL << (nr))
#define smp_acquire__after_ctrl_dep()	do { } while (0)

#endif
