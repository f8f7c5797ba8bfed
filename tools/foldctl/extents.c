// SPDX-License-Identifier: GPL-2.0-only
/* Asks FIEMAP which blocks of a file are shared. */
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "extents.h"

#define AT_ONCE 256

/* What foldfs leaves to the lower file. */
#define UNFIT (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED |	\
	       FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_NOT_ALIGNED |			\
	       FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_UNWRITTEN)

/* An extent of blocks becomes one of pages. False if it does not fit. */
static bool to_pages(const struct fiemap_extent *fe, uint64_t page, uint64_t pages,
		     struct extent *extent)
{
	if (fe->fe_flags & UNFIT || fe->fe_logical % page || fe->fe_physical % page)
		return false;
	extent->logical = fe->fe_logical / page;
	extent->physical = fe->fe_physical / page;
	extent->length = fe->fe_length / page;
	/* The file's last page may be cut by its end, and an extent may go beyond. */
	if (fe->fe_length % page && extent->logical + extent->length + 1 == pages)
		extent->length++;
	if (extent->logical >= pages)
		return false;
	if (extent->length > pages - extent->logical)
		extent->length = pages - extent->logical;
	return extent->length;
}

int extents_shared(int fd, uint64_t pages,
		   int (*found)(void *arg, const struct extent *extent), void *arg,
		   uint64_t *unfit)
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extent[AT_ONCE];
	} ask;
	uint64_t page = sysconf(_SC_PAGESIZE), start = 0;
	struct extent run = { 0 }, next;
	bool last = false;

	while (!last && start < pages * page) {
		memset(&ask.map, 0, sizeof(ask.map));
		ask.map.fm_start = start;
		ask.map.fm_length = pages * page - start;
		ask.map.fm_extent_count = AT_ONCE;
		if (ioctl(fd, FS_IOC_FIEMAP, &ask.map))
			return -1;
		if (!ask.map.fm_mapped_extents)
			break;
		for (uint32_t i = 0; i < ask.map.fm_mapped_extents; i++) {
			const struct fiemap_extent *fe = &ask.map.fm_extents[i];

			last = fe->fe_flags & FIEMAP_EXTENT_LAST || !fe->fe_length;
			start = fe->fe_logical + fe->fe_length;
			if (!(fe->fe_flags & FIEMAP_EXTENT_SHARED))
				continue;
			if (!to_pages(fe, page, pages, &next)) {
				*unfit += fe->fe_length;
				continue;
			}
			if (run.length && run.logical + run.length == next.logical &&
			    run.physical + run.length == next.physical) {
				run.length += next.length;
				continue;
			}
			if (run.length && found(arg, &run))
				return -1;
			run = next;
		}
	}
	return run.length ? found(arg, &run) : 0;
}
