// SPDX-License-Identifier: GPL-2.0-only
/*
 * stall DIR LOWER: one process stops in the middle of something, or holds
 * something for ever. Others must go on with the same file and with its clones,
 * reclaim must go on, and the process must die when it is killed.
 */
#include "util.h"
#include <dirent.h>
#include <linux/userfaultfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define PAGES	256UL
#define SIZE	(PAGES * PAGE)
#define ID	21
#define DEADLINE 20		/* s; the machine may be slow, a stall is for ever */

static const char *dir, *lower;
static char *want;
static int ready[2];		/* a pipe: the holder has got where it wants to be */

/* Memory whose first touch stops whoever touches it, for ever. */
static void trap_at(char *p, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;
	int uffd = sys(syscall(SYS_userfaultfd, O_CLOEXEC));

	sys(ioctl(uffd, UFFDIO_API, &api));
	reg = (struct uffdio_register){
		.range = { (uintptr_t)p, len }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	sys(ioctl(uffd, UFFDIO_REGISTER, &reg));
}

static char *trap(size_t len)
{
	char *p = sys(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	trap_at(p, len);
	return p;
}

static void report(void)
{
	sys(write(ready[1], "x", 1));
}

/* ---- what the holder does ------------------------------------------------------- */

static void stop_in_write(void)
{
	int fd = open_in(dir, "a", O_RDWR);
	char *p = trap(SIZE);

	report();
	pwrite(fd, p, 16 * PAGE, 8 * PAGE);
}

static void stop_in_direct_write(void)
{
	int fd = open_in(dir, "a", O_RDWR | O_DIRECT);
	char *p = trap(SIZE);

	report();
	pwrite(fd, p, 16 * PAGE, 8 * PAGE);
}

static void stop_in_read(void)
{
	int fd = open_in(dir, "a", O_RDONLY);
	char *p = trap(SIZE);

	report();
	pread(fd, p, SIZE, 0);
}

static void stop_in_direct_read(void)
{
	int fd = open_in(dir, "a", O_RDONLY | O_DIRECT);
	char *p = trap(SIZE);

	report();
	pread(fd, p, SIZE, 0);
}

/* The pages of a mapping, pinned by a pipe that nobody reads. */
static void hold_pins(void)
{
	int fd = open_in(dir, "a", O_RDONLY), ends[2];
	char *p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	struct iovec iov = { p, 16 * PAGE };
	off_t off = 64 * PAGE;

	same_bytes(p, want, SIZE, "the holder's mapping");
	sys(pipe(ends));
	sys(vmsplice(ends[1], &iov, 1, 0));
	sys(pipe(ends));
	sys(splice(fd, &off, ends[1], NULL, 16 * PAGE, 0));
	report();
	pause();
}

static void hold_mapping(void)
{
	int fd = open_in(dir, "a", O_RDONLY);
	char *p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	sys(mlock(p, SIZE));
	same_bytes(p, want, SIZE, "the holder's mapping");
	report();
	pause();
}

/* Stopped by a signal, not by itself. */
static void be_stopped(void)
{
	int fd = open_in(dir, "a", O_RDWR);
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	same_bytes(p, want, SIZE, "the holder's mapping");
	report();
	raise(SIGSTOP);
}

static void hold_leases(void)
{
	int fd = open_in(dir, "a", O_RDONLY), below = open_in(lower, "a", O_RDONLY);

	signal(SIGIO, SIG_IGN);
	sys(fcntl(fd, F_SETLEASE, F_RDLCK));
	sys(fcntl(below, F_SETLEASE, F_RDLCK));
	report();
	for (;;)
		pause();
}

/* Long enough for several copies, and only its later part stops. */
static void stop_in_long_write(void)
{
	int fd = open_in(dir, "a", O_RDWR);
	size_t len = 1 << 20, there = 600 << 10;
	char *p = sys(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	memcpy(p, want, there);
	trap_at(p + there, len - there);
	report();
	pwrite(fd, p, len, 0);
}

/* More than is faulted in ahead, so the lower filesystem comes to what stops. */
static void stop_in_huge_write(void)
{
	int fd = open_in(dir, "a", O_RDWR);
	size_t len = 6 << 20, there = 5 << 20;
	char *p = sys(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	/* Or what is to stop comes with what is there. */
	madvise(p, len, MADV_NOHUGEPAGE);
	memset(p, 1, there);
	memcpy(p, want, SIZE);
	trap_at(p + there, len - there);
	report();
	pwrite(fd, p, len, 0);
}

static void stop_in_long_append(void)
{
	int fd = open_in(dir, "a", O_WRONLY | O_APPEND);
	size_t len = 1 << 20, there = 600 << 10;
	char *p = sys(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	memset(p, 1, there);
	trap_at(p + there, len - there);
	report();
	write(fd, p, len);
}

/* A helper of the holder's, which dies with it. */
static pid_t helper(void)
{
	pid_t pid = sys(fork());

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* There is data in the pipe, but whoever writes to it has it locked. */
static void stop_in_splice(void)
{
	int fd = open_in(dir, "a", O_RDWR), ends[2];
	loff_t off = 0;

	sys(pipe(ends));
	sys(write(ends[1], want, PAGE));
	if (!helper()) {
		/* A child does not inherit what stops it. */
		write(ends[1], trap(PAGE), PAGE);
		_exit(0);
	}
	sleep_ms(300);
	report();
	splice(ends[0], NULL, fd, &off, PAGE, 0);
}

/* Somebody holds a lease on the lower file, and does not give it up. */
static void lease_below(void)
{
	int ends[2];
	char c;

	sys(pipe(ends));
	if (!helper()) {
		signal(SIGIO, SIG_IGN);
		sys(fcntl(open_in(lower, "a", O_RDONLY), F_SETLEASE, F_RDLCK));
		sys(write(ends[1], "x", 1));
		for (;;)
			pause();
	}
	sys(read(ends[0], &c, 1));
}

static void stop_in_truncate(void)
{
	lease_below();
	report();
	truncate(path_of(dir, "a"), SIZE);
	for (;;)		/* the lease's time was over */
		pause();
}

static void stop_in_open_trunc(void)
{
	lease_below();
	report();
	open(path_of(dir, "a"), O_RDONLY | O_TRUNC);
	for (;;)
		pause();
}

static void stop_in_dedupe(void)
{
	struct file_dedupe_range *r = calloc(1, sizeof(*r) + sizeof(r->info[0]));
	int a = open_in(dir, "a", O_RDONLY), b = open_in(dir, "b", O_RDONLY);

	lease_below();
	r->src_length = PAGE;
	r->dest_count = 1;
	r->info[0].dest_fd = a;
	report();
	ioctl(b, FIDEDUPERANGE, r);
	for (;;)
		pause();
}

/* ---- each kind of argument, where user memory stops ----------------------------------- */

struct handle_request {
	uint32_t fd;
	void *path;
	uint32_t oflags;
	void *ihandle;
	uint32_t ihandlen;
	void *ohandle;
	uint32_t *ohandlen;
};

#define PATH_TO_HANDLE	_IOWR('X', 105, struct handle_request)

static void stop_in_ioctl_path(void)
{
	char *p = trap(PAGE), handle[100];
	struct handle_request r = { .path = p, .ohandle = handle, .ohandlen = (void *)handle };

	report();
	ioctl(open_in(dir, "a", O_RDONLY), PATH_TO_HANDLE, &r);
}

static void stop_in_ioctl_argument(void)
{
	char *p = trap(PAGE);

	report();
	ioctl(open_in(dir, "a", O_RDONLY), PATH_TO_HANDLE, p);
}

static void stop_in_ioctl_answer(void)
{
	char *p = trap(PAGE);

	report();
	ioctl(open_in(dir, "a", O_RDONLY), _IOR('X', 126, char[256]), p);
}

static void stop_in_exchange(void)
{
	char *p = trap(PAGE);

	report();
	ioctl(open_in(dir, "a", O_RDWR), _IOW('X', 129, char[40]), p);
}

static void stop_in_clone_range(void)
{
	char *p = trap(PAGE);

	report();
	ioctl(open_in(dir, "a", O_RDWR), FICLONERANGE, p);
}

static void stop_in_set_flags(void)
{
	char *p = trap(PAGE);

	report();
	ioctl(open_in(dir, "a", O_RDONLY), FS_IOC_FSSETXATTR, p);
}

static void stop_in_setxattr(void)
{
	char *p = trap(PAGE);

	report();
	setxattr(path_of(dir, "a"), "user.x", p, 10, 0);
}

static void stop_in_getxattr(void)
{
	char *p = trap(PAGE);

	sys(setxattr(path_of(dir, "a"), "user.y", "value", 5, 0));
	report();
	getxattr(path_of(dir, "a"), "user.y", p, 10);
}

static void stop_in_listxattr(void)
{
	char *p = trap(PAGE);

	sys(setxattr(path_of(dir, "a"), "user.y", "value", 5, 0));
	report();
	listxattr(path_of(dir, "a"), p, PAGE);
}

static void stop_in_stat(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_newfstatat, AT_FDCWD, path_of(dir, "a"), p, 0);
}

static void stop_in_times(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_utimensat, AT_FDCWD, path_of(dir, "a"), p, 0);
}

static void stop_in_rename(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_rename, path_of(dir, "a"), p);
}

static void stop_in_link(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_link, path_of(dir, "a"), p);
}

static void stop_in_readlink(void)
{
	char *p = trap(PAGE), *path = path_of(dir, "sym");

	symlink("target", path);
	report();
	syscall(SYS_readlink, path, p, PAGE);
}

static void stop_in_vector(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_pwritev, open_in(dir, "a", O_RDWR), p, 1, 0, 0);
}

static void stop_in_copy(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_copy_file_range, open_in(dir, "b", O_RDONLY), p, open_in(dir, "a", O_RDWR),
		NULL, PAGE, 0);
}

static void stop_in_sendfile(void)
{
	char *p = trap(PAGE);

	report();
	syscall(SYS_sendfile, open_in(dir, "a", O_RDWR), open_in(dir, "b", O_RDONLY), p, PAGE);
}

/* ---- names that lead into a filesystem whose server never answers ---------------------- */

struct fuse_in {
	uint32_t len, opcode;
	uint64_t unique, nodeid;
	char rest[24];
};

#define FUSE_INIT	26
#define FUSE_DIR	"/run/stall-fuse"

/*
 * Answers what the kernel asks at mount, and reads no other request: who waits for
 * an answer to one that has been read cannot even be killed.
 */
static void never_answer(int fuse)
{
	static char buf[1 << 20];
	struct fuse_in *in = (void *)buf;
	struct {
		uint32_t len;
		int32_t error;
		uint64_t unique;
		uint32_t major, minor;
		char rest[56];
	} out = { .len = sizeof(out), .major = 7, .minor = 31 };

	sys(read(fuse, buf, sizeof(buf)));
	if (in->opcode != FUSE_INIT)
		die("FUSE asks %u first", in->opcode);
	out.unique = in->unique;
	sys(write(fuse, &out, sizeof(out)));
	for (;;)
		pause();
}

static const char *fuse_dir(void)
{
	char options[100];
	int fuse = sys(open("/dev/fuse", O_RDWR));

	mkdir(FUSE_DIR, 0755);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	sys(mount("none", FUSE_DIR, "fuse", 0, options));
	if (!helper())
		never_answer(fuse);
	close(fuse);
	return FUSE_DIR;
}

static void stop_in_ioctl_name(void)
{
	char handle[100];
	struct handle_request r = { .ohandle = handle, .ohandlen = (void *)handle };

	r.path = path_of(fuse_dir(), "name");
	report();
	ioctl(open_in(dir, "a", O_RDONLY), PATH_TO_HANDLE, &r);
}

/* ---- what others do meanwhile ----------------------------------------------------- */

static void read_file(const char *where, const char *name)
{
	int fd = open_in(where, name, O_RDONLY);
	char *buf = malloc(SIZE);

	if (read_all(fd, buf, SIZE, 0) != SIZE)
		die("%s: short read", name);
	same_bytes(buf, want, SIZE, name);
	free(buf);
	close(fd);
}

static void map_file(const char *name)
{
	int fd = open_in(dir, name, O_RDONLY);
	char *p = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		die_errno("mmap");
	same_bytes(p, want, SIZE, name);
	munmap(p, SIZE);
	close(fd);
}

static void others_read(void *name)
{
	read_file(dir, name);
}

static void others_map(void *name)
{
	map_file(name);
}

static void others_reclaim(void *unused)
{
	(void)unused;
	drop_caches();
}

static void others_open(void *name)
{
	struct stat st;
	int fd;

	close(open_in(dir, name, O_RDONLY));
	close(open_in(dir, name, O_RDONLY | O_DIRECT));
	fd = open_in(dir, name, O_RDWR);
	sys(fstat(fd, &st));
	close(fd);
}

static void others_write(void *name)
{
	int fd = open_in(dir, name, O_RDWR);

	write_all(fd, want, PAGE, 0);		/* what is there already */
	sys(fsync(fd));
	close(fd);
}

/* What needs the locks of the file and of its directory. */
static void others_name(void *unused)
{
	char *a = path_of(dir, "a"), *l = path_of(dir, "l"), *m = path_of(dir, "m");
	struct stat st;
	DIR *d;

	(void)unused;
	sys(chmod(a, 0600));
	sys(link(a, l));
	sys(rename(l, m));
	sys(stat(m, &st));
	sys(setxattr(a, "user.others", "x", 1, 0));
	d = opendir(dir);
	while (readdir(d))
		;
	closedir(d);
	sys(unlink(m));
	free(a);
	free(l);
	free(m);
}

static void everybody_goes_on(const char *holder, bool open_for_writing)
{
	static const char *const names[] = { "a", "b" };
	char what[100];
	int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 2; i++) {
			void *name = (void *)names[i];

			snprintf(what, sizeof(what), "%s: read %s", holder, names[i]);
			within(DEADLINE, what, others_read, name);
			snprintf(what, sizeof(what), "%s: map %s", holder, names[i]);
			within(DEADLINE, what, others_map, name);
			snprintf(what, sizeof(what), "%s: open %s", holder, names[i]);
			if (open_for_writing || i)
				within(DEADLINE, what, others_open, name);
		}
		snprintf(what, sizeof(what), "%s: names and attributes", holder);
		within(DEADLINE, what, others_name, NULL);
		snprintf(what, sizeof(what), "%s: write the clone", holder);
		if (round)
			within(DEADLINE, what, others_write, (void *)"b");
		snprintf(what, sizeof(what), "%s: drop caches", holder);
		within(DEADLINE, what, others_reclaim, NULL);
	}
}

/* The arguments of each call: read in part, so one look at what others do is enough. */
static const struct {
	const char *name;
	void (*hold)(void);
} calls[] = {
	{ "in an ioctl's path", stop_in_ioctl_path },
	{ "in an ioctl's argument", stop_in_ioctl_argument },
	{ "in an ioctl's answer", stop_in_ioctl_answer },
	{ "in an ioctl's name in FUSE", stop_in_ioctl_name },
	{ "in an exchange", stop_in_exchange },
	{ "in a clone", stop_in_clone_range },
	{ "in setting flags", stop_in_set_flags },
	{ "in setxattr", stop_in_setxattr },
	{ "in getxattr", stop_in_getxattr },
	{ "in listxattr", stop_in_listxattr },
	{ "in stat", stop_in_stat },
	{ "in utimensat", stop_in_times },
	{ "in rename", stop_in_rename },
	{ "in link", stop_in_link },
	{ "in readlink", stop_in_readlink },
	{ "in pwritev", stop_in_vector },
	{ "in copy_file_range", stop_in_copy },
	{ "in sendfile", stop_in_sendfile },
};

static void stop_in_calls(const char *only)
{
	char what[100], c;
	unsigned int i;
	pid_t pid;

	make_file(dir, "a", ID, SIZE);
	make_file(dir, "b", ID, SIZE);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (only && strcmp(only, calls[i].name))
			continue;
		pid = sys(fork());
		if (!pid) {
			calls[i].hold();
			die("%s: it did not stop: %s", calls[i].name, strerror(errno));
		}
		sys(read(ready[0], &c, 1));
		sleep_ms(100);
		snprintf(what, sizeof(what), "%s: names and attributes", calls[i].name);
		within(DEADLINE, what, others_name, NULL);
		snprintf(what, sizeof(what), "%s: write", calls[i].name);
		within(DEADLINE, what, others_write, (void *)"a");
		if (waitpid(pid, NULL, WNOHANG))
			die("%s: it did not stop", calls[i].name);
		sys(kill(pid, SIGKILL));
		reap_within(pid, 10, calls[i].name);
		umount2(FUSE_DIR, MNT_DETACH);
		printf("%s\n", calls[i].name);
		fflush(NULL);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*hold)(void);
		bool open_for_writing;		/* others may, natively */
	} tests[] = {
		{ "stopped in a write", stop_in_write, true },
		{ "stopped in a direct write", stop_in_direct_write, true },
		{ "stopped in a read", stop_in_read, true },
		{ "stopped in a direct read", stop_in_direct_read, true },
		{ "holding pins", hold_pins, true },
		{ "holding a locked mapping", hold_mapping, true },
		{ "stopped by a signal", be_stopped, true },
		{ "holding leases", hold_leases, false },
		{ "stopped in a long write", stop_in_long_write, true },
		{ "stopped in a huge write", stop_in_huge_write, true },
		{ "stopped in a long append", stop_in_long_append, true },
		{ "stopped in a splice", stop_in_splice, true },
		{ "stopped in a truncate", stop_in_truncate, false },
		{ "stopped in an open that truncates", stop_in_open_trunc, false },
		{ "stopped in a dedupe", stop_in_dedupe, false },
	};
	const char *only = argc > 3 ? argv[3] : NULL;
	unsigned int i, cold;
	uint64_t start;
	pid_t pid;
	char c;
	int fd;

	if (argc < 3)
		die("usage: stall DIR LOWER [NAME]");
	dir = argv[1];
	lower = argv[2];
	want = malloc(SIZE);
	fill_bytes(want, ID, 0, SIZE);
	sys(pipe(ready));
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		for (cold = 0; cold < 2; cold++) {
			if (only && strcmp(only, tests[i].name))
				continue;
			start = now_us();
			make_file(dir, "a", ID, SIZE);
			fd = open_in(dir, "a", O_RDONLY);
			clone_to(fd, dir, "b");
			drop_caches();
			if (!cold && fold_state(fd) >= 0)
				wait_joined(fd, "a");
			close(fd);
			pid = sys(fork());
			if (!pid) {
				tests[i].hold();
				die("%s: it did not stop", tests[i].name);
			}
			sys(read(ready[0], &c, 1));
			sleep_ms(100);
			everybody_goes_on(tests[i].name, tests[i].open_for_writing);
			if (waitpid(pid, NULL, WNOHANG))
				die("%s: it did not stop", tests[i].name);
			sys(kill(pid, SIGKILL));
			reap_within(pid, 10, tests[i].name);
			within(DEADLINE, "a write after the holder is gone", others_write,
			       (void *)"a");
			printf("%s (%s): %llu ms\n", tests[i].name, cold ? "never read" : "joined",
			       (unsigned long long)(now_us() - start) / 1000);
			fflush(NULL);
		}
	stop_in_calls(only);
	return 0;
}
