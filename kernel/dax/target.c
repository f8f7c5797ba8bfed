// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device mapper sees.
 *
 *	0 SECTORS fold LOWER POOL ro [readahead PAGES] [wait MILLISECONDS]
 *
 * The mapped device has the lower device's blocks. Reads by bios go to the lower
 * device, which nobody writes to as long as there is a table, and what is asked
 * for through DAX comes from the pool.
 *
 * Tables are read-only. Stores to a DAX file pass no hook of a block device, so
 * only a device that the filesystem cannot be mounted writable on keeps frames
 * clean; hence the table's own mode has to be read-only as well.
 */
#include <linux/module.h>

#include "fold.h"

#define READAHEAD_DEFAULT	32
#define PATIENCE_DEFAULT	5000
#define PATIENCE_MAX		600000

/**
 * struct fold_table - a table; immutable once it is made
 *
 * @lower: the lower device
 * @capable: a copy of it that says to have DAX, so that the device mapper takes
 *	the mapped one for capable; with the pool in its place that would also
 *	pass for synchronous, and MAP_SYNC be granted
 * @pool: its frames
 * @readahead: pages, as given, for the table's line
 * @wait: milliseconds, likewise
 */
struct fold_table {
	struct dm_dev		*lower;
	struct dm_dev		capable;
	struct fold_pool	*pool;
	unsigned int		readahead;
	unsigned int		wait;
};

static const char * const counter_names[FOLD_NR_COUNTERS] = {
	[FOLD_HANDOUTS]		= "handouts",
	[FOLD_FILLS]		= "fills",
	[FOLD_READ_AHEAD]	= "ahead",
	[FOLD_EVICTIONS]	= "evictions",
	[FOLD_RESCUES]		= "rescues",
	[FOLD_SHOOTDOWNS]	= "shootdowns",
	[FOLD_BUSY]		= "busy",
	[FOLD_WAITS]		= "waits",
	[FOLD_TIMEOUTS]		= "timeouts",
	[FOLD_ERRORS]		= "errors",
};

static int parse_number(struct dm_target *ti, const char *text,
			unsigned int max, unsigned int *value, char *error)
{
	if (!text || kstrtouint(text, 10, value) || *value > max) {
		ti->error = error;
		return -EINVAL;
	}
	return 0;
}

static int parse_options(struct dm_target *ti, struct fold_table *table,
			 unsigned int argc, char **argv)
{
	bool ro = false;
	int err = 0;

	while (argc && !err) {
		const char *word = argv[0], *value = argc > 1 ? argv[1] : NULL;
		unsigned int used = 2;

		if (!strcmp(word, "ro")) {
			ro = true;
			used = 1;
		} else if (!strcmp(word, "readahead")) {
			err = parse_number(ti, value, FOLD_MAX_RUN - 1,
					   &table->readahead,
					   "readahead takes a number of pages, at most 255");
		} else if (!strcmp(word, "wait")) {
			err = parse_number(ti, value, PATIENCE_MAX,
					   &table->wait,
					   "wait takes milliseconds, at most 600000");
		} else {
			ti->error = "an unknown option: neither ro, readahead nor wait";
			err = -EINVAL;
		}
		argc -= used;
		argv += used;
	}
	if (err)
		return err;
	if (!ro) {
		ti->error = "only read-only tables are possible: add the option ro";
		return -EINVAL;
	}
	if (dm_table_get_mode(ti->table) & BLK_OPEN_WRITE) {
		ti->error = "a table with ro has to be loaded read-only: dmsetup create --readonly";
		return -EINVAL;
	}
	return 0;
}

static int check_shape(struct dm_target *ti, const struct fold_table *table)
{
	if (ti->len % PAGE_SECTORS) {
		ti->error = "the length is no multiple of a page (8 sectors)";
		return -EINVAL;
	}
	if (ti->len > bdev_nr_sectors(table->lower->bdev)) {
		ti->error = "the lower device is shorter than the table";
		return -EINVAL;
	}
	if (bdev_logical_block_size(table->lower->bdev) > PAGE_SIZE) {
		ti->error = "the lower device's blocks are larger than a page";
		return -EINVAL;
	}
	return 0;
}

static int fold_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct fold_table *table;
	int err;

	if (argc < 2) {
		ti->error = "LOWER_DEVICE and POOL_DEVICE are missing";
		return -EINVAL;
	}
	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table) {
		ti->error = "no memory";
		return -ENOMEM;
	}
	table->readahead = READAHEAD_DEFAULT;
	table->wait = PATIENCE_DEFAULT;
	err = parse_options(ti, table, argc - 2, argv + 2);
	if (err)
		goto err_table;

	err = dm_get_device(ti, argv[0], BLK_OPEN_READ, &table->lower);
	if (err) {
		ti->error = err == -EBUSY ?
			"the lower device is in use: unmount what is on it" :
			"the lower device cannot be opened";
		goto err_table;
	}
	err = check_shape(ti, table);
	if (err)
		goto err_lower;

	table->pool = fold_pool_open(argv[1], &ti->error);
	if (IS_ERR(table->pool)) {
		err = PTR_ERR(table->pool);
		goto err_lower;
	}
	table->pool->lower = table->lower->bdev;
	table->pool->blocks_end = ti->len >> PAGE_SECTORS_SHIFT;
	table->pool->disk = dm_disk(dm_table_get_md(ti->table));
	strscpy(table->pool->name, dm_table_device_name(ti->table));
	table->pool->readahead = table->readahead;
	table->pool->patience = msecs_to_jiffies(table->wait);
	table->capable = *table->lower;
	table->capable.dax_dev = table->pool->token;
	ti->private = table;
	return 0;

err_lower:
	dm_put_device(ti, table->lower);
err_table:
	DMERR("%s: %s", dm_table_device_name(ti->table),
	      ti->error ?: "no table");
	kfree(table);
	return err;
}

static void fold_dtr(struct dm_target *ti)
{
	struct fold_table *table = ti->private;

	fold_pool_close(table->pool);
	dm_put_device(ti, table->lower);
	kfree(table);
}

static int fold_map(struct dm_target *ti, struct bio *bio)
{
	struct fold_table *table = ti->private;

	/* The block layer lets some writes to a read-only device pass. */
	if (op_is_write(bio_op(bio)))
		return DM_MAPIO_KILL;
	bio_set_dev(bio, table->lower->bdev);
	return DM_MAPIO_REMAPPED;
}

static long fold_direct_access(struct dm_target *ti, pgoff_t pgoff,
			       long nr_pages, enum dax_access_mode mode,
			       void **kaddr, pfn_t *pfn)
{
	struct fold_table *table = ti->private;

	if (mode != DAX_ACCESS)
		return -EIO;
	return fold_hand_out(table->pool, pgoff, nr_pages, kaddr, pfn);
}

static int fold_zero_page_range(struct dm_target *ti, pgoff_t pgoff,
				size_t nr_pages)
{
	return -EROFS;
}

static int fold_iterate_devices(struct dm_target *ti,
				iterate_devices_callout_fn fn, void *data)
{
	struct fold_table *table = ti->private;

	return fn(ti, &table->capable, 0, ti->len, data);
}

static void fold_status(struct dm_target *ti, status_type_t type,
			unsigned int flags, char *result, unsigned int maxlen)
{
	struct fold_table *table = ti->private;
	struct fold_pool *pool = table->pool;
	u32 nr_cached, nr_free, nr_retired;
	u64 stats[FOLD_NR_COUNTERS];
	unsigned int sz = 0, i;
	unsigned long irq;
	dev_t dev;

	switch (type) {
	case STATUSTYPE_INFO:
		fold_pool_lock(pool, irq);
		nr_cached = pool->nr_cached;
		nr_free = pool->nr_free;
		nr_retired = pool->nr_retired;
		memcpy(stats, pool->stats, sizeof(stats));
		fold_pool_unlock(pool, irq);
		DMEMIT("frames=%u cached=%u free=%u retired=%u", pool->nr,
		       nr_cached, nr_free, nr_retired);
		for (i = 0; i < FOLD_NR_COUNTERS; i++)
			DMEMIT(" %s=%llu", counter_names[i], stats[i]);
		break;
	case STATUSTYPE_TABLE:
		dev = file_bdev(pool->file)->bd_dev;
		DMEMIT("%s %u:%u ro", table->lower->name, MAJOR(dev),
		       MINOR(dev));
		if (table->readahead != READAHEAD_DEFAULT)
			DMEMIT(" readahead %u", table->readahead);
		if (table->wait != PATIENCE_DEFAULT)
			DMEMIT(" wait %u", table->wait);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",lower=%s,pool=%pg;", table->lower->name,
		       file_bdev(pool->file));
		break;
	}
}

/*
 * drop: let go of all blocks that nobody has pinned
 * reset: counters begin at 0 again
 */
static int fold_message(struct dm_target *ti, unsigned int argc, char **argv,
			char *result, unsigned int maxlen)
{
	struct fold_table *table = ti->private;
	unsigned long irq;

	if (argc == 1 && !strcmp(argv[0], "drop")) {
		fold_evict_all(table->pool);
		return 0;
	}
	if (argc == 1 && !strcmp(argv[0], "reset")) {
		fold_pool_lock(table->pool, irq);
		memset(table->pool->stats, 0, sizeof(table->pool->stats));
		fold_pool_unlock(table->pool, irq);
		return 0;
	}
	DMERR("%s: an unknown message: there are drop and reset",
	      table->pool->name);
	return -EINVAL;
}

static struct target_type fold_target = {
	.name			= "fold",
	.version		= { 0, 1, 0 },
	.features		= DM_TARGET_SINGLETON,
	.module			= THIS_MODULE,
	.ctr			= fold_ctr,
	.dtr			= fold_dtr,
	.map			= fold_map,
	.status			= fold_status,
	.message		= fold_message,
	.iterate_devices	= fold_iterate_devices,
	.direct_access		= fold_direct_access,
	.dax_zero_page_range	= fold_zero_page_range,
};

/**
 * fold_target_init - at module load, last
 *
 * Return: 0 or an error.
 */
int __init fold_target_init(void)
{
	return dm_register_target(&fold_target);
}

/**
 * fold_target_exit - at module unload, first; there is no table
 */
void fold_target_exit(void)
{
	dm_unregister_target(&fold_target);
}
