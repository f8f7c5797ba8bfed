// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joins and breaks of a few files against a list of who refers to what, with
 * changes announced between proof and commit, and with allocations that fail.
 * The cache beneath is an array that says which pages are in it.
 */
#include <linux/slab.h>

#include "test.h"

#include "claim.h"
#include "refer.h"

#define FILES		4
#define FILE_PAGES	64
#define SEGMENTS	3
#define SEGMENT_USED	40	/* pages of each that anyone refers to */
#define PIECES		(FILES * FILE_PAGES)

/* What the model knows of one extent. */
struct piece {
	unsigned int file;
	unsigned long index, last, start;
	unsigned int tail;
};

static struct fold_cache cache;
static struct fold_stats stats;
static struct fold_map maps[FILES];
static struct piece pieces[PIECES];
static unsigned int nr_pieces;
static bool cached[SEGMENTS][SEGMENT_USED];

/* What fold_break() did to the cache and to mappings, while it ran. */
static struct {
	bool under_way;
	unsigned int file;
	unsigned long first, last;	/* asked for */
	bool waited[SEGMENTS][SEGMENT_USED];
	bool zapped[FILE_PAGES];
} breaking;

static unsigned long segment_start(unsigned int segment)
{
	/* The last of the segment before, so that spaces are not in step. */
	return (segment * 5 + 1) * FOLD_SEGMENT_PAGES;
}

static unsigned int segment_of(unsigned long phys)
{
	return (phys / FOLD_SEGMENT_PAGES - 1) / 5;
}

static bool covered(unsigned long phys)
{
	struct fold_space *space = fold_space(&cache, phys);
	bool ret;

	down_read(&space->sem);
	ret = fold_table_covers(&space->table, phys, phys);
	up_read(&space->sem);
	return ret;
}

static const struct piece *piece_at(unsigned int file, unsigned long index)
{
	unsigned int i;

	for (i = 0; i < nr_pieces; i++) {
		if (pieces[i].file == file && pieces[i].index <= index &&
		    pieces[i].last >= index)
			return &pieces[i];
	}
	return NULL;
}

static unsigned long piece_end(const struct piece *piece)
{
	return piece->start + (piece->last - piece->index);
}

static unsigned long bytes_of(const struct piece *piece, unsigned long phys)
{
	return phys == piece_end(piece) && piece->tail ? piece->tail : PAGE_SIZE;
}

/* ---- the cache, as the code under test sees it --------------------------- */

/*
 * No fill may read a page through a reference that is being broken. Another of
 * the same file, to the same block, may still be there: its turn comes.
 */
static bool fit(struct fold_extent *ext)
{
	return true;
}

static void check_source(unsigned long phys)
{
	struct fold_space *space = fold_space(&cache, phys);
	struct fold_extent *ext;
	struct fold_run run;
	unsigned long index;

	down_read(&space->sem);
	ext = fold_table_source(&space->table, phys, phys, fit);
	up_read(&space->sem);
	if (!ext)
		return;
	index = ext->index + (phys - ext->frag->start);
	CHECK(fold_map_lookup(ext->map, index, &run) && run.phys == phys,
	      "page %lu is read through what is broken", index);
}

void fold_cache_wait(struct fold_cache *c, unsigned long start,
		     unsigned long last)
{
	unsigned int seg = segment_of(start);

	CHECK(c == &cache && breaking.under_way && start <= last, "called");
	for (; start <= last; start++) {
		check_source(start);
		breaking.waited[seg][start - segment_start(seg)] = true;
	}
}

/* The model has no pages of its own, and one thread. */
bool fold_cache_strays(struct fold_space *space, unsigned long start,
		       unsigned long last)
{
	return false;
}

void fold_cache_drop(struct fold_cache *c, unsigned long start,
		     unsigned long last)
{
	unsigned int seg = segment_of(start);

	CHECK(c == &cache && breaking.under_way && start <= last, "called");
	for (; start <= last; start++) {
		if (!covered(start))
			cached[seg][start - segment_start(seg)] = false;
	}
}

/* One file is never mapped: nobody need wait for it or zap it. */
static bool is_mapped(struct fold_map *map)
{
	return map != &maps[FILES - 1];
}

static void zap(struct fold_map *map, unsigned long index, unsigned long nr)
{
	const struct piece *piece;
	struct fold_run run;
	unsigned long phys;

	CHECK(breaking.under_way && map == &maps[breaking.file], "called");
	CHECK(is_mapped(map), "nobody has it mapped");
	lockdep_assert_held(&map->mutex);
	for (; nr--; index++) {
		CHECK(!fold_map_lookup(map, index, &run),
		      "page %lu would be mapped again", index);
		breaking.zapped[index] = true;
		piece = piece_at(breaking.file, index);
		CHECK(piece, "page %lu was never shared", index);
		phys = piece->start + (index - piece->index);
		CHECK(covered(phys), "a mapped page is not covered any more");
		CHECK(breaking.waited[segment_of(phys)]
				     [phys - segment_start(segment_of(phys))],
		      "a fault may install page %lu behind the zap", index);
	}
}

static bool hold(struct fold_map *map)
{
	return true;
}

static const struct fold_sharer_ops ops = {
	.zap = zap, .hold = hold, .is_mapped = is_mapped,
};

static void map_pages(struct fold_map *map)
{
	struct fold_extent *ext;
	struct fold_space *space;

	for (ext = fold_map_first(map, 0, ULONG_MAX); ext;
	     ext = fold_map_next(ext, 0, ULONG_MAX)) {
		space = fold_space(&cache, ext->frag->start);
		down_write(&space->sem);
		read_lock(&map->lock);
		fold_table_map(&space->table, ext);
		read_unlock(&map->lock);
		up_write(&space->sem);
	}
}

/* ---- comparing ----------------------------------------------------------- */

static void check_file(unsigned int file)
{
	const struct piece *piece = NULL;
	unsigned long index;
	struct fold_run run;
	bool shared;

	for (index = 0; index < FILE_PAGES; index++) {
		piece = piece_at(file, index);
		shared = fold_map_lookup(&maps[file], index, &run);
		CHECK(shared == !!piece, "file %u page %lu", file, index);
		if (!piece)
			continue;
		CHECK(run.phys == piece->start + (index - piece->index) &&
		      run.before == index - piece->index &&
		      run.nr == piece->last - index + 1,
		      "file %u page %lu", file, index);
	}
}

static void check_tables(void)
{
	unsigned long fragments = 0, references = 0, distinct = 0, p;
	unsigned int i, j, seg;

	for (i = 0; i < FOLD_NR_SPACES; i++) {
		fragments += cache.space[i].table.fragments;
		references += cache.space[i].table.references;
	}
	for (i = 0; i < nr_pieces; i++) {
		for (j = 0; j < i; j++) {
			if (pieces[i].start == pieces[j].start &&
			    piece_end(&pieces[i]) == piece_end(&pieces[j]))
				break;
		}
		distinct += j == i;
	}
	CHECK(references == nr_pieces, "%lu, not %u", references, nr_pieces);
	CHECK(fragments == distinct, "%lu, not %lu", fragments, distinct);
	for (seg = 0; seg < SEGMENTS; seg++) {
		for (p = 0; p < SEGMENT_USED; p++)
			CHECK(!cached[seg][p] || covered(segment_start(seg) + p),
			      "page %lu of segment %u is cached for nobody",
			      p, seg);
	}
	CHECK(!shim_no_alloc, "a lock is still held");
}

/* ---- what happens to the files ------------------------------------------- */

static void fill_some(void)
{
	unsigned long p = rnd(SEGMENT_USED);
	unsigned int seg = rnd(SEGMENTS);

	if (covered(segment_start(seg) + p))
		cached[seg][p] = true;
}

/* Returns whether the model takes it. */
static bool model_join(const struct piece *new)
{
	unsigned long i, phys;

	for (i = new->index; i <= new->last; i++) {
		if (piece_at(new->file, i))
			return false;
	}
	for (i = 0; i < nr_pieces; i++) {
		for (phys = new->start; phys <= piece_end(new); phys++) {
			if (phys >= pieces[i].start &&
			    phys <= piece_end(&pieces[i]) &&
			    bytes_of(&pieces[i], phys) != bytes_of(new, phys))
				return false;
		}
	}
	pieces[nr_pieces++] = *new;
	return true;
}

static struct piece random_piece(unsigned int file)
{
	struct piece piece = { .file = file }, *other = &pieces[rnd(PIECES)];
	unsigned long nr = 1 + rnd(12), from;

	piece.index = rnd(FILE_PAGES);
	nr = min(nr, FILE_PAGES - piece.index);
	from = rnd(SEGMENT_USED);
	nr = min(nr, SEGMENT_USED - from);
	piece.start = segment_start(rnd(SEGMENTS)) + from;
	piece.tail = rnd(6) ? 0 : 1 + rnd(PAGE_SIZE - 1);
	/* Or what another file has, perhaps at another offset. */
	if (other < pieces + nr_pieces && rnd(3)) {
		nr = min(other->last - other->index + 1,
			 FILE_PAGES - piece.index);
		piece.start = other->start;
		piece.tail = nr == other->last - other->index + 1 ?
			     other->tail : 0;
	}
	piece.last = piece.index + nr - 1;
	return piece;
}

/* A change is announced while a proof is under way, or already before. */
enum nuisance { NONE, CHANGE, CHANGED, OUTSIDE, ENDED, NUISANCES };

static unsigned long joined_pages;

/* Everybody is where he is believed to be, the claimer where @pieces say. */
static unsigned long prove(struct fold_claim *claim, struct fold_map *map,
			   unsigned int file, const struct piece *pieces_at,
			   unsigned int nr)
{
	unsigned long first, last, got = 0;
	struct fold_meeting meeting;
	unsigned int rounds = 0, i;

	do {
		while (fold_claim_meets(claim, map, &meeting))
			fold_map_seen(&meeting, meeting.index, meeting.nr,
				      meeting.phys, fold_clock(&cache));
		if (fold_claim_look_again(claim, map, &first, &last)) {
			for (i = 0; i < nr; i++)
				fold_claim_seen(claim, pieces_at[i].index,
						pieces_at[i].last -
						pieces_at[i].index + 1,
						pieces_at[i].start);
			fold_claim_looked_again(claim);
		}
		got += fold_claim_commit(claim, map, file);
	} while (!list_empty(&claim->list) && rounds++ < 4);
	return got;
}

static bool overlap(const struct piece *a, const struct piece *b)
{
	return (a->start <= piece_end(b) && b->start <= piece_end(a)) ||
	       (a->index <= b->last && b->index <= a->last);
}

static void join(unsigned int file, enum nuisance nuisance)
{
	unsigned long got, expected = 0;
	struct piece claimed[4];
	unsigned int nr_claimed = 0, i;
	u64 from = fold_clock(&cache);
	struct fold_map *map = &maps[file];
	unsigned int n = 1 + rnd(4);
	struct fold_claim claim;
	struct piece piece;
	int err;

	CHECK(fold_claim_begin(&claim, map), "nothing changes");
	if ((nuisance == OUTSIDE || nuisance == ENDED) && map->nr)
		nuisance = CHANGED;
	/* As an extent map has them, and none that meets another of the claim. */
	while (n--) {
		piece = random_piece(file);
		for (i = 0; i < nr_claimed; i++) {
			if (overlap(&piece, &claimed[i]))
				break;
		}
		if (i < nr_claimed)
			continue;
		for (i = nr_claimed++; i && claimed[i - 1].index > piece.index;
		     i--)
			claimed[i] = claimed[i - 1];
		claimed[i] = piece;
	}
	for (i = 0; i < nr_claimed; i++) {
		piece = claimed[i];
		err = fold_claim_add(&claim, map, piece.index,
				     piece.last - piece.index + 1, piece.start,
				     piece.tail);
		CHECK(!err || (err == -ENOMEM && shim_alloc_fails), "%d", err);
		if (!err && nuisance == NONE && model_join(&piece))
			expected += piece.last - piece.index + 1;
	}
	fold_claim_looked(&claim, map, from);
	switch (nuisance) {
	case CHANGE:
	case CHANGED:
		fold_map_change_begin(map);
		if (nuisance == CHANGED)
			fold_map_change_end(map);
		break;
	case OUTSIDE:
		fold_map_outside(map);
		CHECK(map->closed, "nothing must be found");
		break;
	case ENDED:
		/* The lease ends, and another is taken: nobody tells what was between. */
		CHECK(fold_map_close(map, true), "it has no extents");
		fold_map_reopen(map);
		break;
	default:
		break;
	}
	got = prove(&claim, map, file, claimed, nr_claimed);
	map_pages(map);
	CHECK(got == expected, "%lu pages, not %lu", got, expected);
	CHECK(list_empty(&claim.list), "not emptied");
	joined_pages += got;
	if (nuisance == CHANGE) {
		CHECK(!fold_claim_begin(&claim, map), "it is being changed");
		fold_map_change_end(map);
	} else if (nuisance == OUTSIDE) {
		CHECK(!fold_claim_begin(&claim, map), "it is closed");
		fold_map_reopen(map);
	}
}

/*
 * What should remain of a piece beside the range. Without memory for it the
 * sharing of it may be lost: then its pages went like the broken ones.
 */
static void model_remain(const struct piece *part, bool may_be_lost)
{
	unsigned long i;
	struct fold_run run;

	if (part->index > part->last)
		return;
	if (!fold_map_lookup(&maps[part->file], part->index, &run)) {
		CHECK(may_be_lost, "file %u lost %lu-%lu without need",
		      part->file, part->index, part->last);
		for (i = part->index; i <= part->last; i++)
			CHECK(breaking.zapped[i] ==
			      is_mapped(&maps[part->file]),
			      "page %lu is still mapped", i);
		return;
	}
	pieces[nr_pieces++] = *part;
}

static void model_break(unsigned int file, unsigned long first,
			unsigned long last, bool may_be_lost)
{
	struct piece piece, part;
	unsigned int i, before = nr_pieces;
	unsigned long p;

	for (i = 0; i < before; ) {
		piece = pieces[i];
		if (piece.file != file || piece.last < first ||
		    piece.index > last) {
			i++;
			continue;
		}
		for (p = max(piece.index, first); p <= min(piece.last, last);
		     p++)
			CHECK(breaking.zapped[p] == is_mapped(&maps[file]),
			      "page %lu is still mapped", p);
		/* The last old one fills its place, the last new one that's. */
		pieces[i] = pieces[--before];
		pieces[before] = pieces[--nr_pieces];
		if (piece.index < first) {
			part = piece;
			part.last = first - 1;
			part.tail = 0;
			model_remain(&part, may_be_lost);
		}
		if (piece.last > last) {
			part = piece;
			part.index = last + 1;
			part.start += part.index - piece.index;
			model_remain(&part, may_be_lost);
		}
	}
}

static void change(unsigned int file, unsigned long first, unsigned long last)
{
	unsigned long failed = shim_allocs_failed;
	unsigned long seq = maps[file].seq, nr = maps[file].nr;
	bool shared;

	memset(&breaking, 0, sizeof(breaking));
	breaking.file = file;
	breaking.first = first;
	breaking.last = last;
	shared = fold_map_change_begin(&maps[file]);
	CHECK(shared == !!nr, "%lu extents", nr);
	if (shared) {
		breaking.under_way = true;
		fold_break(&maps[file], first, last, file);
		breaking.under_way = false;
	}
	model_break(file, first, last, shim_allocs_failed != failed);
	CHECK(maps[file].nr == nr || maps[file].seq != seq, "unseen change");
	CHECK(!fold_map_first(&maps[file], first, last), "still shared");
	fold_map_change_end(&maps[file]);
}

static void begin(void)
{
	unsigned int i;

	CHECK(!fold_refer_init(), "no memory");
	for (i = 0; i < FOLD_NR_SPACES; i++) {
		init_rwsem(&cache.space[i].sem);
		fold_table_init(&cache.space[i].table);
	}
	for (i = 0; i < FILES; i++)
		fold_map_init(&maps[i], &cache, &stats, &ops, 0);
}

static void end(void)
{
	unsigned int i;

	shim_alloc_fails = 0;
	for (i = 0; i < FILES; i++)
		change(i, 0, ULONG_MAX);
	CHECK(!nr_pieces, "%u left", nr_pieces);
	check_tables();
	fold_refer_exit();
	CHECK(!shim_allocs_live, "%ld leaked", shim_allocs_live);
	CHECK(joined_pages > 10000, "only %lu were ever shared", joined_pages);
}

static void live(unsigned int rounds)
{
	unsigned long first;
	unsigned int file;

	while (rounds--) {
		file = rnd(FILES);
		if (rnd(3)) {
			join(file, rnd(4) ? NONE : rnd(NUISANCES));
		} else {
			first = rnd(FILE_PAGES);
			change(file, first, rnd(8) ? first + rnd(6) : ULONG_MAX);
		}
		fill_some();
		check_file(file);
		check_tables();
	}
}

TEST(refer, joins_and_breaks_agree_with_a_model)
{
	begin();
	live(20000);
	end();
}

TEST(refer, without_memory_sharing_is_lost_and_nothing_else)
{
	begin();
	shim_alloc_fails = 4;
	live(20000);
	CHECK(shim_allocs_failed > 1000, "only %lu failed", shim_allocs_failed);
	end();
}

/* A file claims eight pages, as if it had just been looked at. */
static void claim_eight(struct fold_claim *claim, unsigned int file)
{
	u64 from = fold_clock(&cache);

	CHECK(fold_claim_begin(claim, &maps[file]), "nothing changes");
	CHECK(!fold_claim_add(claim, &maps[file], 0, 8, segment_start(0), 0),
	      "no memory");
	fold_claim_looked(claim, &maps[file], from);
}

static unsigned long commit(struct fold_claim *claim, unsigned int file)
{
	return fold_claim_commit(claim, &maps[file], file);
}

/* The claimer is looked at once more, and found at physical page @phys. */
static bool look_again(struct fold_claim *claim, unsigned int file,
		       unsigned long phys)
{
	unsigned long first, last;

	if (!fold_claim_look_again(claim, &maps[file], &first, &last))
		return false;
	CHECK(first == 0 && last == 7, "%lu-%lu", first, last);
	fold_claim_seen(claim, 0, 64, phys);
	fold_claim_looked_again(claim);
	return true;
}

static const struct fold_sharer_ops plain_ops = {
	.hold = hold, .is_mapped = is_mapped,
};

static void leave(unsigned int file)
{
	breaking.under_way = true;
	breaking.file = file;
	fold_map_change_begin(&maps[file]);
	fold_break(&maps[file], 0, ULONG_MAX, file);
	fold_map_change_end(&maps[file]);
	breaking.under_way = false;
}

static void begin_plain(void)
{
	unsigned int i;

	begin();
	for (i = 0; i < FILES; i++)
		maps[i].ops = &plain_ops;
}

static void end_plain(void)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		leave(i);
	check_tables();
	fold_refer_exit();
	CHECK(!shim_allocs_live, "%ld leaked", shim_allocs_live);
}

TEST(refer, nobody_meets_who_was_not_seen_there)
{
	struct fold_claim first, second;
	struct fold_meeting meeting;
	u64 from;

	begin_plain();
	/* Two at once: the second one finds the first only when it commits. */
	claim_eight(&first, 0);
	claim_eight(&second, 1);
	CHECK(!fold_claim_meets(&first, &maps[0], &meeting), "nobody is there");
	CHECK(!fold_claim_meets(&second, &maps[1], &meeting), "nobody is there");
	CHECK(!look_again(&first, 0, 0), "without need");
	CHECK(commit(&first, 0) == 8, "nobody is there");
	CHECK(!commit(&second, 1), "met somebody whom it has not seen");
	CHECK(!list_empty(&second.list), "it could be asked again");

	/* It has to be seen at all its pages. */
	CHECK(fold_claim_meets(&second, &maps[1], &meeting), "it is there");
	CHECK(meeting.map == &maps[0] && !meeting.index && meeting.nr == 8 &&
	      meeting.phys == segment_start(0), "somebody else");
	from = fold_clock(&cache);
	CHECK(fold_meeting_stale(&meeting, from), "not seen yet");
	fold_map_seen(&meeting, 0, 16, segment_start(0) + 1, from);
	CHECK(fold_meeting_stale(&meeting, from), "seen elsewhere");
	fold_map_seen(&meeting, 0, 7, segment_start(0), from);
	CHECK(fold_meeting_stale(&meeting, from), "seen in part");
	fold_map_seen(&meeting, 0, 16, segment_start(0), from);
	CHECK(!fold_meeting_stale(&meeting, from), "seen");
	CHECK(!fold_claim_meets(&second, &maps[1], &meeting), "seen already");
	CHECK(look_again(&second, 1, segment_start(0)), "somebody is met");
	CHECK(commit(&second, 1) == 8, "both were there");
	CHECK(list_empty(&second.list) && !second.given_up, "not emptied");

	/* Who is not found where he was does not come. */
	claim_eight(&first, 2);
	while (fold_claim_meets(&first, &maps[2], &meeting))
		fold_map_seen(&meeting, 0, 8, segment_start(0),
			      fold_clock(&cache));
	CHECK(look_again(&first, 2, segment_start(0) + 8), "somebody is met");
	CHECK(list_empty(&first.list) && first.given_up, "still claimed");

	/* What has changed since says nothing. */
	claim_eight(&first, 2);
	CHECK(fold_claim_meets(&first, &maps[2], &meeting), "two are there");
	leave(0);
	from = fold_clock(&cache);
	CHECK(!fold_meeting_stale(&meeting, from), "it has left, so it is not stale");
	CHECK(fold_claim_end(&first) == 1 && list_empty(&first.list), "one");
	end_plain();
}

TEST(refer, what_was_seen_serves_all_who_enclose_it)
{
	struct fold_claim claim[FILES];
	struct fold_meeting meeting;
	unsigned int i;

	begin_plain();
	/* All are looked at before the first commits. */
	for (i = 0; i < FILES; i++)
		claim_eight(&claim[i], i);
	for (i = 0; i < FILES; i++)
		CHECK(!fold_claim_meets(&claim[i], &maps[i], &meeting), "nobody");
	CHECK(commit(&claim[0], 0) == 8, "nobody is there");
	for (i = 1; i < FILES; i++)
		CHECK(!commit(&claim[i], i), "met whom it has not seen");
	/* One look at the first is enough for all the others. */
	CHECK(fold_claim_meets(&claim[1], &maps[1], &meeting), "it is there");
	fold_map_seen(&meeting, 0, 8, segment_start(0), fold_clock(&cache));
	for (i = 1; i < FILES; i++) {
		CHECK(!fold_claim_meets(&claim[i], &maps[i], &meeting),
		      "asked again");
		CHECK(look_again(&claim[i], i, segment_start(0)), "it is met");
	}
	/* That the others have come does not matter: the page is the same. */
	for (i = 1; i < FILES; i++)
		CHECK(commit(&claim[i], i) == 8, "file %u", i);
	end_plain();
}

/* A sharer whose pages lie the other way round is not asked for each of them. */
TEST(refer, a_look_begins_with_what_was_not_seen_yet)
{
	u64 from = fold_clock(&cache);
	struct fold_meeting meeting;
	struct fold_claim claim;
	unsigned long i, nr = 32, looks = 0;

	begin_plain();
	CHECK(fold_claim_begin(&claim, &maps[0]), "nothing changes");
	for (i = 0; i < nr; i++)
		CHECK(!fold_claim_add(&claim, &maps[0], i, 1,
				      segment_start(0) + nr - 1 - i, 0),
		      "no memory");
	fold_claim_looked(&claim, &maps[0], from);
	CHECK(!fold_claim_meets(&claim, &maps[0], &meeting), "nobody is there");
	CHECK(commit(&claim, 0) == nr, "nobody is there");

	from = fold_clock(&cache);
	CHECK(fold_claim_begin(&claim, &maps[1]), "nothing changes");
	CHECK(!fold_claim_add(&claim, &maps[1], 0, nr, segment_start(0), 0),
	      "no memory");
	fold_claim_looked(&claim, &maps[1], from);
	while (fold_claim_meets(&claim, &maps[1], &meeting)) {
		from = fold_clock(&cache);
		CHECK(meeting.from <= meeting.index, "%lu", meeting.from);
		/* It is asked about one, and answers for all in between. */
		for (i = meeting.from; i <= meeting.index; i++)
			fold_map_seen(&meeting, i, 1,
				      segment_start(0) + nr - 1 - i, from);
		looks++;
	}
	CHECK(looks == 1, "%lu looks at one file", looks);
	CHECK(fold_claim_end(&claim) == 1, "one");
	end_plain();
}

TEST(refer, a_proof_ends_with_the_last_who_referred)
{
	struct fold_claim first, second;
	struct fold_meeting meeting;

	begin_plain();
	claim_eight(&first, 0);
	CHECK(!fold_claim_meets(&first, &maps[0], &meeting), "nobody");
	CHECK(commit(&first, 0) == 8, "nobody is there");
	claim_eight(&second, 1);
	CHECK(fold_claim_meets(&second, &maps[1], &meeting), "it is there");
	fold_map_seen(&meeting, 0, 8, segment_start(0), fold_clock(&cache));
	CHECK(!fold_claim_meets(&second, &maps[1], &meeting), "seen");
	CHECK(look_again(&second, 1, segment_start(0)), "it is met");
	/* The one that was seen goes, and another comes: with other bytes? */
	leave(0);
	claim_eight(&first, 2);
	CHECK(!fold_claim_meets(&first, &maps[2], &meeting), "nobody");
	CHECK(commit(&first, 2) == 8, "nobody is there");
	CHECK(!commit(&second, 1), "met whom it has not seen");
	CHECK(!list_empty(&second.list), "it could be asked again");
	CHECK(fold_claim_end(&second) == 1, "one");

	/* Not if somebody stayed, whoever he is. */
	claim_eight(&second, 1);
	CHECK(fold_claim_meets(&second, &maps[1], &meeting), "it is there");
	fold_map_seen(&meeting, 0, 8, segment_start(0), fold_clock(&cache));
	CHECK(!fold_claim_meets(&second, &maps[1], &meeting), "seen");
	claim_eight(&first, 0);
	while (fold_claim_meets(&first, &maps[0], &meeting))
		fold_map_seen(&meeting, 0, 8, segment_start(0),
			      fold_clock(&cache));
	CHECK(look_again(&first, 0, segment_start(0)), "it is met");
	CHECK(commit(&first, 0) == 8, "it was there");
	leave(2);
	CHECK(look_again(&second, 1, segment_start(0)), "it is met");
	CHECK(commit(&second, 1) == 8, "one is there who was there before");
	end_plain();
}

static bool not_here(struct fold_map *map)
{
	return map != &maps[0];
}

TEST(refer, who_cannot_be_asked_costs_his_pages_only)
{
	static const struct fold_sharer_ops shy = {
		.hold = not_here, .is_mapped = is_mapped,
	};
	struct fold_meeting meeting;
	struct fold_claim claim;

	begin_plain();
	maps[0].ops = &shy;
	CHECK(fold_claim_begin(&claim, &maps[0]), "nothing changes");
	CHECK(!fold_claim_add(&claim, &maps[0], 0, 2, segment_start(0) + 3, 0),
	      "no memory");
	fold_claim_looked(&claim, &maps[0], fold_clock(&cache));
	CHECK(!fold_claim_meets(&claim, &maps[0], &meeting), "nobody");
	CHECK(commit(&claim, 0) == 2, "nobody is there");
	claim_eight(&claim, 1);
	CHECK(!fold_claim_meets(&claim, &maps[1], &meeting), "nobody to ask");
	CHECK(claim.given_up, "another time it may be asked");
	CHECK(commit(&claim, 1) == 6, "what is in front and behind");
	CHECK(maps[1].nr == 2, "%lu extents", maps[1].nr);
	end_plain();
}
