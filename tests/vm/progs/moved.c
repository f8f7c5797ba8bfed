// SPDX-License-Identifier: GPL-2.0-only
/*
 * moved DIR LOWER HOW: A is shared and cached through DIR. Then its blocks are
 * exchanged for others below, in the way that HOW says, its clone goes, and the
 * blocks that A had are given to X, which is cloned as well. Whatever foldfs
 * believes of A's blocks, X through DIR has the bytes of X, and A those of A.
 */
#include "util.h"
#include <linux/fiemap.h>
#include <sys/statvfs.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE + 100)

static const char *dir, *lower;
static char a_bytes[SIZE], x_bytes[SIZE], got[SIZE];

struct blocks {
	struct fiemap map;
	struct fiemap_extent extent[PAGES + 1];
};

static struct blocks blocks_of(const char *name)
{
	struct blocks b = { .map = { .fm_length = SIZE, .fm_flags = FIEMAP_FLAG_SYNC,
				     .fm_extent_count = PAGES + 1 } };
	int fd = open_in(lower, name, O_RDONLY);

	sys(ioctl(fd, FS_IOC_FIEMAP, &b));
	close(fd);
	return b;
}

static bool overlap(const struct blocks *a, const struct blocks *b)
{
	const struct fiemap_extent *x, *y;

	for (x = a->extent; x < a->extent + a->map.fm_mapped_extents; x++)
		for (y = b->extent; y < b->extent + b->map.fm_mapped_extents; y++)
			if (x->fe_physical < y->fe_physical + y->fe_length &&
			    y->fe_physical < x->fe_physical + x->fe_length)
				return true;
	return false;
}

static uint64_t room(void)
{
	struct statvfs st;

	sys(statvfs(lower, &st));
	return st.f_bavail * st.f_frsize;
}

/* All but what the move needs, so that whoever comes next gets the blocks of A. */
static void fill_disk(void)
{
	int fd = open_in(lower, "filler", O_RDWR | O_CREAT);

	sys(fallocate(fd, 0, 0, room() - (4 << 20)));
	close(fd);
}

static void __attribute__((format(printf, 1, 2))) command(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (system(text))
		die("failed: %s", text);
}

/* Makes files of the bytes of X until one has some of the blocks, and calls it "x". */
static bool make_x(const struct blocks *was)
{
	struct blocks got;
	char name[16];
	int i;

	for (i = 0; room() > 1 << 20; i++) {
		snprintf(name, sizeof(name), "x.%d", i);
		make_file(lower, name, 2, SIZE);
		got = blocks_of(name);
		if (overlap(&got, was)) {
			command("mv %s/%s %s/x", lower, name, lower);
			return true;
		}
	}
	return false;
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
	command("xfs_io -c 'swapext %s/donor' %s/a", lower, lower);
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
	struct blocks was, is;
	bool met = false;
	int a, x, pin;
	char *map;

	make_file(dir, "a", 1, SIZE);
	a = open_in(dir, "a", O_RDONLY);
	clone_to(a, dir, "b");
	was = blocks_of("a");
	make_file(lower, "donor", 1, SIZE);
	drop_caches();
	wait_joined(a, "a");
	check("a, at first", a, a_bytes);
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, a, 0);
	if (map == MAP_FAILED)
		die_errno("mmap");
	same_bytes(map, a_bytes, SIZE, "a, mapped at first");

	fill_disk();
	move();
	is = blocks_of("a");
	if (overlap(&is, &was))
		die("%s: a still has its blocks", how);
	check("a, once its blocks have moved", a, a_bytes);
	command("rm %s/b", dir);
	command("rm -f %s/donor", lower);
	command("sync -f %s", lower);
	sleep_ms(200);

	if (!make_x(&was))
		goto out;
	met = true;
	pin = open_in(lower, "x", O_RDONLY);
	clone_to(pin, lower, "y");
	close(pin);
	command("sync -f %s", lower);
	x = open_in(dir, "x", O_RDONLY);
	check("x, as found", x, x_bytes);
	wait_joined(x, "x");
	check("x, when it shares", x, x_bytes);
	check("a, when x shares", a, a_bytes);
	same_bytes(map, a_bytes, SIZE, "a, mapped, when x shares");
	pin = open_in(dir, "y", O_RDONLY);
	wait_joined(pin, "y");
	check("y", pin, x_bytes);
	close(pin);
	close(x);
out:
	close(a);
	munmap(map, SIZE);
	command("rm -f %s/a %s/x", dir, dir);
	command("rm -f %s/y %s/x.* %s/filler", dir, lower, lower);
	command("sync -f %s", lower);
	return met;
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
