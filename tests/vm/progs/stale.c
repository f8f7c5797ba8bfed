// SPDX-License-Identifier: GPL-2.0-only
/*
 * stale ABOVE BELOW - what the kernel decides by, after a file has changed
 *
 * Descriptors of files and directories are opened in ABOVE; then their modes,
 * owners and flags change in BELOW, which is the same directory by another way,
 * and nobody looks them up in ABOVE again. What each system call answers then is
 * printed, one line each. Where ABOVE and BELOW are one, it is what the rest has
 * to be.
 */
#include "util.h"

#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define USER	1000
#define OTHER	2000

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND	0x20
#endif

static const char *above, *below;
static int nr;

static const char *answer(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "done";
}

static void say(const char *what, long ret)
{
	printf("%s: %s\n", what, answer(ret));
}

/* Everything of a case is in a directory of its own, by two ways. */
static int dir;
static char *dir_below;

static void begin(void)
{
	char name[32];
	char *path;

	if (dir_below) {
		close(dir);
		free(dir_below);
	}
	snprintf(name, sizeof(name), "case-%d", ++nr);
	dir_below = path_of(below, name);
	sys(mkdir(dir_below, 0777));
	sys(chmod(dir_below, 0777));
	path = path_of(above, name);
	dir = sys(open(path, O_RDONLY | O_DIRECTORY));
	free(path);
}

static char *in_below(const char *name)
{
	return path_of(dir_below, name);
}

static void make(const char *name, mode_t mode)
{
	char *path = in_below(name);
	int fd = sys(open(path, O_CREAT | O_RDWR | O_EXCL, 0600));

	write_all(fd, "twelve bytes", 12, 0);
	sys(fchmod(fd, mode));
	close(fd);
	free(path);
}

static void chmod_below(const char *name, mode_t mode)
{
	char *path = in_below(name);

	sys(chmod(path, mode));
	free(path);
}

static void chown_below(const char *name, int uid, int gid)
{
	char *path = in_below(name);

	sys(chown(path, uid, gid));
	free(path);
}

static void flags_below(const char *name, int flags)
{
	char *path = in_below(name);
	int fd = sys(open(path, O_RDONLY));
	int old;

	sys(ioctl(fd, FS_IOC_GETFLAGS, &old));
	old = (old & ~(FS_APPEND_FL | FS_IMMUTABLE_FL)) | flags;
	sys(ioctl(fd, FS_IOC_SETFLAGS, &old));
	close(fd);
	free(path);
}

static mode_t mode_below(const char *name)
{
	char *path = in_below(name);
	struct stat st;

	sys(stat(path, &st));
	free(path);
	return st.st_mode & 07777;
}

/* The calling thread's rights, as far as files are concerned. */
static void become(int uid)
{
	if (uid) {
		setfsgid(uid);
		setfsuid(uid);
	} else {
		setfsuid(0);
		setfsgid(0);
	}
}

#define AS(uid, expr) ({ long ret_; int err_;				\
	become(uid); errno = 0; ret_ = (expr); err_ = errno; become(0);	\
	errno = err_; ret_; })

static char *proc_fd(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* Names in a directory that has become sticky, append-only or immutable. */
static void directories(void)
{
	static const struct {
		const char *name;
		mode_t mode, mode_after;
		int flags, flags_after;
	} kinds[] = {
		{ "becomes sticky", 0777, 01777, 0, 0 },
		{ "was sticky", 01777, 0777, 0, 0 },
		{ "becomes append-only", 0777, 0777, 0, FS_APPEND_FL },
		{ "was append-only", 0777, 0777, FS_APPEND_FL, 0 },
		{ "becomes immutable", 0777, 0777, 0, FS_IMMUTABLE_FL },
		{ "was immutable", 0777, 0777, FS_IMMUTABLE_FL, 0 },
		{ "becomes private", 0777, 0700, 0, 0 },
		{ "was private", 0700, 0777, 0, 0 },
	};
	char *path;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct stat st;

		begin();
		for (int n = 0; n < 6; n++) {
			char name[] = { 'a' + n, 0 };

			make(name, 0666);
		}
		path = in_below("dir");
		sys(mkdir(path, 0777));
		free(path);
		chmod_below(".", kinds[i].mode);
		flags_below(".", kinds[i].flags);
		/* Known above, as it was. */
		sys(fstat(dir, &st));
		sys(fstatat(dir, "a", &st, 0));
		sys(fstatat(dir, "dir", &st, 0));
		sys(fstatat(dir, "c", &st, 0));
		flags_below(".", 0);
		chmod_below(".", kinds[i].mode_after);
		flags_below(".", kinds[i].flags_after);

		printf("a directory that %s\n", kinds[i].name);
		say(" unlink", AS(USER, unlinkat(dir, "a", 0)));
		say(" rmdir", AS(USER, unlinkat(dir, "dir", AT_REMOVEDIR)));
		say(" rename", AS(USER, renameat(dir, "c", dir, "d")));
		say(" rename over", AS(USER, renameat(dir, "e", dir, "f")));
		say(" create", AS(USER, openat(dir, "new", O_CREAT | O_RDWR | O_CLOEXEC, 0600)));
		say(" mkdir", AS(USER, mkdirat(dir, "newdir", 0700)));
		say(" symlink", AS(USER, symlinkat("x", dir, "newlink")));
		say(" link", AS(USER, linkat(dir, "b", dir, "second", 0)));
		say(" unlink by root", unlinkat(dir, "b", 0));
		flags_below(".", 0);
	}
}

/* Attributes of a directory that is only known by a descriptor. */
static void attributes(void)
{
	struct stat st;

	begin();
	sys(fstat(dir, &st));
	chmod_below(".", 01777);
	say("fsetxattr of a directory that becomes sticky",
	    AS(USER, fsetxattr(dir, "user.a", "b", 1, 0)));
	chown_below(".", USER, USER);
	sys(fstat(dir, &st));
	say("of one's own", AS(USER, fsetxattr(dir, "user.a", "b", 1, 0)));
}

/* The same by the current directory. */
static void working_directory(void)
{
	begin();
	make("a", 0666);
	sys(fchdir(dir));
	sys(access("a", F_OK));
	chmod_below(".", 01777);
	puts("a working directory that becomes sticky");
	say(" unlink", AS(USER, unlink("a")));
	sys(chdir("/"));
}

/* Who owns what lies in a sticky directory. */
static void owners(void)
{
	struct stat st;

	begin();
	chmod_below(".", 01777);
	make("mine", 0666);
	make("his", 0666);
	make("taken", 0666);
	chown_below("mine", USER, USER);
	chown_below("taken", USER, USER);
	sys(fstatat(dir, "mine", &st, 0));
	sys(fstatat(dir, "his", &st, 0));
	sys(fstatat(dir, "taken", &st, 0));
	chown_below("his", USER, USER);
	chown_below("taken", OTHER, OTHER);
	puts("a sticky directory");
	say(" unlink of one's own", AS(USER, unlinkat(dir, "mine", 0)));
	say(" unlink of what was given", AS(USER, unlinkat(dir, "his", 0)));
	say(" unlink of what was taken", AS(USER, unlinkat(dir, "taken", 0)));
	chown_below(".", USER, USER);
	say(" unlink in one's own", AS(USER, unlinkat(dir, "taken", 0)));
}

enum call {
	FALLOCATE, FCHMOD, FUTIMENS, FSETXATTR, SETFL, NOAPPEND, MMAP, FTRUNCATE,
	/* From here on by a name, if only one in /proc. */
	TRUNCATE, OPEN_WRITE, OPEN_APPEND, OPEN_TRUNC, LINK, LAST
};

static void file_call(enum call call, int fd, int path_fd, int append_fd)
{
	struct iovec vec = { "x", 1 };
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	void *map;

	switch (call) {
	case FALLOCATE:
		say(" fallocate", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
		break;
	case FCHMOD:
		say(" fchmod", fchmod(fd, 0666));
		break;
	case FUTIMENS:
		say(" futimens", futimens(fd, times));
		break;
	case FSETXATTR:
		say(" fsetxattr", fsetxattr(fd, "user.a", "b", 1, 0));
		break;
	case SETFL:
		say(" write after F_SETFL has taken O_APPEND away",
		    fcntl(append_fd, F_SETFL, 0) < 0 ? -1 : pwrite(append_fd, "x", 1, 0));
		break;
	case NOAPPEND:
		say(" pwritev2 with RWF_NOAPPEND", pwritev2(append_fd, &vec, 1, 0, RWF_NOAPPEND));
		break;
	case MMAP:
		map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		say(" mmap", map == MAP_FAILED ? -1 : 0);
		if (map != MAP_FAILED)
			munmap(map, 4096);
		break;
	case FTRUNCATE:
		say(" ftruncate", ftruncate(fd, 5));
		break;
	case TRUNCATE:
		say(" truncate", truncate(proc_fd(path_fd), 4));
		break;
	case OPEN_WRITE:
		say(" open to write", open(proc_fd(path_fd), O_WRONLY));
		break;
	case OPEN_APPEND:
		say(" open to append", open(proc_fd(path_fd), O_WRONLY | O_APPEND));
		break;
	case OPEN_TRUNC:
		say(" open to truncate", open(proc_fd(path_fd), O_RDONLY | O_TRUNC));
		break;
	case LINK:
		say(" link", linkat(AT_FDCWD, proc_fd(path_fd), dir, "second", AT_SYMLINK_FOLLOW));
		break;
	case LAST:
		break;
	}
}

/*
 * A flag that has been taken away is asked for by name only: what the kernel
 * refuses to a descriptor, by the copy that it finds in the inode, nobody hears.
 */
static void files(void)
{
	static const struct {
		const char *name;
		int before, after;
		enum call first;
	} kinds[] = {
		{ "becomes append-only", 0, FS_APPEND_FL, FALLOCATE },
		{ "was append-only", FS_APPEND_FL, 0, TRUNCATE },
		{ "becomes immutable", 0, FS_IMMUTABLE_FL, FALLOCATE },
		{ "was immutable", FS_IMMUTABLE_FL, 0, TRUNCATE },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		printf("a file that %s\n", kinds[i].name);
		for (enum call call = kinds[i].first; call < LAST; call++) {
			int fd, path_fd, append_fd;
			struct stat st;

			begin();
			make("file", 0666);
			fd = sys(openat(dir, "file", O_RDWR));
			path_fd = sys(openat(dir, "file", O_PATH));
			append_fd = sys(openat(dir, "file", O_RDWR | O_APPEND));
			flags_below("file", kinds[i].before);
			sys(fstat(fd, &st));
			flags_below("file", kinds[i].after);
			file_call(call, fd, path_fd, append_fd);
			flags_below("file", 0);
			close(fd);
			close(path_fd);
			close(append_fd);
		}
	}
}

/* Set-ID bits go when somebody else changes the file. */
static void set_id(void)
{
	int fd;

	begin();
	make("file", 0666);
	fd = AS(USER, openat(dir, "file", O_RDWR));
	chmod_below("file", 06777);
	say("ftruncate of what has become set-ID", AS(USER, ftruncate(fd, 5)));
	printf(" mode %04o\n", mode_below("file"));
	chmod_below("file", 06777);
	say("fallocate", AS(USER, fallocate(fd, 0, 0, 8192)));
	printf(" mode %04o\n", mode_below("file"));
	chmod_below("file", 06777);
	say("write", AS(USER, pwrite(fd, "x", 1, 0)));
	printf(" mode %04o\n", mode_below("file"));
	close(fd);
	fd = sys(openat(dir, "file", O_RDWR));
	chmod_below("file", 06777);
	say("fchown", fchown(fd, OTHER, OTHER));
	printf(" mode %04o\n", mode_below("file"));
	close(fd);
}

/* What depends on who owns an open file. */
static void ownership(void)
{
	int fd;

	begin();
	make("file", 0666);
	fd = sys(openat(dir, "file", O_RDWR));
	chown_below("file", USER, USER);
	say("fchmod of what was given", AS(USER, fchmod(fd, 0666)));
	say("futimens", AS(USER, futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } })));
	chown_below("file", OTHER, OTHER);
	say("fchmod of what was taken", AS(USER, fchmod(fd, 0666)));
	say("futimens", AS(USER, futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } })));
	say("O_NOATIME by name", AS(USER, open(proc_fd(fd), O_RDONLY | O_NOATIME)));
	close(fd);
}

/* fs.protected_hardlinks and fs.protected_regular are on. */
static void protections(void)
{
	int fd;

	begin();
	make("file", 0666);
	fd = sys(openat(dir, "file", O_RDWR));
	chmod_below("file", 04666);
	say("link to what has become set-ID",
	    AS(USER, linkat(AT_FDCWD, proc_fd(fd), dir, "second", AT_SYMLINK_FOLLOW)));
	chmod_below("file", 0644);
	say("link to what has become private",
	    AS(USER, linkat(AT_FDCWD, proc_fd(fd), dir, "third", AT_SYMLINK_FOLLOW)));
	chmod_below("file", 0666);
	say("link to what may be written",
	    AS(USER, linkat(AT_FDCWD, proc_fd(fd), dir, "fourth", AT_SYMLINK_FOLLOW)));
	close(fd);

	begin();
	make("file", 0666);
	chown_below("file", OTHER, OTHER);
	chmod_below(".", 01777);
	say("O_CREAT of a file of somebody else's, in what has become sticky",
	    AS(USER, openat(dir, "file", O_CREAT | O_RDWR, 0600)));
	say("the same without O_CREAT", AS(USER, openat(dir, "file", O_RDWR)));
}

/* A root of a mount is never looked up either. */
static void mount_root(void)
{
	char *name = path_of(below, "of-root");
	int top = sys(open(above, O_RDONLY | O_DIRECTORY));
	int fd = sys(open(name, O_CREAT | O_RDWR, 0666));

	close(fd);
	sys(chmod(below, 0777));
	sys(fstatat(top, "of-root", &(struct stat){ 0 }, 0));
	sys(chmod(below, 01777));
	say("unlink in a root that has become sticky", AS(USER, unlinkat(top, "of-root", 0)));
	free(name);
	name = path_of(above, "of-root");
	say("the same by name", AS(USER, unlink(name)));
	unlink(name);
	free(name);
	close(top);
	sys(chmod(below, 0755));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: stale ABOVE BELOW");
	above = argv[1];
	below = argv[2];
	umask(0);
	/* Root's capabilities go with setfsuid(), those of files. */
	directories();
	attributes();
	working_directory();
	owners();
	files();
	set_id();
	ownership();
	protections();
	mount_root();
	return 0;
}
