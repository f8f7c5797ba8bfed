/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for kernel/core/kernel.h in user space: it is included in front of
 * everything (-include) and bears the same guard. Simple structures behind the
 * kernel's names, which check how they are used; speed does not matter.
 */
#ifndef FOLD_CORE_KERNEL_H
#define FOLD_CORE_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint64_t __u64;

/* Ends the test; see test.c. */
void shim_die(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define BUG_ON(cond) \
	((cond) ? shim_die(__FILE__, __LINE__, "BUG_ON(" #cond ")") : (void)0)
#define WARN_ON(cond) \
	((cond) ? (shim_die(__FILE__, __LINE__, "WARN_ON(" #cond ")"), true) \
		: false)
#define WARN_ON_ONCE(cond)	WARN_ON(cond)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define min(a, b)	((a) < (b) ? (a) : (b))
#define max(a, b)	((a) > (b) ? (a) : (b))
#define READ_ONCE(x)	(x)
#define WRITE_ONCE(x, v) ((x) = (v))
#define smp_rmb()	do { } while (0)
#define unlikely(x)	(x)
#define likely(x)	(x)
#define __init
#define __exit
#define __ro_after_init
#define cond_resched()	do { } while (0)

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#include "interval_tree.h"
#include "linux/atomic.h"
#include "list.h"
#include "locks.h"

#endif
