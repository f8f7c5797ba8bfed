// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdbitmap [-k] FILE DISK DISK - a mirror of two disks whose write-intent bitmap is
 * FILE, as "mdadm --grow --bitmap=FILE" makes it
 *
 * The kernel asks bmap() for the file's blocks, and from then on reads and
 * writes those, on the device of the file's superblock. What it wrote is
 * printed: the state of the bitmap, as found on the disk after the mirror has
 * been stopped. If the kernel refuses the file, its error is, or that it takes no
 * file at all. With -k the file is one that was made before.
 */
#include "util.h"

#include <linux/major.h>
#include <linux/raid/md_u.h>

#define SIZE_KB		(8 * 1024)
#define FILE_BYTES	(64 * 1024)

/* The head of a bitmap file, little-endian as this machine. */
struct bitmap_head {
	uint32_t magic, version;
	uint8_t uuid[16];
	uint64_t events, events_cleared, sync_size;
	uint32_t state, chunk_size, daemon_sleep, write_behind;
};

static void make_bitmap(const char *path)
{
	static char buf[FILE_BYTES];
	struct bitmap_head *head = (void *)buf;
	int fd = sys(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));

	head->magic = 0x6d746962;
	head->version = 4;
	head->sync_size = SIZE_KB * 2;
	head->chunk_size = 64 * 1024;
	head->daemon_sleep = 1;
	/* All blocks are dirty, so that there is something to clear. */
	memset(buf + 256, 0xff, SIZE_KB / 64 / 8);
	write_all(fd, buf, sizeof(buf), 0);
	sys(fsync(fd));
	close(fd);
}

static void add_disk(int md, const char *path, int nr)
{
	mdu_disk_info_t disk = {
		.number = nr,
		.raid_disk = nr,
		.state = 1 << 1 | 1 << 2,	/* active, in sync */
	};
	struct stat st;

	sys(stat(path, &st));
	disk.major = major(st.st_rdev);
	disk.minor = minor(st.st_rdev);
	sys(ioctl(md, ADD_NEW_DISK, &disk));
}

static void show(const char *path)
{
	static char buf[FILE_BYTES] __attribute__((aligned(4096)));
	struct bitmap_head *head = (void *)buf;
	int fd = sys(open(path, O_RDONLY | O_DIRECT));

	read_all(fd, buf, sizeof(buf), 0);
	printf("magic %x state %u daemon_sleep %u first bits %02x%02x\n", head->magic, head->state,
	       head->daemon_sleep, (uint8_t)buf[256], (uint8_t)buf[257]);
	close(fd);
}

int main(int argc, char **argv)
{
	mdu_array_info_t info = {
		.major_version = 0,
		.minor_version = 90,
		.level = 1,
		.size = SIZE_KB,
		.nr_disks = 2,
		.raid_disks = 2,
		.not_persistent = 1,
		.state = 1,
		.active_disks = 2,
		.working_disks = 2,
	};
	mdu_param_t none = { 0 };
	int md, bitmap, err = 0;
	bool keep = argc > 1 && !strcmp(argv[1], "-k");

	argv += keep;
	if (argc - keep != 4)
		die("usage: mdbitmap [-k] FILE DISK DISK");
	if (!keep)
		make_bitmap(argv[1]);
	mknod("/dev/mdbitmap", S_IFBLK | 0600, makedev(MD_MAJOR, 0));
	md = sys(open("/dev/mdbitmap", O_RDWR));
	sys(ioctl(md, SET_ARRAY_INFO, &info));
	add_disk(md, argv[2], 0);
	add_disk(md, argv[3], 1);
	bitmap = sys(open(argv[1], O_RDWR));
	if (ioctl(md, SET_BITMAP_FILE, bitmap)) {
		err = errno;
		printf("no bitmap in any file: %s\n", strerrorname_np(err));
	}
	close(bitmap);
	if (!err && ioctl(md, RUN_ARRAY, &none)) {
		err = errno;
		printf("refused: %s\n", strerrorname_np(err));
	}
	sys(ioctl(md, STOP_ARRAY, NULL));
	close(md);
	if (!err)
		show(argv[1]);
	return 0;
}
