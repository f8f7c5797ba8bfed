// SPDX-License-Identifier: GPL-2.0-only
/*
 * coldsource DIR: write(2) whose source is a cold mapping, and read(2) into one,
 * of the same file, of its clone, and of the file through which the fragment is
 * filled. Each must end in time and leave the right bytes.
 */
#include "util.h"
#include <sys/uio.h>

#define SIZE	(1UL << 20)
#define LEN	(SIZE / 2)
#define ID	5

static const char *dir;
static char *orig;		/* what all three files hold at first */

/* One transfer between file TARGET and a mapping of file SOURCE. */
struct transfer {
	const char *target, *source;
	int kind;
};

enum { WRITE, DIRECT, VECTOR, APPEND, SPLICE, READ, READ_DIRECT, NR_KINDS };

static const char *const kinds[NR_KINDS] = {
	"write", "direct write", "vectored write", "append", "vmsplice and splice", "read",
	"direct read",
};

/* Halves change places: the write goes where the mapping is not. */
static void write_from(const struct transfer *t, char *want)
{
	bool direct = t->kind == DIRECT;
	int src = open_in(dir, t->source, O_RDONLY);
	int fd = open_in(dir, t->target, (direct ? O_DIRECT : 0) |
			 (t->kind == APPEND ? O_APPEND : 0) | O_WRONLY);
	char *map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, src, 0);
	struct iovec iov[2] = { { map + 3, LEN / 2 }, { map + LEN / 2 + 3, LEN / 2 - 3 } };
	size_t done = 0, len = LEN;
	loff_t off = LEN;
	int ends[2];
	ssize_t n;

	if (map == MAP_FAILED)
		die_errno("mmap");
	memcpy(want, orig, SIZE);
	if (t->kind == VECTOR) {
		len = LEN - 3;
		n = pwritev(fd, iov, 2, off);
		if (n != (ssize_t)len)
			die_errno("%s gave %zd", kinds[t->kind], n);
		memcpy(want + LEN, orig + 3, len);
	} else if (t->kind == SPLICE) {
		sys(pipe(ends));
		while (done < len) {
			struct iovec v = { map + done, MIN(len - done, 8 * PAGE) };
			size_t in = sys(vmsplice(ends[1], &v, 1, 0));

			for (done += in; in; in -= n)
				n = sys(splice(ends[0], NULL, fd, &off, in, 0));
		}
		memcpy(want + LEN, orig, LEN);
	} else {
		for (; done < len; done += n) {
			n = t->kind == APPEND ? write(fd, map + done, len - done) :
					pwrite(fd, map + done, len - done, off + done);
			if (n <= 0)
				die_errno("%s of %s from %s", kinds[t->kind], t->target, t->source);
		}
		memcpy(want + (t->kind == APPEND ? SIZE : LEN), orig, LEN);
	}
	munmap(map, LEN);
	close(fd);
	close(src);
}

/* Into a private copy, and into a shared mapping that breaks as it is written. */
static void read_into(const struct transfer *t)
{
	bool direct = t->kind == READ_DIRECT;
	int fd = open_in(dir, t->target, O_RDONLY | (direct ? O_DIRECT : 0));
	int other = open_in(dir, t->source, O_RDWR);
	char *want = malloc(SIZE), *map;
	int shared;

	for (shared = 0; shared < 2; shared++) {
		map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE,
			   other, 0);
		if (map == MAP_FAILED)
			die_errno("mmap");
		if (pread(fd, map + LEN, LEN, 0) != (ssize_t)LEN)
			die_errno("%s of %s into %s", kinds[t->kind], t->target, t->source);
		memcpy(want, orig, LEN);
		memcpy(want + LEN, orig, LEN);
		same_bytes(map, want, SIZE, kinds[t->kind]);
		munmap(map, SIZE);
		if (shared)
			break;
		map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, other, 0);
		same_bytes(map, orig, SIZE, "the file behind a private mapping");
		munmap(map, SIZE);
		drop_caches();
	}
	close(fd);
	close(other);
	free(want);
}

static void run(void *arg)
{
	const struct transfer *t = arg;
	char *want = calloc(1, 2 * SIZE), *got = calloc(1, 2 * SIZE);
	int fd;
	size_t size = SIZE;

	if (t->kind >= READ) {
		read_into(t);
		memcpy(want, orig, LEN);
		memcpy(want + LEN, orig, LEN);
		fd = open_in(dir, t->source, O_RDONLY);
	} else {
		write_from(t, want);
		size += t->kind == APPEND ? LEN : 0;
		fd = open_in(dir, t->target, O_RDONLY);
	}
	if (read_all(fd, got, 2 * SIZE, 0) != size)
		die("%s: short read", kinds[t->kind]);
	same_bytes(got, want, size, kinds[t->kind]);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "first", "second", "third" };
	struct transfer t;
	char what[100], *got = malloc(SIZE);
	int i, j, k;

	if (argc != 2)
		die("usage: coldsource DIR");
	dir = argv[1];
	orig = malloc(SIZE);
	fill_bytes(orig, ID, 0, SIZE);
	for (t.kind = 0; t.kind < NR_KINDS; t.kind++)
		for (i = 0; i < 2; i++)
			for (j = 0; j < 2; j++) {
				t.target = names[i];
				t.source = names[j];
				snprintf(what, sizeof(what), "%s, target %s, source %s", kinds[t.kind],
					 t.target, t.source);
				printf("%s\n", what);
				make_file(dir, "first", ID, SIZE);
				for (k = 0; k < 3; k++) {
					int fd = open_in(dir, names[k], O_RDONLY | O_CREAT);

					if (!k) {
						clone_to(fd, dir, "second");
						clone_to(fd, dir, "third");
						drop_caches();
					}
					/* The first one to join is who fills. */
					if (fold_state(fd) >= 0)
						wait_joined(fd, names[k]);
					close(fd);
				}
				drop_caches();
				within(30, what, run, &t);
				/* Whoever took no part has not changed. */
				for (k = 0; k < 3; k++) {
					int fd = open_in(dir, names[k], O_RDONLY);

					if (k != i && k != j) {
						if (read_all(fd, got, SIZE, 0) != SIZE)
							die("%s: short read", what);
						same_bytes(got, orig, SIZE, names[k]);
					}
					close(fd);
				}
			}
	return 0;
}
