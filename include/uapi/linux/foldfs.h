/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the foldfs module and the programs of user space agree on.
 *
 * Everything here has the same layout for 32-bit and 64-bit callers: only
 * fixed-width types, every 64-bit member on a multiple of 8 bytes, no pointers.
 *
 * The counters of a mount are not part of this header. They are files with one
 * decimal number each in /sys/fs/foldfs/<major:minor>/, where <major:minor> is
 * the device number of the mount in /proc/self/mountinfo. docs/counters.md says
 * of each what its unit is, when it moves and what is normal.
 */
#ifndef _UAPI_LINUX_FOLDFS_H
#define _UAPI_LINUX_FOLDFS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * A regular file that has this extended attribute, or lies in or below a
 * directory that has it, shares no pages. Its value does not matter.
 */
#define FOLDFS_XATTR_NOFOLD	"user.foldfs.nofold"

/* The value of struct foldfs_map::version that belongs to this header. */
#define FOLDFS_MAP_VERSION	1

/**
 * enum foldfs_state - how far the sharing of a file has come
 * @FOLDFS_STATE_NEW: nobody has read or mapped the file through this mount yet,
 *	or what was known about it has expired
 * @FOLDFS_STATE_JOINING: its extents are being asked for at this moment
 * @FOLDFS_STATE_JOINED: it refers to one fragment at least
 * @FOLDFS_STATE_PRIVATE: it was asked for and shares nothing
 * @FOLDFS_STATE_BROKEN: a writer that went around the mount ended the sharing
 * @FOLDFS_STATE_REFUSED: it cannot join now: the lease was not granted, the file
 *	had dirty pages, memory was short, or the mount has the option nofold
 *
 * A later kernel may know further states; callers show those as numbers.
 */
enum foldfs_state {
	FOLDFS_STATE_NEW	= 0,
	FOLDFS_STATE_JOINING	= 1,
	FOLDFS_STATE_JOINED	= 2,
	FOLDFS_STATE_PRIVATE	= 3,
	FOLDFS_STATE_BROKEN	= 4,
	FOLDFS_STATE_REFUSED	= 5,
};

/* struct foldfs_map_range::flags */
/* The range ends with the last, partly filled page of the file. ->length counts
 * that page up to the end of the file only.
 */
#define FOLDFS_RANGE_TAIL	(1U << 0)

/**
 * struct foldfs_map_range - one range of a file that refers to a fragment
 * @offset: where the range begins in the file, in bytes
 * @length: its length in bytes
 * @physical: where it lies on the lower filesystem's device, in bytes; 0 unless
 *	the caller has CAP_SYS_ADMIN in the initial user namespace
 * @cached: how many bytes of the range are in the shared page cache now
 * @sharers: references that cover the range, this file's own included. Where
 *	their number changes, a range ends and another begins
 * @flags: FOLDFS_RANGE_*
 * @reserved: zero
 */
struct foldfs_map_range {
	__u64 offset;
	__u64 length;
	__u64 physical;
	__u64 cached;
	__u32 sharers;
	__u32 flags;
	__u64 reserved[3];
};

/* struct foldfs_map::out_flags */
/* There are ranges behind the last one that was filled in. Ask again from its
 * end.
 */
#define FOLDFS_MAP_MORE		(1U << 0)

/**
 * struct foldfs_map - argument of FOLDFS_IOC_MAP
 * @version: in: FOLDFS_MAP_VERSION
 * @range_size: in: sizeof(struct foldfs_map_range)
 * @flags: in: zero, no flag is defined yet
 * @nr: in: how many elements @ranges has room for, 0 to learn @state only;
 *	out: how many were filled in
 * @start: in: first byte of the file that the caller asks about
 * @length: in: how many bytes from there, ~0 for "to the end"
 * @out_flags: out: FOLDFS_MAP_*
 * @state: out: enum foldfs_state of the whole file
 * @reserved: in: zero; out: zero
 * @ranges: out: the ranges that refer to a fragment and meet the bytes asked
 *	about, sorted by offset, none overlapping another. A first range
 *	that begins before the page of @start is cut there; the last one may
 *	reach beyond @length. What no range covers is private: it is read from
 *	the lower file and cached there.
 */
struct foldfs_map {
	__u32 version;
	__u32 range_size;
	__u32 flags;
	__u32 nr;
	__u64 start;
	__u64 length;
	__u32 out_flags;
	__u32 state;
	__u64 reserved[3];
	struct foldfs_map_range ranges[];
};

#define FOLDFS_IOC_TYPE		0xfc

/*
 * Ask which ranges of a regular file on foldfs are shared. Works on every
 * descriptor that allows ioctl(2), also on one opened for writing only. The answer
 * describes the moment of the call; it neither starts nor ends sharing.
 *
 * EINVAL	@flags or @reserved are not zero, @range_size is wrong, or @start
 *		lies beyond what a file offset can be
 * EOPNOTSUPP	@version is not one that the module knows
 * EFAULT	the argument, or the room for @nr ranges, is not accessible
 * EINTR	a fatal signal came while the file's state was being changed
 * ENOTTY	not a regular file on foldfs
 */
#define FOLDFS_IOC_MAP		_IOWR(FOLDFS_IOC_TYPE, 1, struct foldfs_map)

#endif /* _UAPI_LINUX_FOLDFS_H */
