// SPDX-License-Identifier: GPL-2.0-only
/*
 * twins - do the same random things to two directories and compare the answers
 *
 *	twins [-s SEED] [-n CALLS] [-b PERCENT] [-v] LEFT RIGHT [BELOW]
 *
 * LEFT is on foldfs, RIGHT directly on a filesystem of the lower kind; both are
 * empty at first. Each system call is made on both; results, errnos, bytes and
 * attributes must be the same. With BELOW, which is LEFT's lower directory, that
 * percentage of the calls by path goes there instead of to LEFT. At the end both
 * trees are compared as a whole, and BELOW too.
 *
 * Exit status: 0 the same, 1 a difference (which is described), 2 trouble.
 */
#include <grp.h>
#include <sys/fsuid.h>

#include "twins-calls.h"

static void random_path(char *path)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	int depth = 1 + (rnd(4) == 0) + (rnd(5) == 0);

	strcpy(path, names[rnd(5)]);
	while (--depth > 0) {
		strcat(path, "/");
		strcat(path, names[rnd(5)]);
	}
}

static off_t random_offset(void)
{
	off_t off = rnd(rnd(2) ? 40000 : 400000);

	return rnd(3) ? off : off & -BLOCK;
}

static void random_args(struct args *a)
{
	static const int access[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR };
	static const int extra[] = {
		O_CREAT, O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND,
		O_CREAT | O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_DIRECT, O_DSYNC,
		O_NOATIME, O_PATH, O_CREAT | O_APPEND, 0, 0,
	};

	memset(a, 0, sizeof(*a));
	random_path(a->path[0]);
	random_path(a->path[1]);
	a->slot[0] = rnd(SLOTS);
	a->slot[1] = rnd(SLOTS);
	a->flags = access[rnd(5)] | extra[rnd(16)];
	a->mode = rnd(4) ? 0777 : rnd(010000);
	if (rnd(2))
		a->flags &= ~(O_DIRECTORY | O_EXCL);
	a->off[0] = random_offset();
	a->off[1] = random_offset();
	a->len = rnd(4) ? rnd(20000) : rnd(400000);
	if (a->len && rnd(3) == 0)
		a->len = (a->len & -BLOCK) + BLOCK;
	a->fill = rnd(1u << 31);
	a->pick[0] = rnd(1u << 30);
	a->pick[1] = rnd(1u << 30);
}

static const struct call *random_call(void)
{
	static int total;
	int i, n;

	if (!total)
		for (i = 0; i < (int)CALLS; i++)
			total += calls[i].weight;
	n = rnd(total);
	for (i = 0; n >= calls[i].weight; i++)
		n -= calls[i].weight;
	return &calls[i];
}

/* File permission goes by the filesystem IDs: no need to become that user. */
static void become(int uid)
{
	setfsgid(uid);
	setfsuid(uid);
}

static void make(const struct call *c, struct twin *t, struct args *a, int uid,
		 struct outcome *o)
{
	struct stat st;

	/*
	 * The VFS takes the size of an open file from the upper inode, to which
	 * nobody has told yet what was done around the mount.
	 */
	for (int i = 0; percent_around && i < 2; i++)
		if (fstat(t->fd[a->slot[i]], &st) && errno != EBADF)
			err(2, "fstat");
	memset(o, 0, sizeof(*o));
	become(uid);
	errno = 0;
	o->ret = c->make(t, a, o);
	o->err = o->ret < 0 ? errno : 0;
	become(0);
}

static void show(const struct twin *t, const struct outcome *o)
{
	printf("  %s: %ld %s digest %016llx %s\n", t->name, o->ret,
	       o->err ? strerror(o->err) : "", (unsigned long long)o->digest, o->text);
}

static int compare_trees(int left, int right, const char *where, const char *which);

static int compare_files(int left, int right, const char *name, const char *where)
{
	int l = openat(left, name, O_RDONLY | O_NOFOLLOW);
	int r = openat(right, name, O_RDONLY | O_NOFOLLOW);
	unsigned char *half = buffer + BUFSIZE / 2;
	off_t off = 0;
	ssize_t n, m;

	if (l < 0 || r < 0)
		err(2, "%s/%s", where, name);
	do {
		n = pread(l, buffer, BUFSIZE / 2, off);
		m = pread(r, half, BUFSIZE / 2, off);
		if (n != m || n < 0 || memcmp(buffer, half, n)) {
			printf("%s/%s differs near %lld\n", where, name, (long long)off);
			return 1;
		}
		off += n;
	} while (n);
	close(l);
	close(r);
	return 0;
}

static int compare_entry(int left, int right, const char *name, const char *where,
			 const char *which)
{
	struct outcome lo = { 0 }, ro = { 0 };
	char path[512];
	struct statx x;
	int l, r, bad;

	if (statx(left, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x))
		err(2, "%s/%s", where, name);
	put_stat(&lo, &x);
	if (statx(right, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x))
		err(2, "%s/%s", where, name);
	put_stat(&ro, &x);
	if (strcmp(lo.text, ro.text)) {
		printf("%s: %s/%s: %s | %s\n", which, where, name, lo.text, ro.text);
		return 1;
	}
	if (S_ISREG(x.stx_mode))
		return compare_files(left, right, name, where);
	if (!S_ISDIR(x.stx_mode))
		return 0;
	l = openat(left, name, O_RDONLY | O_DIRECTORY);
	r = openat(right, name, O_RDONLY | O_DIRECTORY);
	if (l < 0 || r < 0)
		err(2, "%s/%s", where, name);
	snprintf(path, sizeof(path), "%s/%s", where, name);
	bad = compare_trees(l, r, path, which);
	close(l);
	close(r);
	return bad;
}

static int compare_trees(int left, int right, const char *where, const char *which)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	struct outcome lo = { 0 }, ro = { 0 };
	long ln, rn;
	int bad = 0;

	if (list_dir(left, ".", &lo, &ln) != list_dir(right, ".", &ro, &rn)) {
		printf("%s: %s:%s |%s\n", which, where, lo.text, ro.text);
		return 1;
	}
	for (int i = 0; i < 5 && !bad; i++)
		if (!faccessat(right, names[i], F_OK, AT_SYMLINK_NOFOLLOW))
			bad = compare_entry(left, right, names[i], where, which);
	return bad;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

static unsigned long run(struct twin *left, struct twin *right, unsigned long n)
{
	static const int uids[] = { 0, 0, 0, 1000, 2000 };
	struct outcome lo, ro;
	unsigned long good = 0;
	struct args a;

	for (unsigned long i = 0; i < n; i++) {
		const struct call *c = random_call();
		int uid = uids[rnd(5)];

		random_args(&a);
		a.around = c->by_path && rnd(100) < percent_around;
		make(c, left, &a, uid, &lo);
		make(c, right, &a, uid, &ro);
		good += ro.ret >= 0;
		if (verbose || lo.ret != ro.ret || lo.err != ro.err ||
		    lo.digest != ro.digest || strcmp(lo.text, ro.text)) {
			printf("%lu: %s%s as %d: %s %s slots %d %d flags 0%o mode 0%o off %lld %lld len %zu pick %u %u\n",
			       i, c->name, a.around ? " (below)" : "", uid,
			       a.path[0], a.path[1], a.slot[0], a.slot[1], a.flags,
			       a.mode, (long long)a.off[0], (long long)a.off[1],
			       a.len, a.pick[0], a.pick[1]);
			show(left, &lo);
			show(right, &ro);
			if (!verbose || lo.ret != ro.ret || lo.err != ro.err ||
			    lo.digest != ro.digest || strcmp(lo.text, ro.text))
				exit(1);
		}
	}
	return good;
}

int main(int argc, char **argv)
{
	struct twin left = { .name = "left " }, right = { .name = "right" };
	unsigned long n = 10000, good;
	int opt, i;

	while ((opt = getopt(argc, argv, "s:n:b:v")) != -1) {
		switch (opt) {
		case 's':
			state = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			n = strtoul(optarg, NULL, 0);
			break;
		case 'b':
			percent_around = strtoul(optarg, NULL, 0);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2 || argc - optind > 3)
		errx(2, "usage: twins [-s SEED] [-n CALLS] [-b PERCENT] LEFT RIGHT [BELOW]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	setgroups(0, NULL);
	buffer = aligned_alloc(BLOCK, BUFSIZE);
	if (!buffer)
		err(2, "aligned_alloc");
	left.root = left.below = open_dir(argv[optind]);
	right.root = right.below = open_dir(argv[optind + 1]);
	if (argc - optind == 3)
		left.below = open_dir(argv[optind + 2]);
	else
		percent_around = 0;
	for (i = 0; i < SLOTS; i++)
		left.fd[i] = right.fd[i] = -1;

	good = run(&left, &right, n);

	for (i = 0; i < SLOTS; i++) {
		close(left.fd[i]);
		close(right.fd[i]);
	}
	if (compare_trees(left.root, right.root, "", "left and right"))
		return 1;
	sync();
	if (compare_trees(left.below, right.root, "", "below and right"))
		return 1;
	printf("%lu calls, %lu of them successful, no difference\n", n, good);
	return 0;
}
