// SPDX-License-Identifier: GPL-2.0-only
/*
 * cutoff DIR LOWER: A, of many small extents, is truncated below in a way that no
 * lease sees, which takes the lower filesystem a while. Whoever reads its clone
 * B through DIR meanwhile gets the bytes of B, and need not wait for A, though A
 * was there first to be asked for them.
 */
#include "util.h"

#define PAGES	6000UL
#define BATCH	20

static char want[PAGE], got[PAGE];

static void read_pages(int b, unsigned int nr)
{
	static uint64_t at;

	while (nr--) {
		at = mix(at + 1);
		fill_bytes(want, 7, at % PAGES * PAGE, PAGE);
		if (pread(b, got, PAGE, at % PAGES * PAGE) != (ssize_t)PAGE)
			die_errno("short read of b");
		same_bytes(got, want, PAGE, "b, while a is truncated");
	}
}

static unsigned long run(const char *dir, const char *lower)
{
	struct file_clone_range r = { .src_length = PAGE };
	unsigned long i, reads = 0;
	char *bytes = malloc(PAGES * PAGE);
	uint64_t began;
	int a, b, status;
	pid_t pid;

	/* The donor has the pages in another order, so nothing merges. */
	for (i = 0; i < PAGES; i++)
		fill_bytes(bytes + (PAGES - 1 - i) * PAGE, 7, i * PAGE, PAGE);
	r.src_fd = open_in(lower, "donor", O_RDWR | O_CREAT | O_TRUNC);
	write_all(r.src_fd, bytes, PAGES * PAGE, 0);
	sys(fsync(r.src_fd));
	a = open_in(lower, "a", O_RDWR | O_CREAT | O_TRUNC);
	for (i = 0; i < PAGES; i++) {
		r.src_offset = (PAGES - 1 - i) * PAGE;
		r.dest_offset = i * PAGE;
		sys(ioctl(a, FICLONERANGE, &r));
	}
	clone_to(a, lower, "b");
	close(a);
	close(r.src_fd);
	drop_caches();
	a = open_in(dir, "a", O_RDONLY);
	wait_joined(a, "a");
	b = open_in(dir, "b", O_RDONLY);
	wait_joined(b, "b");
	sys(posix_fadvise(b, 0, 0, POSIX_FADV_RANDOM));
	sys(posix_fadvise(b, 0, 0, POSIX_FADV_DONTNEED));

	began = now_us();
	pid = sys(fork());
	if (!pid) {
		close(open_in(lower, "a", O_RDONLY | O_TRUNC));
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		read_pages(b, BATCH);
		reads += BATCH;
		if (!(reads % 400))
			sys(posix_fadvise(b, 0, 0, POSIX_FADV_DONTNEED));
	}
	if (status)
		die("the truncation failed");
	printf("%lu pages read while a was truncated, for %llu ms\n", reads,
	       (unsigned long long)(now_us() - began) / 1000);
	for (i = 0; i < 200; i++)
		read_pages(b, BATCH);
	if (pread(a, got, PAGE, 0))
		die("a still has bytes");
	close(a);
	close(b);
	free(bytes);
	return reads;
}

int main(int argc, char **argv)
{
	int tries;

	if (argc != 3)
		die("usage: cutoff DIR LOWER");
	for (tries = 0; tries < 5; tries++)
		if (run(argv[1], argv[2]) > BATCH)
			return 0;
	die("who reads b waits until a is truncated");
}
