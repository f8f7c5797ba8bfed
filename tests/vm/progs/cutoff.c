// SPDX-License-Identifier: GPL-2.0-only
/*
 * cutoff DIR LOWER: A, of many small extents, is truncated below in a way that no
 * lease sees, which takes the lower filesystem a while. Whoever reads its clone
 * B through DIR meanwhile gets the bytes of B, and need not wait for A, though A
 * was there first to be asked for them.
 */
#include "util.h"

#define PAGES	6000UL

static char want[PAGE], got[PAGE];

/* Returns how long the read took. */
static uint64_t read_page(int b)
{
	static uint64_t at;
	uint64_t took;

	at = mix(at + 1);
	fill_bytes(want, 7, at % PAGES * PAGE, PAGE);
	took = now_us();
	if (pread(b, got, PAGE, at % PAGES * PAGE) != (ssize_t)PAGE)
		die_errno("short read of b");
	took = now_us() - took;
	same_bytes(got, want, PAGE, "b, while a is truncated");
	return took;
}

/* Who waited for the truncation would read once while it goes on, and hardly more. */
#define READS	10

/* Returns whether so many pages were read meanwhile. */
static bool run(const char *dir, const char *lower)
{
	struct file_clone_range r = { .src_length = PAGE };
	uint64_t began, took, longest = 0;
	unsigned long i, reads = 0;
	char *bytes = malloc(PAGES * PAGE);
	int a, b, below, status;
	struct stat st;
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

	below = open_in(lower, "a", O_RDONLY);
	pid = sys(fork());
	if (!pid) {
		close(open_in(lower, "a", O_RDONLY | O_TRUNC));
		_exit(0);
	}
	/* Its size goes first, with all locks held, and then extent by extent. */
	do {
		sys(fstat(below, &st));
	} while (st.st_size);
	began = now_us();
	while (!waitpid(pid, &status, WNOHANG)) {
		took = read_page(b);
		longest = MAX(longest, took);
		if (!(++reads % 400))
			sys(posix_fadvise(b, 0, 0, POSIX_FADV_DONTNEED));
	}
	took = now_us() - began;
	if (status)
		die("the truncation failed");
	printf("%lu pages read while a was truncated, in %llu us, one of them in %llu us\n", reads,
	       (unsigned long long)took, (unsigned long long)longest);
	for (i = 0; i < 4000; i++)
		read_page(b);
	if (pread(a, got, PAGE, 0))
		die("a still has bytes");
	close(below);
	close(a);
	close(b);
	free(bytes);
	return reads >= READS;
}

int main(int argc, char **argv)
{
	int tries;

	if (argc != 3)
		die("usage: cutoff DIR LOWER");
	for (tries = 0; tries < 20; tries++)
		if (run(argv[1], argv[2]))
			return 0;
	die("who reads b waits until a is truncated");
}
