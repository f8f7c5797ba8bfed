// SPDX-License-Identifier: GPL-2.0-only
/*
 * reuse DIR LOWER: a read of A has looked up where a page lies, and sleeps (the
 * test build's read_delay_ms). Meanwhile A and its clone lose their blocks, and
 * X and its clone get them, join and fill the cache. The read may give what A
 * held or its new end, never the bytes of X.
 */
#include "util.h"
#include <linux/fiemap.h>
#include <pthread.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE)

static unsigned int delay = 4000;	/* ms */
static int tries_left = 5;

static char got[SIZE];
static ssize_t got_len;
static bool got_it;
static int a;

static uint64_t block_of(int fd)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} f = { .map = { .fm_length = SIZE, .fm_flags = FIEMAP_FLAG_SYNC, .fm_extent_count = 1 } };

	sys(ioctl(fd, FS_IOC_FIEMAP, &f));
	if (f.map.fm_mapped_extents != 1 || f.extent.fe_length != SIZE)
		die("a file of %lu pages has more than one extent", PAGES);
	return f.extent.fe_physical;
}

static void set_delay(const char *ms)
{
	int fd = sys(open("/sys/module/foldfs/parameters/read_delay_ms", O_WRONLY));

	sys(write(fd, ms, strlen(ms)));
	close(fd);
}

static void *reader(void *unused)
{
	(void)unused;
	got_len = pread(a, got, PAGE, 5 * PAGE);
	__atomic_store_n(&got_it, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void empty(const char *dir, const char *name)
{
	char *path = path_of(dir, name);

	sys(truncate(path, 0));
	free(path);
}

/*
 * Returns false if X did not get A's blocks, or the read was over before it had them. In
 * the latter case the next one is held up for longer.
 */
static bool run(const char *dir, const char *lower)
{
	char x_bytes[PAGE], a_bytes[PAGE];
	uint64_t was, is;
	char text[16];
	bool late;
	pthread_t thread;
	int x;

	make_file(dir, "a", 1, SIZE);
	a = open_in(dir, "a", O_RDONLY);
	clone_to(a, dir, "b");
	x = open_in(lower, "a", O_RDONLY);
	was = block_of(x);
	close(x);
	drop_caches();
	wait_joined(a, "a");
	if (read_all(a, got, SIZE, 0) != SIZE)
		die("short read of a");
	memcpy(a_bytes, got + 5 * PAGE, PAGE);

	got_it = false;
	sprintf(text, "%u", delay);
	set_delay(text);
	if (pthread_create(&thread, NULL, reader, NULL))
		die("no thread");
	sleep_ms(500);
	set_delay("0");

	empty(dir, "a");
	empty(dir, "b");
	sync();			/* from now on the blocks may be given away */
	make_file(lower, "x", 2, SIZE);
	x = open_in(lower, "x", O_RDONLY);
	is = block_of(x);
	clone_to(x, lower, "y");
	close(x);
	drop_caches();
	x = open_in(dir, "x", O_RDONLY);
	wait_joined(x, "x");
	if (pread(x, x_bytes, PAGE, 5 * PAGE) != (ssize_t)PAGE)
		die("short read of x");
	late = __atomic_load_n(&got_it, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	printf("A had its blocks at %#llx, X has them at %#llx; the read gave %zd bytes\n",
	       (unsigned long long)was, (unsigned long long)is, got_len);
	if (got_len < 0)
		die("the read failed");
	if (got_len && memcmp(got, a_bytes, got_len)) {
		if (!memcmp(got, x_bytes, got_len))
			die("the read of A gave the bytes of X");
		die("the read of A gave bytes that it never held");
	}
	close(a);
	close(x);
	empty(dir, "x");
	empty(dir, "y");
	sync();
	if (late) {
		delay *= 2;
		tries_left++;
	}
	return was == is && !late;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: reuse DIR LOWER");
	while (tries_left--)
		if (run(argv[1], argv[2]))
			return 0;
	die("X never got the blocks of A");
}
