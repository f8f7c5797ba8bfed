// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapcheck LOWER-DIR DIR FILE...: does foldfs share, of each file, exactly what
 * the lower filesystem shares, at the same physical blocks? Prints the number
 * of shared pages and the number of different pages among all the files.
 */
#include "util.h"
#include <linux/fiemap.h>

#define EXTENTS		1024
#define MAX_PAGES	65536

static uint64_t below[MAX_PAGES], above[MAX_PAGES];	/* physical address, 0: private */
static uint64_t *all;
static size_t nr_all, nr_shared;

/* What the lower filesystem says; private blocks only count as different pages. */
static void ask_lower(int fd, size_t size)
{
	size_t len = sizeof(struct fiemap) + EXTENTS * sizeof(struct fiemap_extent);
	struct fiemap *map = calloc(1, len);
	unsigned int i;
	uint64_t off;

	map->fm_length = ~0ULL;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = EXTENTS;
	sys(ioctl(fd, FS_IOC_FIEMAP, map));
	for (i = 0; i < map->fm_mapped_extents; i++) {
		struct fiemap_extent *e = &map->fm_extents[i];

		for (off = 0; off < e->fe_length && e->fe_logical + off < size; off += PAGE) {
			if (e->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
				continue;
			all[nr_all++] = e->fe_physical + off;
			if (!(e->fe_flags & FIEMAP_EXTENT_SHARED))
				continue;
			below[(e->fe_logical + off) / PAGE] = e->fe_physical + off;
			nr_shared++;
		}
	}
	free(map);
}

static void ask_foldfs(int fd)
{
	struct foldfs_map *map = calloc(1, sizeof(*map) +
					EXTENTS * sizeof(struct foldfs_map_range));
	unsigned int i;
	uint64_t off;

	map->version = FOLDFS_MAP_VERSION;
	map->range_size = sizeof(struct foldfs_map_range);
	map->nr = EXTENTS;
	map->length = ~0ULL;
	sys(ioctl(fd, FOLDFS_IOC_MAP, map));
	if (map->out_flags & FOLDFS_MAP_MORE)
		die("more than %d ranges", EXTENTS);
	for (i = 0; i < map->nr; i++) {
		struct foldfs_map_range *r = &map->ranges[i];

		for (off = 0; off < r->length; off += PAGE)
			above[(r->offset + off) / PAGE] = r->physical + off;
	}
	free(map);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	size_t i, different;
	int arg;

	if (argc < 4)
		die("usage: mapcheck LOWER-DIR DIR FILE...");
	all = calloc((size_t)MAX_PAGES * argc, sizeof(*all));
	for (arg = 3; arg < argc; arg++) {
		int low = open_in(argv[1], argv[arg], O_RDONLY);
		int fd = open_in(argv[2], argv[arg], O_RDONLY);
		struct stat st;

		sys(fstat(low, &st));
		memset(below, 0, sizeof(below));
		memset(above, 0, sizeof(above));
		ask_lower(low, st.st_size);
		ask_foldfs(fd);
		for (i = 0; i < MAX_PAGES; i++)
			if (above[i] != below[i])
				die("page %zu of %s: foldfs has it at %#llx, the disk at %#llx (0: not shared)",
				    i, argv[arg], (unsigned long long)above[i],
				    (unsigned long long)below[i]);
		close(low);
		close(fd);
	}
	qsort(all, nr_all, sizeof(*all), compare);
	for (i = different = 0; i < nr_all; i++)
		different += !i || all[i] != all[i - 1];
	printf("%zu %zu\n", nr_shared, different);
	return 0;
}
