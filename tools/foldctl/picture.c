// SPDX-License-Identifier: GPL-2.0-only
/* Draws a file's share map. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "picture.h"

#define PAGE 4096	/* a cell stands for no less */

static unsigned int terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return 80;
}

void picture_init(struct picture *picture, uint64_t size)
{
	uint64_t pages = (size + PAGE - 1) / PAGE;
	unsigned int width = terminal_width();

	memset(picture, 0, sizeof(*picture));
	picture->size = size;
	width = width > 12 ? width - 2 : 10;
	if (width > PICTURE_WIDEST)
		width = PICTURE_WIDEST;
	picture->width = pages < width ? pages : width;
}

void picture_add(struct picture *picture, const struct foldfs_map_range *range)
{
	double end = range->offset + range->length, cell, from, to, part;
	double filled = range->length ? (double)range->cached / range->length : 0;

	if (!picture->width)
		return;
	cell = (double)picture->size / picture->width;
	for (unsigned int i = range->offset / cell; i < picture->width && i * cell < end; i++) {
		from = i * cell > range->offset ? i * cell : range->offset;
		to = (i + 1) * cell < end ? (i + 1) * cell : end;
		part = to > from ? to - from : 0;
		picture->shared[i] += part;
		/* What of a range is cached is only known as a sum. */
		picture->cached[i] += part * filled;
	}
}

void picture_print(const struct picture *picture)
{
	double cell = picture->width ? (double)picture->size / picture->width : 0;

	putchar('[');
	for (unsigned int i = 0; i < picture->width; i++) {
		double shared = picture->shared[i];

		if (shared <= 0)
			putchar('.');
		/* Sums of fractions: a byte is nothing, and less than a page. */
		else if (shared < cell - 1)
			putchar('-');
		else if (picture->cached[i] < shared * 0.5)
			putchar('=');
		else
			putchar('#');
	}
	puts("]");
}

void picture_legend(void)
{
	puts("# shared and cached  = shared, little of it cached  - partly shared  . private");
}
