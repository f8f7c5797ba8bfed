/* SPDX-License-Identifier: GPL-2.0-only */
/* The live view of foldctl top. */
#ifndef TOP_H
#define TOP_H

/*
 * Shows it until the user ends it, and looks again every @interval seconds. 0, or -1
 * after it complained.
 */
int screen_run(double interval);

#endif
