/* SPDX-License-Identifier: GPL-2.0-only */
/* What foldfs says of the ranges of a file: FOLDFS_IOC_MAP, a part at a time. */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/foldfs.h>

/* Room for one answer, to be freed; NULL after it complained. */
struct foldfs_map *ranges_new(void);

/* Asks for the ranges from @start on. 0, or -1 with errno; ENOTTY: not on foldfs. */
int ranges_ask(int fd, struct foldfs_map *map, uint64_t start);

/* Are there more behind those in @map? */
static inline bool ranges_more(const struct foldfs_map *map)
{
	return map->nr && map->out_flags & FOLDFS_MAP_MORE;
}

#endif
