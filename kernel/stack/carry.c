// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls that carry a second descriptor: the caller's is one of foldfs, and the
 * lower filesystem wants one of its own. None can be put among the caller's, where
 * his other threads would see it. So the command is called in a kernel thread,
 * in the address space that belongs to no process (see lower/query.c): its
 * descriptors are the kernel threads' and its argument is a copy in memory that
 * nobody else can change. The rights are the caller's.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fsnotify.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../lower/query.h"
#include "foldfs.h"
#include "ioctl.h"

/* Of the files that change bytes, one each. */
struct carried {
	struct file *upper;	/* what the caller's descriptor stands for */
	struct file *lower;	/* what the lower filesystem is given; a reference */
	bool ours;		/* @upper is one of this superblock's */
	void *number;		/* where in the argument the descriptor stands */
	bool wide;		/* 64 bits of it, not 32 */
	loff_t start, len;	/* what changes, if it is announced */
	bool announced;
};

/**
 * struct carry - one call
 * @lower: the lower file that is asked
 * @cmd: the command
 * @arg: its argument, copied
 * @cred: the caller's
 * @nr: how many of @files there are
 * @files: what the argument's descriptors stand for
 *
 * On the caller's stack; he waits until it is over.
 */
struct carry {
	struct file *lower;
	unsigned int cmd;
	void *arg;
	const struct cred *cred;
	unsigned int nr;
	struct carried files[2];
};

static void set_number(struct carried *c, int fd)
{
	if (c->wide)
		*(s64 *)c->number = fd;
	else
		*(s32 *)c->number = fd;
}

/* In the thread. Descriptors are closed on exec, since helpers inherit them. */
static long carry_call(void *data, void __user *page)
{
	struct carry *carry = data;
	const struct cred *old;
	unsigned int i, nr;
	int fds[2];
	long ret = 0;

	for (nr = 0; nr < carry->nr; nr++) {
		struct carried *c = &carry->files[nr];

		fds[nr] = -1;
		if (c->lower) {
			fds[nr] = get_unused_fd_flags(O_CLOEXEC);
			if (fds[nr] < 0) {
				ret = fds[nr];
				goto out_close;
			}
			fd_install(fds[nr], get_file(c->lower));
		}
		set_number(c, fds[nr]);
	}
	if (copy_to_user(page, carry->arg, _IOC_SIZE(carry->cmd))) {
		ret = -ENOMEM;
		goto out_close;
	}
	old = override_creds(carry->cred);
	ret = carry->lower->f_op->unlocked_ioctl(carry->lower, carry->cmd,
						 (unsigned long)page);
	revert_creds(old);
out_close:
	for (i = 0; i < nr; i++)
		if (fds[i] >= 0)
			close_fd(fds[i]);
	return ret;
}

static bool is_ours(const struct file *file, const struct super_block *sb)
{
	return file_inode(file)->i_sb == sb &&
	       (file->f_op == &fold_file_operations ||
		file->f_op == &fold_dir_operations);
}

/*
 * The lower file of an upper one is a backing file, which must not get a descriptor,
 * and has operations of ours, by which a lower filesystem may not know it. So another one is
 * opened for this call alone.
 */
static struct file *open_plain(struct file *upper)
{
	const struct file *lower = fold_open_below(upper, true);
	struct inode *inode = file_inode(upper);
	bool for_write = upper->f_mode & FMODE_WRITE;
	const struct cred *old;
	struct fold_opener op;
	struct file *plain;

	if (IS_ERR(lower))
		return ERR_CAST(lower);
	fold_sync_flags(upper);
	if (for_write)
		fold_write_open_begin(inode, &op);
	old = override_creds(FOLD_SB(inode->i_sb)->cred);
	plain = fold_open_plain(&lower->f_path, lower->f_flags | O_NONBLOCK,
				current_cred());
	revert_creds(old);
	if (for_write)
		fold_write_open_end(inode, &op);
	return plain;
}

/*
 * Fill in what a descriptor stands for; @mnt is NULL if any of the superblock's
 * mounts will do. One that is not this mount's goes on as it is: what the lower
 * filesystem says of it is right.
 */
static int resolve(struct carried *c, const struct super_block *sb,
		   const struct vfsmount *mnt, s64 fd)
{
	struct file *lower;

	/* As wide as the lower filesystem takes it. */
	c->upper = fget((unsigned int)fd);
	if (!c->upper)
		return 0;
	c->ours = is_ours(c->upper, sb) &&
		  (!mnt || c->upper->f_path.mnt == mnt);
	lower = c->ours ? open_plain(c->upper) : get_file(c->upper);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	c->lower = lower;
	return 0;
}

/* Two files that the caller may write exchange bytes. */
static bool may_exchange(const struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode) &&
	       (file->f_mode & (FMODE_READ | FMODE_WRITE)) ==
	       (FMODE_READ | FMODE_WRITE);
}

/* What the lower filesystem would ask about the caller's files, and cannot. */
static int check_exchange(struct carried *c, loff_t pos, u64 len, bool to_eof)
{
	loff_t count = len;
	int err;

	err = remap_verify_area(c->upper, pos, to_eof ? 0 : len, true);
	if (err || to_eof || rlimit(RLIMIT_FSIZE) == RLIM_INFINITY)
		return err;
	err = generic_write_check_limits(c->upper, pos, &count);
	if (err)
		return err;
	return count == len ? 0 : -EINVAL;
}

/* The second of the files is the one that is asked. */
static int prepare_exchange(struct carry *carry, struct file *file)
{
	struct fold_ioctl_exchange *args = carry->arg;
	struct carried *c = carry->files;
	bool to_eof = args->flags & FOLD_IOC_EXCHANGE_TO_EOF;
	int err;

	carry->nr = 1;
	c[0].number = &args->fd;
	/* The lower filesystem compares mounts, and ours have one below. */
	err = resolve(&c[0], file_inode(file)->i_sb, file->f_path.mnt, args->fd);
	if (err || !c[0].ours || !may_exchange(c[0].upper) ||
	    !may_exchange(file) || args->flags & FOLD_IOC_EXCHANGE_DRY)
		return err;
	c[1].upper = get_file(file);
	c[0].start = args->offset1;
	c[1].start = args->offset2;
	c[0].len = to_eof ? LLONG_MAX : args->length;
	c[1].len = c[0].len;
	/* What makes no sense is refused below, and nothing has to end. */
	if (c[0].start < 0 || c[1].start < 0 || c[0].len < 0)
		return 0;
	err = check_exchange(&c[0], c[0].start, args->length, to_eof);
	if (!err)
		err = check_exchange(&c[1], c[1].start, args->length, to_eof);
	if (err)
		return err;
	c[0].announced = true;
	c[1].announced = true;
	return 0;
}

static int prepare_swap(struct carry *carry, struct file *file)
{
	struct fold_ioctl_swap *args = carry->arg;
	struct carried *c = carry->files;
	int i, err;

	carry->nr = 2;
	for (i = 0; i < 2; i++) {
		c[i].number = &args->fd[i];
		c[i].wide = true;
		err = resolve(&c[i], file_inode(file)->i_sb, NULL, args->fd[i]);
		if (err)
			return err;
		if (!c[i].ours || !may_exchange(c[i].upper))
			continue;
		c[i].len = LLONG_MAX;
		c[i].announced = true;
	}
	return 0;
}

static int prepare_snapshot(struct carry *carry, struct file *file)
{
	struct carried *c = carry->files;
	s64 *fd = carry->arg;

	carry->nr = 1;
	c[0].number = fd;
	c[0].wide = true;
	return resolve(&c[0], file_inode(file)->i_sb, NULL, *fd);
}

static long announce_and_call(struct carry *carry)
{
	struct carried *c = carry->files;
	int i;
	long ret;

	for (i = 0; i < 2; i++)
		if (c[i].announced)
			fold_change_begin(file_inode(c[i].upper), c[i].start,
					  c[i].len);
	ret = fold_query_visit(carry_call, carry);
	for (i = 0; i < 2; i++) {
		if (!c[i].announced)
			continue;
		fold_change_end(file_inode(c[i].upper));
		fold_copy_attr(file_inode(c[i].upper));
		if (!ret)
			fsnotify_modify(c[i].upper);
	}
	return ret;
}

/**
 * fold_ioctl_carry - an ioctl whose argument has descriptors in it
 * @file: the upper file that is asked
 * @ioc: the command's entry, with one of FOLD_IOC_CARRIES
 * @arg: the argument in user memory
 *
 * Descriptors of files of the same superblock become those of their lower files;
 * others stay what they are. Bytes that two files exchange are announced for
 * both, once it is known that both are open for writing: so neither has a lease
 * of another mount's.
 *
 * Context: no lock held; waits as long as the lower filesystem takes.
 * Return: as ioctl(2).
 */
long fold_ioctl_carry(struct file *file, const struct fold_ioctl *ioc,
		      void __user *arg)
{
	struct carry carry = {
		.lower = fold_lower_file(file),
		.cmd = ioc->cmd,
		.cred = current_cred(),
	};
	long ret;
	int i;

	fold_may_be_stopped(file_inode(file));
	carry.arg = memdup_user(arg, _IOC_SIZE(ioc->cmd));
	if (IS_ERR(carry.arg))
		return PTR_ERR(carry.arg);
	ret = mnt_get_write_access(file->f_path.mnt);
	if (ret)
		goto out_free;
	/* Nothing of the caller's memory is there where it is called. */
	if (ioc->pointer_if & *(u64 *)(carry.arg + ioc->pointer_at))
		ret = -EOPNOTSUPP;
	else if (ioc->flags & FOLD_IOC_EXCHANGE)
		ret = prepare_exchange(&carry, file);
	else if (ioc->flags & FOLD_IOC_SWAP)
		ret = prepare_swap(&carry, file);
	else
		ret = prepare_snapshot(&carry, file);
	if (!ret)
		ret = announce_and_call(&carry);
	for (i = 0; i < 2; i++) {
		if (carry.files[i].lower)
			fput(carry.files[i].lower);
		if (carry.files[i].upper)
			fput(carry.files[i].upper);
	}
	mnt_put_write_access(file->f_path.mnt);
out_free:
	kfree(carry.arg);
	return ret;
}
