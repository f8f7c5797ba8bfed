// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a memory cgroup may spend on what its files refer to.
 *
 * Extents are charged to the group whose program made a file join, and cannot
 * be reclaimed while the file is in use. A file with very many would fill a
 * small group with them, and its programs would be killed for want of what they
 * need themselves. So the last half of what a group could have is left to them.
 */
#include <linux/memcontrol.h>
#include <linux/nodemask.h>

#include "upper.h"

#ifdef CONFIG_MEMCG
/* Page cache of the group's own, which goes if memory is wanted. */
static unsigned long file_pages(struct mem_cgroup *memcg)
{
	unsigned long pages = 0;
	struct lruvec *lruvec;
	int nid, zone;

	for_each_online_node(nid) {
		lruvec = &memcg->nodeinfo[nid]->lruvec;
		for (zone = 0; zone < MAX_NR_ZONES; zone++) {
			pages += mem_cgroup_get_zone_lru_size(lruvec,
							      LRU_ACTIVE_FILE,
							      zone);
			pages += mem_cgroup_get_zone_lru_size(lruvec,
							      LRU_INACTIVE_FILE,
							      zone);
		}
	}
	return pages;
}

/**
 * fold_budget_left - may a memory cgroup pay for more references
 * @memcg: the group, or NULL
 *
 * Looked at are its limit and those of the groups that it lies in.
 *
 * Context: process context; takes no lock.
 * Return: false if less than half of one of these limits could still be had.
 */
bool fold_budget_left(struct mem_cgroup *memcg)
{
	unsigned long file, max, used;

	if (!memcg)
		return true;
	file = file_pages(memcg);
	for (; memcg; memcg = parent_mem_cgroup(memcg)) {
		max = READ_ONCE(memcg->memory.max);
		if (max == PAGE_COUNTER_MAX)
			continue;
		used = page_counter_read(&memcg->memory);
		used -= min(used, file);
		if (used > max / 2)
			return false;
	}
	return true;
}
#else
bool fold_budget_left(struct mem_cgroup *memcg)
{
	return true;
}
#endif
