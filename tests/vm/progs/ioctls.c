// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls WHAT DIR LOWER: ioctls that foldfs hands to the lower filesystem.
 *
 * same: every command number, with each direction and many sizes, asked by a
 *	user of files that he may only read, has the errno that XFS has; afterwards
 *	the file shares as it did.
 * exec: meanwhile others execute it.
 * rename: a user asks for handles by path, while root renames over the file.
 * exchange, swap: two files of the mount exchange bytes, as on XFS.
 * label: whether root may set the label.
 * snapshot, subvolume: makes NAME in DIR, on Btrfs.
 */
#include "util.h"
#include <linux/btrfs.h>
#include <sys/prctl.h>

#define USER	1000
#define PAGES	64UL
#define SIZE	(PAGES * PAGE)

struct handle_request {
	uint32_t fd;
	void *path;
	uint32_t oflags;
	void *ihandle;
	uint32_t ihandlen;
	void *ohandle;
	uint32_t *ohandlen;
};

struct exchange_range {
	int32_t fd;
	uint32_t pad;
	uint64_t offset1, offset2, length, flags;
};

struct commit_range {
	struct exchange_range range;
	uint64_t freshness[6];
};

struct bstat {
	uint64_t ino;
	uint16_t mode, nlink;
	uint32_t uid, gid, rdev;
	int32_t blksize;
	int64_t size;
	int64_t atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	char rest[80];
};

struct swapext {
	int64_t version, target, tmp, offset, length;
	char pad[16];
	struct bstat stat;
};

#define PATH_TO_HANDLE	_IOWR('X', 105, struct handle_request)
#define EXCHANGE_RANGE	_IOW('X', 129, struct exchange_range)
#define START_COMMIT	_IOR('X', 130, struct commit_range)
#define COMMIT_RANGE	_IOW('X', 131, struct commit_range)
#define SWAPEXT		_IOC(_IOC_READ | _IOC_WRITE, 'X', 109, 192)
#define TO_EOF		1ULL
#define SETLABEL	_IOW(0x94, 50, char[256])
#define GETLABEL	_IOR(0x94, 49, char[256])

static const char *dir, *lower;

static void become_user(void)
{
	sys(setgid(USER));
	sys(setuid(USER));
}

/* ---- every command ------------------------------------------------------------------ */

/* What is done to the descriptor itself, and not to what it is open for. */
static bool is_of_the_kernel(unsigned int cmd)
{
	return cmd == FIONREAD || cmd == FIONBIO || cmd == FIOASYNC || cmd == FIOCLEX ||
	       cmd == FIONCLEX || cmd == FOLDFS_IOC_MAP;
}

static int errno_of(int fd, unsigned int cmd, char *arg)
{
	memset(arg, 0, 4 * PAGE);
	return ioctl(fd, cmd, arg) < 0 ? errno : 0;
}

static long ask_all(int fd, int below, bool compare)
{
	static const unsigned char types[] = { 'X', 'f', 'v', 0x94, 'T', 0 };
	/* Of every size some, and all that XFS and Btrfs know. */
	static const unsigned int sizes[] = {
		0, 1, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 88, 96, 100, 108, 112,
		128, 164, 192, 200, 256, 1024, 4096, 8192, 16383
	};
	char *arg = sys(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	unsigned int t, nr, way, s, cmd;
	int above, want;
	long asked = 0;

	for (t = 0; t < sizeof(types); t++)
		for (nr = 0; nr < 256; nr++)
			for (way = 0; way < 4; way++)
				for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
					cmd = _IOC(way, types[t], nr, sizes[s]);
					if (is_of_the_kernel(cmd))
						continue;
					asked++;
					above = errno_of(fd, cmd, arg);
					if (!compare)
						continue;
					want = errno_of(below, cmd, arg);
					if (above != want)
						die("command %#x: errno %d, below %d", cmd, above,
						    want);
				}
	return asked;
}

static void ask(void)
{
	int fd = open_in(dir, "a", O_RDONLY), below = open_in(lower, "a", O_RDONLY);
	int dirfd = sys(open(dir, O_RDONLY)), dirbelow = sys(open(lower, O_RDONLY));
	long before = counter(fd, "breaks"), refs = counter(fd, "references"), asked;
	pid_t user = sys(fork());
	int status;

	/* The counters are root's, who asks nothing. */
	if (!user) {
		become_user();
		asked = ask_all(fd, below, true);
		asked += ask_all(dirfd, dirbelow, true);
		printf("%ld commands\n", asked);
		exit(0);
	}
	sys(waitpid(user, &status, 0));
	if (status)
		die("the user's wait status is %#x", status);
	if (counter(fd, "breaks") != before || counter(fd, "references") != refs)
		die("asking has ended sharing: %ld breaks, %ld references of %ld",
		    counter(fd, "breaks") - before, counter(fd, "references"), refs);
}

static void exec_meanwhile(void)
{
	char *path = path_of(dir, "true");
	int fd = open_in(dir, "true", O_RDONLY), i, status;
	pid_t asker, pid;

	asker = sys(fork());
	if (!asker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		become_user();
		for (;;)
			ask_all(fd, -1, false);
	}
	for (i = 0; i < 200; i++) {
		pid = sys(fork());
		if (!pid) {
			execl(path, "true", NULL);
			_exit(errno == ETXTBSY ? 26 : 99);
		}
		sys(waitpid(pid, &status, 0));
		if (status)
			die("execution %d while somebody asks: wait status %#x%s", i, status,
			    WEXITSTATUS(status) == 26 ? ", text file busy" : "");
	}
	kill(asker, SIGKILL);
	waitpid(asker, NULL, 0);
	free(path);
}

/* ---- names and locks ---------------------------------------------------------------- */

static void ask_by_path(const char *path, int *asked)
{
	int fd = sys(open(path, O_RDONLY));
	char handle[256];
	uint32_t len;
	struct handle_request r = {
		.path = (void *)path, .ohandle = handle, .ohandlen = &len,
	};

	become_user();
	for (;;) {
		ioctl(fd, PATH_TO_HANDLE, &r);
		__atomic_add_fetch(asked, 1, __ATOMIC_RELAXED);
	}
}

/* The name is in the directory of the mount, and what it leads to changes. */
static void rename_over(void *unused)
{
	char *a = path_of(dir, "r"), *b = path_of(dir, "s");
	int *asked = sys(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid_t pids[4];
	int i, j;

	(void)unused;
	make_file(dir, "r", 1, SIZE);
	for (i = 0; i < 4; i++) {
		pids[i] = sys(fork());
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			ask_by_path(a, asked);
		}
	}
	while (__atomic_load_n(asked, __ATOMIC_RELAXED) < 100)
		sleep_ms(1);
	for (j = 0; j < 2000; j++) {
		close(open_in(dir, "s", O_RDWR | O_CREAT));
		sys(rename(b, a));
	}
	for (i = 0; i < 4; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(a);
	free(b);
}

/* ---- two files ---------------------------------------------------------------------- */

static char want[2][SIZE];

static void look(const char *what)
{
	static const char *const names[] = { "x", "y" };
	static char buf[SIZE];
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = open_in(dir, names[i], O_RDONLY);
		read_all(fd, buf, SIZE, 0);
		same_bytes(buf, want[i], SIZE, what);
		close(fd);
		fd = open_in(lower, names[i], O_RDONLY);
		read_all(fd, buf, SIZE, 0);
		same_bytes(buf, want[i], SIZE, what);
		close(fd);
	}
}

static void trade(size_t off1, size_t off2, size_t len)
{
	static char tmp[SIZE];

	memcpy(tmp, want[0] + off1, len);
	memcpy(want[0] + off1, want[1] + off2, len);
	memcpy(want[1] + off2, tmp, len);
}

/* Files that share with clones of theirs, mapped. */
static void two_files(int fd[2], char *map[2])
{
	static const char *const names[] = { "x", "y" };
	static const char *const clones[] = { "cx", "cy" };
	int i;

	for (i = 0; i < 2; i++) {
		make_file(dir, names[i], 100 + i, SIZE);
		fill_bytes(want[i], 100 + i, 0, SIZE);
		fd[i] = open_in(dir, names[i], O_RDONLY);
		clone_to(fd[i], dir, clones[i]);
		drop_caches();
		if (fold_state(fd[i]) >= 0)
			wait_joined(fd[i], names[i]);
		close(fd[i]);
		fd[i] = open_in(dir, names[i], O_RDWR);
		map[i] = sys(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd[i], 0));
		same_bytes(map[i], want[i], SIZE, names[i]);
	}
}

static void same_maps(char *map[2], const char *what)
{
	same_bytes(map[0], want[0], SIZE, what);
	same_bytes(map[1], want[1], SIZE, what);
	look(what);
}

static void try(int fd, unsigned long cmd, void *arg, int error, const char *what)
{
	int got = ioctl(fd, cmd, arg) < 0 ? errno : 0;

	if (got != error)
		die("%s: errno %d, expected %d", what, got, error);
}

static void exchange(bool has)
{
	struct exchange_range r = { .offset1 = 4 * PAGE, .offset2 = 8 * PAGE, .length = 16 * PAGE };
	struct commit_range c = { };
	int fd[2], ro, outside, ends[2];
	char *map[2];

	two_files(fd, map);
	r.fd = fd[0];
	try(fd[1], EXCHANGE_RANGE, &r, has ? 0 : EOPNOTSUPP, "exchange");
	if (has)
		trade(4 * PAGE, 8 * PAGE, 16 * PAGE);
	same_maps(map, "after an exchange");
	if (!has)
		return;
	/* One page of it with itself in the same file. */
	r = (struct exchange_range){ .fd = fd[1], .offset1 = 0, .offset2 = PAGE, .length = PAGE };
	try(fd[1], EXCHANGE_RANGE, &r, 0, "within a file");
	memcpy(want[1] + PAGE, map[1] + PAGE, PAGE);
	memcpy(want[1], map[1], PAGE);
	look("within a file");
	c.range = (struct exchange_range){ .fd = fd[0], .flags = TO_EOF };
	try(fd[1], START_COMMIT, &c, 0, "start of a commit");
	c.range = (struct exchange_range){ .fd = fd[0], .flags = TO_EOF };
	try(fd[1], COMMIT_RANGE, &c, 0, "commit");
	trade(0, 0, SIZE);
	same_maps(map, "after a commit");
	c.range.fd = fd[0];
	try(fd[1], COMMIT_RANGE, &c, EBUSY, "commit of old");

	ro = open_in(dir, "x", O_RDONLY);
	r = (struct exchange_range){ .fd = ro, .length = PAGE };
	try(fd[1], EXCHANGE_RANGE, &r, EBADF, "with one open for reading");
	outside = open_in(lower, "x", O_RDWR);
	r.fd = outside;
	try(fd[1], EXCHANGE_RANGE, &r, EXDEV, "with a lower file");
	r.fd = 999;
	try(fd[1], EXCHANGE_RANGE, &r, EBADF, "with none");
	sys(pipe(ends));
	r.fd = ends[0];
	try(fd[1], EXCHANGE_RANGE, &r, EXDEV, "with a pipe");
	try(fd[1], EXCHANGE_RANGE, NULL, EFAULT, "without an argument");
	same_maps(map, "after refusals");
}

static void swap(void)
{
	struct swapext s = { };
	struct stat st;
	int fd[2];
	char *map[2];

	two_files(fd, map);
	sys(fsync(fd[0]));
	sys(fsync(fd[1]));
	sys(fstat(fd[0], &st));
	s.target = fd[0];
	s.tmp = fd[1];
	s.length = SIZE;
	s.stat.mtime = st.st_mtim.tv_sec;
	s.stat.mtime_nsec = st.st_mtim.tv_nsec;
	s.stat.ctime = st.st_ctim.tv_sec;
	s.stat.ctime_nsec = st.st_ctim.tv_nsec;
	try(fd[0], SWAPEXT, &s, 0, "swap of extents");
	trade(0, 0, SIZE);
	same_maps(map, "after a swap of extents");
	s.tmp = 999;
	try(fd[0], SWAPEXT, &s, EINVAL, "swap with none");
	s.tmp = open_in(dir, "y", O_RDONLY);
	try(fd[0], SWAPEXT, &s, EBADF, "swap with one open for reading");
	same_maps(map, "after refusals");
}

/* ---- what changes the filesystem --------------------------------------------------- */

static int label(const char *text)
{
	char buf[256] = "";
	int fd = sys(open(dir, O_RDONLY));

	strncpy(buf, text, sizeof(buf) - 1);
	if (ioctl(fd, SETLABEL, buf)) {
		perror("label");
		return 1;
	}
	return 0;
}

static int subvolume(const char *name, const char *source)
{
	struct btrfs_ioctl_vol_args args = { .fd = source ? sys(open(source, O_RDONLY)) : -1 };
	int fd = sys(open(dir, O_RDONLY));

	strncpy(args.name, name, sizeof(args.name) - 1);
	if (ioctl(fd, source ? BTRFS_IOC_SNAP_CREATE : BTRFS_IOC_SUBVOL_CREATE, &args)) {
		perror("subvolume");
		return 1;
	}
	return 0;
}

static int destroy(const char *name)
{
	struct btrfs_ioctl_vol_args args = { };
	int fd = sys(open(dir, O_RDONLY));

	strncpy(args.name, name, sizeof(args.name) - 1);
	if (ioctl(fd, BTRFS_IOC_SNAP_DESTROY, &args)) {
		perror("destroy");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "";

	if (argc < 4)
		die("usage: ioctls WHAT DIR LOWER [ARGUMENT...]");
	dir = argv[2];
	lower = argv[3];
	if (!strcmp(what, "same"))
		ask();
	else if (!strcmp(what, "exec"))
		exec_meanwhile();
	else if (!strcmp(what, "rename"))
		within(100, "renames while somebody asks for a handle by path", rename_over, NULL);
	else if (!strcmp(what, "exchange"))
		exchange(argc > 4);
	else if (!strcmp(what, "swap"))
		swap();
	else if (!strcmp(what, "label"))
		return label(argv[4]);
	else if (!strcmp(what, "subvolume"))
		return subvolume(argv[4], argc > 5 ? argv[5] : NULL);
	else if (!strcmp(what, "destroy"))
		return destroy(argv[4]);
	else
		die("no such thing: %s", what);
	return 0;
}
