/* SPDX-License-Identifier: GPL-2.0-only */
/* Only ever a member of what the tests use. */
#ifndef UNIT_LIST_LRU_H
#define UNIT_LIST_LRU_H

struct list_lru {
	int unused;
};

#endif
