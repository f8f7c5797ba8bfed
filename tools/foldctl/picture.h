/* SPDX-License-Identifier: GPL-2.0-only */
/* A file's share map as a line of characters, as long as the terminal is wide. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

#include <linux/foldfs.h>

#define PICTURE_WIDEST 200

struct picture {
	uint64_t size;		/* bytes of the file */
	unsigned int width;	/* cells; 0 for an empty file */
	double shared[PICTURE_WIDEST], cached[PICTURE_WIDEST];	/* bytes of each cell */
};

void picture_init(struct picture *picture, uint64_t size);
void picture_add(struct picture *picture, const struct foldfs_map_range *range);
void picture_print(const struct picture *picture);

/* Says what the characters mean. */
void picture_legend(void);

#endif
