// SPDX-License-Identifier: GPL-2.0-only
/*
 * File locks: flock(2), and the record locks of POSIX and of open files.
 *
 * Those who lock a file through another mount, or below, lock the same file. So
 * it is the lower inode's locks that decide, and who has to wait waits there.
 *
 * A flock and an OFD lock belong to an open file: below, to its lower file, with
 * which they go: as anywhere, a mapping keeps them. Another record lock belongs to
 * whoever took it; the VFS, nfsd and lockd give it back when they find it on the
 * upper inode. So that one notes it as well: as a lock for reading, whatever it
 * is, since two of those never meet. What is noted and no longer held is
 * harmless, it goes with the next unlock of the range.
 *
 * Leases are the upper inode's alone.
 */
#include <linux/filelock.h>
#include <linux/fs.h>

#include "foldfs.h"

/* The same request of the lower file; to be ended by locks_release_private(). */
static void lock_below(struct file_lock *below, struct file_lock *fl,
		       struct file *lower)
{
	locks_init_lock(below);
	locks_copy_lock(below, fl);
	below->c.flc_file = lower;
}

static int note_above(struct file *file, struct file_lock *fl)
{
	unsigned char type = fl->c.flc_type;
	unsigned int flags = fl->c.flc_flags;
	int err;

	if (type != F_UNLCK)
		fl->c.flc_type = F_RDLCK;
	fl->c.flc_flags &= ~(FL_SLEEP | FL_EXISTS);
	err = posix_lock_file(file, fl, NULL);
	fl->c.flc_type = type;
	fl->c.flc_flags = flags;
	return err;
}

/**
 * fold_lock - file_operations.lock
 * @file: the upper file
 * @cmd: F_GETLK, F_SETLK, F_SETLKW or F_CANCELLK
 * @fl: the record lock; for F_GETLK it becomes the one in the way
 *
 * Only F_SETLKW waits: who asks for a call back later, as lockd does, is told
 * that such a filesystem does not call.
 *
 * Context: process context, no lock held.
 * Return: 0, -EAGAIN if somebody else has it, -EDEADLK, -EINTR or -ERESTARTSYS
 * upon a signal, -ENOLCK or -ENOMEM.
 */
int fold_lock(struct file *file, int cmd, struct file_lock *fl)
{
	struct file_lock below;
	struct file *lower;
	int err, err_above;

	if (cmd == F_CANCELLK)
		return 0;
	lower = fold_open_below(file, true);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	if (cmd == F_GETLK) {
		if (fl->c.flc_flags & FL_OFDLCK)
			fl->c.flc_owner = lower;
		posix_test_lock(lower, fl);
		return 0;
	}
	lock_below(&below, fl, lower);
	if (cmd != F_SETLKW)
		below.c.flc_flags &= ~FL_SLEEP;
	if (fl->c.flc_flags & FL_OFDLCK)
		below.c.flc_owner = lower;
	err = locks_lock_file_wait(lower, &below);
	if (fl->c.flc_flags & FL_OFDLCK) {
		locks_release_private(&below);
		return err;
	}
	if (fl->c.flc_type == F_UNLCK) {
		note_above(file, fl);
	} else if (!err) {
		err_above = note_above(file, fl);
		if (err_above) {
			/* Nobody would give it back. */
			below.c.flc_type = F_UNLCK;
			locks_lock_file_wait(lower, &below);
			err = err_above;
		}
	}
	locks_release_private(&below);
	return err;
}

/**
 * fold_flock - file_operations.flock
 * @file: the upper file
 * @cmd: F_SETLK or F_SETLKW
 * @fl: the lock
 *
 * Context: process context, no lock held.
 * Return: as fold_lock().
 */
int fold_flock(struct file *file, int cmd, struct file_lock *fl)
{
	struct file *lower = fold_open_below(file, true);
	struct file_lock below;
	int err;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	lock_below(&below, fl, lower);
	below.c.flc_owner = lower;
	err = locks_lock_file_wait(lower, &below);
	locks_release_private(&below);
	return err;
}
