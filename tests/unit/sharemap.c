// SPDX-License-Identifier: GPL-2.0-only
/* Share maps against an array that says for each page which extent has it. */
#include "test.h"

#include "fragment.h"
#include "sharemap.h"

#define PAGES	96

static struct fold_map map;
static struct fold_extent *model[PAGES];
static unsigned long extents;

static struct fold_extent *new_extent(unsigned long index, unsigned long nr)
{
	struct fold_extent *ext = calloc(1, sizeof(*ext));

	ext->frag = calloc(1, sizeof(*ext->frag));
	ext->frag->start = rnd(1UL << 40);
	ext->frag->last = ext->frag->start + nr - 1;
	ext->map = &map;
	ext->index = index;
	ext->last = index + nr - 1;
	return ext;
}

static void free_extent(struct fold_extent *ext)
{
	free(ext->frag);
	free(ext);
}

static void locked_link(struct fold_extent *ext)
{
	unsigned long seq = map.seq;

	mutex_lock(&map.mutex);
	write_lock(&map.lock);
	fold_map_link(&map, ext);
	write_unlock(&map.lock);
	mutex_unlock(&map.mutex);
	CHECK(map.seq != seq, "a change must move seq");
}

static void locked_unlink(struct fold_extent *ext)
{
	unsigned long seq = map.seq;

	mutex_lock(&map.mutex);
	write_lock(&map.lock);
	fold_map_unlink(&map, ext);
	write_unlock(&map.lock);
	mutex_unlock(&map.mutex);
	CHECK(map.seq != seq, "a change must move seq");
}

/* Link an extent at a random place, or unlink what is there. */
static void random_change(void)
{
	unsigned long at = rnd(PAGES), nr = 1, most = 1 + rnd(12);
	struct fold_extent *ext = model[at];
	unsigned long i;

	if (ext) {
		locked_unlink(ext);
		for (i = ext->index; i <= ext->last; i++)
			model[i] = NULL;
		free_extent(ext);
		extents--;
		return;
	}
	while (nr < most && at + nr < PAGES && !model[at + nr])
		nr++;
	ext = new_extent(at, nr);
	for (i = at; i < at + nr; i++)
		model[i] = ext;
	locked_link(ext);
	extents++;
}

static void check_page(unsigned long index)
{
	const struct fold_extent *ext = model[index];
	struct fold_run run = { .nr = 12345 };
	unsigned long nr = 0;
	bool shared;

	shared = fold_map_lookup(&map, index, &run);
	CHECK(shared == !!ext, "page %lu", index);
	CHECK(run.seq == map.seq, "page %lu", index);
	if (ext) {
		CHECK(run.phys == ext->frag->start + (index - ext->index),
		      "page %lu", index);
		CHECK(run.before == index - ext->index, "page %lu", index);
		CHECK(run.nr == ext->last - index + 1, "page %lu", index);
		return;
	}
	while (index + nr < PAGES && !model[index + nr])
		nr++;
	if (index + nr == PAGES)
		nr = ULONG_MAX;
	CHECK(run.nr == nr, "page %lu: %lu, not %lu", index, run.nr, nr);
}

/* Those that touch a range, in order, and no others. */
static void check_range(unsigned long first, unsigned long last)
{
	struct fold_extent *ext = fold_map_first(&map, first, last);
	unsigned long i = first;

	while (i <= last) {
		if (!model[i]) {
			i++;
			continue;
		}
		CHECK(ext == model[i], "page %lu of %lu-%lu", i, first, last);
		i = ext->last + 1;
		ext = fold_map_next(ext, first, last);
	}
	CHECK(!ext, "more than the range %lu-%lu has", first, last);
}

static void empty_the_map(void)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		struct fold_extent *ext = model[i];

		if (!ext || ext->last != i)
			continue;
		locked_unlink(ext);
		free_extent(ext);
	}
	memset(model, 0, sizeof(model));
	CHECK(!map.nr, "%lu left", map.nr);
}

TEST(sharemap, lookups_agree_with_a_model)
{
	unsigned int round, i;

	fold_map_init(&map, NULL, NULL, NULL, 0);
	for (round = 0; round < 20000; round++) {
		unsigned long first = rnd(PAGES);

		random_change();
		CHECK(map.nr == extents, "%lu, not %lu", map.nr, extents);
		for (i = 0; i < 4; i++)
			check_page(rnd(PAGES));
		check_range(first, first + rnd(PAGES - first));
	}
	for (i = 0; i < PAGES; i++)
		check_page(i);
	empty_the_map();
}

TEST(sharemap, nothing_is_found_in_a_closed_map)
{
	struct fold_extent *ext = new_extent(3, 5);
	struct fold_run run;

	fold_map_init(&map, NULL, NULL, NULL, 0);
	locked_link(ext);
	CHECK(fold_map_lookup(&map, 4, &run), "before");
	map.closed = true;
	run.nr = 0;
	CHECK(!fold_map_lookup(&map, 4, &run), "closed");
	CHECK(run.nr == ULONG_MAX, "%lu", run.nr);
	CHECK(run.seq == map.seq, "closed");
	/* A break must find it all the same. */
	CHECK(fold_map_first(&map, 0, 3) == ext, "closed");
	map.closed = false;
	CHECK(fold_map_lookup(&map, 4, &run), "open again");
	locked_unlink(ext);
	free_extent(ext);
}

TEST(sharemap, both_ends_of_the_file)
{
	struct fold_extent *head = new_extent(0, 1);
	struct fold_extent *tail = new_extent(ULONG_MAX - 3, 4);
	struct fold_run run;

	fold_map_init(&map, NULL, NULL, NULL, 0);
	locked_link(tail);
	CHECK(!fold_map_lookup(&map, 0, &run), "nothing there");
	CHECK(run.nr == ULONG_MAX - 3, "%lu", run.nr);
	locked_link(head);
	CHECK(fold_map_lookup(&map, 0, &run) && run.nr == 1, "%lu", run.nr);
	CHECK(fold_map_lookup(&map, ULONG_MAX, &run) && run.nr == 1, "%lu",
	      run.nr);
	CHECK(run.before == 3 && run.phys == tail->frag->last, "%lu", run.phys);
	CHECK(fold_map_first(&map, 1, ULONG_MAX) == tail, "the second one");
	locked_unlink(head);
	locked_unlink(tail);
	free_extent(head);
	free_extent(tail);
}

TEST(sharemap, changes_are_counted_and_announced)
{
	struct fold_extent *ext = new_extent(0, 1);
	unsigned long gen;

	fold_map_init(&map, NULL, NULL, NULL, 0);
	gen = map.gen;
	CHECK(!fold_map_change_begin(&map), "nothing to break");
	CHECK(map.changing == 1 && map.gen != gen, "announced");
	gen = map.gen;
	CHECK(!fold_map_change_begin(&map), "nothing to break");
	CHECK(map.changing == 2 && map.gen != gen, "a second one");
	fold_map_change_end(&map);
	CHECK(map.changing == 1, "one is over");
	fold_map_change_end(&map);
	CHECK(!map.changing, "both are over");
	locked_link(ext);
	CHECK(fold_map_change_begin(&map), "something to break");
	fold_map_change_end(&map);
	locked_unlink(ext);
	free_extent(ext);
}
