// SPDX-License-Identifier: GPL-2.0-only
/*
 * An external merge sort.
 *
 * Records fill a buffer. A full buffer is sorted and written out as a run; at the
 * end the same buffer is cut into one window for each run, and a heap of the
 * windows gives the records in order. Whatever fits into the buffer never touches
 * the disk.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../names.h"
#include "sorter.h"
#include "spill.h"

/* A run, and the part of it that is in its window. */
struct run {
	off_t next, end;	/* what is still in the file */
	char *window;
	size_t at, filled;	/* bytes of the window */
};

struct sorter {
	size_t size;
	int (*compare)(const void *a, const void *b);
	char *buffer;
	size_t room, used;	/* bytes of the buffer; whole records */
	size_t window;		/* bytes of a run's window; whole records */
	uint64_t count;
	int fd;
	off_t written;
	struct run *run;
	size_t nr_runs, max_runs;
	size_t *heap;		/* runs that have a record, the least one first */
	size_t nr_heap;
};

struct sorter *sorter_new(size_t size, size_t memory,
			  int (*compare)(const void *a, const void *b))
{
	struct sorter *sorter = calloc(1, sizeof(*sorter));

	if (sorter) {
		sorter->size = size;
		sorter->compare = compare;
		sorter->fd = -1;
		sorter->room = memory / size * size;
		sorter->max_runs = memory / SORTER_READ;
		sorter->buffer = malloc(sorter->room);
	}
	if (!sorter || !sorter->buffer) {
		complain_errno("cannot sort");
		free(sorter);
		return NULL;
	}
	return sorter;
}

void sorter_free(struct sorter *sorter)
{
	if (!sorter)
		return;
	if (sorter->fd >= 0)
		close(sorter->fd);
	free(sorter->buffer);
	free(sorter->run);
	free(sorter->heap);
	free(sorter);
}

uint64_t sorter_count(const struct sorter *sorter)
{
	return sorter->count;
}

static int write_run(struct sorter *sorter)
{
	struct run *run;

	if (sorter->nr_runs == sorter->max_runs) {
		complain("too much to sort; give fewer paths at a time");
		return -1;
	}
	if (!(sorter->nr_runs & (sorter->nr_runs - 1))) {
		size_t room = sorter->nr_runs ? sorter->nr_runs * 2 : 1;

		run = realloc(sorter->run, room * sizeof(*run));
		if (!run) {
			complain_errno("cannot sort");
			return -1;
		}
		sorter->run = run;
	}
	if (sorter->fd < 0) {
		sorter->fd = spill_open();
		if (sorter->fd < 0)
			return -1;
	}
	qsort(sorter->buffer, sorter->used / sorter->size, sorter->size, sorter->compare);
	if (spill_write(sorter->fd, sorter->buffer, sorter->used))
		return -1;
	run = &sorter->run[sorter->nr_runs++];
	memset(run, 0, sizeof(*run));
	run->next = sorter->written;
	sorter->written += sorter->used;
	run->end = sorter->written;
	sorter->used = 0;
	return 0;
}

int sorter_add(struct sorter *sorter, const void *record)
{
	if (sorter->used == sorter->room && write_run(sorter))
		return -1;
	memcpy(sorter->buffer + sorter->used, record, sorter->size);
	sorter->used += sorter->size;
	sorter->count++;
	return 0;
}

/* Fills a run's window if it is empty. 1, 0 at the end of the run, or -1. */
static int fill_window(struct sorter *sorter, struct run *run)
{
	size_t length = sorter->window;

	if (run->at < run->filled)
		return 1;
	if (run->next == run->end)
		return 0;
	if ((off_t)length > run->end - run->next)
		length = run->end - run->next;
	if (spill_read(sorter->fd, run->window, length, run->next))
		return -1;
	run->next += length;
	run->at = 0;
	run->filled = length;
	return 1;
}

static const char *first_record(const struct sorter *sorter, size_t place)
{
	const struct run *run = &sorter->run[sorter->heap[place]];

	return run->window + run->at;
}

static void sink(struct sorter *sorter, size_t place)
{
	for (;;) {
		size_t least = place, run;

		for (size_t below = 2 * place + 1;
		     below <= 2 * place + 2 && below < sorter->nr_heap; below++)
			if (sorter->compare(first_record(sorter, below),
					    first_record(sorter, least)) < 0)
				least = below;
		if (least == place)
			return;
		run = sorter->heap[place];
		sorter->heap[place] = sorter->heap[least];
		sorter->heap[least] = run;
		place = least;
	}
}

int sorter_sort(struct sorter *sorter)
{
	if (!sorter->nr_runs) {
		qsort(sorter->buffer, sorter->used / sorter->size, sorter->size,
		      sorter->compare);
		sorter->room = sorter->used;
		sorter->used = 0;
		return 0;
	}
	if (sorter->used && write_run(sorter))
		return -1;
	sorter->window = sorter->room / sorter->nr_runs / sorter->size * sorter->size;
	sorter->heap = calloc(sorter->nr_runs, sizeof(*sorter->heap));
	if (!sorter->heap) {
		complain_errno("cannot sort");
		return -1;
	}
	for (size_t i = 0; i < sorter->nr_runs; i++) {
		sorter->run[i].window = sorter->buffer + i * sorter->window;
		if (fill_window(sorter, &sorter->run[i]) < 0)
			return -1;
		sorter->heap[i] = i;
	}
	sorter->nr_heap = sorter->nr_runs;
	for (size_t i = sorter->nr_heap; i-- > 0;)
		sink(sorter, i);
	return 0;
}

int sorter_next(struct sorter *sorter, void *record)
{
	struct run *run;
	int more;

	if (!sorter->nr_runs) {
		if (sorter->used == sorter->room)
			return 0;
		memcpy(record, sorter->buffer + sorter->used, sorter->size);
		sorter->used += sorter->size;
		return 1;
	}
	if (!sorter->nr_heap)
		return 0;
	memcpy(record, first_record(sorter, 0), sorter->size);
	run = &sorter->run[sorter->heap[0]];
	run->at += sorter->size;
	more = fill_window(sorter, run);
	if (more < 0)
		return -1;
	if (!more)
		sorter->heap[0] = sorter->heap[--sorter->nr_heap];
	sink(sorter, 0);
	return 1;
}
