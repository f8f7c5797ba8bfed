// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz SEED CALLS DIR: three processes of one user make so many system calls of any kind, with
 * any arguments, on files, directories and descriptors of DIR, while another process stats,
 * lists, renames and executes there. Prints how many calls were made, and the longest time that
 * each of the other's calls took, in milliseconds.
 *
 * A process that dies of what it does is replaced, and one that waits for something is killed
 * when it has not come on for a while. If it cannot be killed, or the other does not get on, the
 * program does not end, and the test's time limit says so.
 */
#include "util.h"

#include <dirent.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define FUZZERS		3
#define FDS		12
#define STALLED_MS	700

/* What would end the process, or keep it from making calls, and no file could be part of. */
static const short left_out[] = {
	__NR_exit, __NR_exit_group, __NR_fork, __NR_vfork, __NR_clone, __NR_clone3, __NR_pause,
	__NR_kill, __NR_tkill, __NR_tgkill, __NR_rt_sigreturn, __NR_rt_sigsuspend,
	__NR_rt_sigtimedwait, __NR_rt_sigprocmask, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo,
	__NR_pidfd_send_signal, __NR_alarm, __NR_setitimer, __NR_wait4, __NR_waitid,
	__NR_munmap, __NR_mprotect, __NR_mremap, __NR_brk, __NR_shmat, __NR_pkey_mprotect,
	__NR_arch_prctl, __NR_prctl, __NR_seccomp, __NR_ptrace, __NR_setrlimit, __NR_prlimit64,
	__NR_nanosleep, __NR_clock_nanosleep, __NR_close_range, __NR_execve, __NR_execveat,
	__NR_setsid, __NR_setpgid, __NR_unshare, __NR_sched_setaffinity, __NR_sched_setscheduler,
	__NR_sched_setattr, __NR_rseq, __NR_set_robust_list, __NR_set_tid_address, __NR_chroot,
	__NR_landlock_restrict_self, __NR_setuid, __NR_setresuid, __NR_vhangup, __NR_syslog,
	__NR_rt_sigaction, __NR_sigaltstack, __NR_madvise, __NR_process_madvise, __NR_futex,
	__NR_restart_syscall, __NR_sched_yield, __NR_sync,
};

/* Made more often than others: what a filesystem has a part in. */
static const short dwelt_on[] = {
	__NR_read, __NR_write, __NR_open, __NR_openat, __NR_close, __NR_lseek, __NR_mmap,
	__NR_ioctl, __NR_ioctl, __NR_ioctl, __NR_pread64, __NR_pwrite64, __NR_readv, __NR_writev,
	__NR_sendfile, __NR_fcntl, __NR_fcntl, __NR_flock, __NR_fsync, __NR_truncate,
	__NR_ftruncate, __NR_getdents64, __NR_rename, __NR_mkdir, __NR_rmdir, __NR_link,
	__NR_unlink, __NR_symlink, __NR_chmod, __NR_fchmod, __NR_chown, __NR_utimensat,
	__NR_setxattr, __NR_fsetxattr, __NR_fallocate, __NR_splice, __NR_tee, __NR_vmsplice,
	__NR_copy_file_range, __NR_preadv2, __NR_pwritev2, __NR_renameat2, __NR_linkat,
	__NR_name_to_handle_at, __NR_open_by_handle_at, __NR_statx, __NR_openat2, __NR_dup2,
	__NR_fadvise64, __NR_readahead, __NR_sync_file_range, __NR_inotify_add_watch,
	__NR_fanotify_mark, __NR_quotactl_fd, __NR_cachestat, __NR_io_uring_setup,
	__NR_remap_file_pages, __NR_msync, __NR_mincore, __NR_faccessat2, __NR_fspick,
	__NR_open_tree, __NR_mount_setattr, __NR_userfaultfd, __NR_memfd_create,
};

static const char *const names[] = {
	"a", "b", "c", "d", "d/a", "d/b", ".", "..", "d/..", "", "link", "nothing",
	"/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/cwd", "program", "moving", "moved",
};

struct progress {
	unsigned long calls;
	long last;	/* the system call that was made last */
};

static struct progress *progress;
static uint64_t state;

static uint64_t rnd(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

#define ANY(array)	((array)[rnd() % (sizeof(array) / sizeof(*(array)))])

static long make_number(void)
{
	long nr;
	size_t i;

	if (rnd() % 4)
		return ANY(dwelt_on);
again:
	nr = rnd() % 460;
	for (i = 0; i < sizeof(left_out) / sizeof(*left_out); i++)
		if (nr == left_out[i])
			goto again;
	return nr;
}

static long make_argument(char *mem)
{
	switch (rnd() % 10) {
	case 0:
	case 1:
	case 2:
		return 3 + rnd() % FDS;
	case 3:
	case 4:
		return (long)ANY(names);
	case 5:
		return (long)mem + (rnd() % (64 * PAGE) & (rnd() % 2 ? -8 : -1));
	case 6:		/* at the end of memory, and behind it */
		return (long)mem + 64 * PAGE - rnd() % 64;
	case 7:
		return rnd() % 4 ? rnd() % 4097 : (uint64_t)-1 >> rnd() % 64;
	case 8:
		return 1UL << rnd() % 32 | rnd() % 16;
	default:	/* an ioctl */
		return _IOC(rnd() % 4, rnd() % 2 ? 'X' : 'f', rnd() % 132, rnd() % 5 * 8 + 24);
	}
}

static void open_some(void)
{
	int i, fd;

	for (i = 0; i < FDS; i++) {
		fd = open(ANY(names), (i % 3 ? O_RDWR : O_RDONLY) | O_NONBLOCK |
				      (rnd() % 8 ? 0 : O_PATH));
		if (fd < 0)
			fd = open(i % 2 ? "." : "a", O_RDONLY | O_NONBLOCK);
		if (fd >= 0 && fd != 3 + i) {
			dup2(fd, 3 + i);
			close(fd);
		}
	}
}

static void __attribute__((noreturn)) fuzz(struct progress *p, uint64_t seed)
{
	struct rlimit files = { 64, 64 }, size = { 1 << 20, 1 << 20 }, space = { 1 << 28, 1 << 28 };
	struct rlimit processes = { 0, 0 }, core = { 0, 0 };
	char *mem;
	int i;

	state = seed;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* And nothing behind it, where others have their figures. */
	mem = mmap(NULL, 66 * PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mem != MAP_FAILED && mprotect(mem, 64 * PAGE, PROT_READ | PROT_WRITE))
		mem = MAP_FAILED;
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_FSIZE, &size);
	setrlimit(RLIMIT_AS, &space);
	setrlimit(RLIMIT_NPROC, &processes);
	setrlimit(RLIMIT_CORE, &core);
	for (i = 1; i < 65; i++)
		if (i != SIGKILL && i != SIGSTOP && i != SIGSEGV && i != SIGBUS && i != SIGTRAP &&
		    i != SIGSYS && i != SIGILL)
			signal(i, SIG_IGN);
	if (mem == MAP_FAILED || setgroups(0, NULL) || setgid(1000) || setuid(1000))
		die_errno("becoming a user");
	for (i = 0; i < 64; i++)
		*(uint64_t *)(mem + i * PAGE) = rnd();
	/* Whatever is written to the terminal is none of the test's. */
	close(0);
	close(1);
	close(2);
	for (i = 0;; i++) {
		if (!(i % 64))
			open_some();
		*(uint64_t *)(mem + rnd() % (8 * PAGE) / 8 * 8) =
			rnd() % 2 ? rnd() : (uint64_t)make_argument(mem);
		__atomic_store_n(&p->last, make_number(), __ATOMIC_RELAXED);
		syscall(p->last, make_argument(mem), make_argument(mem), make_argument(mem),
			make_argument(mem), make_argument(mem), make_argument(mem));
		__atomic_fetch_add(&p->calls, 1, __ATOMIC_RELAXED);
	}
}

/* ---- the other ------------------------------------------------------------------- */

static uint64_t longest[5];
static const char *const what[] = { "stat", "list", "rename", "exec", "read" };

static void took(int which, uint64_t since)
{
	uint64_t us = now_us() - since;

	if (us > longest[which])
		longest[which] = us;
}

static void use_names(void)
{
	uint64_t at = now_us();
	struct dirent *entry;
	char byte;
	struct stat st;
	int status, fd;
	pid_t pid;
	DIR *dir;

	stat("a", &st);
	stat("d/a", &st);
	took(0, at);

	at = now_us();
	dir = opendir(".");
	while (dir && (entry = readdir(dir)))
		fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
	if (dir)
		closedir(dir);
	took(1, at);

	at = now_us();
	/* Either may be his by now. */
	if (rename("moving", "moved") && rename("moved", "moving"))
		stat("moving", &st);
	took(2, at);

	at = now_us();
	pid = sys(fork());
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execl("program", "program", NULL);
		_exit(126);
	}
	sys(waitpid(pid, &status, 0));
	took(3, at);

	at = now_us();
	fd = open("b", O_RDONLY);
	if (fd >= 0) {
		if (pread(fd, &byte, 1, 0) < 0)
			byte = 0;
		close(fd);
	}
	took(4, at);
}

int main(int argc, char **argv)
{
	unsigned long calls, made, before[FUZZERS] = { 0 };
	uint64_t seed, since[FUZZERS] = { 0 };
	unsigned int started = 0, killed = 0;
	pid_t pid[FUZZERS] = { 0 };
	int i, status;

	if (argc != 4)
		die("usage: fuzz SEED CALLS DIR");
	seed = strtoull(argv[1], NULL, 0);
	calls = strtoul(argv[2], NULL, 0);
	progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		die_errno("mmap");
	sys(chdir(argv[3]));
	do {
		made = 0;
		for (i = 0; i < FUZZERS; i++) {
			struct progress *p = &progress[i];
			unsigned long now = __atomic_load_n(&p->calls, __ATOMIC_RELAXED);

			if (pid[i] && waitpid(pid[i], &status, WNOHANG) == pid[i])
				pid[i] = 0;
			if (!pid[i]) {
				pid[i] = sys(fork());
				if (!pid[i])
					fuzz(p, seed * 1000003 + started);
				started++;
			}
			if (now != before[i] || !since[i]) {
				since[i] = now_us();
			} else if (now_us() - since[i] > STALLED_MS * 1000) {
				/* It waits for what does not come. */
				kill(pid[i], SIGKILL);
				killed++;
				since[i] = 0;
			}
			before[i] = now;
			made += now;
		}
		use_names();
	} while (made < calls);
	for (i = 0; i < FUZZERS; i++)
		if (pid[i])
			kill(pid[i], SIGKILL);
	for (i = 0; i < FUZZERS; i++)
		if (pid[i])
			waitpid(pid[i], &status, 0);
	printf("%lu calls of %u processes, %u of them killed while they waited; longest", made,
	       started, killed);
	for (i = 0; i < 5; i++)
		printf(" %s %lu", what[i], (unsigned long)(longest[i] / 1000));
	printf(" ms\n");
	return 0;
}
