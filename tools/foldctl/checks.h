/* SPDX-License-Identifier: GPL-2.0-only */
/* What foldctl doctor looks at. */
#ifndef CHECKS_H
#define CHECKS_H

enum check_status {
	CHECK_OK,
	CHECK_NOTE,	/* works, but is worth knowing */
	CHECK_BAD,	/* foldfs does not work, or saves nothing, as long as this is so */
};

struct checks;

/* Records a finding; @advice says what to do about it, or is NULL. */
void check_found(struct checks *checks, enum check_status status, const char *what,
		 const char *advice, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The kernel, the module, the helper and the system's settings. */
void check_system(struct checks *checks);

/* The mounts there are, by their counters. */
void check_mounts(struct checks *checks);

/* A directory that is, or is to be, below a mount. */
void check_path(struct checks *checks, const char *path);

#endif
