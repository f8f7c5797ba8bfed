// SPDX-License-Identifier: GPL-2.0-only
/*
 * tenants -t SECONDS -s SEED [-m FACTOR] [-f FROZEN]... RESULTS DIR
 *
 * Tenants in DIR, which is empty: users with memory cgroups of their own (of limits FACTOR
 * times as large as by default) who clone, change, map and rename their files; who stop in
 * the middle of their reads, writes and ioctls, in buffers behind userfaultfd and FUSE; and
 * a crowd of clones. Memory is short in their cgroups. The filesystems in FROZEN are frozen
 * and thawed. Meanwhile a bystander, with his own user, cgroup and files, takes the time
 * that each of his calls takes, and adds it to what is in the file RESULTS. Everybody
 * compares what he reads with what he knows has to be there.
 *
 * tenants report NATIVE STACKED: two such files, side by side.
 */
#include <grp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "tenants.h"

#define MIXERS		3
#define HOLDERS		3		/* for each of the first two tenants */
#define MAX_ROLES	32
#define FIRST_UID	2001
#define CROWD_TENANT	MIXERS
#define BYSTANDER	(MIXERS + 1)
#define NR_TENANTS	(MIXERS + 2)
#define SLOW		500		/* ms: then the log shows where the bystander is */
#define MAX_SHOWN	20

/* MB that a tenant may have until he is squeezed. */
#define ENOUGH		32
/* What the squeezer leaves a tenant to grow, bytes; who has holders forks. */
#define SLACK(tenant)	((tenant) < 2 ? 1UL << 20 : 1UL << 19)

struct shared *shm;
const char *base;
uint64_t seed, chance;

static char *dirs[NR_TENANTS];
static struct {
	pid_t pid;
	const char *name;
} roles[MAX_ROLES];
static unsigned int nr_roles;
static pid_t bystander_pid;

void page_make(void *page, uint64_t key)
{
	uint64_t first = word_of(key, 0), *words = page;
	unsigned int w;

	for (w = 0; w < WORDS; w++)
		words[w] = key ? first + w : 0;
}

void page_check(const void *page, uint64_t key, const char *what, const char *file,
		unsigned long nr)
{
	uint64_t first = word_of(key, 0);
	const uint64_t *words = page;
	unsigned int w;

	for (w = 0; w < WORDS; w++)
		if (words[w] != (key ? first + w : 0))
			die("wrong bytes: %s: %s in %s, page %lu, word %u is %#llx, expected %#llx",
			    what, file, base, nr, w, (unsigned long long)words[w],
			    (unsigned long long)word_of(key, w));
}

void make_clone(int src, const char *dir, const char *name, unsigned long pages, uid_t owner)
{
	int fd = open_in(dir, name, O_RDWR | O_CREAT | O_TRUNC);
	struct file_clone_range range = { src, 0, pages * PAGE, 0 };

	sys(ioctl(fd, FICLONERANGE, &range));
	if (owner != (uid_t)-1)
		sys(fchown(fd, owner, owner));
	close(fd);
}

static void put(const char *file, const char *text)
{
	int fd = sys(open(file, O_WRONLY));

	sys(write(fd, text, strlen(text)));
	close(fd);
}

/* ---- who there is ---------------------------------------------------------------------- */

static char *group_of(unsigned int tenant, const char *file)
{
	char *path;

	if (asprintf(&path, "/sys/fs/cgroup/tenant%u%s%s", tenant, file[0] ? "/" : "", file) < 0)
		die("no memory");
	return path;
}

static void make_tenant(int image, unsigned int tenant, unsigned int factor)
{
	uid_t owner = FIRST_UID + tenant;
	char *group = group_of(tenant, ""), text[32], name[16];
	unsigned int i;

	if (mkdir(group, 0755) && errno != EEXIST)
		die_errno("%s", group);
	if (tenant != BYSTANDER) {
		sprintf(text, "%uM", ENOUGH * factor);
		put(group_of(tenant, "memory.max"), text);
	}
	sprintf(name, "t%u", tenant);
	dirs[tenant] = path_of(base, name);
	sys(mkdir(dirs[tenant], 0700));
	if (tenant < 2)
		for (i = 0; i < HELD_FILES; i++) {
			sprintf(name, "h%u", i);
			make_clone(image, dirs[tenant], name, FILE_PAGES, owner);
		}
	if (tenant == CROWD_TENANT)
		crowd_setup(image, dirs[tenant], owner);
	if (tenant == BYSTANDER)
		make_clone(image, dirs[tenant], "own", FILE_PAGES, owner);
	sys(chown(dirs[tenant], owner, owner));
}

static void make_all(unsigned int factor)
{
	static char page[PAGE];
	unsigned int tenant;
	unsigned long p;
	int fd, copy;

	/* One for those who stop in it, and one that nobody stops in. */
	fd = open_in(base, "image", O_RDWR | O_CREAT | O_EXCL);
	for (p = 0; p < IMAGE_PAGES; p++) {
		page_make(page, IMAGE_KEY(p));
		write_all(fd, page, PAGE, p * PAGE);
	}
	sys(fsync(fd));
	make_clone(fd, base, "image.ro", IMAGE_PAGES, -1);
	for (tenant = 0; tenant < NR_TENANTS; tenant++)
		make_tenant(fd, tenant, factor);
	sys(fchmod(fd, 0444));
	copy = open_in(base, "image.ro", O_RDONLY);
	sys(fchmod(copy, 0444));
	close(copy);
	close(fd);
}

/* A process of a tenant's, or of root's if TENANT is -1. Returns 0 in it. */
static pid_t new_role(int tenant, const char *name, bool dies_with_us)
{
	char text[32];
	pid_t pid;

	if (nr_roles == MAX_ROLES)
		die("too many roles");
	fflush(NULL);
	pid = sys(fork());
	if (pid) {
		roles[nr_roles].pid = pid;
		roles[nr_roles++].name = name;
		return pid;
	}
	if (tenant >= 0) {
		/* He is to wait for others' locks rather than for a processor. */
		if (tenant == BYSTANDER)
			sys(setpriority(PRIO_PROCESS, 0, -19));
		sprintf(text, "%d", getpid());
		put(group_of(tenant, "cgroup.procs"), text);
		sys(setgroups(0, NULL));
		sys(setgid(FIRST_UID + tenant));
		sys(setuid(FIRST_UID + tenant));
	}
	if (dies_with_us)
		sys(prctl(PR_SET_PDEATHSIG, SIGKILL));
	/* Files of root's own stay readable below /proc. */
	prctl(PR_SET_DUMPABLE, 1);
	chance = mix(seed * 1000003 + nr_roles);
	return 0;
}

static unsigned long get(const char *file)
{
	unsigned long value;
	FILE *f = fopen(file, "r");

	if (!f || fscanf(f, "%lu", &value) != 1)
		die_errno("%s", file);
	fclose(f);
	return value;
}

/*
 * Takes from one tenant after the other what can be taken, and limits him to a little
 * more than what is left: his own faults and calls meet the limit then, with whatever
 * locks they hold.
 */
static void squeezer(unsigned int factor)
{
	unsigned int tenant = 0;
	char text[32];

	while (!stopped()) {
		char *current = group_of(tenant, "memory.current");
		char *reclaim = group_of(tenant, "memory.reclaim");
		char *max = group_of(tenant, "memory.max");
		int fd = sys(open(reclaim, O_WRONLY));

		sprintf(text, "%lu", get(current));
		/* Never all of it. */
		if (write(fd, text, strlen(text)) < 0 && errno != EAGAIN && errno != EINTR)
			die_errno("%s", reclaim);
		close(fd);
		sprintf(text, "%lu", get(current) + SLACK(tenant) * factor);
		put(max, text);
		free(current);
		free(reclaim);
		free(max);
		tenant = (tenant + 1) % BYSTANDER;
		rest_ms(200);
	}
}

static void start_fuse(void)
{
	int fd = sys(open("/dev/fuse", O_RDWR));
	char text[128];

	if (mkdir(FUSE_DIR, 0755) && errno != EEXIST)
		die_errno(FUSE_DIR);
	sprintf(text, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	if (!new_role(-1, "FUSE", true)) {
		fuse_daemon(fd);
		_exit(0);
	}
	sys(mount("held", FUSE_DIR, "fuse", MS_NOSUID | MS_NODEV, text));
	close(fd);
}

static void start_all(const char *const *frozen, unsigned int nr_frozen, unsigned int factor,
		      struct results *results)
{
	int tenant, i;

	for (tenant = 0; tenant < MIXERS; tenant++)
		if (!new_role(tenant, "mixer", true)) {
			mixer(dirs[tenant]);
			_exit(0);
		}
	for (tenant = 0; tenant < 2; tenant++) {
		for (i = 0; i < HOLDERS; i++)
			if (!new_role(tenant, "holder", true))
				holder(dirs[tenant]);
		if (!new_role(tenant, "queuer", true)) {
			queuer(dirs[tenant]);
			_exit(0);
		}
	}
	for (i = 0; i < 3; i++)
		if (!new_role(CROWD_TENANT, "crowd", true)) {
			if (!i)
				crowd_fault(dirs[CROWD_TENANT]);
			else if (i == 1)
				crowd_allocate(dirs[CROWD_TENANT]);
			else
				crowd_read(dirs[CROWD_TENANT]);
			_exit(0);
		}
	if (!new_role(-1, "squeezer", true)) {
		squeezer(factor);
		_exit(0);
	}
	if (nr_frozen && !new_role(-1, "freezer", false)) {
		freezer(frozen, nr_frozen);
		_exit(0);
	}
	bystander_pid = new_role(BYSTANDER, "bystander", true);
	if (!bystander_pid) {
		bystander(dirs[BYSTANDER], results);
		_exit(0);
	}
}

/* ---- watching them ------------------------------------------------------------------------ */

static char state_of(pid_t pid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return state;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = '?';
	fclose(f);
	return state;
}

/* Without a program that would have to be started first: it is about this moment. */
static void show_at_once(pid_t pid)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		fputs(line, stderr);
	fclose(f);
}

/*
 * Where the bystander is, for the log, when a call of his takes long: after SLOW, and
 * again when it has taken twice as long, and so on. While somebody freezes others are to
 * be expected, but for writes and renames.
 */
static void watch_bystander(void)
{
	static const char *const names[] = OP_NAMES;
	static uint64_t watched, wait;
	static unsigned int nr;
	uint64_t since = __atomic_load_n(&shm->since, __ATOMIC_SEQ_CST);
	bool freezing = shm->freezing & 1;
	int op = shm->op;
	char state;

	if (!since || nr == MAX_SHOWN || (freezing && (op == WRITE || op == RENAME)))
		return;
	if (since != watched) {
		watched = since;
		wait = SLOW * 1000;
	}
	if (now_us() < since + wait)
		return;
	wait *= 2;
	state = state_of(bystander_pid);
	if (__atomic_load_n(&shm->since, __ATOMIC_SEQ_CST) != since)
		return;
	fprintf(stderr, "the bystander's %s has taken %llu ms (state %c%s):\n", names[op],
		(unsigned long long)(now_us() - since) / 1000, state,
		freezing ? ", somebody freezes" : "");
	show_at_once(bystander_pid);
	if (state == 'R')
		put("/proc/sysrq-trigger", "l");
	nr++;
}

/* One has ended: in its time, or all with it. */
static unsigned int role_over(pid_t pid, int status)
{
	unsigned int i;

	for (i = 0; i < nr_roles && roles[i].pid != pid; i++)
		;
	if (i == nr_roles)
		return 0;
	if (status || !stopped())
		die("seed %llu: %s ended with status %#x", (unsigned long long)seed,
		    roles[i].name, status);
	roles[i].pid = 0;
	return 1;
}

static void show_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_roles; i++) {
		if (!roles[i].pid)
			continue;
		fprintf(stderr, "%s is still there:\n", roles[i].name);
		show_stack(roles[i].pid);
	}
}

static void watch(unsigned int seconds)
{
	uint64_t end = now_us() + seconds * 1000000ULL, late = end + 60 * 1000000ULL;
	unsigned int left = nr_roles - 1;	/* FUSE ends last, see below */
	int status;
	pid_t pid;

	while (left) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			left -= role_over(pid, status);
		watch_bystander();
		if (now_us() > end && !stopped()) {
			__atomic_store_n(&shm->stop, 1, __ATOMIC_SEQ_CST);
			waits_for("all tenants to end");
		}
		/* Whether that is for ever only the run's own limit can tell. */
		if (now_us() > late) {
			show_all();
			late = now_us() + 60 * 1000000ULL;
		}
		sleep_ms(20);
	}
	sys(umount2(FUSE_DIR, 0));
	while ((pid = wait(&status)) > 0)
		role_over(pid, status);
	waits_for(NULL);
}

static struct results *results_at(const char *file)
{
	int fd = sys(open(file, O_RDWR | O_CREAT, 0644));
	void *p;

	sys(ftruncate(fd, sizeof(struct results)));
	p = mmap(NULL, sizeof(struct results), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die_errno("%s", file);
	close(fd);
	return p;
}

int main(int argc, char **argv)
{
	unsigned int seconds = 60, factor = 1, nr_frozen = 0;
	struct results *results;
	const char *frozen[8];
	int c;

	if (argc == 4 && !strcmp(argv[1], "report"))
		return report(argv[2], argv[3]);
	while ((c = getopt(argc, argv, "t:s:m:f:")) != -1) {
		if (c == 't')
			seconds = strtoul(optarg, NULL, 0);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'm')
			factor = strtoul(optarg, NULL, 0);
		else if (c == 'f' && nr_frozen < 8)
			frozen[nr_frozen++] = optarg;
		else
			argc = 0;
	}
	if (optind + 2 != argc)
		die("usage: tenants -t SECONDS -s SEED [-m FACTOR] [-f FROZEN]... RESULTS DIR");
	base = argv[optind + 1];
	umask(022);
	shm = mmap(NULL, sizeof(*shm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shm == MAP_FAILED)
		die_errno("mmap");
	results = results_at(argv[optind]);
	close(sys(open(IDLE_FILE, O_RDONLY | O_CREAT, 0644)));
	make_all(factor);
	start_fuse();
	start_all(frozen, nr_frozen, factor, results);
	watch(seconds);
	printf("mixed %llu, held %llu and killed %llu, crowded %llu, freezes %llu, bystander's rounds %llu\n",
	       (unsigned long long)shm->done[MIXED], (unsigned long long)shm->done[HELD],
	       (unsigned long long)shm->done[KILLED], (unsigned long long)shm->done[CROWDED],
	       (unsigned long long)shm->done[FREEZES], (unsigned long long)shm->done[BYSTOOD]);
	if (!shm->done[MIXED] || !shm->done[HELD] || !shm->done[CROWDED] || !shm->done[BYSTOOD])
		die("not all got on");
	return 0;
}
