// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upper dentries and how they notice what happens directly below.
 *
 * Each upper dentry, negative ones included, holds its lower dentry, and in
 * d_time the value that the lower dentry's sequence count had when the two were
 * known to agree. The lower count moves whenever the lower dentry is renamed,
 * unhashed, or gets or loses its inode. So one comparison, which works under
 * RCU, tells that nothing happened; if something did, names, parents and inodes
 * are compared.
 *
 * A lower dentry that has an inode keeps it for as long as it is held here.
 *
 * Our own operations change the lower dentry first and the upper one later,
 * when the VFS gets round to it. A walker in between must not take that for a
 * change from below: it would invalidate the upper dentry and detach what is
 * mounted on it. Therefore whoever operates on an upper dentry marks it busy
 * first, with the upper parent locked.
 */
#include <linux/dcache.h>
#include <linux/namei.h>

#include "foldfs.h"

/* In d_time: ours is the change. Sequence counts at rest are even. */
#define DENTRY_BUSY	1UL

/**
 * fold_dentry_bind - give an upper dentry its lower dentry
 * @dentry: the upper dentry, not yet to be found by name
 * @lower: the lower dentry; the caller's reference is taken over
 *
 * Context: any.
 */
void fold_dentry_bind(struct dentry *dentry, struct dentry *lower)
{
	/* Before the caller looks at the lower inode: what changes then shows. */
	WRITE_ONCE(dentry->d_time, raw_read_seqcount(&lower->d_seq));
	if (cmpxchg(&dentry->d_fsdata, NULL, lower))
		dput(lower);
}

/**
 * fold_lower_alias - bind a dentry that was made for a file handle
 * @dentry: a positive upper dentry that may have no lower dentry yet
 *
 * Whoever made it holds some lower alias until it has bound it, so there is one.
 *
 * Context: any but interrupts.
 * Return: the lower dentry; it belongs to @dentry.
 */
struct dentry *fold_lower_alias(struct dentry *dentry)
{
	struct dentry *lower;

	lower = d_find_any_alias(fold_lower_inode(d_inode(dentry)));
	if (lower)
		fold_dentry_bind(dentry, lower);
	return READ_ONCE(dentry->d_fsdata);
}

/**
 * fold_dentry_busy - an operation of ours is about to change the lower dentry
 * @dentry: the upper dentry; its parent is locked exclusively
 */
void fold_dentry_busy(struct dentry *dentry)
{
	WRITE_ONCE(dentry->d_time, DENTRY_BUSY);
	/* Pairs with smp_rmb() in revalidate_slowly(). */
	smp_wmb();
}

/**
 * fold_dentry_settle - the operation is over
 * @dentry: the upper dentry; its parent is locked, and the lower dentry's too
 *
 * From here on the two agree, as far as the VFS will do its part above.
 */
void fold_dentry_settle(struct dentry *dentry)
{
	struct dentry *lower = fold_lower_dentry(dentry);

	WRITE_ONCE(dentry->d_time, raw_read_seqcount(&lower->d_seq));
}

/* Do the two dentries mean the same file, or the same absence of one? */
static bool dentries_agree(struct dentry *dentry, struct dentry *lower)
{
	struct name_snapshot name, lower_name;
	struct inode *inode = d_inode(dentry);
	struct dentry *parent;
	bool agree;

	if (d_unhashed(lower))
		return false;
	if (d_inode(lower) != (inode ? fold_lower_inode(inode) : NULL))
		return false;

	parent = dget_parent(dentry);
	agree = READ_ONCE(lower->d_parent) == fold_lower_dentry(parent);
	dput(parent);
	if (!agree)
		return false;

	take_dentry_name_snapshot(&name, dentry);
	take_dentry_name_snapshot(&lower_name, lower);
	agree = name.name.len == lower_name.name.len &&
		!memcmp(name.name.name, lower_name.name.name, name.name.len);
	release_dentry_name_snapshot(&lower_name);
	release_dentry_name_snapshot(&name);
	return agree;
}

static bool revalidate_slowly(struct dentry *dentry, struct dentry *lower)
{
	unsigned long time;
	unsigned int seq;
	bool agree;

	for (;;) {
		time = READ_ONCE(dentry->d_time);
		if (time == DENTRY_BUSY)
			return true;
		seq = read_seqcount_begin(&lower->d_seq);
		agree = dentries_agree(dentry, lower);
		if (agree && !read_seqcount_retry(&lower->d_seq, seq)) {
			cmpxchg(&dentry->d_time, time, seq);
			return true;
		}
		/* If we saw a change of our own, we see the mark as well. */
		smp_rmb();
		if (!agree && READ_ONCE(dentry->d_time) == time)
			return false;
		cond_resched();
	}
}

static int fold_revalidate(struct inode *dir, const struct qstr *name,
			   struct dentry *dentry, unsigned int flags)
{
	struct dentry *lower = READ_ONCE(dentry->d_fsdata);
	struct inode *inode = d_inode_rcu(dentry);
	unsigned long time = READ_ONCE(dentry->d_time);

	if (unlikely(!lower)) {
		if (flags & LOOKUP_RCU)
			return -ECHILD;
		lower = fold_lower_alias(dentry);
	}
	if (time != DENTRY_BUSY && time != raw_read_seqcount(&lower->d_seq)) {
		if (flags & LOOKUP_RCU)
			return -ECHILD;
		if (!revalidate_slowly(dentry, lower))
			return 0;
	}
	if (inode && !fold_attr_is_current(inode)) {
		if (flags & LOOKUP_RCU)
			return -ECHILD;
		fold_copy_attr(inode);
	}
	return 1;
}

FOLD_OP_REVALIDATE(fold_revalidate)

/*
 * A path ends here without a last name that was looked up: "." or "..", a
 * descriptor, the root of the mount, a link in /proc.
 */
static int fold_weak_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = d_inode(dentry);

	if (inode && !fold_attr_is_current(inode))
		fold_copy_attr(inode);
	return 1;
}

static void fold_release_dentry(struct dentry *dentry)
{
	dput(dentry->d_fsdata);
}

/* uprobes and the like want the inode whose pages are mapped. */
static struct dentry *fold_real(struct dentry *dentry, enum d_real_type type)
{
	if (type == D_REAL_DATA && d_is_reg(dentry))
		return fold_lower_dentry(dentry);
	return dentry;
}

const struct dentry_operations fold_dentry_operations = {
	.d_revalidate	= FOLD_OP(fold_revalidate),
	.d_weak_revalidate = fold_weak_revalidate,
	.d_release	= fold_release_dentry,
	.d_real		= fold_real,
};

/* For mounts with "upperdir": overlayfs takes nothing with a d_real. */
const struct dentry_operations fold_upperdir_dentry_operations = {
	.d_revalidate	= FOLD_OP(fold_revalidate),
	.d_weak_revalidate = fold_weak_revalidate,
	.d_release	= fold_release_dentry,
};

/**
 * fold_forgets_names - does a directory not remember which names are not there
 * @parent: a directory of a lower filesystem
 *
 * One with case-insensitive names does not: there one file answers to many names,
 * and an upper dentry would be one of them.
 *
 * Context: may sleep. The caller's credentials are used.
 * Return: true if a name that is not there is not hashed after it was looked up.
 */
bool fold_forgets_names(struct dentry *parent)
{
	bool forgets = false, found = true;
	struct dentry *dentry;
	char name[24];
	struct qstr q;
	int i;

	/* Somebody may have made the name that is tried. */
	for (i = 0; found && i < 100; i++) {
		q.len = scnprintf(name, sizeof(name), ".foldfs-no-name-%d", i);
		q.name = name;
		dentry = fold_lookup_one_unlocked(&nop_mnt_idmap, &q, parent);
		if (IS_ERR(dentry))
			return false;
		found = d_is_positive(dentry);
		forgets = !found && d_unhashed(dentry);
		dput(dentry);
	}
	return forgets;
}

/**
 * fold_lookup - inode_operations.lookup
 * @dir: the upper directory, locked at least for reading
 * @dentry: the name, not yet hashed
 * @flags: LOOKUP_*
 *
 * What is mounted on directories of the lower tree is not seen through the
 * mount: the names below are looked up in the filesystem alone.
 *
 * Return: NULL, another dentry to be used instead, or an error pointer.
 */
struct dentry *fold_lookup(struct inode *dir, struct dentry *dentry,
			   unsigned int flags)
{
	struct dentry *parent = fold_lower_dentry(dentry->d_parent);
	const struct cred *old;
	struct inode *inode = NULL;
	struct dentry *lower, *alias;

	/*
	 * The caller's permission was checked, with the ID mapping of the
	 * caller's mount, which is not known here.
	 */
	old = override_creds(FOLD_SB(dir->i_sb)->cred);
	lower = fold_lookup_one_unlocked(&nop_mnt_idmap, &dentry->d_name,
					 parent);
	revert_creds(old);
	if (IS_ERR(lower))
		return lower;

	fold_dentry_bind(dentry, lower);
	if (d_is_positive(lower))
		inode = fold_iget(dir->i_sb, d_inode(lower));
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(alias) && fold_lower_dentry(alias) != lower) {
		/* A directory has one lower dentry only. Let the caller retry. */
		dput(alias);
		return ERR_PTR(-ESTALE);
	}
	return alias;
}

/**
 * fold_obtain_alias - find or make an upper dentry of a lower dentry
 * @sb: the upper superblock
 * @lower: a positive lower dentry
 *
 * The result may be disconnected: it has no name yet.
 *
 * Context: may sleep.
 * Return: the upper dentry with a reference, or an error pointer.
 */
struct dentry *fold_obtain_alias(struct super_block *sb, struct dentry *lower)
{
	struct dentry *dentry;

	dentry = d_obtain_alias(fold_iget(sb, d_inode(lower)));
	if (!IS_ERR(dentry) && !READ_ONCE(dentry->d_fsdata))
		fold_dentry_bind(dentry, dget(lower));
	return dentry;
}
