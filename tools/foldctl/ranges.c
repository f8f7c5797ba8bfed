// SPDX-License-Identifier: GPL-2.0-only
/* Asks foldfs for the ranges of a file that are shared. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../names.h"
#include "ranges.h"

#define PER_CALL 1024

struct foldfs_map *ranges_new(void)
{
	struct foldfs_map *map = malloc(sizeof(*map) + PER_CALL * sizeof(map->ranges[0]));

	if (!map)
		complain_errno("cannot ask for ranges");
	return map;
}

int ranges_ask(int fd, struct foldfs_map *map, uint64_t start)
{
	memset(map, 0, sizeof(*map));
	map->version = FOLDFS_MAP_VERSION;
	map->range_size = sizeof(map->ranges[0]);
	map->nr = PER_CALL;
	map->start = start;
	map->length = ~(uint64_t)0;
	return ioctl(fd, FOLDFS_IOC_MAP, map);
}
