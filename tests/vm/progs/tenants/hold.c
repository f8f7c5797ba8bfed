// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holders: tenants whose buffers are behind userfaultfd or FUSE, so that their reads,
 * writes and ioctls stop in the middle for as long as they like, and who queue others
 * behind what they hold. What they write is what is there.
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/prctl.h>

#include <linux/fiemap.h>
#include <linux/fuse.h>
#include <linux/userfaultfd.h>

#include "tenants.h"

#define TRAP_PAGES	16UL
#define TRAP_SIZE	(TRAP_PAGES * PAGE)
#define LONGEST		4000		/* ms that one call is held, at most */

/* ---- memory behind userfaultfd ---------------------------------------------------------- */

static char *trap;			/* TRAP_SIZE, missing */
static int uffd = -1;
static uint64_t hold_until;		/* us: then nothing is held any more */
static uint64_t trap_key;		/* the first page's: what is found in the trap */

static void trap_make(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;

	uffd = sys(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
	sys(ioctl(uffd, UFFDIO_API, &api));
	trap = sys(mmap(NULL, TRAP_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	reg = (struct uffdio_register){
		.range = { (uintptr_t)trap, TRAP_SIZE }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	sys(ioctl(uffd, UFFDIO_REGISTER, &reg));
}

/* Lets whoever has touched the trap go on, each after a while. */
static void *let_go(void *data)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	uint64_t luck = mix(seed + getpid());
	struct uffd_msg msg;

	for (;;) {
		struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE };
		uint64_t until;

		if (poll(&poll_fd, 1, 100) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		luck = mix(luck);
		until = MIN(__atomic_load_n(&hold_until, __ATOMIC_SEQ_CST),
			    now_us() + luck % (LONGEST * 1000 / 2));
		while (!stopped() && now_us() < until)
			sleep_ms(10);
		copy.dst = msg.arg.pagefault.address & ~(PAGE - 1);
		page_make(page, trap_key + (copy.dst - (uintptr_t)trap) / PAGE);
		/* Memory is short. */
		while (ioctl(uffd, UFFDIO_COPY, &copy) && errno != EEXIST) {
			if (errno != ENOMEM && errno != EAGAIN)
				die_errno("UFFDIO_COPY");
			sleep_ms(10);
		}
		ioctl(uffd, UFFDIO_WAKE, &(struct uffdio_range){ copy.dst, PAGE });
	}
	return data;
}

/* ---- memory behind FUSE -------------------------------------------------------------------- */

struct asked {
	struct fuse_in_header in;
	struct fuse_read_in read;
	uint64_t due;			/* us */
};

static void answer(int fd, const struct fuse_in_header *in, int error, const void *data, size_t len)
{
	static char buf[sizeof(struct fuse_out_header) + (1 << 17)];
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = error, .unique = in->unique,
	};

	memcpy(buf, &out, sizeof(out));
	if (len)
		memcpy(buf + sizeof(out), data, len);
	/* Whoever asked may have been killed. */
	if (write(fd, buf, out.len) < 0 && errno != ENOENT)
		die_errno("answer to FUSE request %u", in->opcode);
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .nlink = 1, .blksize = PAGE, .size = FUSE_PAGES * PAGE,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444,
	};
}

static void serve_read(int fd, const struct asked *asked)
{
	static char data[1 << 17] __attribute__((aligned(PAGE)));
	uint64_t off = asked->read.offset, len = MIN((uint64_t)asked->read.size, sizeof(data)), p;

	len = off >= FUSE_PAGES * PAGE ? 0 : MIN(len, FUSE_PAGES * PAGE - off);
	for (p = 0; p < ALIGN(len, PAGE) / PAGE; p++)
		page_make(data + p * PAGE, IMAGE_KEY(off / PAGE + p));
	answer(fd, &asked->in, 0, data, len);
}

/* Returns false if the answer comes later. */
static bool serve(int fd, const char *request, struct asked *later)
{
	const struct fuse_in_header *in = (const void *)request;
	const void *arg = in + 1;
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 1 << 16,
		.max_background = 64, .congestion_threshold = 64,
	};
	struct fuse_entry_out entry = { .nodeid = 2, .attr_valid = 1000, .entry_valid = 1000 };
	struct fuse_attr_out attr = { .attr_valid = 1000 };
	struct fuse_open_out open = { .open_flags = 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		entry.attr = attributes(2);
		answer(fd, in, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		attr.attr = attributes(in->nodeid);
		answer(fd, in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(fd, in, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		later->in = *in;
		memcpy(&later->read, arg, sizeof(later->read));
		/* A call with the buffer asks for TRAP_PAGES of these. */
		later->due = now_us() + random_below(8) * random_below(LONGEST * 1000 / 128);
		return false;
	case FUSE_RELEASE:
	case FUSE_FLUSH:
		answer(fd, in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(fd, in, -ENOSYS, NULL, 0);
	}
	return true;
}

/* One file of the image's bytes, each part of which comes when it comes. */
void fuse_daemon(int fd)
{
	static char request[1 << 18];
	static struct asked asked[256];
	unsigned int nr = 0, i;

	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		uint64_t now;

		if (poll(&poll_fd, 1, 10) == 1) {
			ssize_t n = read(fd, request, sizeof(request));

			if (n < 0 && errno == ENODEV)
				return;
			/* Not mounted yet; or whoever asked has been killed. */
			if (n < 0 && errno != EPERM && errno != ENOENT && errno != EINTR &&
			    errno != EAGAIN)
				die_errno("FUSE");
			if (n > 0 && !serve(fd, request, &asked[nr]) && ++nr == 256)
				die("FUSE: too many requests");
		}
		now = now_us();
		for (i = 0; i < nr; i++) {
			if (!stopped() && asked[i].due > now)
				continue;
			serve_read(fd, &asked[i]);
			asked[i--] = asked[--nr];
		}
	}
}

/* ---- what is stopped in ----------------------------------------------------------------------- */

static void check_pages(const char *buf, ssize_t len, unsigned long page, const char *what)
{
	ssize_t p;

	for (p = 0; p < len / (ssize_t)PAGE; p++)
		page_check(buf + p * PAGE, IMAGE_KEY(page + p), what, "a held file", page + p);
}

/* One call with the buffer, which may take its time; page is where it is in the image. */
static void one_call(const char *dir, unsigned int what, char *buf, unsigned long page)
{
	char name[16];
	off_t off = page * PAGE;
	struct fsxattr *attr = (void *)buf;
	ssize_t n;
	int fd;

	sprintf(name, "h%llu", (unsigned long long)random_below(HELD_FILES));
	switch (what) {
	case 0:
		fd = open_in(dir, name, O_RDONLY);
		n = sys(pread(fd, buf, TRAP_SIZE, off));
		check_pages(buf, n, page, "a held read");
		break;
	case 1:
		fd = open_in(base, "image", O_RDONLY);
		n = sys(pread(fd, buf, TRAP_SIZE, off));
		check_pages(buf, n, page, "a held read of the image");
		break;
	case 2:
		fd = open_in(dir, name, O_RDONLY | O_DIRECT);
		n = sys(pread(fd, buf, TRAP_SIZE, off));
		check_pages(buf, n, page, "a held direct read");
		break;
	case 3:
	case 4:
		fd = open_in(dir, name, O_WRONLY | (what == 4 ? O_DIRECT : 0));
		sys(pwrite(fd, buf, TRAP_SIZE, off));
		break;
	case 5:
		fd = open_in(dir, name, O_RDONLY);
		sys(ioctl(fd, FS_IOC_FSGETXATTR, attr));
		break;
	case 6:
		/* A trap's page reads as a request that no filesystem takes. */
		fd = open_in(dir, name, O_RDONLY);
		ioctl(fd, FS_IOC_FIEMAP, buf);
		break;
	default:
		fd = open_in(dir, ".", O_RDONLY | O_DIRECTORY);
		sys(syscall(SYS_getdents64, fd, buf, TRAP_SIZE));
	}
	close(fd);
}

static void through_fuse(const char *dir, unsigned int what, unsigned long page)
{
	int fd = open_in(FUSE_DIR, "held", O_RDONLY);
	char *buf = mmap(NULL, TRAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, page * PAGE);

	if (buf == MAP_FAILED)
		die_errno("mmap of the file behind FUSE");
	one_call(dir, what, buf, page);
	munmap(buf, TRAP_SIZE);
	close(fd);
}

/* Killed in the middle: whoever kills it is the only one who could let it go. */
static void one_killed(const char *dir, unsigned int what, unsigned long page)
{
	pid_t pid = sys(fork());

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		trap_make();
		one_call(dir, what, trap, page);
		_exit(0);
	}
	rest_ms(random_below(LONGEST / 2));
	kill(pid, SIGKILL);
	sys(waitpid(pid, NULL, 0));
	count(KILLED);
}

void holder(const char *dir)
{
	pthread_t thread;

	trap_make();
	if (pthread_create(&thread, NULL, let_go, NULL))
		die("pthread_create");
	while (!stopped()) {
		unsigned int what = random_below(8);
		unsigned long page = random_below(FILE_PAGES - TRAP_PAGES);

		switch (random_below(4)) {
		case 0:
			one_killed(dir, what, page);
			break;
		case 1:
			through_fuse(dir, what, page);
			break;
		default:
			madvise(trap, TRAP_SIZE, MADV_DONTNEED);
			trap_key = IMAGE_KEY(page);
			__atomic_store_n(&hold_until, now_us() + random_below(LONGEST * 1000),
					 __ATOMIC_SEQ_CST);
			one_call(dir, what, trap, page);
		}
		count(HELD);
		rest_ms(random_below(50));
	}
	_exit(0);
}

/* Whoever wants a held file's lock alone has all queue who want it shared. */
void queuer(const char *dir)
{
	while (!stopped()) {
		char name[16], *path, buf[PAGE];
		unsigned long page = random_below(FILE_PAGES);
		int fd;

		sprintf(name, "h%llu", (unsigned long long)random_below(HELD_FILES));
		path = path_of(dir, name);
		sys(chmod(path, random_below(2) ? 0644 : 0600));
		fd = sys(open(path, O_RDONLY));
		sys(pread(fd, buf, PAGE, page * PAGE));
		page_check(buf, IMAGE_KEY(page), "a queued read", name, page);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
		free(path);
		count(HELD);
		rest_ms(random_below(100));
	}
}
