// SPDX-License-Identifier: GPL-2.0-only
/*
 * crashload load DIR SEED: processes write to files in DIR in several ways until the
 * machine stops, and say on standard output what they have synced, when it is.
 * crashload check DIR RECORD: is everything there that they said?
 *
 * Each file belongs to one process and has a size that does not change; in the
 * beginning it is a clone of "base". A word says for which file and block it was
 * written, and when (by the file's own count). Lines of the record:
 *
 *	write FILE FIRST LAST COUNT	these blocks were written and synced
 *	clone FILE COUNT		it has, and was synced
 *	grow FILE WORDS			the file, written from its beginning on, has
 *					so many words, and was synced
 *
 * A block that was synced holds words of that count or later ones. Those of base
 * may stand there if it was synced as a clone, or was about to become one later: that
 * is announced, and synced, in a file of its own, since a line may still be on its way
 * when the machine stops. (A line that is lost makes the check weaker, not wrong.)
 */
#include "util.h"

#define WORDS		512UL
#define BLOCKS		48UL
#define PROCESSES	4
#define FILES		(2 * PROCESSES)
#define BASE		63

static const char *dir;

static uint64_t token(unsigned int file, unsigned int block, uint32_t count)
{
	return (uint64_t)(file + 1) << 56 | (uint64_t)block << 32 | count;
}

static char *name_of(const char *kind, unsigned int file)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s%u", kind, file);
	return name;
}

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	char line[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(1, line, n) != n)	/* at once, so that lines stay whole */
		_exit(1);
}

/* ---- load ------------------------------------------------------------------- */

static uint32_t counts[FILES];

static void fill_blocks(uint64_t *buf, unsigned int file, unsigned int first, unsigned int nr,
			uint32_t count)
{
	unsigned int b, w;

	for (b = 0; b < nr; b++)
		for (w = 0; w < WORDS; w++)
			buf[b * WORDS + w] = token(file, first + b, count);
}

static void do_write(unsigned int file, uint64_t r)
{
	static uint64_t buf[BLOCKS * WORDS] __attribute__((aligned(PAGE)));
	unsigned int first = r % BLOCKS, nr = 1 + (r >> 8) % 8, way = (r >> 16) % 3;
	size_t len;
	char *map;
	int fd;

	nr = MIN(nr, BLOCKS - first);
	len = nr * PAGE;
	counts[file]++;
	fill_blocks(buf, file, first, nr, counts[file]);
	fd = open_in(dir, name_of("f", file), O_RDWR | (way == 1 ? O_DIRECT : 0));
	if (way == 2) {
		map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, first * PAGE);
		if (map == MAP_FAILED)
			die_errno("mmap");
		memcpy(map, buf, len);
		if (r >> 20 & 1)
			sys(msync(map, len, MS_SYNC));
		munmap(map, len);
	} else {
		write_all(fd, buf, len, first * PAGE);
	}
	/* One in four is left to the kernel. */
	if (r >> 24 & 3) {
		sys(r >> 26 & 1 ? fsync(fd) : fdatasync(fd));
		say("write %u %u %u %u\n", file, first, first + nr - 1, counts[file]);
	}
	close(fd);
}

static void do_clone(unsigned int file)
{
	int base = open_in(dir, "base", O_RDONLY), fd;

	counts[file]++;
	fd = open_in(dir, name_of("i", file), O_RDWR | O_CREAT);
	write_all(fd, &counts[file], sizeof(counts[file]), 0);
	sys(fsync(fd));
	close(fd);
	fd = open_in(dir, name_of("f", file), O_RDWR);
	sys(ioctl(fd, FICLONE, base));
	sys(fsync(fd));
	say("clone %u %u\n", file, counts[file]);
	close(fd);
	close(base);
}

static void do_grow(unsigned int file)
{
	static uint64_t words[FILES];
	uint64_t buf[700];
	unsigned int w;
	int fd;

	if (words[file] > 1000000)
		return;
	fd = open_in(dir, name_of("g", file), O_WRONLY | O_APPEND | O_CREAT);
	for (w = 0; w < 700; w++)
		buf[w] = token(file, 0, words[file] + w);
	if (write(fd, buf, sizeof(buf)) != sizeof(buf))
		die_errno("append");
	words[file] += 700;
	sys(fsync(fd));
	say("grow %u %llu\n", file, (unsigned long long)words[file]);
	close(fd);
}

/* What others read meanwhile: base, through one of its clones that stays one. */
static void do_read(uint64_t r)
{
	static uint64_t buf[WORDS];
	unsigned int b = r % BLOCKS, w;
	int fd = open_in(dir, "still", O_RDONLY);

	read_all(fd, buf, PAGE, b * PAGE);
	for (w = 0; w < WORDS; w++)
		if (buf[w] != token(BASE, b, 0))
			die("a clone that nobody writes reads %#llx in block %u",
			    (unsigned long long)buf[w], b);
	close(fd);
}

static void load(uint64_t seed)
{
	static uint64_t buf[BLOCKS * WORDS];
	unsigned int i, file;
	uint64_t n, r;
	int fd;

	fill_blocks(buf, BASE, 0, BLOCKS, 0);
	fd = open_in(dir, "base", O_RDWR | O_CREAT | O_TRUNC);
	write_all(fd, buf, BLOCKS * PAGE, 0);
	for (i = 0; i < FILES; i++)
		clone_to(fd, dir, name_of("f", i));
	clone_to(fd, dir, "still");
	close(fd);
	sync();
	say("begun\n");
	for (i = 0; i < PROCESSES; i++) {
		if (sys(fork()))
			continue;
		for (n = 0;; n++) {
			r = mix(seed * 1000003 + i * 7919 + n * 131);
			file = 2 * i + (r >> 60 & 1);
			switch (r >> 40 & 15) {
			case 0:
				do_clone(file);
				break;
			case 1: case 2:
				do_grow(file);
				break;
			case 3: case 4: case 5: case 6: case 7:
				do_read(r);
				break;
			default:
				do_write(file, r);
			}
		}
	}
	while (wait(NULL) > 0)
		;
	die("the load has ended");
}

/* ---- check ------------------------------------------------------------------- */

static uint32_t synced[FILES][BLOCKS], reset[FILES];	/* a clone from that count on */
static bool cloned[FILES][BLOCKS];
static uint64_t grown[FILES];

static unsigned long read_record(const char *path)
{
	unsigned int file, first, last, count, b;
	unsigned long long words;
	unsigned long lines = 0;
	FILE *f = fopen(path, "r");
	char line[128];

	if (!f)
		die_errno("%s", path);
	for (; fgets(line, sizeof(line), f); lines++) {
		if (sscanf(line, "write %u %u %u %u", &file, &first, &last, &count) == 4) {
			for (b = first; b <= last; b++) {
				synced[file][b] = count;
				cloned[file][b] = false;
			}
		} else if (sscanf(line, "clone %u %u", &file, &count) == 2) {
			for (b = 0; b < BLOCKS; b++) {
				synced[file][b] = count;
				cloned[file][b] = true;
			}
		} else if (sscanf(line, "grow %u %llu", &file, &words) == 2) {
			grown[file] = words;
		} else {
			lines--;
		}
	}
	fclose(f);
	return lines;
}

static void check_word(unsigned int file, unsigned int b, uint64_t got)
{
	uint32_t count = got;

	if (got == token(BASE, b, 0)) {
		if (!synced[file][b] || cloned[file][b] || reset[file] > synced[file][b])
			return;
	} else if (got == token(file, b, count) && count) {
		/* Later than what was synced: of that very count only if it was a write. */
		if (count > synced[file][b] || (count == synced[file][b] && !cloned[file][b]))
			return;
	}
	die("file %u block %u has %#llx; count %u was synced%s", file, b, (unsigned long long)got,
	    synced[file][b], cloned[file][b] ? ", as a clone of base" : "");
}

static void check(const char *record)
{
	static uint64_t buf[BLOCKS * WORDS], word;
	unsigned int file, b, w;
	unsigned long lines = read_record(record);
	uint64_t i;
	int fd;

	for (file = 0; file < FILES; file++) {
		fd = open(path_of(dir, name_of("i", file)), O_RDONLY);
		if (fd >= 0) {
			read_all(fd, &reset[file], sizeof(reset[file]), 0);
			close(fd);
		}
		fd = open_in(dir, name_of("f", file), O_RDONLY);
		if (read_all(fd, buf, sizeof(buf), 0) != sizeof(buf))
			die("file %u is short", file);
		close(fd);
		for (b = 0; b < BLOCKS; b++)
			for (w = 0; w < WORDS; w++)
				check_word(file, b, buf[b * WORDS + w]);
		if (!grown[file])
			continue;
		fd = open_in(dir, name_of("g", file), O_RDONLY);
		for (i = 0; i < grown[file]; i += 97) {
			if (pread(fd, &word, 8, i * 8) != 8)
				die("file g%u ends before word %llu of %llu", file,
				    (unsigned long long)i, (unsigned long long)grown[file]);
			if (word != token(file, 0, i))
				die("file g%u word %llu is %#llx", file, (unsigned long long)i,
				    (unsigned long long)word);
		}
		close(fd);
	}
	for (b = 0; b < BLOCKS; b++)
		do_read(b);
	printf("as said in %lu lines\n", lines);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: crashload load DIR SEED | crashload check DIR RECORD");
	dir = argv[2];
	if (!strcmp(argv[1], "load"))
		load(strtoull(argv[3], NULL, 0));
	check(argv[3]);
	return 0;
}
