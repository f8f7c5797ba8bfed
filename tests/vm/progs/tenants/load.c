// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load: tenants who clone, change, map and rename their files, and know what has to be in
 * them; a crowd of clones in a small memory cgroup, whose source is changed and faulted in
 * all the time; and somebody who freezes.
 */
#include <linux/falloc.h>

#include "tenants.h"

/* ---- a mixture ------------------------------------------------------------------------- */

static uint64_t keys[MIXED_FILES][FILE_PAGES];
static const char *mine;
static char buf[16 * PAGE] __attribute__((aligned(PAGE)));

static const char *name_of(unsigned int file)
{
	static char name[16];

	sprintf(name, "c%u", file);
	return name;
}

static void check_run(const char *data, unsigned int file, unsigned long page, ssize_t len,
		      const char *what)
{
	ssize_t p;

	for (p = 0; p < len / (ssize_t)PAGE; p++)
		page_check(data + p * PAGE, keys[file][page + p], what, name_of(file), page + p);
}

static void new_run(unsigned int file, unsigned long page, unsigned long nr)
{
	unsigned long p;

	for (p = 0; p < nr; p++)
		page_make(buf + p * PAGE, keys[file][page + p] = 1 + mix(chance + p) / 2);
}

static void by_mapping(unsigned int file, unsigned long page, unsigned long nr, bool store)
{
	int fd = open_in(mine, name_of(file), store ? O_RDWR : O_RDONLY);
	unsigned long other = random_below(FILE_PAGES);
	size_t len = FILE_PAGES * PAGE;
	char *map = mmap(NULL, len, PROT_READ | (store ? PROT_WRITE : 0), MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die_errno("mmap of %s", name_of(file));
	if (store) {
		new_run(file, page, nr);
		memcpy(map + page * PAGE, buf, nr * PAGE);
	}
	check_run(map + page * PAGE, file, page, nr * PAGE,
		  store ? "a mapping stored to" : "a mapping");
	check_run(map + other * PAGE, file, other, PAGE, "a mapping elsewhere");
	if (random_below(2))
		madvise(map, len, random_below(2) ? MADV_PAGEOUT : MADV_DONTNEED);
	check_run(map + page * PAGE, file, page, nr * PAGE, "a mapping, again");
	munmap(map, len);
	close(fd);
}

static void by_call(unsigned int file, unsigned long page, unsigned long nr, bool change)
{
	bool direct = !random_below(4);
	int fd = open_in(mine, name_of(file), (change ? O_RDWR : O_RDONLY) |
						(direct ? O_DIRECT : 0));
	ssize_t n;

	if (change) {
		new_run(file, page, nr);
		write_all(fd, buf, nr * PAGE, page * PAGE);
	}
	n = pread(fd, buf, nr * PAGE, page * PAGE);
	/* What XFS answers where a hole has been stored to and not written back. */
	if (n < 0 && !(direct && errno == EIO))
		die_errno("read of %s", name_of(file));
	check_run(buf, file, page, MAX(n, 0), change ? "a read of what was written" : "a read");
	if (!random_below(4))
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static void clone_range(unsigned int from, unsigned int file, unsigned long page, unsigned long nr)
{
	int in = open_in(mine, name_of(from), O_RDONLY);
	int out = open_in(mine, name_of(file), O_RDWR);
	loff_t off = page * PAGE, at = off;
	struct file_clone_range range = { in, off, nr * PAGE, at };

	if (from == file)
		goto out;
	if (random_below(3)) {
		sys(ioctl(out, FICLONERANGE, &range));
	} else if (copy_file_range(in, &off, out, &at, nr * PAGE, 0) != (ssize_t)(nr * PAGE)) {
		die_errno("copy_file_range");
	}
	memcpy(&keys[file][page], &keys[from][page], nr * sizeof(keys[0][0]));
out:
	close(in);
	close(out);
}

/* A fresh clone of the image, which gets another one's name. */
static void renew(unsigned int file)
{
	int image = open_in(base, random_below(8) ? "image.ro" : "image", O_RDONLY);
	char *from = path_of(mine, "new"), *to = path_of(mine, name_of(file));
	unsigned long p;

	make_clone(image, mine, "new", FILE_PAGES, -1);
	close(image);
	sys(rename(from, to));
	for (p = 0; p < FILE_PAGES; p++)
		keys[file][p] = IMAGE_KEY(p);
	free(from);
	free(to);
}

static void swap_names(unsigned int a, unsigned int b)
{
	char *one = path_of(mine, name_of(a)), *two = path_of(mine, name_of(b));
	uint64_t keep[FILE_PAGES];

	if (a != b) {
		sys(syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, 2 /* exchange */));
		memcpy(keep, keys[a], sizeof(keep));
		memcpy(keys[a], keys[b], sizeof(keep));
		memcpy(keys[b], keep, sizeof(keep));
	}
	free(one);
	free(two);
}

static void punch(unsigned int file, unsigned long page, unsigned long nr)
{
	int fd = open_in(mine, name_of(file), O_RDWR);

	sys(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, page * PAGE, nr * PAGE));
	memset(&keys[file][page], 0, nr * sizeof(keys[0][0]));
	close(fd);
}

static void ask(unsigned int file)
{
	int fd = open_in(mine, name_of(file), O_RDONLY), flags;
	struct foldfs_map map = {
		.version = FOLDFS_MAP_VERSION, .range_size = sizeof(struct foldfs_map_range),
		.length = ~0ULL,
	};
	struct fsxattr attr;
	struct stat st;

	sys(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	sys(ioctl(fd, FS_IOC_FSGETXATTR, &attr));
	ioctl(fd, FOLDFS_IOC_MAP, &map);		/* not on XFS */
	sys(fstat(fd, &st));
	if (st.st_size != (off_t)(FILE_PAGES * PAGE))
		die("%s has %lld bytes", name_of(file), (long long)st.st_size);
	sys(fsync(fd));
	close(fd);
}

void mixer(const char *dir)
{
	unsigned int file, other;
	unsigned long page, nr;

	mine = dir;
	for (file = 0; file < MIXED_FILES; file++)
		renew(file);
	while (!stopped()) {
		file = random_below(MIXED_FILES);
		other = random_below(MIXED_FILES);
		nr = 1 + random_below(16);
		page = random_below(FILE_PAGES - nr);
		switch (random_below(20)) {
		case 0:
		case 1:
			renew(file);
			break;
		case 2:
			swap_names(file, other);
			break;
		case 3:
			punch(file, page, nr);
			break;
		case 4:
		case 5:
			clone_range(other, file, page, nr);
			break;
		case 6:
			ask(file);
			break;
		case 7:
		case 8:
			by_mapping(file, page, nr, true);
			break;
		case 9:
		case 10:
		case 11:
			by_mapping(file, page, nr, false);
			break;
		case 12:
		case 13:
			by_call(file, page, nr, true);
			break;
		default:
			by_call(file, page, nr, false);
		}
		count(MIXED);
		sleep_ms(random_below(20));
	}
}

/* ---- a crowd of clones ------------------------------------------------------------------- */

#define CROWD		300
#define SHARED_PAGES	64UL		/* of the source; the rest is its own */

void crowd_setup(int image, const char *dir, uid_t owner)
{
	unsigned long p;
	char name[16];
	int src, i;

	make_clone(image, dir, "source", FILE_PAGES, owner);
	src = open_in(dir, "source", O_RDWR);
	for (p = SHARED_PAGES; p < FILE_PAGES; p++) {
		page_make(buf, IMAGE_KEY(p));
		write_all(src, buf, PAGE, p * PAGE);
	}
	sys(fsync(src));
	for (i = 0; i < CROWD; i++) {
		sprintf(name, "k%d", i);
		make_clone(src, dir, name, SHARED_PAGES, owner);
	}
	close(src);
}

/* Faults on the source's own pages, which come and go. */
void crowd_fault(const char *dir)
{
	int fd = open_in(dir, "source", O_RDONLY);
	char *map = mmap(NULL, FILE_PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	unsigned long p;

	if (map == MAP_FAILED)
		die_errno("mmap of the source");
	while (!stopped()) {
		for (p = SHARED_PAGES; p < FILE_PAGES; p++)
			if (*(volatile uint64_t *)(map + p * PAGE) != word_of(IMAGE_KEY(p), 0))
				die("wrong bytes: page %lu of the crowd's source", p);
		madvise(map, FILE_PAGES * PAGE, MADV_DONTNEED);
		posix_fadvise(fd, SHARED_PAGES * PAGE, 0, POSIX_FADV_DONTNEED);
		count(CROWDED);
		sleep_ms(3);
	}
}

/* Changes nothing, and has faults and reads wait for it. */
void crowd_allocate(const char *dir)
{
	int fd = open_in(dir, "source", O_RDWR);

	while (!stopped()) {
		unsigned long p = SHARED_PAGES + random_below(FILE_PAGES - SHARED_PAGES);

		sys(fallocate(fd, FALLOC_FL_KEEP_SIZE, p * PAGE, PAGE));
		count(CROWDED);
		sleep_ms(3);
	}
}

void crowd_read(const char *dir)
{
	unsigned long p, at;
	char name[16];
	int fd, i = 0;
	ssize_t n;

	while (!stopped()) {
		sprintf(name, "k%d", i++ % CROWD);
		fd = open_in(dir, name, O_RDONLY);
		at = random_below(SHARED_PAGES);
		n = sys(pread(fd, buf, sizeof(buf), at * PAGE));
		for (p = 0; p < n / PAGE; p++)
			page_check(buf + p * PAGE, IMAGE_KEY(at + p), "a read", name, at + p);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
		count(CROWDED);
		sleep_ms(3);
	}
}

/* ---- freezes ---------------------------------------------------------------------------------- */

void freezer(const char *const *where, unsigned int nr)
{
	pid_t parent = getppid();

	while (!stopped() && getppid() == parent) {
		int fd = sys(open(where[random_below(nr)], O_RDONLY | O_DIRECTORY));
		uint64_t end;

		rest_ms(4000 + random_below(8000));
		__atomic_add_fetch(&shm->freezing, 1, __ATOMIC_SEQ_CST);
		sys(ioctl(fd, FIFREEZE, 0));
		end = now_us() + (50 + random_below(300)) * 1000;
		while (now_us() < end && getppid() == parent)
			sleep_ms(10);
		sys(ioctl(fd, FITHAW, 0));
		__atomic_add_fetch(&shm->freezing, 1, __ATOMIC_SEQ_CST);
		close(fd);
		count(FREEZES);
	}
}
