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
	char *domain;		/* trust domain, empty if none is named */
	bool nofold;		/* shares nothing */
	dev_t device;
	int id;
	uint64_t counter[NR_COUNTERS];
	bool known[NR_COUNTERS];	/* false: not there, or not for this user to read */
	bool shown;			/* see mounts_show() */
};

struct report;

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
 * The table "filesystems": calls @add for the mount of each of @nr @paths; or, with none,
 * for all mounts, each filesystem once unless @every. Returns the exit code: failure if one
 * was not found or @add returned -1.
 */
int mounts_table(struct report *report, char **paths, int nr, bool every,
		 int (*add)(struct fold_mounts *mounts, struct fold_mount *mount,
			    struct report *report));

/* Is the filesystem of mount @nr that of an earlier one, too? */
bool mounts_seen_before(const struct fold_mounts *mounts, int nr);

/* The name of a counter's file. */
const char *counter_name(enum counter counter);

/* Opens the mount's directory in sysfs. A descriptor, or -1 with errno. */
int mount_open_sysfs(const struct fold_mount *mount);

/*
 * Reads the counters of one mount. 0, or -1 with errno; the first says then that only root
 * may, once, or what else there is to say. None is known after a failure.
 */
int mount_read_counters(struct fold_mount *mount);
int mount_try_counters(struct fold_mount *mount);

/*
 * Reads those of all filesystems with mount_try_counters(), and has mounts_show() decide
 * which are known. The number of filesystems that failed, with the errno of the last.
 */
int mounts_read_counters(struct fold_mounts *mounts);

/*
 * Mounts over one lower filesystem have one cache. To be called for each that is shown,
 * with its counters read: makes those of the cache unknown if another one has shown them.
 */
void mounts_show(struct fold_mounts *mounts, struct fold_mount *mount);

#endif
