// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/fs/foldfs/<major:minor>/: one number a file, and "drop", which takes
 * orders. docs/counters.md says what each of them means.
 *
 * All of it is root's: sysfs is the same for everybody, whatever he has mounted, and
 * the numbers of one mount say what its users do, those of a cache what the users of
 * all its mounts do. Root can give files to others by chgrp(1) and chmod(1).
 */
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "../core/cache.h"
#include "upper.h"

static struct kset *foldfs_kset __ro_after_init;

/**
 * struct fold_sysfs - directory of one mount
 * @kobj: the directory; may outlive the mount if a file in it is held open
 * @stats: what the mount has counted
 * @cache: the cache that it uses, perhaps with others; NULL: all is zero
 *
 * Both are immutable while the directory is visible, and removing it waits for
 * readers.
 */
struct fold_sysfs {
	struct kobject kobj;
	struct fold_stats *stats;
	struct fold_cache *cache;
};

struct fold_attr {
	struct attribute attr;
	unsigned long (*read)(const struct fold_sysfs *dir, int item);
	int item;
};

static unsigned long read_table(const struct fold_sysfs *dir, int item)
{
	struct fold_cache *cache = dir->cache;
	unsigned long sum = 0;
	int i;

	for (i = 0; i < FOLD_NR_SPACES; i++)
		sum += item ? READ_ONCE(cache->space[i].table.references) :
			      READ_ONCE(cache->space[i].table.fragments);
	return sum;
}

static unsigned long read_pages(const struct fold_sysfs *dir, int item)
{
	return item ? fold_cache_saved(dir->cache) :
		      fold_cache_pages(dir->cache);
}

static unsigned long read_id(const struct fold_sysfs *dir, int item)
{
	return dir->cache->id;
}

/* What pages went through, through whichever mount. */
static unsigned long read_cache_stat(const struct fold_sysfs *dir, int item)
{
	return fold_stat_read(&dir->cache->stats, item);
}

/* What files of this mount went through. */
static unsigned long read_stat(const struct fold_sysfs *dir, int item)
{
	return fold_stat_read(dir->stats, item);
}

#define FOLD_ATTR(_name, _read, _item)					\
	static struct fold_attr attr_##_name = {			\
		.attr = { .name = #_name, .mode = 0400 },		\
		.read = _read,						\
		.item = _item,						\
	}

FOLD_ATTR(cache, read_id, 0);
FOLD_ATTR(fragments, read_table, 0);
FOLD_ATTR(references, read_table, 1);
FOLD_ATTR(pages_cached, read_pages, 0);
FOLD_ATTR(pages_saved, read_pages, 1);
FOLD_ATTR(joins, read_stat, FOLD_STAT_JOINS);
FOLD_ATTR(breaks, read_stat, FOLD_STAT_BREAKS);
FOLD_ATTR(fills, read_cache_stat, FOLD_STAT_FILLS);
FOLD_ATTR(refills, read_cache_stat, FOLD_STAT_REFILLS);
FOLD_ATTR(shootdowns, read_cache_stat, FOLD_STAT_SHOOTDOWNS);
FOLD_ATTR(fallbacks, read_stat, FOLD_STAT_FALLBACKS);
FOLD_ATTR(outside_writers, read_stat, FOLD_STAT_OUTSIDE);

/* Nothing to read; root can change a mode, so that is checked as well. */
static struct fold_attr attr_drop = {
	.attr = { .name = "drop", .mode = 0200 },
};

static struct attribute *foldfs_attrs[] = {
	&attr_cache.attr,
	&attr_fragments.attr,
	&attr_references.attr,
	&attr_pages_cached.attr,
	&attr_pages_saved.attr,
	&attr_joins.attr,
	&attr_breaks.attr,
	&attr_fills.attr,
	&attr_refills.attr,
	&attr_shootdowns.attr,
	&attr_fallbacks.attr,
	&attr_outside_writers.attr,
	&attr_drop.attr,
	NULL
};
ATTRIBUTE_GROUPS(foldfs);

static ssize_t foldfs_show(struct kobject *kobj, struct attribute *attr,
			   char *buf)
{
	struct fold_sysfs *dir = container_of(kobj, struct fold_sysfs, kobj);
	struct fold_attr *fa = container_of(attr, struct fold_attr, attr);

	if (!fa->read)
		return -EIO;
	return sysfs_emit(buf, "%lu\n",
			  dir->cache ? fa->read(dir, fa->item) : 0);
}

static ssize_t foldfs_store(struct kobject *kobj, struct attribute *attr,
			    const char *buf, size_t count)
{
	struct fold_sysfs *dir = container_of(kobj, struct fold_sysfs, kobj);

	if (attr != &attr_drop.attr)
		return -EIO;
	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	if (dir->cache)
		fold_cache_give_back(dir->cache);
	return count;
}

static const struct sysfs_ops foldfs_sysfs_ops = {
	.show = foldfs_show,
	.store = foldfs_store,
};

static void foldfs_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct fold_sysfs, kobj));
}

static const struct kobj_type foldfs_ktype = {
	.default_groups	= foldfs_groups,
	.sysfs_ops	= &foldfs_sysfs_ops,
	.release	= foldfs_release,
};

/**
 * fold_sysfs_module_init - make /sys/fs/foldfs
 *
 * Return: 0 or -ENOMEM.
 */
int __init fold_sysfs_module_init(void)
{
	foldfs_kset = kset_create_and_add("foldfs", NULL, fs_kobj);
	return foldfs_kset ? 0 : -ENOMEM;
}

/**
 * fold_sysfs_module_exit - remove /sys/fs/foldfs
 */
void fold_sysfs_module_exit(void)
{
	kset_unregister(foldfs_kset);
}

/**
 * fold_sysfs_add - make a mount's directory
 * @sb: the superblock; its cache is made, if it has one
 *
 * Return: 0 or a negative errno.
 */
int fold_sysfs_add(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;
	struct fold_sysfs *dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	int err;

	if (!dir)
		return -ENOMEM;
	dir->stats = &ss->stats;
	dir->cache = ss->cache;
	dir->kobj.kset = foldfs_kset;
	err = kobject_init_and_add(&dir->kobj, &foldfs_ktype, NULL, "%u:%u",
				   MAJOR(sb->s_dev), MINOR(sb->s_dev));
	if (err) {
		kobject_put(&dir->kobj);
		return err;
	}
	ss->sysfs = dir;
	return 0;
}

/**
 * fold_sysfs_remove - remove a mount's directory, if there is one
 * @sb: the superblock
 *
 * Context: process context; waits for readers.
 */
void fold_sysfs_remove(struct super_block *sb)
{
	struct fold_sb_share *ss = &FOLD_SB(sb)->share;

	if (!ss->sysfs)
		return;
	kobject_del(&ss->sysfs->kobj);
	kobject_put(&ss->sysfs->kobj);
	ss->sysfs = NULL;
}
