// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle -s SEED -p PROCESSES -t SECONDS [-n CHECKED] [-o] [-q] [-z]
 *	  [-m DIR2] DIR LOWER
 *
 * Several processes read and change a handful of reflinked files in DIR in all
 * ways they know, and judge each word that any of them reads (oracle-model.h).
 * In the end all files are compared once more, through DIR and, with cold
 * caches, in LOWER. DIR is a foldfs over LOWER; the two may be the same
 * directory, to see that the oracle itself is right. With -o some of the writes
 * and deduplications go around the mount, to LOWER. With -m every other process works
 * in DIR2, another mount over LOWER. With -q another process takes nearly all free
 * memory again and again. With -n the run ends when so many operations were checked,
 * if that is before the time is over: reads (or looks at a word of a mapping) all of
 * whose words were judged. With -z nothing is asked for that tmpfs has not: zeroed and
 * shifted ranges are punched ones then.
 *
 * The seed decides the sequence of operations of each process, and so brings a
 * run back as far as the scheduler allows.
 */
#include <setjmp.h>
#include <linux/aio_abi.h>

#include "oracle-model.h"

#define SPAN		16			/* blocks that one operation touches at most */

static const char *dir, *other_dir, *lower;
static bool outside, squeeze, as_tmpfs, shifts;
static uint64_t enough = ~0ULL;
static uint64_t seed;

/* What this process holds open for reading. */
static uint32_t version;
static int fds[NR_FILES];
static uint32_t gens[NR_FILES];		/* of the files that they are */
static char *maps[NR_FILES];
static aio_context_t aio;

static uint64_t words[NR_WORDS] __attribute__((aligned(PAGE)));	/* to be written */
static uint64_t bytes[NR_WORDS + WORDS] __attribute__((aligned(PAGE)));	/* read */

static int open_file(int file, int flags)
{
	char name[8];

	sprintf(name, "f%d", file);
	return open_in(dir, name, flags);
}

static const char *how(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "process %u, operation %llu, %s", me,
		 (unsigned long long)op.nr, op.name);
	return text;
}

/* ---- reading ----------------------------------------------------------------------- */

/* A range of words to read or write, at most SPAN blocks. */
static struct range some_range(void)
{
	unsigned int from = op.r[1] % NR_WORDS;
	unsigned int len = op.r[2] % 3 ? 1 + op.r[3] % WORDS : 1 + op.r[3] % (SPAN * WORDS);

	return (struct range){ op.file, from, MIN(from + len, (unsigned int)NR_WORDS) };
}

static size_t by_pipe(int fd, char *buf, size_t len, loff_t off)
{
	size_t got = 0;
	int ends[2];

	sys(pipe(ends));
	while (got < len) {
		ssize_t n = sys(splice(fd, &off, ends[1], NULL, len - got, 0));

		if (!n)
			break;
		for (; n > 0;) {
			ssize_t r = sys(read(ends[0], buf + got, n));

			n -= r;
			got += r;
		}
	}
	close(ends[0]);
	close(ends[1]);
	return got;
}

static sigjmp_buf no_page;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(no_page, 1);
}

/* A part of a page of a mapping; a page without bytes is behind the end. */
static void __attribute__((noinline)) from_page(uint64_t *to, const char *page, size_t len)
{
	if (sigsetjmp(no_page, 1))
		memset(to, 0xff, len);
	else
		memcpy(to, page, len);
}

static void by_mapping(struct range r)
{
	unsigned int w, next;

	for (w = r.from; w < r.to; w = next) {
		next = MIN((w / WORDS + 1) * WORDS, r.to);
		from_page(bytes + (w - r.from), maps[op.file] + w * 8UL, (next - w) * 8);
	}
}

static struct note notes[SPAN + 2];

/*
 * Has another file got the name? What this process has open stays as it was from
 * then on, so notes that were taken later say nothing of it.
 */
static bool replaced(int file)
{
	return gens[file] != __atomic_load_n(&shm->files[file].gen, __ATOMIC_SEQ_CST);
}

static void do_read(int way)
{
	static const char *const ways[] = { "read", "direct read", "splice", "mapped read",
					    "read by a new descriptor" };
	struct range r = some_range();
	unsigned int b, first, last;
	size_t n = 0, len;
	bool all = true;
	int fd;

	op.name = ways[way];
	if (way == 1) {
		r.from -= r.from % 64;
		r.to = ALIGN(r.to, 64);
	}
	len = (r.to - r.from) * 8;
	first = r.from / WORDS;
	last = (r.to - 1) / WORDS;
	for (b = first; b <= last; b++)
		take_note(&notes[b - first], op.file, b, MAX(b * WORDS, r.from) % WORDS,
			  MIN((b + 1) * WORDS, r.to) - b * WORDS);
	if (replaced(op.file))
		return;
	memset(bytes, 0xff, len);
	switch (way) {
	case 0:
		n = sys(pread(fds[op.file], bytes, len, r.from * 8UL));
		break;
	case 1:
		fd = open_file(op.file, O_RDONLY | O_DIRECT);
		n = pread(fd, bytes, len, r.from * 8UL);
		close(fd);
		/* iomap's answer to a direct read that meets a store in a hole. */
		if ((ssize_t)n < 0 && errno == EIO)
			return;
		if ((ssize_t)n < 0)
			die_errno("%s: file %d", how(), op.file);
		break;
	case 2:
		n = by_pipe(fds[op.file], (char *)bytes, len, r.from * 8UL);
		break;
	case 3:
		by_mapping(r);
		n = len;
		break;
	case 4:
		fd = open_file(op.file, O_RDONLY);
		n = sys(pread(fd, bytes, len, r.from * 8UL));
		close(fd);
	}
	if (n % 8)
		die("%s: file %d, %zu bytes", how(), op.file, n);
	memset((char *)bytes + n, 0xff, len - n);
	for (b = first; b <= last; b++) {
		unsigned int from = MAX(b * WORDS, r.from), to = MIN((b + 1) * WORDS, r.to);

		all &= judge(op.file, b, from % WORDS, from % WORDS + to - from,
			     bytes + (from - r.from), &notes[b - first],
			     way == 3 ? MAPPED : way == 2 ? SPLICED : COPIED, how());
	}
	if (all)
		__atomic_add_fetch(&shm->checked, 1, __ATOMIC_RELAXED);
}

/* Single words here and there: each look is an operation. */
static void do_glance(bool mapped)
{
	unsigned int i, w, done = 0;
	uint64_t got;

	op.name = mapped ? "look at a mapping" : "read of a word";
	for (i = 0; i < 32; i++) {
		w = mix(op.r[2] + i) % NR_WORDS;
		take_note(notes, op.file, w / WORDS, w % WORDS, w % WORDS + 1);
		if (replaced(op.file))
			break;
		got = GONE;
		if (mapped)
			from_page(&got, maps[op.file] + w * 8UL, 8);
		else
			sys(pread(fds[op.file], &got, 8, w * 8UL));
		done += judge(op.file, w / WORDS, w % WORDS, w % WORDS + 1, &got, notes,
			      mapped ? MAPPED : COPIED, how());
	}
	__atomic_add_fetch(&shm->checked, done, __ATOMIC_RELAXED);
}

/* ---- writing ----------------------------------------------------------------------- */

static struct file *locked_size(int file)
{
	pthread_mutex_lock(&shm->files[file].size_lock);
	return &shm->files[file];
}

/* New tokens for the range; words before START (a gap behind the old end) are zero. */
static void new_words(struct range r, unsigned int start)
{
	unsigned int w;

	version++;
	for (w = r.from; w < r.to; w++)
		words[w - r.from] = w < start ? 0 : token(me, r.file, w, version);
}

/* One asynchronous write, waited for. */
static ssize_t aio_write(int fd, const void *buf, size_t len, off_t off)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t)buf,
		.aio_nbytes = len, .aio_offset = off,
	}, *list = &cb;
	struct io_event event;

	if (!aio)
		sys(syscall(SYS_io_setup, 4, &aio));
	sys(syscall(SYS_io_submit, aio, 1, &list));
	sys(syscall(SYS_io_getevents, aio, 1, 1, &event, NULL));
	return event.res;
}

static void store(int fd, struct range r)
{
	uint64_t *map = mmap(NULL, NR_WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned int w;

	if (map == MAP_FAILED)
		die_errno("mmap for writing");
	/* Half of the time the pages are there, for reading, when they are written. */
	for (w = r.from; w < r.to && op.r[4] & 1; w++)
		(void)*(volatile uint64_t *)&map[w];
	for (w = r.from; w < r.to; w++)
		__atomic_store_n(&map[w], words[w - r.from], __ATOMIC_RELAXED);
	munmap(map, NR_WORDS * 8);
}

/* The change itself: the new words from START on; a gap may lie before them. */
static void put(int way, struct range r, unsigned int start)
{
	static uint64_t buf[NR_WORDS] __attribute__((aligned(PAGE)));
	size_t len = (r.to - start) * 8UL;
	char name[8];
	ssize_t n = len;
	int fd;

	memcpy(buf, words + (start - r.from), len);
	sprintf(name, "f%d", op.file);
	if (way == 1 || way == 2)
		fd = open_file(op.file, O_WRONLY | O_DIRECT);
	else if (way == 4)
		fd = open_in(lower, name, O_RDWR);
	else
		fd = open_file(op.file, O_RDWR);
	if (way == 2)
		n = aio_write(fd, buf, len, start * 8UL);
	else if (way == 3)
		store(fd, r);
	else
		n = sys(pwrite(fd, buf, len, start * 8UL));
	if (n != (ssize_t)len)
		die("%s: file %d: wrote %zd of %zu bytes", how(), op.file, n, len);
	close(fd);
}

static void do_write(int way)
{
	static const char *const ways[] = { "write", "direct write", "asynchronous write", "store",
					    "write around the mount" };
	struct file *f = &shm->files[op.file];
	bool direct = way == 1 || way == 2;
	struct range r = some_range();
	unsigned int start;

	op.name = ways[way];
	if (direct) {
		r.from -= r.from % 64;
		r.to = ALIGN(r.to, 64);
	}
	/* A direct write cannot throw out a page that somebody dirties meanwhile. */
	if (direct)
		pthread_rwlock_wrlock(&f->direct_lock);
	else if (way == 3)
		pthread_rwlock_rdlock(&f->direct_lock);
	start = r.from;
	lock_blocks(r);
	if (value_of(op.file, r.to - 1) != GONE) {
		new_words(r, start);
		change_begin(r, words);
		put(way, r, start);
		change_end(r, r.to);
		unlock_blocks(r);
	} else if (way == 3 || way == 4) {	/* these do not move the end */
		unlock_blocks(r);
	} else {
		unlock_blocks(r);
		locked_size(op.file);
		if (r.to > f->size) {
			r.from = MIN(r.from, f->size);
			lock_blocks(r);
			new_words(r, start);
			change_begin(r, words);
			put(way, r, start);
			f->size = r.to;
			change_end(r, r.to);
			unlock_blocks(r);
		}
		pthread_mutex_unlock(&f->size_lock);
	}
	if (direct || way == 3)
		pthread_rwlock_unlock(&f->direct_lock);
}

static void do_append(void)
{
	struct file *f = locked_size(op.file);
	struct range r = { op.file, f->size, MIN(f->size + 1 + op.r[1] % 700, NR_WORDS) };
	size_t len = (r.to - r.from) * 8;
	int fd;

	op.name = "append";
	if (r.from < r.to) {
		lock_blocks(r);
		new_words(r, r.from);
		change_begin(r, words);
		fd = open_file(op.file, O_WRONLY | O_APPEND);
		if (write(fd, words, len) != (ssize_t)len)
			die_errno("%s: append", how());
		close(fd);
		f->size = r.to;
		change_end(r, r.to);
		unlock_blocks(r);
	}
	pthread_mutex_unlock(&f->size_lock);
}

/* ---- ends, holes and shifts ------------------------------------------------------------ */

static void do_truncate(void)
{
	struct file *f = locked_size(op.file);
	unsigned int size = op.r[1] % NR_WORDS;
	struct range r = { op.file, MIN(size, f->size), MAX(size, f->size) };
	bool by_open = !(op.r[2] % 16);
	int fd;

	op.name = by_open ? "truncating open" : "truncate";
	if (by_open)
		r = (struct range){ op.file, size = 0, f->size };
	if (r.from < r.to) {
		lock_blocks(r);
		memset(words, size < f->size ? 0xff : 0, (r.to - r.from) * 8);
		change_begin(r, words);
		fd = open_file(op.file, O_WRONLY | (by_open ? O_TRUNC : 0));
		if (!by_open)
			sys(ftruncate(fd, size * 8UL));
		close(fd);
		f->size = size;
		change_end(r, r.to);
		unlock_blocks(r);
	}
	pthread_mutex_unlock(&f->size_lock);
}

static void do_zero(bool punch)
{
	struct range r = some_range();
	unsigned int to = r.from;
	int fd;

	op.name = punch ? "punch" : "zero";
	lock_blocks(r);
	while (to < r.to && value_of(op.file, to) != GONE)
		to++;
	if (to > r.from) {
		struct range done = { r.file, r.from, to };

		memset(words, 0, (to - r.from) * 8);
		change_begin(done, words);
		fd = open_file(op.file, O_WRONLY);
		sys(fallocate(fd, FALLOC_FL_KEEP_SIZE |
			      (punch ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE),
			      r.from * 8UL, (to - r.from) * 8UL));
		close(fd);
		change_end(done, to);
	}
	unlock_blocks(r);
}

static void do_shift(bool insert)
{
	struct file *f = &shm->files[op.file];
	unsigned int at, len = (1 + op.r[1] % 4) * WORDS, w;
	int fd;

	op.name = insert ? "insert" : "collapse";
	if (!shifts)
		return;
	pthread_rwlock_wrlock(&f->direct_lock);
	locked_size(op.file);
	at = op.r[2] % (f->size / WORDS + 1) * WORDS;
	if (insert ? at < f->size && f->size + len <= NR_WORDS : at + len < f->size) {
		struct range r = { op.file, at, insert ? f->size + len : f->size };

		lock_blocks(r);
		for (w = at; w < r.to; w++)
			if (insert)
				words[w - at] = w < at + len ? 0 : value_of(op.file, w - len);
			else
				words[w - at] = w + len < f->size ? value_of(op.file, w + len) : GONE;
		change_begin(r, words);
		fd = open_file(op.file, O_RDWR);
		sys(fallocate(fd, insert ? FALLOC_FL_INSERT_RANGE : FALLOC_FL_COLLAPSE_RANGE,
			      at * 8UL, len * 8UL));
		close(fd);
		f->size = insert ? f->size + len : f->size - len;
		change_end(r, r.to);
		unlock_blocks(r);
	}
	pthread_mutex_unlock(&f->size_lock);
	pthread_rwlock_unlock(&f->direct_lock);
}

/* ---- copies ----------------------------------------------------------------------------- */

static bool meet(struct range a, struct range b)
{
	return a.file == b.file && a.from / WORDS < ALIGN(b.to, WORDS) / WORDS &&
	       b.from / WORDS < ALIGN(a.to, WORDS) / WORDS;
}

enum copy_way { BY_COPY, BY_CLONE, BY_MAPPING };

/* A write whose source is a cold mapping of the other file, or of the same. */
static ssize_t write_mapping(int out, loff_t to_off, int in, loff_t from_off, size_t len)
{
	char *map = mmap(NULL, NR_WORDS * 8, PROT_READ, MAP_SHARED, in, 0);
	ssize_t n;

	if (map == MAP_FAILED)
		die_errno("mmap");
	n = pwrite(out, map + from_off, len, to_off);
	munmap(map, NR_WORDS * 8);
	return n;
}

/* Words SRC of one file to the word TO of another (or the same). */
static void copy(struct range src, unsigned int to, enum copy_way way)
{
	struct file *f = &shm->files[op.file];
	struct range dst = { op.file, MIN(to, f->size), to + src.to - src.from };
	size_t len = (src.to - src.from) * 8UL;
	unsigned int w;
	ssize_t n = len;
	int in, out;

	if (src.from >= src.to || dst.to > NR_WORDS || meet(src, dst))
		return;
	lock_two(src, dst);
	for (w = dst.from; w < dst.to; w++)
		words[w - dst.from] = w < to ? 0 : value_of(src.file, src.from + w - to);
	change_begin(dst, words);
	in = open_file(src.file, O_RDONLY);
	out = open_file(op.file, O_RDWR);
	if (way == BY_CLONE) {
		struct file_clone_range range = { in, src.from * 8UL, len, to * 8UL };

		if (ioctl(out, FICLONERANGE, &range))
			die_errno("%s: %zu bytes of file %d at %u to file %d at %u", how(), len,
				  src.file, src.from * 8, op.file, to * 8);
	} else {
		loff_t from_off = src.from * 8UL, to_off = to * 8UL;

		if (way == BY_COPY)
			n = sys(copy_file_range(in, &from_off, out, &to_off, len, 0));
		else
			n = write_mapping(out, to_off, in, from_off, len);
		if (n <= 0 || n % 8)
			die("%s: copied %zd of %zu bytes", how(), n, len);
	}
	close(in);
	close(out);
	f->size = MAX(f->size, to + (uint64_t)n / 8);
	change_end(dst, to + n / 8);
	unlock_blocks(src);
	unlock_blocks(dst);
}

static void do_copy(enum copy_way way)
{
	int from = op.r[1] % NR_FILES, first = MIN(from, op.file), second = MAX(from, op.file);
	unsigned int blocks = 1 + op.r[2] % SPAN, size, at;
	bool clone = way == BY_CLONE;

	op.name = clone ? "clone" : way == BY_COPY ? "copy" : "write from a mapping";
	locked_size(first);
	if (second != first)
		locked_size(second);
	size = shm->files[from].size;
	if (clone && op.r[3] % 3 == 0 && from != op.file &&
	    (size % WORDS == 0 || shm->files[op.file].size <= size)) {
		copy((struct range){ from, 0, size }, 0, way);		/* the whole file */
	} else if (clone) {
		at = op.r[4] % (size / WORDS + 1);
		blocks = MIN(blocks, size / WORDS - at);
		/* A third stays at its offset. */
		copy((struct range){ from, at * WORDS, (at + blocks) * WORDS },
		     (op.r[5] % 3 ? op.r[6] % NR_BLOCKS : at) * WORDS, way);
	} else {
		at = op.r[4] % (size + 1);
		copy((struct range){ from, at, MIN(size, at + 1 + op.r[5] % (4 * WORDS)) },
		     op.r[6] % NR_WORDS, way);
	}
	pthread_mutex_unlock(&shm->files[first].size_lock);
	if (second != first)
		pthread_mutex_unlock(&shm->files[second].size_lock);
}

#include "oracle-evidence.h"
#include "oracle-names.h"
#include "oracle-views.h"

/* ---- memory -------------------------------------------------------------------------------- */

static void do_memory(void)
{
	char *map = maps[op.file];
	int fd;

	op.name = "memory";
	switch (op.r[1] % 12) {
	case 0:
		fd = sys(open("/proc/sys/vm/drop_caches", O_WRONLY));
		sys(write(fd, op.r[2] & 1 ? "1" : "3", 1));
		close(fd);
		break;
	case 1:
		posix_fadvise(fds[op.file], 0, 0, POSIX_FADV_DONTNEED);
		break;
	case 2:
		madvise(map, NR_WORDS * 8, MADV_PAGEOUT);
		break;
	case 3:
		madvise(map, NR_WORDS * 8, MADV_DONTNEED);
		break;
	case 4:
		madvise(map, NR_WORDS * 8, MADV_WILLNEED);
		break;
	case 5:
		sys(fdatasync(fds[op.file]));
		break;
	case 6:
		do_move(op.file);
		break;
	case 7:
		do_protect(op.file);
		break;
	case 8:
		do_private(op.file);
		break;
	case 9:
		do_grow(op.file);
		break;
	default:			/* another descriptor, another mapping */
		close_view(op.file);
		open_view(op.file);
	}
}

/* ---- one process --------------------------------------------------------------------------- */

enum { READ, GLANCE, WRITE, APPEND, TRUNCATE, ZERO, SHIFT, CLONE, COPY, DEDUPE, REPLACE, FORK,
       MEMORY, NR_KINDS };

static const char *const kinds[NR_KINDS] = {
	"reads", "glances", "writes", "appends", "truncations", "zeroings", "shifts", "clones",
	"copies", "dedupes", "replacements", "forks", "memory",
};

/* How many of 100 operations are of each kind. */
static const int weights[NR_KINDS] = { 38, 30, 5, 1, 2, 2, 1, 8, 3, 2, 1, 1, 6 };

static void one_operation(void)
{
	int kind, left, i;

	for (i = 0; i < 8; i++)
		op.r[i] = mix(seed * 1000003 + me * 100000007ULL + op.nr * 8 + i);
	op.nr++;
	op.file = op.r[7] % NR_FILES;
	if (replaced(op.file))
		see_replaced(op.file);
	left = op.r[0] % 100;
	for (kind = 0; left >= weights[kind]; kind++)
		left -= weights[kind];
	switch (kind) {
	case READ:
		do_read(op.r[0] / 100 % 5);
		break;
	case GLANCE:
		do_glance(op.r[0] / 100 % 4);
		break;
	case WRITE:
		do_write(op.r[0] / 100 % (outside ? 5 : 4));
		break;
	case APPEND:
		do_append();
		break;
	case TRUNCATE:
		do_truncate();
		break;
	case ZERO:
		do_zero(as_tmpfs || op.r[0] / 100 & 1);
		break;
	case SHIFT:
		if (as_tmpfs)
			do_zero(true);
		else
			do_shift(op.r[0] / 100 & 1);
		break;
	case CLONE:
		do_copy(BY_CLONE);
		break;
	case COPY:
		do_copy(op.r[0] / 100 & 1 ? BY_MAPPING : BY_COPY);
		break;
	case DEDUPE:
		do_dedupe();
		break;
	case REPLACE:
		do_replace();
		break;
	case FORK:
		do_fork();
		break;
	case MEMORY:
		do_memory();
	}
	__atomic_add_fetch(&shm->done[kind], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&shm->beat[me], 1, __ATOMIC_RELAXED);
}

static void process(void)
{
	int i;

	signal(SIGBUS, on_bus);
	if (other_dir && me & 1)
		dir = other_dir;
	for (i = 0; i < NR_FILES; i++)
		open_view(i);
	while (!__atomic_load_n(&shm->stop, __ATOMIC_RELAXED))
		one_operation();
	_exit(0);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void make_files(void)
{
	int i, w, fd, first = -1;

	op.name = "making of the files";
	for (w = 0; w < NR_WORDS; w++)
		words[w] = token(60, 0, w, 1);
	for (i = 0; i < NR_FILES; i++) {
		struct range r = { i, 0, NR_WORDS - 333 };

		fd = open_file(i, O_RDWR | O_CREAT | O_TRUNC);
		if (!i)
			write_all(fd, words, r.to * 8, 0);
		else
			sys(ioctl(fd, FICLONE, first));
		if (!i)
			first = fd;
		else
			close(fd);
		shm->files[i].size = r.to;
		change_begin(r, words);
		change_end(r, r.to);
	}
	sys(fsync(first));
	close(first);
	drop_caches();
}

/* Btrfs has none. An offset that none takes changes nothing where there are some. */
static bool has_shifts(void)
{
	int fd = open_file(0, O_RDWR);
	bool has = !fallocate(fd, FALLOC_FL_INSERT_RANGE, 1, PAGE) || errno != EOPNOTSUPP;

	close(fd);
	return has;
}

/* Everything stands still: each file must be exactly what the model says. */
static void compare_all(const char *where, const char *what, int flags)
{
	int i, fd;
	unsigned int w;
	size_t n;

	for (i = 0; i < NR_FILES; i++) {
		char name[8], t[2][80];

		sprintf(name, "f%d", i);
		fd = open_in(where, name, O_RDONLY | flags);
		n = pread(fd, bytes, sizeof(bytes), 0);
		if ((ssize_t)n < 0 && errno == EIO && flags & O_DIRECT) {
			/* XFS has blocks left that were reserved and never written. */
			close(fd);
			continue;
		}
		if ((ssize_t)n < 0)
			die_errno("in the end, %s: file %d", what, i);
		if (n != shm->files[i].size * 8)
			die("in the end, %s: file %d has %zu bytes, expected %llu", what, i, n,
			    (unsigned long long)shm->files[i].size * 8);
		for (w = 0; w < n / 8; w++)
			if (bytes[w] != value_of(i, w))
				die("in the end, %s: file %d byte %u is %s, expected %s", what, i,
				    w * 8, spell(bytes[w], t[0]), spell(value_of(i, w), t[1]));
		if (!flags && n) {
			char *map = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);

			if (map == MAP_FAILED)
				die_errno("mmap");
			same_bytes(map, bytes, n, what);
			munmap(map, n);
		}
		close(fd);
	}
}

/* Watch the processes until the time is over; a failure or a stop ends the run. */
static void watch(pid_t *pids, unsigned int nr, unsigned int seconds)
{
	uint64_t end = now_us() + seconds * 1000000ULL, moved = now_us(), last = 0, sum;
	unsigned int i, left = nr;
	int status;
	pid_t pid;

	while (left) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (status)
				break;
			left--;
		}
		for (i = 0, sum = 0; i < nr; i++)
			sum += __atomic_load_n(&shm->beat[i], __ATOMIC_RELAXED);
		if (sum != last || !shm->stop) {
			moved = sum != last ? now_us() : moved;
			last = sum;
		}
		if (pid > 0) {
			for (i = 0; i < nr; i++)
				kill(pids[i], SIGKILL);
			die("seed %llu: a process failed", (unsigned long long)seed);
		}
		/* Whether that is for ever only the test's own limit can tell. */
		if (now_us() - moved > 60 * 1000000ULL) {
			waits_for("a process of the oracle to move");
			fprintf(stderr, "nothing has moved for 60 s\n");
			for (i = 0; i < nr; i++)
				show_stack(pids[i]);
			moved = now_us();
		}
		if (now_us() > end || __atomic_load_n(&shm->checked, __ATOMIC_RELAXED) >= enough)
			__atomic_store_n(&shm->stop, 1, __ATOMIC_RELAXED);
		sleep_ms(50);
	}
}

int main(int argc, char **argv)
{
	unsigned int nr = 5, seconds = 10, i;
	pid_t squeezer;
	int c;

	while ((c = getopt(argc, argv, "s:p:t:n:oqzm:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'p')
			nr = strtoul(optarg, NULL, 0);
		else if (c == 't')
			seconds = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			enough = strtoull(optarg, NULL, 0);
		else if (c == 'o')
			outside = true;
		else if (c == 'q')
			squeeze = true;
		else if (c == 'z')
			as_tmpfs = true;
		else if (c == 'm')
			other_dir = optarg;
		else
			nr = 0;
	}
	if (optind + 2 != argc || nr < 1 || nr > 32)
		die("usage: oracle -s SEED -p PROCESSES -t SECONDS [-n CHECKED] [-o] [-q] [-z] [-m DIR2] "
		    "DIR LOWER");
	dir = argv[optind];
	lower = argv[optind + 1];
	model_init();
	make_files();
	shifts = has_shifts();
	for (me = 0; me < nr; me++) {
		fflush(NULL);
		shm->pids[me] = sys(fork());
		if (!shm->pids[me])
			process();
	}
	squeezer = squeeze ? start_squeezer() : 0;
	watch(shm->pids, nr, seconds);
	if (squeezer) {
		kill(squeezer, SIGKILL);
		waitpid(squeezer, NULL, 0);
	}

	compare_all(dir, "through the mount", 0);
	compare_all(dir, "through the mount, direct", O_DIRECT);
	drop_caches();
	compare_all(lower, "below", 0);
	drop_caches();
	compare_all(dir, "through the mount, cold", 0);
	if (other_dir)
		compare_all(other_dir, "through the other mount", 0);
	for (i = 0; i < NR_KINDS; i++)
		printf("%s %llu, ", kinds[i], (unsigned long long)shm->done[i]);
	printf("operations checked %llu, words judged %llu, blurred %llu\n",
	       (unsigned long long)shm->checked, (unsigned long long)shm->judged,
	       (unsigned long long)shm->blurred);
	return 0;
}
