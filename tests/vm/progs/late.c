// SPDX-License-Identifier: GPL-2.0-only
/*
 * build: -lpthread
 *
 * late DIR LOWER: files that are opened for reading while they share have no lower file
 * yet. All that goes there has to find one, and nobody may see a difference.
 *
 *	late opens DIR	opens and reads DIR/x a hundred times
 *	late errors DIR	the second half of DIR/x cannot be written: who had it open by
 *			then is told, though somebody else has been told before him
 */
#include "util.h"

#include <pthread.h>
#include <sys/file.h>

#define PAGES	64UL
#define SIZE	(PAGES * PAGE)

static const char *dir, *lower;
static char *want, *other;

/* Of a file that shares. */
static int open_late(const char *name)
{
	int fd = open_in(dir, name, O_RDONLY);

	wait_joined(fd, name);
	close(fd);
	return open_in(dir, name, O_RDONLY);
}

static void expect(int fd, const char *what)
{
	char *got = malloc(SIZE);

	if (read_all(fd, got, SIZE, 0) != SIZE)
		die("%s: a short read", what);
	same_bytes(got, want, SIZE, what);
	free(got);
}

static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

static void locks(void)
{
	int a = open_late("a"), b = open_late("a");
	struct flock lock = whole_file(F_RDLCK);

	sys(flock(a, LOCK_EX));
	if (!flock(b, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		die("two late files have one flock");
	sys(flock(b, LOCK_UN));
	if (!flock(b, LOCK_EX | LOCK_NB))
		die("the one's unlock was the other's");
	sys(flock(a, LOCK_UN));
	sys(flock(b, LOCK_EX));
	close(b);
	sys(flock(a, LOCK_EX | LOCK_NB));
	sys(fcntl(a, F_OFD_SETLK, &lock));
	close(a);
}

static void mapping(void)
{
	char line[512], *map;
	bool found = false;
	int fd = open_late("a");
	FILE *maps;

	map = sys(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0));
	same_bytes(map, want, SIZE, "the mapping of a late file");
	maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), maps))
		found |= !!strstr(line, path_of(dir, "a"));
	fclose(maps);
	if (!found)
		die("the mapping has another path");
	close(fd);
	same_bytes(map, want, SIZE, "the mapping of a closed file");
	munmap(map, SIZE);
}

static void calls(void)
{
	int fd = open_late("a"), ends[2], flags;
	off_t off = 0;

	if (sys(lseek(fd, 0, SEEK_HOLE)) != (off_t)SIZE)
		die("SEEK_HOLE");
	close(fd);
	fd = open_late("a");
	sys(fsync(fd));
	close(fd);
	fd = open_late("a");
	sys(posix_fadvise(fd, 0, SIZE, POSIX_FADV_WILLNEED));
	close(fd);
	fd = open_late("a");
	sys(ioctl(fd, FS_IOC_GETVERSION, &flags));
	close(fd);
	fd = open_late("a");
	flags = sys(fcntl(fd, F_GETFL));
	sys(fcntl(fd, F_SETFL, flags | O_DIRECT));
	if (sys(pread(fd, other, SIZE, 0)) != SIZE)
		die("a direct read");
	same_bytes(other, want, SIZE, "a direct read");
	close(fd);
	fd = open_late("a");
	sys(pipe(ends));
	if (sys(splice(fd, &off, ends[1], NULL, PAGE, 0)) != PAGE)
		die("splice");
	close(fd);
	close(ends[0]);
	close(ends[1]);
	fd = open_late("a");
	clone_to(fd, dir, "c");
	close(fd);
	unlink(path_of(dir, "c"));
}

/* Many come to need the lower file at once. */
static int common;

static void *reader(void *arg)
{
	char *got = malloc(PAGE);

	if (sys(pread(common, got, PAGE, 5 * PAGE)) != PAGE)
		die("a short read");
	same_bytes(got, want + 5 * PAGE, PAGE, "one of many readers");
	free(got);
	return arg;
}

static void together(void)
{
	pthread_t threads[8];
	int i, writer;

	common = open_late("b");
	writer = open_in(dir, "b", O_RDWR);
	memset(want + 5 * PAGE, 'n', PAGE);
	sys(pwrite(writer, want + 5 * PAGE, PAGE, 5 * PAGE));
	close(writer);
	for (i = 0; i < 8; i++)
		if (pthread_create(&threads[i], NULL, reader, NULL))
			die("pthread_create");
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	expect(common, "a file that was written to since it was opened");
	fill_bytes(want, 5, 0, SIZE);
	close(common);
}

/* It is one of those who have the file open to who wants it for himself below. */
static void leases(void)
{
	int fd = open_late("a"), below = open_in(lower, "a", O_RDWR);

	/* By now the mount's own lease is gone, and none comes back. */
	if (!fcntl(below, F_SETLEASE, F_WRLCK) || errno != EAGAIN)
		die("a lease for writing beside a reader above");
	expect(fd, "a file that somebody has open for writing below");
	if (!fcntl(below, F_SETLEASE, F_WRLCK) || errno != EAGAIN)
		die("a lease for writing beside one who has read above");
	close(fd);
	/* Who tries to join again has it open for a moment. */
	waits_for("the lease is granted");
	while (fcntl(below, F_SETLEASE, F_WRLCK))
		sleep_ms(20);
	waits_for(NULL);
	sys(fcntl(below, F_SETLEASE, F_UNLCK));
	close(below);
}

static void removed(void)
{
	int fd = open_late("d");

	unlink(path_of(dir, "d"));
	expect(fd, "a file that was removed");
	sys(posix_fadvise(fd, 0, SIZE, POSIX_FADV_WILLNEED));
	expect(fd, "a file that was removed, by its lower file");
	close(fd);
}

static void opens(void)
{
	int i, fd;

	close(open_late("x"));
	for (i = 0; i < 100; i++) {
		fd = open_in(dir, "x", O_RDONLY);
		if (read_all(fd, other, SIZE, 0) != SIZE)
			die("a short read");
		close(fd);
	}
}

static void errors(void)
{
	int fd = open_late("x"), writer = open_in(dir, "x", O_RDWR);

	sys(pwrite(writer, want, PAGE, lseek(writer, 0, SEEK_END) / 2));
	if (!fsync(writer) || errno != EIO)
		die("it could be written");
	if (!fsync(fd) || errno != EIO)
		die("who had it open before was not told");
	sys(fsync(fd));
	close(writer);
	close(fd);
}

int main(int argc, char **argv)
{
	int fd;

	want = malloc(SIZE);
	other = sys(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (argc == 3 && !strcmp(argv[1], "opens")) {
		dir = argv[2];
		opens();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "errors")) {
		dir = argv[2];
		errors();
		return 0;
	}
	if (argc != 3)
		die("usage: late DIR LOWER");
	dir = argv[1];
	lower = argv[2];
	fill_bytes(want, 5, 0, SIZE);
	make_file(dir, "a", 5, SIZE);
	fd = open_in(dir, "a", O_RDONLY);
	clone_to(fd, dir, "b");
	clone_to(fd, dir, "d");
	close(fd);
	drop_caches();
	fd = open_in(dir, "b", O_RDONLY);
	wait_joined(fd, "b");
	close(fd);
	locks();
	mapping();
	calls();
	together();
	removed();
	leases();
	return 0;
}
