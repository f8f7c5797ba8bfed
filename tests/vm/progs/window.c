// SPDX-License-Identifier: GPL-2.0-only
/*
 * window DIR DELAY: changes that begin while a fault on the same page has found
 * the old page and has not mapped it yet. The module's test build sleeps for
 * DELAY ms in each fault when it has looked the page up, and again when it has
 * locked the page and decided to return it. Once the change has returned and
 * the fault is over, the mapping shows the new bytes.
 */
#include "util.h"
#include <pthread.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE)
#define ID	51
#define AT	(9 * PAGE)

static const char *dir;
static int delay;
static int fd_w;		/* A, open for writing since it joined */
static char *store_map;		/* a writable mapping of it */

static uint64_t fault_began, fault_ended, change_began, change_ended;

static void *fault(void *page)
{
	__atomic_store_n(&fault_began, now_us(), __ATOMIC_SEQ_CST);
	(void)*(volatile char *)page;
	fault_ended = now_us();
	return NULL;
}

static void by_write(void)
{
	write_all(fd_w, "new", 3, AT);
}

static void by_direct(void)
{
	int fd = open_in(dir, "a", O_WRONLY | O_DIRECT);
	char *buf = aligned_alloc(PAGE, PAGE);

	memset(buf, 'd', PAGE);
	write_all(fd, buf, PAGE, AT);
	free(buf);
	close(fd);
}

static void by_store(void)
{
	store_map[AT] = 's';
}

static void by_punch(void)
{
	sys(fallocate(fd_w, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, AT, PAGE));
}

static void by_truncate(void)
{
	sys(ftruncate(fd_w, AT + 5));
	sys(ftruncate(fd_w, SIZE));
}

static void by_clone(void)
{
	struct file_clone_range r = { fd_w, 30 * PAGE, PAGE, AT };

	sys(ioctl(fd_w, FICLONERANGE, &r));
}

/* For the next one; a machine on which the windows are missed is slow. */
static void set_delay(void)
{
	FILE *f = fopen("/sys/module/foldfs/parameters/fault_delay_ms", "w");

	if (!f || fprintf(f, "%d\n", delay) < 0 || fclose(f))
		die_errno("fault_delay_ms");
}

/*
 * Change the page in the first or the second window of a fault. Returns false if
 * the scheduler let us miss it.
 */
static bool run(const char *name, void (*change)(void), int window)
{
	char before[PAGE], now[PAGE], *map, *other, want[SIZE];
	pthread_t thread;
	int a, b;

	fill_bytes(want, ID, 0, SIZE);
	make_file(dir, "a", ID, SIZE);
	a = open_in(dir, "a", O_RDONLY);
	clone_to(a, dir, "b");
	b = open_in(dir, "b", O_RDONLY);
	drop_caches();
	wait_joined(a, "a");
	wait_joined(b, "b");
	read_all(b, now, PAGE, AT);		/* the page is cached */
	fd_w = open_in(dir, "a", O_RDWR);
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, a, 0);
	store_map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd_w, 0);
	other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, b, 0);
	if (map == MAP_FAILED || store_map == MAP_FAILED || other == MAP_FAILED)
		die_errno("mmap");

	fault_began = fault_ended = 0;
	if (pthread_create(&thread, NULL, fault, map + AT))
		die("no thread");
	while (!__atomic_load_n(&fault_began, __ATOMIC_SEQ_CST))
		;
	sleep_ms(window * delay + delay / 3);
	change_began = now_us();
	change();
	change_ended = now_us();
	read_all(a, now, PAGE, AT);
	pthread_join(thread, NULL);
	memcpy(before, map + AT, PAGE);
	printf("%s: the fault took %llu ms, the change began after %lld ms and took %llu ms\n", name,
	       (unsigned long long)(fault_ended - fault_began) / 1000,
	       (long long)(change_began - fault_began) / 1000,
	       (unsigned long long)(change_ended - change_began) / 1000);
	if (!memcmp(now, want + AT, PAGE))
		die("%s: nothing changed", name);
	same_bytes(before, now, PAGE, name);
	/* Two pages only: each of these faults is slow as well. */
	same_bytes(other + AT, want + AT, 2 * PAGE, "the clone");
	munmap(map, SIZE);
	munmap(store_map, SIZE);
	munmap(other, SIZE);
	close(a);
	close(b);
	close(fd_w);
	return fault_ended - fault_began >= delay * (window + 0.9) * 1000 &&
	       change_began < fault_began + delay * (window + 0.9) * 1000;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} changes[] = {
		{ "write", by_write }, { "direct write", by_direct }, { "store", by_store },
		{ "punch", by_punch }, { "truncate", by_truncate }, { "clone", by_clone },
	};
	unsigned int i, window;

	if (argc != 3)
		die("usage: window DIR DELAY");
	dir = argv[1];
	delay = atoi(argv[2]);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		for (window = 0; window < 2; window++) {
			while (!run(changes[i].name, changes[i].fn, window)) {
				delay *= 2;
				set_delay();
			}
		}
	}
	return 0;
}
