/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of oracle.c: what exchanges the blocks under a file, or the file under a
 * name, and changes no byte.
 */
#ifndef ORACLE_NAMES_H
#define ORACLE_NAMES_H

static int open_named(const char *where, int file, int flags)
{
	char name[8];

	sprintf(name, "f%d", file);
	return open_in(where, name, flags);
}

/*
 * Blocks of a file get the bytes of others, and then their blocks as well. Around
 * the mount both descriptors are for reading only, as duperemove has them: no
 * lease hears of that.
 */
static void dedupe(struct range src, struct range dst)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} d = { .range = { .src_offset = src.from * 8UL, .dest_count = 1 } };
	const char *where = outside && op.r[6] & 1 ? lower : dir;
	size_t len = (src.to - src.from) * 8UL;
	unsigned int w, tries = 0;
	int in, out;

	lock_two(src, dst);
	for (w = src.from; w < src.to; w++)
		words[w - src.from] = value_of(src.file, w);
	change_begin(dst, words);
	out = open_file(dst.file, O_RDWR);
	write_all(out, words, len, dst.from * 8UL);
	close(out);
	change_end(dst, dst.to);

	op.name = where == dir ? "dedupe" : "dedupe around the mount";
	in = open_named(where, src.file, O_RDONLY);
	out = open_named(where, dst.file, O_RDONLY);
	d.range.src_length = len;
	d.info.dest_fd = out;
	d.info.dest_offset = dst.from * 8UL;
	/*
	 * No word changes, but the blocks do, and the kernel clears what it takes of a
	 * large folio here as well (see possible(); seen on plain XFS).
	 */
	change_begin(dst, words);
	/*
	 * The kernel calls pages different, too, that leave the page cache while it
	 * compares them (vfs_dedupe_file_range_compare()): drop_caches may do that, and
	 * so may a join.
	 */
	do {
		sys(ioctl(in, FIDEDUPERANGE, &d));
	} while (d.info.status != FILE_DEDUPE_RANGE_SAME && ++tries < 200 && !usleep(1000));
	if (d.info.status != FILE_DEDUPE_RANGE_SAME)
		die("%s: file %d byte %u and file %d byte %u differ: status %d", how(), src.file,
		    src.from * 8, dst.file, dst.from * 8, d.info.status);
	change_end(dst, dst.to);
	close(in);
	close(out);
	unlock_blocks(src);
	unlock_blocks(dst);
}

static void do_dedupe(void)
{
	int from = op.r[1] % NR_FILES, first = MIN(from, op.file), second = MAX(from, op.file);
	unsigned int a, b, nr = 1 + op.r[2] % SPAN;
	struct range src, dst;

	op.name = "dedupe";
	locked_size(first);
	if (second != first)
		locked_size(second);
	a = op.r[3] % (shm->files[from].size / WORDS + 1);
	b = op.r[4] % (shm->files[op.file].size / WORDS + 1);
	nr = MIN(nr, shm->files[from].size / WORDS - a);
	nr = MIN(nr, shm->files[op.file].size / WORDS - b);
	src = (struct range){ from, a * WORDS, (a + nr) * WORDS };
	dst = (struct range){ op.file, b * WORDS, (b + nr) * WORDS };
	if (nr && !meet(src, dst))
		dedupe(src, dst);
	pthread_mutex_unlock(&shm->files[first].size_lock);
	if (second != first)
		pthread_mutex_unlock(&shm->files[second].size_lock);
}

/* Another file with the same bytes gets the name; those who have the old one open keep it. */
static void do_replace(void)
{
	struct file *f = &shm->files[op.file];
	struct range all = { op.file, 0, NR_WORDS };
	char name[8], tmp[16], *from, *to;
	struct stat st;
	unsigned int w;
	int fd, new;

	op.name = "rename over";
	pthread_rwlock_wrlock(&f->direct_lock);
	locked_size(op.file);
	lock_blocks(all);
	sprintf(name, "f%d", op.file);
	sprintf(tmp, "t%u", me);
	from = path_of(dir, tmp);
	to = path_of(dir, name);
	fd = open_file(op.file, O_RDONLY);
	sys(fstat(fd, &st));
	new = open_in(dir, tmp, O_RDWR | O_CREAT | O_TRUNC);
	if (f->size)
		sys(ioctl(new, FICLONE, fd));
	/* Those who open it by name wait for no lock: it is there at all times. */
	sys(rename(from, to));
	free(from);
	free(to);
	close(fd);
	close(new);
	for (w = 0; w < NR_WORDS; w++)
		f->old[w] = value_of(op.file, w);
	f->old_ino = st.st_ino;
	f->old_size = f->size;
	__atomic_add_fetch(&f->gen, 1, __ATOMIC_SEQ_CST);
	unlock_blocks(all);
	pthread_mutex_unlock(&f->size_lock);
	pthread_rwlock_unlock(&f->direct_lock);
}

/* Open a file for reading, and map it. Nobody replaces it meanwhile. */
static void open_view(int file)
{
	locked_size(file);
	gens[file] = shm->files[file].gen;
	fds[file] = open_file(file, O_RDONLY);
	pthread_mutex_unlock(&shm->files[file].size_lock);
	maps[file] = mmap(NULL, NR_WORDS * 8, PROT_READ, op.r[3] & 1 ? MAP_SHARED : MAP_PRIVATE,
			  fds[file], 0);
	if (maps[file] == MAP_FAILED)
		die_errno("mmap");
}

static void close_view(int file)
{
	munmap(maps[file], NR_WORDS * 8);
	close(fds[file]);
}

static void same_old_words(const char *what, struct file *f, unsigned int at, unsigned int nr,
			   const uint64_t *got)
{
	char t[2][80];
	unsigned int w;

	for (w = 0; w < nr; w++)
		if (got[w] != f->old[at + w])
			die("%s, %s: byte %u is %s, expected %s", how(), what, (at + w) * 8,
			    spell(got[w], t[0]), spell(f->old[at + w], t[1]));
}

/* The file that this process has open has lost its name, and its bytes stay as they were. */
static void see_replaced(int file)
{
	struct file *f = &shm->files[file];
	unsigned int at = op.r[1] % (NR_WORDS / 64) * 64, nr;
	struct stat st;
	size_t n;

	op.name = "read without a name";
	sys(fstat(fds[file], &st));
	locked_size(file);
	if (st.st_ino == f->old_ino) {
		nr = f->old_size > at ? MIN(f->old_size - at, 64UL) : 0;
		n = sys(pread(fds[file], bytes, 64 * 8, at * 8UL));
		if (n != nr * 8)
			die("%s: file %d: %zu bytes, expected %u", how(), file, n, nr * 8);
		same_old_words("read", f, at, nr, bytes);
		from_page(bytes, maps[file] + at * 8UL, nr * 8);
		same_old_words("mapped", f, at, nr, bytes);
		__atomic_add_fetch(&shm->checked, 2, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&f->size_lock);
	close_view(file);
	open_view(file);
}

#endif
