/* SPDX-License-Identifier: GPL-2.0-only */
/* A progress bar on the terminal of stderr, if it is one. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* No bar at all from now on. */
void progress_disable(void);

/*
 * Starts a bar for @what; @total things are to be done, or an unknown number if 0.
 * With @bytes they are bytes.
 */
void progress_start(const char *what, uint64_t total, bool bytes);

/*
 * @done of them are done. Cheap: draws a few times a second. Messages take the bar off the
 * screen, and the next call brings it back.
 */
void progress_set(uint64_t done);

/* Takes the bar off the screen for good. */
void progress_stop(void);

#endif
