// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at one filesystem take turns.
 *
 * To say of an extent whether it is shared, XFS locks the same two buffers each
 * time, and hands a buffer's lock to the next who waits for it. Threads that ask
 * beside one another so take turns for each extent, and on a processor that has
 * other work each turn is a wait for the scheduler: clones of a file in a thousand
 * extents that joined at once on two busy processors waited two thousand times
 * each, for 8 to 27 seconds, and worked for a tenth of one.
 *
 * So whoever asks has the filesystem for all of his answer. He may be kept waiting
 * by a lock or a disk for as long as others please, so his turn is over after a
 * while whether he is through or not: a turn is a courtesy and no lock.
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "turn.h"

/*
 * How long a turn is respected of somebody who waits for something else, and how
 * long if all that he needs is a processor.
 */
#define TURN		(HZ / 10)
#define TURN_LONGEST	(HZ)

static DEFINE_SPINLOCK(turn_lock);	/* covers the list; nests nothing */
static LIST_HEAD(turns);
static DECLARE_WAIT_QUEUE_HEAD(turn_wait);

/* The test build can have turns last, so that no machine is too slow to count by. */
static bool turns_last;
#ifdef FOLDFS_TEST
module_param(turns_last, bool, 0644);
MODULE_PARM_DESC(turns_last, "who has the turn at a filesystem has it until he is through");
#endif

static unsigned long turn_left(const struct fold_turn *turn)
{
	unsigned long age = jiffies - turn->since;

	if (turns_last)
		return TURN;
	if (age < TURN)
		return TURN - age;
	/* He is on the list, so he exists. */
	return age < TURN_LONGEST && task_is_running(turn->task) ? TURN : 0;
}

/* When to ask again for the turn of another who is at @place, or 0. */
static unsigned long turn_taken(const void *place)
{
	struct fold_turn *other;
	unsigned long left = 0;

	list_for_each_entry(other, &turns, entry)
		if (other->place == place)
			left = max(left, turn_left(other));
	return left;
}

/* Takes the turn, or returns how long to wait for the next chance. */
static unsigned long turn_try(struct fold_turn *turn)
{
	unsigned long left;

	spin_lock(&turn_lock);
	left = turn_taken(turn->place);
	if (!left) {
		turn->since = jiffies;
		turn->task = current;
		list_add(&turn->entry, &turns);
	}
	spin_unlock(&turn_lock);
	return left;
}

/**
 * fold_turn_begin - have the turn at something
 * @turn: to be ended by fold_turn_end(), in the same task
 * @place: what of: compared, never followed
 *
 * Context: a query thread, no locks held. Waits for those who came before, for a
 * tenth of a second at most for each who is stuck, for a second if he runs.
 */
void fold_turn_begin(struct fold_turn *turn, const void *place)
{
	unsigned long left;
	DEFINE_WAIT(wait);

	turn->place = place;
	while ((left = turn_try(turn))) {
		/* All go on who wait for anything: those are a few threads. */
		prepare_to_wait(&turn_wait, &wait, TASK_IDLE);
		spin_lock(&turn_lock);
		left = turn_taken(place);
		spin_unlock(&turn_lock);
		if (left)
			schedule_timeout(left);
		finish_wait(&turn_wait, &wait);
	}
}

/**
 * fold_turn_end - the next one's turn
 * @turn: from fold_turn_begin()
 */
void fold_turn_end(struct fold_turn *turn)
{
	spin_lock(&turn_lock);
	list_del(&turn->entry);
	spin_unlock(&turn_lock);
	wake_up_all(&turn_wait);
}
