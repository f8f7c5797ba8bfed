// SPDX-License-Identifier: GPL-2.0-only
/*
 * What foldctl estimate keeps its files in: the sorter, beside qsort(), and the
 * sweep over blocks, beside a table that has an entry for each block; and that a
 * million files take no more memory than a few.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "foldctl/overlap.h"
#include "foldctl/sorter.h"
#include "foldctl/spill.h"
#include "test.h"

/* Of the address sanitizer; not every compiler brings the header. */
size_t __sanitizer_get_current_allocated_bytes(void);

struct number {
	uint32_t key;
	uint32_t order;
};

static int by_number(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort_beside_qsort(unsigned int nr, size_t memory)
{
	struct sorter *sorter = sorter_new(sizeof(struct number), memory, by_number);
	struct number *model = calloc(nr + 1, sizeof(*model)), got;

	CHECK(sorter);
	for (unsigned int i = 0; i < nr; i++) {
		model[i].key = rnd(nr / 2 + 1);
		model[i].order = i;
		CHECK(!sorter_add(sorter, &model[i]));
	}
	CHECK(sorter_count(sorter) == nr);
	CHECK(!sorter_sort(sorter));
	qsort(model, nr, sizeof(*model), by_number);
	for (unsigned int i = 0; i < nr; i++) {
		CHECK(sorter_next(sorter, &got) == 1, "record %u of %u", i, nr);
		CHECK(!memcmp(&got, &model[i], sizeof(got)), "record %u of %u", i, nr);
	}
	CHECK(!sorter_next(sorter, &got));
	CHECK(!sorter_next(sorter, &got));
	sorter_free(sorter);
	free(model);
}

TEST(sorter, sorts_as_qsort)
{
	sort_beside_qsort(0, 16384);
	sort_beside_qsort(1, 16384);
	/* Around one and two full buffers. */
	for (unsigned int nr = 2046; nr <= 2050; nr++)
		sort_beside_qsort(nr, 16384);
	for (unsigned int nr = 4094; nr <= 4098; nr++)
		sort_beside_qsort(nr, 16384);
	for (int i = 0; i < 10; i++)
		sort_beside_qsort(rnd(100000), 256 * 1024);
}

TEST(sorter, refuses_what_is_too_much)
{
	struct sorter *sorter = sorter_new(sizeof(struct number), 2 * SORTER_READ, by_number);
	struct number number = { 0 };
	int failed = 0;

	/* Two runs of two reads each; the complaint is part of the test. */
	fclose(stderr);
	for (unsigned int i = 0; i < 3 * 2 * SORTER_READ / sizeof(number) && !failed; i++)
		failed = sorter_add(sorter, &number);
	failed = failed ? failed : sorter_sort(sorter);
	sorter_free(sorter);
	if (!failed)
		exit(1);
}

TEST(spill, keeps_names)
{
	static char name[SPILL_NAME_MAX], got[SPILL_NAME_MAX];
	enum { NR = 3000 };
	static int64_t number[NR];
	static unsigned int length[NR];
	struct spill_names names;

	CHECK(!spill_names_open(&names));
	for (int i = 0; i < NR; i++) {
		length[i] = rnd(20) ? rnd(100) : rnd(SPILL_NAME_MAX - 1);
		memset(name, 'a' + i % 26, length[i]);
		name[length[i]] = '\0';
		number[i] = spill_names_add(&names, name);
		CHECK(number[i] >= 0);
	}
	for (int i = NR - 1; i >= 0; i--) {
		memset(name, 'a' + i % 26, length[i]);
		name[length[i]] = '\0';
		CHECK(!spill_names_get(&names, number[i], got));
		CHECK(!strcmp(name, got), "name %d", i);
	}
	spill_names_close(&names);
}

/* ---- the sweep */

enum { BLOCKS = 200, FILES = 8, GROUPS = 3, FILESYSTEMS = 2 };

struct model {
	unsigned int mapped[FILESYSTEMS][BLOCKS], cached[FILESYSTEMS][BLOCKS];
	unsigned int by_file[FILESYSTEMS][BLOCKS][FILES];
	unsigned int map_group[FILESYSTEMS][BLOCKS][GROUPS];
	unsigned int cache_group[FILESYSTEMS][BLOCKS][GROUPS];
};

static struct overlap_sum by_file[FILES];

static int take_run(void *arg, uint64_t file, const struct overlap_sum *sum)
{
	struct overlap_sum *sums = arg;

	CHECK(file < FILES);
	sums[file].saveable += sum->saveable;
	sums[file].duplicates += sum->duplicates;
	return 0;
}

static void tell(struct sorter *sorter, struct overlap_event event, uint64_t at, uint64_t end,
		 unsigned int kind)
{
	event.at = at;
	event.end = end;
	event.kind = kind;
	CHECK(!sorter_add(sorter, &event));
	event.at = end;
	event.kind |= OVERLAP_END;
	CHECK(!sorter_add(sorter, &event));
}

/* A range that a file maps, with whatever of it is cached. */
static void add_extent(struct sorter *sorter, struct model *model)
{
	struct overlap_event event = { 0 };
	uint64_t at = rnd(BLOCKS - 1), end = at + 1 + rnd(BLOCKS - 1 - at), hole;

	event.file = rnd(FILES);
	event.group = rnd(GROUPS);
	event.filesystem = rnd(FILESYSTEMS);
	hole = at + rnd(end - at);
	for (uint64_t i = at; i < end; i++) {
		model->mapped[event.filesystem][i]++;
		model->by_file[event.filesystem][i][event.file]++;
		model->map_group[event.filesystem][i][event.group]++;
	}
	if (rnd(2)) {
		tell(sorter, event, at, end, OVERLAP_MAPPED | OVERLAP_CACHED);
		hole = end;
	} else {
		tell(sorter, event, at, end, OVERLAP_MAPPED);
		if (hole > at)
			tell(sorter, event, at, hole, OVERLAP_CACHED);
		if (hole + 1 < end)
			tell(sorter, event, hole + 1, end, OVERLAP_CACHED);
	}
	for (uint64_t i = at; i < end; i++) {
		if (i == hole)
			continue;
		model->cached[event.filesystem][i]++;
		model->cache_group[event.filesystem][i][event.group]++;
	}
}

static void check_sums(const struct model *model, const struct overlap *overlap)
{
	struct overlap_group group[GROUPS] = { 0 };
	uint64_t saveable = 0, duplicates = 0, most = 0, s = 0, d = 0;

	for (int f = 0; f < FILESYSTEMS; f++) {
		for (int i = 0; i < BLOCKS; i++) {
			unsigned int m = model->mapped[f][i], c = model->cached[f][i];

			saveable += m ? m - 1 : 0;
			duplicates += c ? c - 1 : 0;
			if (m > most)
				most = m;
			for (int g = 0; g < GROUPS; g++) {
				if (m)
					group[g].saveable +=
						(m - 1.0) / m * model->map_group[f][i][g];
				if (c)
					group[g].duplicates +=
						(c - 1.0) / c * model->cache_group[f][i][g];
			}
		}
	}
	CHECK(overlap->total.saveable == saveable, "%llu, not %llu",
	      (unsigned long long)overlap->total.saveable, (unsigned long long)saveable);
	CHECK(overlap->total.duplicates == duplicates, "%llu, not %llu",
	      (unsigned long long)overlap->total.duplicates, (unsigned long long)duplicates);
	CHECK(!saveable || overlap->total.copies == most, "%u, not %llu", overlap->total.copies,
	      (unsigned long long)most);
	for (int i = 0; i < FILES; i++) {
		s += by_file[i].saveable;
		d += by_file[i].duplicates;
	}
	CHECK(s == saveable && d == duplicates, "files do not add up");
	for (int g = 0; g < GROUPS; g++) {
		double off = overlap->group[g].saveable - group[g].saveable;

		CHECK(off < 1e-6 && off > -1e-6, "group %d: off by %g", g, off);
		off = overlap->group[g].duplicates - group[g].duplicates;
		CHECK(off < 1e-6 && off > -1e-6, "group %d: off by %g", g, off);
	}
}

TEST(overlap, random_ranges)
{
	for (int round = 0; round < 300; round++) {
		struct sorter *sorter = sorter_new(sizeof(struct overlap_event), 16384,
						   overlap_compare);
		struct overlap_group group[GROUPS] = { 0 };
		struct overlap overlap = {
			.group = group, .run = take_run, .arg = by_file,
		};
		struct model *model = calloc(1, sizeof(*model));
		struct overlap_event event;

		memset(by_file, 0, sizeof(by_file));
		for (int i = rnd(60); i >= 0; i--)
			add_extent(sorter, model);
		CHECK(!sorter_sort(sorter));
		while (sorter_next(sorter, &event))
			CHECK(!overlap_event(&overlap, &event));
		CHECK(!overlap.mapped && !overlap.cached);
		check_sums(model, &overlap);
		sorter_free(sorter);
		free(model);
	}
}

static uint64_t run_file, runs;

static int count_run(void *arg, uint64_t file, const struct overlap_sum *sum)
{
	(void)arg;
	(void)sum;
	run_file = file;
	runs++;
	return 0;
}

/* The block of a clone farm: a million files that all share it, and one of their own. */
TEST(overlap, million_files)
{
	enum { NR = 1000000, MEMORY = 1024 * 1024 };
	size_t before = __sanitizer_get_current_allocated_bytes();
	struct sorter *sorter = sorter_new(sizeof(struct overlap_event), MEMORY, overlap_compare);
	struct overlap_group group = { 0 };
	struct overlap overlap = { .group = &group, .run = count_run };
	struct overlap_event event = { 0 };
	size_t most = 0;

	runs = 0;
	for (unsigned int i = 0; i < NR; i++) {
		event.file = i;
		tell(sorter, event, 1000, 1010, OVERLAP_MAPPED | OVERLAP_CACHED);
		tell(sorter, event, 5000 + 10 * (uint64_t)i, 5003 + 10 * (uint64_t)i,
		     OVERLAP_MAPPED | OVERLAP_CACHED);
	}
	CHECK(!sorter_sort(sorter));
	for (unsigned int i = 0; sorter_next(sorter, &event); i++) {
		CHECK(!overlap_event(&overlap, &event));
		if (!(i & 4095) && __sanitizer_get_current_allocated_bytes() > most)
			most = __sanitizer_get_current_allocated_bytes();
	}
	CHECK(overlap.total.saveable == 10ULL * (NR - 1));
	CHECK(overlap.total.duplicates == 10ULL * (NR - 1));
	CHECK(overlap.total.copies == NR);
	CHECK(runs == 1 && run_file == 0, "%llu runs", (unsigned long long)runs);
	CHECK(most - before < MEMORY + MEMORY / 32, "%zu bytes at once", most - before);
	sorter_free(sorter);
}
