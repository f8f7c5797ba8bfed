/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorting more records than fit into memory. */
#ifndef SORTER_H
#define SORTER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Fewest bytes of a sorted run that are read at once. With it, @memory decides how
 * much can be sorted: @memory * @memory / SORTER_READ, 16 GiB for 8 MiB of memory.
 */
#define SORTER_READ 4096

struct sorter;

/*
 * Makes a sorter of records of @size bytes, which are compared as by qsort(3). It
 * takes @memory bytes, and at most a thirtieth more, whatever is added; the rest is in
 * an unlinked temporary file. NULL after it complained.
 */
struct sorter *sorter_new(size_t size, size_t memory,
			  int (*compare)(const void *a, const void *b));

/* Adds one record. 0, or -1 after it complained. */
int sorter_add(struct sorter *sorter, const void *record);

/* Ends the adding, once. 0, or -1 after it complained. */
int sorter_sort(struct sorter *sorter);

/*
 * Copies the next record in order to @record. 1, 0 when there is no more, or -1 after it
 * complained.
 */
int sorter_next(struct sorter *sorter, void *record);

/* How many records were added. */
uint64_t sorter_count(const struct sorter *sorter);

/* Frees it, also in the middle; NULL is nothing. */
void sorter_free(struct sorter *sorter);

#endif
