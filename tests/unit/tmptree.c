// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees of pages that files share, against an array that says for each page of
 * each file which page of the store it is.
 */
#include <linux/slab.h>

#include "test.h"
#include "tree.h"

#define FILES	6
#define SPAN	9000UL		/* pages of a file: three levels */
#define PAGES	60000UL		/* of the store */

static struct ftmp_map map[FILES];
static unsigned int model[FILES][SPAN];
static unsigned int leaves[PAGES];	/* what the tree has counted */
static unsigned int shown[PAGES];	/* files' pages, by the model */
static bool marked[PAGES];		/* and whether it knows that it was shared */
static bool was_shared[PAGES];		/* whether it was */
static unsigned long next_page = 1;

/* A slot is the page's number. */
bool ftmp_page_sole(unsigned long slot)
{
	CHECK(leaves[slot], "a page that nobody holds");
	return leaves[slot] == 1;
}

void ftmp_page_mark(unsigned long slot)
{
	marked[slot] = true;
}

void ftmp_page_get(unsigned long slot)
{
	CHECK(leaves[slot], "a page that nobody holds");
	ftmp_page_mark(slot);
	leaves[slot]++;
}

void ftmp_page_put(unsigned long slot, struct ftmp_drop *drop)
{
	CHECK(leaves[slot], "a page that nobody holds");
	if (!--leaves[slot])
		drop->nr++;
}

void ftmp_batch_put(struct ftmp_batch *batch)
{
}

static void set_model(unsigned int file, pgoff_t index, unsigned int page)
{
	if (model[file][index])
		shown[model[file][index]]--;
	model[file][index] = page;
	if (page)
		was_shared[page] |= ++shown[page] > 1;
}

static pgoff_t some_index(void)
{
	return rnd(4) ? rnd(SPAN) : rnd(130);
}

static void change(unsigned int file, struct ftmp_drop *drop)
{
	pgoff_t index = some_index();
	struct ftmp_path path;
	unsigned long old;
	bool alone;

	if (next_page == PAGES)
		return;
	if (ftmp_map_own(&map[file], index, &path, drop))
		return;
	leaves[next_page] = 1;
	old = ftmp_map_put(&path, next_page);
	CHECK(old == model[file][index], "another page was there");
	if (old)
		ftmp_page_put(old, drop);
	set_model(file, index, next_page);
	CHECK(ftmp_map_find(&map[file], index, &alone) == next_page);
	CHECK(alone, "a new page is its file's alone");
	next_page++;
}

static void clear(unsigned int file, struct ftmp_drop *drop)
{
	pgoff_t first = some_index(), last = first + rnd(rnd(3) ? 100 : SPAN);

	ftmp_map_clear(&map[file], first, last, drop);
	for (; first <= last && first < SPAN; first++)
		set_model(file, first, 0);
}

static void share(unsigned int file, struct ftmp_drop *drop)
{
	unsigned int other = rnd(FILES);
	pgoff_t i;

	if (other == file)
		return;
	ftmp_map_clear(&map[other], 0, ~0UL >> PAGE_SHIFT, drop);
	CHECK(!map[other].root, "something is left");
	ftmp_map_share(&map[other], &map[file]);
	for (i = 0; i < SPAN; i++)
		set_model(other, i, model[file][i]);
}

static void look(unsigned int file)
{
	pgoff_t at = rnd(SPAN), last = at + rnd(SPAN - at), i = at, want;
	unsigned long pages = 0;
	unsigned long slot;
	bool alone;

	slot = ftmp_map_find(&map[file], at, &alone);
	CHECK(slot == model[file][at]);
	CHECK(!alone || shown[slot] == 1, "others refer to it");
	CHECK(!alone || marked[slot] || !was_shared[slot], "others have had it");
	ftmp_map_ease(&map[file], at);
	slot = ftmp_map_find(&map[file], at, &alone);
	CHECK(slot == model[file][at]);
	CHECK(!alone || marked[slot] || !was_shared[slot], "others have had it");
	CHECK(alone == (slot && shown[slot] == 1), "who refers to it");

	for (want = at; want <= last && !model[file][want]; want++)
		;
	slot = ftmp_map_next(&map[file], &i, last);
	CHECK(want > last ? !slot : i == want && slot == model[file][want]);
	for (want = at; want <= last && model[file][want]; want++)
		;
	CHECK(ftmp_map_next_hole(&map[file], at, last) == want);
	for (i = 0; i < SPAN; i++)
		pages += !!model[file][i];
	CHECK(ftmp_map_pages(&map[file]) == pages);
}

static void run(unsigned int fails)
{
	struct ftmp_drop drop = { };
	unsigned int file;
	pgoff_t i;
	int n;

	CHECK(!ftmp_tree_cache_init());
	shim_alloc_fails = fails;
	for (n = 0; n < 40000; n++) {
		file = rnd(FILES);
		if (!rnd(300))
			clear(file, &drop);
		else if (!rnd(200))
			share(file, &drop);
		else
			change(file, &drop);
		if (!rnd(50))
			look(file);
	}
	shim_alloc_fails = 0;
	for (i = 1; i < next_page; i++)
		CHECK(!leaves[i] == !shown[i], "page %lu", i);
	for (file = 0; file < FILES; file++)
		ftmp_map_clear(&map[file], 0, ~0UL >> PAGE_SHIFT, &drop);
	for (i = 1; i < next_page; i++)
		CHECK(!leaves[i], "page %lu is left", i);
	CHECK(drop.nr == next_page - 1, "each page goes once");
	ftmp_tree_cache_exit();
}

TEST(tmptree, files_share_and_change)
{
	run(0);
}

TEST(tmptree, without_memory)
{
	run(7);
	CHECK(shim_allocs_failed);
}

TEST(tmptree, far_pages)
{
	static const pgoff_t far[] = {
		0, 1, 63, 64, 4095, 4096, 1UL << 30, (1UL << 51) - 1
	};
	struct ftmp_drop drop = { };
	struct ftmp_path path;
	unsigned int i;
	pgoff_t at;

	CHECK(!ftmp_tree_cache_init());
	for (i = 0; i < 8; i++) {
		leaves[i + 1] = 1;
		CHECK(!ftmp_map_own(&map[0], far[i], &path, &drop));
		CHECK(!ftmp_map_put(&path, i + 1));
		ftmp_map_clear(&map[1], 0, ~0UL >> PAGE_SHIFT, &drop);
		ftmp_map_share(&map[1], &map[0]);
	}
	for (i = 0, at = 0; i < 8; i++, at++) {
		CHECK(ftmp_map_next(&map[1], &at, ~0UL >> PAGE_SHIFT) == i + 1);
		CHECK(at == far[i]);
	}
	ftmp_map_clear(&map[0], 0, ~0UL >> PAGE_SHIFT, &drop);
	CHECK(!drop.nr, "the clone has them all");
	ftmp_map_clear(&map[1], 0, (1UL << 51) - 2, &drop);
	CHECK(drop.nr == 7);
	ftmp_map_clear(&map[1], 0, ~0UL >> PAGE_SHIFT, &drop);
	CHECK(drop.nr == 8);
	ftmp_tree_cache_exit();
}
