// SPDX-License-Identifier: GPL-2.0-only
/*
 * An actor: a process that makes the calls of one part on one side, with that
 * part's rights, and what the calls use.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "difftest.h"

const char *const actor_names[ACTORS] = {
	"root", "user 1000", "user 2000", "root of a user namespace",
	"root without capabilities",
};

int fds[SLOTS] = { -1, -1, -1, -1 };
struct mapping maps[MAPS];
int proc_fds;
int elsewhere = -1;
unsigned char *buffer;
bool tracing;

/* Times before this are such as somebody has set; others are the clock's. */
#define CLOCK_BEGINS	1000000000

void trace(struct result *r, const char *fmt, ...)
{
	size_t used = strlen(r->text);
	va_list ap;

	if (!tracing)
		return;
	va_start(ap, fmt);
	vsnprintf(r->text + used, sizeof(r->text) - used, fmt, ap);
	va_end(ap);
}

void fact(struct result *r, const char *name, uint64_t value)
{
	if (r->nr == FACTS)
		errx(2, "too many facts");
	r->fact[r->nr++] = (struct fact){ name, value };
}

static uint64_t time_class(const struct statx_timestamp *t)
{
	if (t->tv_sec >= CLOCK_BEGINS)
		return 1;
	return (uint64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/*
 * What statx says, as far as it does not depend on the side. What is as large as
 * a directory is, and how many blocks there are, is for the allocator to decide.
 */
void fact_stat(struct result *r, int dirfd, const char *path, int flags)
{
	struct statx x;

	if (statx(dirfd, path, flags, STATX_BASIC_STATS | STATX_BTIME | STATX_DIOALIGN, &x)) {
		fact(r, "stat", errno);
		return;
	}
	fact(r, "mode", x.stx_mode);
	fact(r, "links", x.stx_nlink);
	fact(r, "uid", x.stx_uid);
	fact(r, "gid", x.stx_gid);
	fact(r, "atime", time_class(&x.stx_atime));
	fact(r, "mtime", time_class(&x.stx_mtime));
	fact(r, "ctime", time_class(&x.stx_ctime));
	fact(r, "btime", time_class(&x.stx_btime));
	fact(r, "mask", x.stx_mask);
	fact(r, "blksize", x.stx_blksize);
	fact(r, "attributes", x.stx_attributes & ~STATX_ATTR_MOUNT_ROOT);
	fact(r, "known", x.stx_attributes_mask);
	if (S_ISREG(x.stx_mode) || S_ISLNK(x.stx_mode))
		fact(r, "size", x.stx_size);
	if (S_ISREG(x.stx_mode))
		fact(r, "alignment", (uint64_t)x.stx_dio_mem_align << 32 |
		     x.stx_dio_offset_align);
	if (S_ISCHR(x.stx_mode))
		fact(r, "rdev", (uint64_t)x.stx_rdev_major << 32 | x.stx_rdev_minor);
}

void fill(uint32_t seed, size_t n)
{
	uint64_t x = seed, *p = (uint64_t *)buffer;

	for (size_t i = 0; i < (n + 7) / 8; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = x;
	}
}

uint64_t digest(uint64_t h, const void *p, size_t n)
{
	const unsigned char *c = p;
	uint64_t word;

	for (; n >= 8; n -= 8, c += 8) {
		memcpy(&word, c, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	while (n--)
		h = (h ^ *c++) * 1099511628211ull;
	return h;
}

void put_slot(int slot, int fd)
{
	if (fds[slot] >= 0)
		close(fds[slot]);
	fds[slot] = fd;
}

void drop_map(int map)
{
	if (!maps[map].p)
		return;
	munmap(maps[map].p, maps[map].len);
	close(maps[map].fd);
	maps[map].p = NULL;
}

const char *open_flags(int flags)
{
	static const struct {
		int flag;
		const char *name;
	} names[] = {
		{ O_CREAT, "O_CREAT" }, { O_EXCL, "O_EXCL" }, { O_TRUNC, "O_TRUNC" },
		{ O_APPEND, "O_APPEND" }, { O_TMPFILE, "O_TMPFILE" },
		{ O_DIRECTORY, "O_DIRECTORY" },
		{ O_NOFOLLOW, "O_NOFOLLOW" }, { O_DIRECT, "O_DIRECT" },
		{ O_SYNC, "O_SYNC" }, { O_DSYNC, "O_DSYNC" },
		{ O_NOATIME, "O_NOATIME" }, { O_PATH, "O_PATH" },
		{ O_NONBLOCK, "O_NONBLOCK" },
	};
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "3" };
	static char text[160];

	strcpy(text, access[flags & O_ACCMODE]);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((flags & names[i].flag) == names[i].flag) {
			strcat(text, "|");
			strcat(text, names[i].name);
			/* O_TMPFILE includes O_DIRECTORY, and O_SYNC O_DSYNC. */
			flags &= ~names[i].flag;
		}
	return text;
}

/* ---- memory that may not be there ------------------------------------------ */

static sigjmp_buf escape;
static volatile sig_atomic_t guarding;

static void on_fault(int sig)
{
	if (!guarding) {
		signal(sig, SIG_DFL);
		return;
	}
	siglongjmp(escape, sig);
}

int guarded(void (*fn)(void *arg), void *arg)
{
	int sig = sigsetjmp(escape, 1);

	if (!sig) {
		guarding = 1;
		fn(arg);
	}
	guarding = 0;
	return sig;
}

/* ---- becoming an actor ------------------------------------------------------ */

static void become_user(int uid, int gid, int group)
{
	gid_t groups[] = { group };

	if (setgroups(group ? 1 : 0, groups) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		err(2, "cannot become user %d", uid);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &h, none))
		err(2, "capset");
}

static void enter(const char *root)
{
	if (chroot(root) || chdir("/"))
		err(2, "chroot %s", root);
}

/* The driver maps the IDs of actor 3: see stage.c. */
static void enter_namespace(int side)
{
	if (unshare(CLONE_NEWUSER))
		err(2, "unshare");
	ring(&stage->ready);
	while (!__atomic_load_n(&stage->mapped[side], __ATOMIC_ACQUIRE))
		wait_while(&stage->mapped[side], 0, 1);
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		err(2, "cannot become root of a namespace");
}

static void become(int side, int actor, const char *root)
{
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	umask(actor == 2 ? 002 : 022);
	buffer = aligned_alloc(BLOCK, BUFSIZE);
	proc_fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	if (ways[side])
		elsewhere = open(ways[side], O_RDONLY | O_DIRECTORY);
	if (!buffer || proc_fds < 0 || (ways[side] && elsewhere < 0))
		err(2, "cannot set up an actor");
	if (actor == 3)
		enter_namespace(side);
	enter(root);
	if (actor == 0)
		setgroups(0, NULL);
	if (actor == 1)
		become_user(1000, 1000, 5000);
	if (actor == 2)
		become_user(2000, 5000, 0);
	if (actor == 4) {
		setgroups(0, NULL);
		drop_capabilities();
	}
	if (actor != 3)
		ring(&stage->ready);
}

/* What is to be seen of the file that the call was about. */
static void look_after(const struct call *c, struct result *r)
{
	ssize_t n;

	switch (c->kind->after) {
	case PATH:
		fact_stat(r, AT_FDCWD, c->path[0], AT_SYMLINK_NOFOLLOW);
		break;
	case SLOT:
	case SLOT1:
		fact_stat(r, fds[c->slot[c->kind->after == SLOT1]], "", AT_EMPTY_PATH);
		break;
	case BYTES:
		fact_stat(r, fds[c->slot[0]], "", AT_EMPTY_PATH);
		if (c->pick[2] % 4)
			break;
		n = pread(fds[c->slot[0]], buffer, 3 * BLOCK, c->off[0] & -BLOCK);
		fact(r, "bytes", n < 0 ? (uint64_t)-errno : digest(0, buffer, n));
		break;
	case NOTHING:
		break;
	}
}

static void make(const struct call *c, struct result *r)
{
	memset(r, 0, offsetof(struct result, fact));
	r->text[0] = 0;
	errno = 0;
	r->ret = c->kind->make(c, r);
	if (r->ret < 0)
		r->err = errno;
	look_after(c, r);
}

void actor_run(int side, int actor, const char *root)
{
	static struct call c;
	uint32_t seen, pos;
	int next;

	become(side, actor, root);
	for (;;) {
		seen = __atomic_load_n(&stage->bell[side][actor], __ATOMIC_ACQUIRE);
		pos = __atomic_load_n(&stage->turn[side], __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&stage->quit, __ATOMIC_ACQUIRE))
			_exit(0);
		if (pos >= stage->n || actor_of(seed, stage->index[pos]) != actor) {
			wait_while(&stage->bell[side][actor], seen, 3600);
			continue;
		}
		do {
			decide(seed, stage->index[pos], &c);
			make(&c, &stage->result[side][pos]);
			pos++;
			__atomic_store_n(&stage->turn[side], pos, __ATOMIC_RELEASE);
			next = pos < stage->n ? actor_of(seed, stage->index[pos]) : -1;
		} while (next == actor);
		if (next < 0)
			ring(&stage->done);
		else
			ring(&stage->bell[side][next]);
	}
}
