// SPDX-License-Identifier: GPL-2.0-only
/* The fragment table against a plain list of references. */
#include "test.h"

#include "fragment.h"
#include "sharemap.h"

#define PAGES	48
#define REFS	40

/* A reference: what the table was asked for. */
struct ref {
	struct fold_extent ext;
	unsigned long start, last;
	unsigned int tail;
	bool used;
};

static struct fold_table table;
static struct ref refs[REFS];
static unsigned long nr_refs;

/* The clock, and when somebody began to refer to a page to which nobody did. */
static u64 now;
static u64 born[PAGES + 16];

/* How many bytes of a page the file behind a reference has. */
static unsigned long bytes_of(unsigned long last, unsigned int tail,
			      unsigned long page)
{
	return page == last && tail ? tail : PAGE_SIZE;
}

static bool ends_agree(unsigned long start, unsigned long last,
		       unsigned int tail)
{
	const struct ref *ref;
	unsigned long page;

	for (ref = refs; ref < refs + REFS; ref++) {
		if (!ref->used)
			continue;
		for (page = start; page <= last; page++) {
			if (page < ref->start || page > ref->last)
				continue;
			if (bytes_of(ref->last, ref->tail, page) !=
			    bytes_of(last, tail, page))
				return false;
		}
	}
	return true;
}

static const struct ref *same_run(unsigned long start, unsigned long last)
{
	const struct ref *ref;

	for (ref = refs; ref < refs + REFS; ref++) {
		if (ref->used && ref->start == start && ref->last == last)
			return ref;
	}
	return NULL;
}

static bool is_covered(unsigned long page)
{
	const struct ref *ref;

	for (ref = refs; ref < refs + REFS; ref++) {
		if (ref->used && ref->start <= page && ref->last >= page)
			return true;
	}
	return false;
}

static bool attach(struct ref *ref, unsigned long start, unsigned long nr,
		   unsigned int tail)
{
	struct fold_fragment *frag = malloc(sizeof(*frag)), *spare = frag;
	bool agree = ends_agree(start, start + nr - 1, tail);
	unsigned long page;
	const struct ref *same = same_run(start, start + nr - 1);
	int err;

	memset(frag, 0x5a, sizeof(*frag));
	ref->ext.index = rnd(1000);
	ref->ext.last = ref->ext.index + nr - 1;
	ref->ext.broken = true;
	ref->ext.mapped = !rnd(3);
	err = fold_table_attach(&table, &ref->ext, start, tail, ++now, &spare);
	if (!agree) {
		CHECK(err == -EEXIST, "%d", err);
		CHECK(spare == frag, "a refused fragment was taken");
		free(frag);
		return false;
	}
	CHECK(!err, "%lu-%lu tail %u: %d", start, start + nr - 1, tail, err);
	CHECK(!ref->ext.broken, "a new reference");
	if (same) {
		CHECK(ref->ext.frag == same->ext.frag, "one run, two fragments");
		CHECK(spare == frag, "taken without need");
		free(frag);
	} else {
		CHECK(!spare && ref->ext.frag == frag, "not taken");
	}
	CHECK(ref->ext.frag->start == start &&
	      ref->ext.frag->last == start + nr - 1 &&
	      ref->ext.frag->tail == tail, "another run");
	for (page = start; page < start + nr && page < PAGES + 16; page++) {
		if (!is_covered(page))
			born[page] = now;
	}
	ref->start = start;
	ref->last = start + nr - 1;
	ref->tail = tail;
	ref->used = true;
	nr_refs++;
	return true;
}

static void detach(struct ref *ref)
{
	struct fold_fragment *frag = ref->ext.frag, *dead;
	bool others;

	ref->used = false;
	nr_refs--;
	others = same_run(ref->start, ref->last);
	dead = fold_table_detach(&table, &ref->ext);
	CHECK(dead == (others ? NULL : frag), "%s",
	      others ? "others have it" : "nobody has it");
	CHECK(!ref->ext.frag, "still there");
	free(dead);
}

/* Counts, and the fragments that touch a range, in order. */
static void check_walk(unsigned long start, unsigned long last)
{
	struct fold_fragment *frag, *prev = NULL;
	struct fold_extent *ext;
	unsigned long found = 0, users = 0, expected = 0, nr_mapped = 0;
	const struct ref *ref;

	for (frag = fold_table_first(&table, start, last); frag;
	     frag = fold_table_next(frag, start, last)) {
		unsigned int listed = 0;
		bool mapped = false;

		CHECK(frag->start <= last && frag->last >= start, "outside");
		CHECK(!prev || prev->start < frag->start ||
		      (prev->start == frag->start && prev->last < frag->last),
		      "out of order");
		if (prev && !start && last == ULONG_MAX)
			CHECK(fold_table_behind(&table, prev->start,
						prev->last) == frag,
			      "not where it was left");
		for (ext = fold_fragment_sharer(frag, NULL); ext;
		     ext = fold_fragment_sharer(frag, ext)) {
			CHECK(ext->frag == frag, "a stranger on the list");
			mapped |= ext->mapped;
			listed++;
		}
		CHECK(mapped == !list_empty(&frag->mapped), "mapped or not");
		nr_mapped += mapped;
		CHECK(listed == frag->refs && listed, "%u listed, %u counted",
		      listed, frag->refs);
		users += listed;
		found++;
		prev = frag;
	}
	for (frag = fold_table_first_mapped(&table, start, last); frag;
	     frag = fold_table_next_mapped(frag, start, last)) {
		CHECK(nr_mapped--, "more mapped ones than there are");
		list_for_each_entry(ext, &frag->mapped, sharer)
			CHECK(ext->mapped, "listed as mapped");
	}
	CHECK(!nr_mapped, "%lu mapped ones not found", nr_mapped);
	for (ref = refs; ref < refs + REFS; ref++)
		expected += ref->used && ref->start <= last &&
			    ref->last >= start;
	CHECK(users == expected, "%lu, not %lu", users, expected);
	if (!start && last == ULONG_MAX) {
		CHECK(table.fragments == found, "%lu, not %lu",
		      table.fragments, found);
		CHECK(table.references == nr_refs, "%lu, not %lu",
		      table.references, nr_refs);
	}
}

static void check_covers(unsigned long start, unsigned long last)
{
	unsigned long page, covered = 0, gap = start, gap_last;

	for (page = start; page <= last; page++) {
		if (is_covered(page)) {
			covered++;
			continue;
		}
		if (page >= gap && gap != ULONG_MAX) {
			CHECK(fold_table_gap(&table, &gap, last, &gap_last) &&
			      gap == page, "a gap at %lu, not %lu", page, gap);
			for (; page <= gap_last; page++)
				CHECK(!is_covered(page), "page %lu", page);
			CHECK(gap_last == last || is_covered(page),
			      "the gap goes on behind %lu", gap_last);
			gap = gap_last == last ? ULONG_MAX : gap_last + 1;
			page--;
		}
	}
	CHECK(fold_table_covers(&table, start, last) ==
	      (covered == last - start + 1), "%lu-%lu: %lu are covered", start,
	      last, covered);
}

static void check_widest(unsigned long page)
{
	struct fold_fragment *frag = fold_table_widest(&table, page);
	const struct ref *ref;

	CHECK(!!frag == is_covered(page), "page %lu", page);
	if (!frag)
		return;
	CHECK(frag->start <= page, "begins behind page %lu", page);
	for (ref = refs; ref < refs + REFS; ref++)
		CHECK(!ref->used || ref->start > page || ref->last <= frag->last,
		      "%lu-%lu goes further than %lu", ref->start, ref->last,
		      frag->last);
}

/* Never older than the youngest page, and never younger than anything there. */
static void check_born(unsigned long start, unsigned long last)
{
	u64 said = fold_table_born(&table, start, last), youngest = 0;
	struct fold_fragment *frag;
	unsigned long page;
	u64 most = 0;

	for (page = start; page <= last && page < PAGES + 16; page++) {
		if (is_covered(page))
			youngest = max(youngest, born[page]);
	}
	for (frag = fold_table_first(&table, start, last); frag;
	     frag = fold_table_next(frag, start, last))
		most = max(most, frag->born);
	CHECK(said >= youngest, "%lu-%lu: %lu, but a page is from %lu", start,
	      last, (unsigned long)said, (unsigned long)youngest);
	CHECK(said == most, "%lu-%lu: %lu, not %lu", start, last,
	      (unsigned long)said, (unsigned long)most);
}

static bool fit(struct fold_extent *ext)
{
	return true;
}

static void check_source(unsigned long start, unsigned long last)
{
	struct fold_extent *ext = fold_table_source(&table, start, last, fit);
	const struct ref *ref;
	unsigned int able = 0;

	if (ext) {
		ref = container_of(ext, struct ref, ext);
		CHECK(ref->used && !ext->broken, "cannot be read through");
		CHECK(ref->start <= start && ref->last >= last,
		      "%lu-%lu does not have all of %lu-%lu", ref->start,
		      ref->last, start, last);
		return;
	}
	/* Of many only some are asked. */
	for (ref = refs; ref < refs + REFS; ref++)
		able += ref->used && !ref->ext.broken && ref->start <= start &&
			ref->last >= last;
	CHECK(!able || nr_refs > 8, "%lu-%lu has a source", start, last);
}

static unsigned int random_tail(void)
{
	static const unsigned int tails[] = { 1, 100, PAGE_SIZE - 1 };

	return rnd(4) ? 0 : tails[rnd(3)];
}

TEST(fragment, table_agrees_with_a_model)
{
	unsigned long start, last, refused = 0, shared = 0;
	unsigned int round;
	struct ref *ref;

	fold_table_init(&table);
	for (round = 0; round < 100000; round++) {
		/* Now crowded, now nearly empty. */
		unsigned int crowd = round / 1000 % 2 ? REFS : REFS / 5;

		ref = &refs[rnd(crowd)];
		start = rnd(PAGES);
		if (ref->used) {
			if (rnd(4))
				detach(ref);
			else if (rnd(2))
				ref->ext.broken = true;
			else if (rnd(2))
				fold_table_map(&table, &ref->ext);
			else
				fold_table_unmap(&table, &ref->ext);
		} else {
			const struct ref *other = &refs[rnd(REFS)];
			unsigned long nr = 1 + rnd(8);
			unsigned int tail = random_tail();

			/* The same run, as clones have it. */
			if (other->used && rnd(2)) {
				start = other->start;
				nr = other->last - start + 1;
				if (rnd(4))
					tail = other->tail;
			}
			shared += !!same_run(start, start + nr - 1);
			refused += !attach(ref, start, nr, tail);
		}
		last = start + rnd(12);
		check_walk(start, last);
		check_walk(0, ULONG_MAX);
		check_covers(start, last);
		check_widest(start);
		check_born(start, last);
		check_source(start, start + rnd(4));
	}
	CHECK(refused > 1000 && shared > 1000, "%lu and %lu of both kinds",
	      refused, shared);
	for (ref = refs; ref < refs + REFS; ref++) {
		if (ref->used)
			detach(ref);
	}
	CHECK(!table.fragments && !table.references, "left");
}

TEST(fragment, one_more_clone_is_one_more_reference)
{
	unsigned int i;

	fold_table_init(&table);
	for (i = 0; i < REFS; i++) {
		CHECK(attach(&refs[i], 1000, 100000, 0), "clone %u", i);
		CHECK(table.fragments == 1 && table.references == i + 1,
		      "clone %u", i);
	}
	for (i = 0; i < REFS; i++)
		detach(&refs[i]);
	CHECK(!table.fragments, "left");
}

TEST(fragment, the_last_page_of_memory)
{
	fold_table_init(&table);
	CHECK(attach(&refs[0], ULONG_MAX - 1, 2, 0), "to the very end");
	check_covers(ULONG_MAX - 1, ULONG_MAX - 1);
	CHECK(fold_table_covers(&table, ULONG_MAX - 1, ULONG_MAX), "both");
	CHECK(!fold_table_covers(&table, ULONG_MAX - 2, ULONG_MAX), "no");
	detach(&refs[0]);
}
