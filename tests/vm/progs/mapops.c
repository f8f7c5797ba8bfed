// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapops DIR OUT: what programs do with mappings, on two clones A and B of one
 * file in DIR. OUT is a file on a filesystem that knows O_DIRECT. Everything
 * must see the right bytes, private changes stay private, and B never changes.
 */
#include "util.h"
#include <sys/ptrace.h>
#include <sys/uio.h>

#define PAGES	512UL
#define SIZE	(PAGES * PAGE)
#define ID	77

static char *want;
static const char *out;
static int a, b;

static char *map(int fd, int prot, int flags)
{
	char *p = mmap(NULL, SIZE, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		die_errno("mmap");
	return p;
}

/* Both files, by read(2) and by fresh mappings, hold what they always held. */
static void unchanged(const char *what)
{
	char *buf = malloc(SIZE);
	int fds[] = { a, b }, i;

	for (i = 0; i < 2; i++) {
		char *p = map(fds[i], PROT_READ, i ? MAP_SHARED : MAP_PRIVATE);

		if (read_all(fds[i], buf, SIZE, 0) != SIZE)
			die("%s: short read", what);
		same_bytes(buf, want, SIZE, what);
		same_bytes(p, want, SIZE, what);
		munmap(p, SIZE);
	}
	free(buf);
}

static void private_write(void)
{
	char *p = map(a, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *q = map(b, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned long i;

	same_bytes(p, want, SIZE / 2, "private mapping before it is written");
	for (i = 0; i < PAGES; i += 3)	/* warm pages and cold ones */
		p[i * PAGE + i] ^= 0x55;
	same_bytes(q, want, SIZE, "a clone's private mapping");
	for (i = 0; i < PAGES; i += 3)
		p[i * PAGE + i] ^= 0x55;
	same_bytes(p, want, SIZE, "private mapping, written and put back");
	munmap(p, SIZE);
	munmap(q, SIZE);
}

static void fork_copies(void)
{
	char *p = map(a, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *s = map(b, PROT_READ, MAP_SHARED);
	pid_t pid;

	same_bytes(p, want, SIZE, "before fork");
	p[5 * PAGE] ^= 1;
	pid = sys(fork());
	if (!pid) {
		if (p[5 * PAGE] != (char)(want[5 * PAGE] ^ 1))
			die("the child lost what its parent wrote");
		memset(p, 0, SIZE);
		same_bytes(s, want, SIZE, "shared mapping in the child");
		_exit(0);
	}
	if (reap_within(pid, 30, "forked child"))
		die("the forked child failed");
	p[5 * PAGE] ^= 1;
	same_bytes(p, want, SIZE, "private mapping after the child wrote to its own");
	munmap(p, SIZE);
	munmap(s, SIZE);
}

static void moves(void)
{
	char *p = map(a, PROT_READ, MAP_PRIVATE);
	char *hole, *q;

	same_bytes(p, want, SIZE / 2, "before mremap");
	hole = sys(mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, hole + PAGE);
	if (q == MAP_FAILED)
		die_errno("mremap");
	same_bytes(q, want, SIZE, "after mremap");
	if (mremap(q, SIZE, SIZE / 2, 0) != q)
		die_errno("mremap to half");
	q = mremap(q, SIZE / 2, SIZE, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		die_errno("mremap to the whole");
	same_bytes(q, want, SIZE, "shrunk and grown");
	munmap(q, SIZE);

	/* A mapping that begins in the middle of the file. */
	q = mmap(NULL, SIZE / 4, PROT_READ, MAP_SHARED, a, 7 * PAGE);
	if (q == MAP_FAILED)
		die_errno("mmap");
	same_bytes(q, want + 7 * PAGE, SIZE / 4, "mapping at an offset");
	munmap(q, SIZE / 4);
}

static void on_segv(int sig)
{
	(void)sig;
	_exit(42);
}

static void protections(void)
{
	char *p = map(a, PROT_READ, MAP_PRIVATE);
	pid_t pid;
	int status;

	same_bytes(p, want, SIZE, "before mprotect");
	sys(mprotect(p, SIZE, PROT_NONE));
	pid = sys(fork());
	if (!pid) {
		signal(SIGSEGV, on_segv);
		_exit(p[9 * PAGE] == want[9 * PAGE] ? 1 : 2);
	}
	status = reap_within(pid, 10, "reader of PROT_NONE");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 42)
		die("a PROT_NONE page could be read");
	sys(mprotect(p, SIZE, PROT_READ | PROT_WRITE));
	p[9 * PAGE] ^= 0x7f;
	same_bytes(p, want, 9 * PAGE, "after mprotect");
	p[9 * PAGE] ^= 0x7f;
	sys(mprotect(p, SIZE / 2, PROT_READ | PROT_EXEC));
	same_bytes(p, want, SIZE, "after mprotect to execute");
	munmap(p, SIZE);
}

static long smaps(const char *start, const char *key)
{
	char line[512], name[32];
	long kb, value = -1;
	unsigned long from, to;
	bool inside = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from == (unsigned long)start;
		else if (inside && sscanf(line, "%31[^:]: %ld", name, &kb) == 2 &&
			 !strcmp(name, key))
			value = kb;
	}
	fclose(f);
	return value;
}

static void locked(void)
{
	char *p = map(a, PROT_READ, MAP_SHARED);
	unsigned char *vec = malloc(PAGES);
	long kb, resident;
	unsigned long i;

	sys(mlock(p, SIZE));
	kb = smaps(p, "Locked");
	if (kb != SIZE / 1024)
		die("mlock locked %ld kB of %lu", kb, SIZE / 1024);
	drop_caches();
	resident = smaps(p, "Rss");
	if (resident != SIZE / 1024)
		die("of a locked mapping %ld kB are left after drop_caches", resident);
	sys(mincore(p, SIZE, vec));
	for (i = 0; i < PAGES; i++)
		if (!(vec[i] & 1))
			die("mincore misses page %lu of a locked mapping", i);
	same_bytes(p, want, SIZE, "locked mapping");
	sys(munlock(p, SIZE));
	munmap(p, SIZE);
	free(vec);
}

static void read_by_others(void)
{
	char *p, *buf = malloc(SIZE);
	struct iovec here = { buf, SIZE }, there;
	pid_t pid;

	drop_caches();
	p = map(a, PROT_READ, MAP_PRIVATE);
	pid = sys(fork());
	if (!pid) {
		pause();
		_exit(0);
	}
	there = (struct iovec){ p, SIZE };
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) != SIZE)
		die_errno("process_vm_readv");
	same_bytes(buf, want, SIZE, "process_vm_readv of a cold mapping");
	kill(pid, SIGKILL);
	reap_within(pid, 10, "killed child");
	munmap(p, SIZE);
	free(buf);
}

static void direct_from_mapping(void)
{
	char *buf = malloc(SIZE);
	int round;

	for (round = 0; round < 2; round++) {	/* from a cold and from a warm mapping */
		int fd = sys(open(out, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600));
		char *p;

		drop_caches();
		p = map(round ? b : a, PROT_READ, round ? MAP_SHARED : MAP_PRIVATE);
		if (round)
			same_bytes(p, want, SIZE, "warm mapping");
		if (pwrite(fd, p, SIZE, 0) != (ssize_t)SIZE)
			die_errno("direct write from a mapping");
		munmap(p, SIZE);
		close(fd);
		fd = sys(open(out, O_RDONLY));
		if (read_all(fd, buf, SIZE, 0) != SIZE)
			die("short read");
		same_bytes(buf, want, SIZE, "what a direct write took from a mapping");
		close(fd);
	}
	free(buf);
}

static void poke(void)
{
	char *p = map(a, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	char *s = map(a, PROT_READ, MAP_SHARED);
	long old, new;
	pid_t pid;

	same_bytes(p, want, SIZE, "before ptrace");
	pid = sys(fork());
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(p[3 * PAGE] == 0x11 && p[3 * PAGE + 7] == 0x11 ? 0 : 1);
	}
	if (waitpid(pid, NULL, 0) != pid)
		die_errno("waitpid");
	errno = 0;
	old = ptrace(PTRACE_PEEKDATA, pid, p + 3 * PAGE, 0);
	if (errno || memcmp(&old, want + 3 * PAGE, 8))
		die("ptrace reads something else");
	new = 0x1111111111111111;
	sys(ptrace(PTRACE_POKEDATA, pid, p + 3 * PAGE, new));
	same_bytes(s, want, SIZE, "shared mapping after a poke");
	same_bytes(p, want, SIZE, "the parent's mapping after a poke");
	sys(ptrace(PTRACE_CONT, pid, 0, 0));
	if (reap_within(pid, 10, "traced child"))
		die("the traced child does not see what was poked");
	munmap(p, SIZE);
	munmap(s, SIZE);
}

/* Two clones, mapped by one process each and once more here: PSS is a third. */
static void proportions(void)
{
	char *p = map(a, PROT_READ, MAP_SHARED), *q = map(b, PROT_READ, MAP_PRIVATE);
	long rss, pss;

	same_bytes(p, want, SIZE, "first clone");
	same_bytes(q, want, SIZE, "second clone");
	rss = smaps(p, "Rss");
	pss = smaps(p, "Pss");
	if (rss != SIZE / 1024)
		die("RSS of a touched mapping is %ld kB of %lu", rss, SIZE / 1024);
	if (fold_state(a) >= 0 && (pss < rss * 49 / 100 || pss > rss * 51 / 100))
		die("PSS of one of two mapped clones is %ld kB, expected half of %ld", pss, rss);
	if (fold_state(a) < 0)
		printf("not on foldfs: PSS %ld of RSS %ld\n", pss, rss);
	munmap(p, SIZE);
	munmap(q, SIZE);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} tests[] = {
		{ "private writes", private_write }, { "fork", fork_copies },
		{ "mremap", moves }, { "mprotect", protections }, { "mlock", locked },
		{ "process_vm_readv", read_by_others },
		{ "direct write from a mapping", direct_from_mapping },
		{ "ptrace", poke }, { "PSS", proportions },
	};
	unsigned int i;

	if (argc != 3)
		die("usage: mapops DIR OUT");
	out = argv[2];
	want = malloc(SIZE);
	fill_bytes(want, ID, 0, SIZE);
	make_file(argv[1], "a", ID, SIZE);
	a = open_in(argv[1], "a", O_RDONLY);
	clone_to(a, argv[1], "b");
	b = open_in(argv[1], "b", O_RDONLY);
	drop_caches();
	unchanged("at the beginning");
	if (fold_state(a) >= 0) {
		wait_joined(a, "a");
		wait_joined(b, "b");
	}
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		printf("%s\n", tests[i].name);
		fflush(stdout);
		tests[i].fn();
		unchanged(tests[i].name);
		/* What was copied was the copier's own: nothing below but joined pages. */
		if (fold_state(a) >= 0 && fold_state(a) != FOLDFS_STATE_JOINED)
			die("%s ended the sharing", tests[i].name);
	}
	return 0;
}
