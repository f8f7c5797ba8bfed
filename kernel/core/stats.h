/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, shown in sysfs. docs/counters.md says of each what it counts, when
 * it moves and what is normal. A mount counts what happens to its files, and a
 * cache, which several mounts may use, what happens to pages.
 */
#ifndef FOLD_CORE_STATS_H
#define FOLD_CORE_STATS_H

#include <linux/atomic.h>

enum fold_stat {
	/* of a mount */
	FOLD_STAT_JOINS,	/* extents that began to refer */
	FOLD_STAT_BREAKS,	/* extents that a change ended or cut */
	FOLD_STAT_FALLBACKS,	/* shared pages served by the lower file */
	FOLD_STAT_OUTSIDE,	/* writers around the mount */
	/* of a cache */
	FOLD_STAT_FILLS,	/* pages brought in */
	FOLD_STAT_REFILLS,	/* fills done again by copying */
	FOLD_STAT_SHOOTDOWNS,	/* mapped pages that reclaim had unmapped */
	FOLD_NR_STATS
};

struct fold_stats {
	atomic_long_t count[FOLD_NR_STATS];
};

static inline void fold_stat_add(struct fold_stats *stats, enum fold_stat item,
				 long nr)
{
	atomic_long_add(nr, &stats->count[item]);
}

static inline long fold_stat_read(struct fold_stats *stats, enum fold_stat item)
{
	return atomic_long_read(&stats->count[item]);
}

#endif
