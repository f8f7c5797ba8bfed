/* SPDX-License-Identifier: GPL-2.0-only */
/* The foldfs mounts that this process sees, and the counters of each. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum counter {
	COUNTER_FRAGMENTS,
	COUNTER_REFERENCES,
	COUNTER_PAGES_CACHED,
	COUNTER_PAGES_SAVED,
	COUNTER_JOINS,
	COUNTER_BREAKS,
	COUNTER_FILLS,
	COUNTER_REFILLS,
	COUNTER_SHOOTDOWNS,
	COUNTER_FALLBACKS,
	COUNTER_OUTSIDE_WRITERS,
	COUNTER_CACHE,	/* no counter: which cache the mount has, 0 for none */
	NR_COUNTERS
};

struct fold_mount {
	char *target;		/* where it is mounted */
	char *lower;		/* the directory below it */
	char *options;		/* of the mount and of the filesystem, as mount(8) shows them */
	dev_t device;
	int id;
	uint64_t counter[NR_COUNTERS];
	bool known[NR_COUNTERS];	/* false: this module does not have the counter */
	bool shown;			/* see mounts_show() */
};

struct fold_mounts {
	struct fold_mount *mount;
	int nr;
};

/* Is the foldfs module there (loaded, or built in)? */
bool foldfs_present(void);

/*
 * Reads all foldfs mounts out of /proc/self/mountinfo, in the order in which they
 * were made. 0, or -1 after it complained. mounts_free() afterwards, also on error.
 */
int mounts_read(struct fold_mounts *mounts);
void mounts_free(struct fold_mounts *mounts);

/*
 * Finds the mount that @path lies on; @path can be the mount point or anything
 * below it. NULL after it complained.
 */
struct fold_mount *mounts_find(struct fold_mounts *mounts, const char *path);

/*
 * Calls @act for the mount of each of @nr @paths; or, with none, for all mounts, each
 * filesystem once unless @every. 0, or -1 if one was not found or @act failed.
 */
int mounts_act(struct fold_mounts *mounts, char **paths, int nr, bool every,
	       int (*act)(struct fold_mount *mount, void *data), void *data);

/* Is the filesystem of mount @nr that of an earlier one, too? */
bool mounts_seen_before(const struct fold_mounts *mounts, int nr);

/* The name of a counter's file. */
const char *counter_name(enum counter counter);

/* Opens the mount's directory in sysfs. A descriptor, or -1 after it complained. */
int mount_open_sysfs(const struct fold_mount *mount);

/* Reads the counters of one mount. 0, or -1 after it complained. */
int mount_read_counters(struct fold_mount *mount);

/*
 * Mounts over one lower filesystem have one cache. To be called for each that is shown,
 * with its counters read: makes those of the cache unknown if another one has shown them.
 */
void mounts_show(struct fold_mounts *mounts, struct fold_mount *mount);

#endif
