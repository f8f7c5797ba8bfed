// SPDX-License-Identifier: GPL-2.0-only
/*
 * breaks DIR LOWER EXPECT: one change after the other, each to one of three
 * clones, while two processes hold descriptors and mappings of all three.
 *
 * DIR is a foldfs over LOWER (or DIR equals LOWER: a run that only shows that
 * the expectations are right). After each change both processes must see the new
 * bytes of the victim and the old ones of the others, through everything they
 * hold, and at most the touched blocks may have been duplicated. What each file
 * must hold in the end is left in EXPECT for a comparison after a remount.
 */
#include "util.h"

#define SIZE	(256 * PAGE + 1234)	/* at the beginning, with a tail */
#define ROOM	(512 * PAGE)
#define OFF	300001UL		/* inside block 73 */
#define AT	(100 * PAGE)
#define FILES	3			/* the victim is the second one */
#define VICTIM	1
#define DONOR	9			/* id of the data of other files */

struct model {
	size_t size;
	char bytes[ROOM];
};

struct view {
	int fd;
	char *shared, *private;
};

static struct model *models;		/* [FILES], seen by both processes */
static struct view views[FILES];
static const char *dir, *lower, *op_name;
static int victim_w = -1;		/* open for writing, and mapped so, since the join */
static char *victim_map;
static int donor;
static bool on_foldfs;

/* ---- looking at the files --------------------------------------------------- */

static void look(int i, const char *who)
{
	static char buf[ROOM + PAGE], what[200];
	struct model *m = &models[i];
	size_t mapped = ALIGN(m->size, PAGE), n;
	struct stat st;
	int ends[2];
	char *fresh;

	snprintf(what, sizeof(what), "%s: %s's %s", op_name, who, i == VICTIM ? "victim" : "clone");
	sys(fstat(views[i].fd, &st));
	if ((size_t)st.st_size != m->size)
		die("%s has %lld bytes, expected %zu", what, (long long)st.st_size, m->size);
	n = read_all(views[i].fd, buf, sizeof(buf), 0);
	if (n != m->size)
		die("%s: read %zu bytes, expected %zu", what, n, m->size);
	same_bytes(buf, m->bytes, n, what);
	/* The model is zero behind the end, as the last page must be. */
	strcat(what, ", shared mapping");
	same_bytes(views[i].shared, m->bytes, mapped, what);
	strcat(what, " (private)");
	same_bytes(views[i].private, m->bytes, mapped, what);
	if (m->size) {
		fresh = mmap(NULL, m->size, PROT_READ, MAP_SHARED, views[i].fd, 0);
		if (fresh == MAP_FAILED)
			die_errno("mmap");
		strcat(what, " (fresh)");
		same_bytes(fresh, m->bytes, mapped, what);
		munmap(fresh, m->size);
	}
	/* A page behind the end: write(2) turns its SIGBUS into an error. */
	sys(pipe(ends));
	if (write(ends[1], views[i].shared + mapped, 1) >= 0 || errno != EFAULT)
		die("%s: a page behind the end can be read", what);
	close(ends[0]);
	close(ends[1]);
}

static void look_at_all(const char *who)
{
	int i;

	for (i = 0; i < FILES; i++)
		look(i, who);
}

static void open_views(char names[FILES][32])
{
	char byte;
	int i;

	for (i = 0; i < FILES; i++) {
		struct view *v = &views[i];

		v->fd = open_in(dir, names[i], O_RDONLY);
		sys(read(v->fd, &byte, 1));
	}
	for (i = 0; i < FILES && on_foldfs; i++)
		wait_joined(views[i].fd, names[i]);
	/* What was read below before the files had joined. */
	drop_caches();
	for (i = 0; i < FILES; i++) {
		struct view *v = &views[i];

		v->shared = mmap(NULL, ROOM + PAGE, PROT_READ, MAP_SHARED, v->fd, 0);
		v->private = mmap(NULL, ROOM + PAGE, PROT_READ, MAP_PRIVATE, v->fd, 0);
		if (v->shared == MAP_FAILED || v->private == MAP_FAILED)
			die_errno("mmap");
	}
}

static void close_views(void)
{
	int i;

	for (i = 0; i < FILES; i++) {
		munmap(views[i].shared, ROOM + PAGE);
		munmap(views[i].private, ROOM + PAGE);
		close(views[i].fd);
	}
}

/* The second process: looks whenever it is told, until it is told to end. */
static pid_t start_peer(char names[FILES][32], int *ask, int *answer)
{
	int to[2], from[2];
	pid_t pid;
	char c;

	sys(pipe(to));
	sys(pipe(from));
	pid = sys(fork());
	if (pid) {
		close(to[0]);
		close(from[1]);
		*ask = to[1];
		*answer = from[0];
		return pid;
	}
	close(to[1]);
	open_views(names);
	while (read(to[0], &c, 1) == 1) {
		look_at_all("the peer");
		sys(write(from[1], &c, 1));
	}
	_exit(0);
}

static void peer_looks(int ask, int answer)
{
	struct pollfd p = { .fd = answer, .events = POLLIN };
	char c = 0;

	sys(write(ask, &c, 1));
	if (poll(&p, 1, 30000) != 1 || read(answer, &c, 1) != 1)
		die("%s: the peer failed, or hangs", op_name);
}

/* ---- the changes; each also changes the model --------------------------------- */

static struct model *v;			/* the victim's */

static void resize(size_t size)
{
	if (size < v->size)
		memset(v->bytes + size, 0, v->size - size);
	v->size = size;
}

static void fallocate_victim(int mode, off_t off, off_t len)
{
	if (fallocate(victim_w, mode, off, len))
		die_errno("%s: fallocate %#x", op_name, mode);
}

static void op_write(void)
{
	write_all(victim_w, "!", 1, OFF);
	v->bytes[OFF] = '!';
}

static void op_write_new_fd(void)
{
	int fd = open_in(dir, "write-new-fd.1", O_WRONLY);

	write_all(fd, "!", 1, OFF);
	close(fd);
	v->bytes[OFF] = '!';
}

static void op_direct(void)
{
	int fd = open_in(dir, "direct.1", O_WRONLY | O_DIRECT);
	char *buf = aligned_alloc(PAGE, PAGE);

	memcpy(buf, v->bytes + AT, PAGE);
	buf[77] ^= 1;
	v->bytes[AT + 77] ^= 1;
	write_all(fd, buf, PAGE, AT);
	free(buf);
	close(fd);
}

static void op_mapped(void)
{
	victim_map[OFF] = '!';
	v->bytes[OFF] = '!';
}

static void op_truncate_down(void)
{
	sys(ftruncate(victim_w, OFF));
	resize(OFF);
}

static void op_truncate_up(void)
{
	sys(ftruncate(victim_w, SIZE + 5 * PAGE + 1));
	resize(SIZE + 5 * PAGE + 1);
}

static void op_truncate_down_up(void)
{
	char *path = path_of(dir, "truncate-down-up.1");

	sys(truncate(path, OFF));
	sys(truncate(path, SIZE));
	resize(OFF);
	resize(SIZE);
	free(path);
}

static void op_punch(void)
{
	fallocate_victim(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, OFF, 5000);
	memset(v->bytes + OFF, 0, 5000);
}

static void op_zero(void)
{
	fallocate_victim(FALLOC_FL_ZERO_RANGE, OFF, 9000);
	memset(v->bytes + OFF, 0, 9000);
}

static void op_insert(void)
{
	fallocate_victim(FALLOC_FL_INSERT_RANGE, AT, 3 * PAGE);
	memmove(v->bytes + AT + 3 * PAGE, v->bytes + AT, v->size - AT);
	memset(v->bytes + AT, 0, 3 * PAGE);
	v->size += 3 * PAGE;
}

static void op_collapse(void)
{
	fallocate_victim(FALLOC_FL_COLLAPSE_RANGE, AT, 5 * PAGE);
	memmove(v->bytes + AT, v->bytes + AT + 5 * PAGE, v->size - AT - 5 * PAGE);
	resize(v->size - 5 * PAGE);
}

static void op_unshare(void)
{
	fallocate_victim(FALLOC_FL_UNSHARE_RANGE, AT, 2 * PAGE);
}

static void op_extend(void)
{
	fallocate_victim(0, SIZE - 10, 20000);
	resize(SIZE - 10 + 20000);
}

static void op_append(void)
{
	int fd = open_in(dir, "append.1", O_WRONLY | O_APPEND);

	sys(write(fd, "abc", 3));
	close(fd);
	memcpy(v->bytes + v->size, "abc", 3);
	v->size += 3;
}

static void op_copy(void)
{
	loff_t from = 5000, to = OFF;
	size_t left = 3000;

	while (left)
		left -= sys(copy_file_range(donor, &from, victim_w, &to, left, 0));
	read_all(donor, v->bytes + OFF, 3000, 5000);
}

static void op_clone_into(void)
{
	struct file_clone_range r = { donor, 3 * PAGE, 4 * PAGE, AT };

	sys(ioctl(victim_w, FICLONERANGE, &r));
	read_all(donor, v->bytes + AT, 4 * PAGE, 3 * PAGE);
}

static void op_clone_whole(void)
{
	sys(ioctl(victim_w, FICLONE, donor));
	read_all(donor, v->bytes, ROOM, 0);
}

static void op_dedupe(void)
{
	struct {
		struct file_dedupe_range r;
		struct file_dedupe_range_info info;
	} d = { { 8 * PAGE, 2 * PAGE, 1, 0, 0 }, { victim_w, AT, 0, 0, 0 } };
	int fd;

	/* Another file with the same bytes in other blocks. */
	make_file(dir, "dedupe.other", DONOR, 16 * PAGE);
	fd = open_in(dir, "dedupe.other", O_RDWR);
	write_all(fd, v->bytes + AT, 2 * PAGE, 8 * PAGE);
	sys(fsync(fd));
	sys(ioctl(fd, FIDEDUPERANGE, &d));
	close(fd);
	if (d.info.status != FILE_DEDUPE_RANGE_SAME || d.info.bytes_deduped != 2 * PAGE)
		die("dedupe: status %d, %llu bytes", d.info.status, d.info.bytes_deduped);
}

static void op_open_trunc(void)
{
	close(open_in(dir, "open-trunc.1", O_WRONLY | O_TRUNC));
	resize(0);
}

static void op_splice(void)
{
	loff_t to = OFF;
	int ends[2];

	sys(pipe(ends));
	sys(write(ends[1], "spliced", 7));
	if (splice(ends[0], NULL, victim_w, &to, 7, 0) != 7)
		die_errno("splice");
	memcpy(v->bytes + OFF, "spliced", 7);
	close(ends[0]);
	close(ends[1]);
}

static void op_from_own_mapping(void)
{
	/* The source is a shared page of the very file that changes. */
	if (pwrite(victim_w, views[VICTIM].shared + AT + 5, 100, OFF) != 100)
		die_errno("pwrite from the file's own mapping");
	memcpy(v->bytes + OFF, v->bytes + AT + 5, 100);
}

#define REST	(SIZE / PAGE + 8)	/* a change moves all that follows */

static const struct op {
	const char *name;
	void (*change)(void);
	long touched;			/* pages that may be duplicated */
	long donated;			/* pages of the donor that may have joined */
} ops[] = {
	{ "write", op_write, 1, 0 },
	{ "write-new-fd", op_write_new_fd, 1, 0 },
	{ "direct", op_direct, 1, 0 },
	{ "mapped", op_mapped, 1, 0 },
	{ "truncate-down", op_truncate_down, 1, 0 },
	{ "truncate-up", op_truncate_up, 7, 0 },
	{ "truncate-down-up", op_truncate_down_up, REST - OFF / PAGE, 0 },
	{ "punch", op_punch, 3, 0 },
	{ "zero", op_zero, 4, 0 },
	{ "insert", op_insert, REST - AT / PAGE, 0 },
	{ "collapse", op_collapse, REST - AT / PAGE, 0 },
	{ "unshare", op_unshare, 2, 0 },
	{ "extend", op_extend, 6, 0 },
	{ "append", op_append, 1, 0 },
	{ "copy-range", op_copy, 2, 0 },
	{ "clone-range", op_clone_into, 4, 4 },
	{ "clone-whole", op_clone_whole, REST, REST },
	{ "dedupe", op_dedupe, 2, 0 },
	{ "open-trunc", op_open_trunc, 0, 0 },
	{ "splice", op_splice, 1, 0 },
	{ "own-mapping", op_from_own_mapping, 1, 0 },
};

/* ---- one change ---------------------------------------------------------------- */

static void leave_expectations(const char *expect, char names[FILES][32])
{
	int i;

	for (i = 0; i < FILES; i++) {
		int fd = open_in(expect, names[i], O_WRONLY | O_CREAT | O_TRUNC);

		write_all(fd, models[i].bytes, models[i].size, 0);
		close(fd);
	}
}

static void run_op(const struct op *op, const char *expect)
{
	int ask, answer, i, low[FILES];
	long before = 0, private, duplicated;
	char names[FILES][32];
	pid_t peer;

	op_name = op->name;
	printf("%s\n", op_name);
	fflush(NULL);
	for (i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "%s.%d", op_name, i);
		memset(&models[i], 0, sizeof(models[i]));
		models[i].size = SIZE;
		fill_bytes(models[i].bytes, 1, 0, SIZE);
		if (!i) {
			make_file(dir, names[0], 1, SIZE);
			low[0] = open_in(dir, names[0], O_RDONLY);
		} else {
			clone_to(low[0], dir, names[i]);
		}
	}
	close(low[0]);
	for (i = 0; i < FILES; i++)
		low[i] = open_in(lower, names[i], O_RDONLY);
	drop_caches();

	open_views(names);
	look_at_all("the first look");
	peer = start_peer(names, &ask, &answer);
	peer_looks(ask, answer);
	victim_w = open_in(dir, names[VICTIM], O_RDWR);
	victim_map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, victim_w, 0);
	if (victim_map == MAP_FAILED)
		die_errno("mmap");
	look_at_all("the second look");
	same_bytes(victim_map, models[VICTIM].bytes, SIZE, "writable mapping");
	if (on_foldfs) {
		for (i = 0; i < FILES; i++)
			if (pages_of(low[i]))
				die("%s: %ld pages of joined file %d are cached below", op_name,
				    pages_of(low[i]), i);
		before = counter(victim_w, "pages_cached");
	}

	v = &models[VICTIM];
	op->change();
	look_at_all("the writer");
	peer_looks(ask, answer);
	same_bytes(victim_map, v->bytes, ALIGN(v->size, PAGE), "writable mapping, changed");
	if (on_foldfs) {
		private = pages_of(low[0]) + pages_of(low[1]) + pages_of(low[2]);
		/* Who is cloned joins when he is read, and is cached there then. */
		duplicated = private + counter(victim_w, "pages_cached") - before - op->donated;
		printf("  %ld pages below, %ld duplicated\n", private, duplicated);
		if (private > op->touched || duplicated > op->touched)
			die("%s: %ld pages below and %ld duplicated, expected at most %ld", op_name,
			    private, duplicated, op->touched);
	}

	leave_expectations(expect, names);
	munmap(victim_map, ROOM);
	close(victim_w);
	close_views();
	close(ask);
	close(answer);
	if (reap_within(peer, 10, "the peer"))
		die("%s: the peer failed", op_name);
	for (i = 0; i < FILES; i++)
		close(low[i]);
}

int main(int argc, char **argv)
{
	const char *only = argc > 4 ? argv[4] : NULL;
	unsigned int i;

	if (argc < 4)
		die("usage: breaks DIR LOWER EXPECT [CHANGE]");
	dir = argv[1];
	lower = argv[2];
	signal(SIGPIPE, SIG_IGN);
	models = sys(mmap(NULL, FILES * sizeof(*models), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	make_file(dir, "donor", DONOR, SIZE);
	donor = open_in(dir, "donor", O_RDONLY);
	on_foldfs = fold_state(donor) >= 0;
	if (strcmp(dir, lower) && !on_foldfs)
		die("%s is no foldfs", dir);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!only || !strcmp(only, ops[i].name))
			run_op(&ops[i], argv[3]);
	return 0;
}
