// SPDX-License-Identifier: GPL-2.0-only
/*
 * seen WHAT FILE ...: what others find in a mapping of a file, or may do with it.
 *
 *	seen protect FILE	maps it for execution, and maps it for reading and asks for
 *				execution afterwards: prints both answers
 *	seen id FILE		maps it for execution: prints the build ID that the kernel
 *				tells perf of, and the one in /proc/PID/maps (PROCMAP_QUERY)
 *	seen offline FILE	has the memory of a mapped page taken out of use, softly: prints
 *				the answer, and whether the bytes are what read(2) says
 */
#include "util.h"

#include <linux/perf_event.h>

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

/* From 6.11 on; the headers here may be older. */
struct map_query {
	uint64_t size, flags, addr;
	uint64_t start, end, vma_flags, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name, build_id;
};

#define MAP_QUERY	_IOWR(0x66 /* 'f' */, 17, struct map_query)

static const char *answer(bool ok)
{
	return ok ? "0" : strerrorname_np(errno);
}

static char *map(const char *path, int prot)
{
	int fd = sys(open(path, O_RDONLY));
	char *at = mmap(NULL, PAGE, prot, MAP_PRIVATE, fd, 0);

	close(fd);
	return at;
}

static void protect(const char *path)
{
	char *at;

	printf("%s ", answer(map(path, PROT_READ | PROT_EXEC) != MAP_FAILED));
	at = map(path, PROT_READ);
	if (at == MAP_FAILED)
		die_errno("mmap");
	printf("%s\n", answer(!mprotect(at, PAGE, PROT_READ | PROT_EXEC)));
}

static void print_id(const uint8_t *id, unsigned int size)
{
	if (!size)
		printf("none");
	while (size--)
		printf("%02x", *id++);
}

static void id(const char *path)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1,
		.mmap = 1, .mmap2 = 1, .build_id = 1,
	};
	int fd = sys(syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0));
	struct perf_event_mmap_page *ring = mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE,
						 MAP_SHARED, fd, 0);
	struct map_query query = { .size = sizeof(query) };
	uint8_t found[20];
	uint64_t at = 0;
	char *file;

	if (ring == MAP_FAILED)
		die_errno("mmap of perf's ring");
	file = map(path, PROT_READ | PROT_EXEC);
	if (file == MAP_FAILED)
		die_errno("mmap");

	while (at < __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE)) {
		/* One that goes round the ring's end would need eight pages of them. */
		struct {
			struct perf_event_header header;
			uint32_t pid, tid;
			uint64_t addr, len, pgoff;
			uint8_t id_size, reserved[3], id[20];
		} *event = (void *)((char *)ring + ring->data_offset + at);

		if (event->header.type == PERF_RECORD_MMAP2 && event->addr == (uintptr_t)file) {
			print_id(event->id, event->header.misc & (1 << 14) ?
					    event->id_size : 0);
			break;
		}
		at += event->header.size;
	}

	query.addr = (uintptr_t)file;
	query.build_id = (uintptr_t)found;
	query.build_id_size = sizeof(found);
	putchar(' ');
	if (ioctl(sys(open("/proc/self/maps", O_RDONLY)), MAP_QUERY, &query))
		printf("%s", strerrorname_np(errno));
	else
		print_id(found, query.build_id_size);
	putchar('\n');
}

static void offline(const char *path)
{
	char *at = map(path, PROT_READ), *is = malloc(PAGE);
	int fd = sys(open(path, O_RDONLY));

	if (at == MAP_FAILED)
		die_errno("mmap");
	*(volatile char *)at;
	printf("%s\n", answer(!madvise(at, PAGE, MADV_SOFT_OFFLINE)));
	if (sys(pread(fd, is, PAGE, 0)) != (ssize_t)PAGE)
		die("a short read");
	same_bytes(at, is, PAGE, "a mapped page");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "protect"))
		protect(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "id"))
		id(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "offline"))
		offline(argv[2]);
	else
		die("usage: seen WHAT FILE, see its source");
	return 0;
}
