// SPDX-License-Identifier: GPL-2.0-only
/*
 * moved DIR LOWER HOW: A is shared and cached through DIR. Then its blocks are
 * exchanged for others below, in the way that HOW says, its clone goes, and the
 * blocks that A had are given to X, which is cloned as well. Whatever foldfs
 * believes of A's blocks, X through DIR has the bytes of X, and A those of A.
 */
#include "util.h"
#include <linux/fiemap.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE + 100)

static const char *dir, *lower;
static char a_bytes[SIZE], x_bytes[SIZE], got[SIZE];

static uint64_t block_of(const char *name)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} f = { .map = { .fm_length = SIZE, .fm_flags = FIEMAP_FLAG_SYNC, .fm_extent_count = 1 } };
	int fd = open_in(lower, name, O_RDONLY);

	sys(ioctl(fd, FS_IOC_FIEMAP, &f));
	close(fd);
	return f.extent.fe_physical;
}

static void command(const char *fmt, const char *arg)
{
	char text[512];

	snprintf(text, sizeof(text), fmt, arg, arg);
	if (system(text))
		die("failed: %s", text);
}

static void check(const char *what, int fd, const char *want)
{
	if (read_all(fd, got, SIZE, 0) != SIZE)
		die("%s: short read", what);
	same_bytes(got, want, SIZE, what);
}

/* Deduplicated through descriptors that are open for reading, as duperemove does. */
static void by_dedupe(void)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} d = { .range = { .src_length = SIZE, .dest_count = 1 } };
	int donor = open_in(lower, "donor", O_RDONLY), a = open_in(lower, "a", O_RDONLY);

	d.info.dest_fd = a;
	sys(ioctl(donor, FIDEDUPERANGE, &d));
	if (d.info.status != FILE_DEDUPE_RANGE_SAME || d.info.bytes_deduped != SIZE)
		die("dedupe: status %d, %lld bytes", d.info.status,
		    (long long)d.info.bytes_deduped);
	close(donor);
	close(a);
}

/* The old way of xfs_fsr: all extents of two files of the same bytes. */
static void by_swapext(void)
{
	command("xfs_io -c 'swapext %s/donor' %s/a", lower);
}

/* By its own bytes. */
static void by_rewrite(void)
{
	int fd = open_in(lower, "a", O_RDWR);

	write_all(fd, a_bytes, SIZE, 0);
	sys(fsync(fd));
	close(fd);
}

static void by_unshare(void)
{
	command("xfs_io -c 'funshare 0 1m' -c fsync %s/a", lower);
}

/* Returns whether X got blocks that A had. */
static bool run(const char *how, void (*move)(void))
{
	uint64_t was, is;
	int a, x, pin;
	char *map;

	make_file(dir, "a", 1, SIZE);
	a = open_in(dir, "a", O_RDONLY);
	clone_to(a, dir, "b");
	was = block_of("a");
	make_file(lower, "donor", 1, SIZE);
	drop_caches();
	wait_joined(a, "a");
	check("a, at first", a, a_bytes);
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, a, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	same_bytes(map, a_bytes, SIZE, "a, mapped at first");

	move();
	is = block_of("a");
	if (is == was)
		die("%s: a still has its blocks", how);
	check("a, once its blocks have moved", a, a_bytes);
	command("rm %s/b", dir);
	command("rm -f %s/donor", lower);
	command("sync -f %s", lower);
	sleep_ms(200);

	make_file(lower, "x", 2, SIZE);
	pin = open_in(lower, "x", O_RDONLY);
	clone_to(pin, lower, "y");
	close(pin);
	command("sync -f %s", lower);
	is = block_of("x");
	x = open_in(dir, "x", O_RDONLY);
	check("x, as found", x, x_bytes);
	wait_joined(x, "x");
	check("x, when it shares", x, x_bytes);
	check("a, when x shares", a, a_bytes);
	same_bytes(map, a_bytes, SIZE, "a, mapped, when x shares");
	pin = open_in(dir, "y", O_RDONLY);
	wait_joined(pin, "y");
	check("y", pin, x_bytes);
	printf("%s: A had its blocks at %#llx, X has them at %#llx\n", how,
	       (unsigned long long)was, (unsigned long long)is);
	close(pin);
	close(a);
	close(x);
	munmap(map, SIZE);
	command("rm %s/a %s/x", dir);
	command("rm %s/y", dir);
	command("sync -f %s", lower);
	return was == is;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *how;
		void (*fn)(void);
	} ways[] = {
		{ "dedupe", by_dedupe }, { "swapext", by_swapext }, { "rewrite", by_rewrite },
		{ "unshare", by_unshare },
	};
	unsigned int i, tries;

	if (argc != 4)
		die("usage: moved DIR LOWER HOW");
	dir = argv[1];
	lower = argv[2];
	fill_bytes(a_bytes, 1, 0, SIZE);
	fill_bytes(x_bytes, 2, 0, SIZE);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].how, argv[3]))
			continue;
		for (tries = 0; tries < 6; tries++)
			if (run(ways[i].how, ways[i].fn))
				return 0;
		die("%s: X never got the blocks of A", argv[3]);
	}
	die("no such way: %s", argv[3]);
}
