/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two files of ioctls share.
 */
#ifndef FOLDFS_IOCTL_H
#define FOLDFS_IOCTL_H

#include "../lower/ioctl.h"

struct file;

/* carry.c */
long fold_ioctl_carry(struct file *file, const struct fold_ioctl *ioc,
		      void __user *arg);

#endif
