// SPDX-License-Identifier: GPL-2.0-only
/*
 * cloneread DIR ROUNDS [WANTED]
 *
 * One block is cloned into the middle of an extent while a page beside it is read that
 * was never read before. Then the block is read. Ends after so many rounds, or when so
 * many of the blocks had the bytes from before the clone. Prints how many rounds there
 * were, and in how many of them that was so.
 */
#include <semaphore.h>
#include <pthread.h>

#include "util.h"

#define NR		16		/* blocks of the extent */
#define AT		6		/* the one that is replaced */
#define LONGEST		20000		/* steps from the one's start to the other's */

static sem_t go, done;
static int reader_fd;
static unsigned int page, delay;

static void *reader(void *arg)
{
	static char buf[PAGE];
	volatile unsigned int i;

	for (;;) {
		sem_wait(&go);
		for (i = 0; i < delay; i++)
			;
		sys(pread(reader_fd, buf, PAGE, page * PAGE));
		sem_post(&done);
	}
	return arg;
}

static int make(const char *dir, const char *name, int c, size_t blocks)
{
	char *path = path_of(dir, name);
	static char bytes[NR * PAGE];
	int fd = sys(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));

	memset(bytes, c, blocks * PAGE);
	if (write(fd, bytes, blocks * PAGE) != (ssize_t)(blocks * PAGE))
		die_errno("write");
	sys(fsync(fd));
	free(path);
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long rounds, wanted, old = 0, i;
	unsigned int lucky = LONGEST / 2;
	pthread_t thread;
	int a, b, fd;
	char got;

	if (argc < 3)
		die("usage: cloneread DIR ROUNDS [WANTED]");
	rounds = strtoul(argv[2], NULL, 0);
	wanted = argc > 3 ? strtoul(argv[3], NULL, 0) : rounds;
	a = make(argv[1], "a", 'a', NR);
	b = make(argv[1], "b", 'b', 1);
	fd = make(argv[1], "c", 'c', 1);
	reader_fd = sys(open(path_of(argv[1], "c"), O_RDONLY));
	/* A page and no more. */
	sys(posix_fadvise(reader_fd, 0, 0, POSIX_FADV_RANDOM));
	sem_init(&go, 0, 0);
	sem_init(&done, 0, 0);
	pthread_create(&thread, NULL, reader, NULL);
	srand(1);
	for (i = 0; i < rounds && old < wanted; i++) {
		struct file_clone_range range = { b, 0, PAGE, AT * PAGE };

		sys(ioctl(fd, FICLONE, a));
		page = rand() & 1 ? AT + 1 : AT - 1;
		/* Half of the time as it was when it last went wrong, about. */
		delay = rand() & 1 ? (unsigned int)rand() % LONGEST :
				     lucky - lucky / 8 + (unsigned int)rand() % (lucky / 4 + 1);
		sem_post(&go);
		sys(ioctl(fd, FICLONERANGE, &range));
		sem_wait(&done);
		if (pread(fd, &got, 1, AT * PAGE) != 1)
			die_errno("read");
		if (got == 'b')
			continue;
		if (got != 'a')
			die("round %lu: %#x, which is neither", i, got);
		old++;
		lucky = delay;
	}
	printf("%lu %lu\n", i, old);
	fflush(NULL);
	_exit(0);
}
