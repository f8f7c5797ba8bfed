// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shoot-down: marked frames leave the files that show them.
 *
 * A frame that several files show says only that they are several. So the
 * entries of all files of the filesystem are looked at, for all marked frames
 * at once. For what is found first the PTEs go, then the entries. A fault in
 * between asks for the block again, which takes the frame's mark away, and may
 * map it again; its PTE then lives as long as it takes
 * invalidate_inode_pages2_range() to unmap once more, and its frame stays.
 *
 * Three locks, none of which is waited for:
 *
 *	the superblock's s_umount	it is about to be mounted, unmounted or
 *					changed
 *	a file's invalidate_lock	shared, as in faults: nobody truncates the
 *					file, who would miss an entry that he has
 *					just seen
 *	an entry's lock			belongs to a fault. A read of a block whose
 *					frame is marked finds it and does not wait
 *					for another, so this one does not last
 *
 * What cannot be locked keeps its frames until the next round.
 *
 * For a moment a page may have PTEs and no entry: a fault has come in between,
 * and invalidate_inode_pages2_range() drops the entry before it unmaps. So
 * whoever believes page->mapping has pool->shoot_lock.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "daxentry.h"
#include "fold.h"

/* Indices that are gathered before the entries are dropped. */
#define GATHERED	64

/* Entries, or inodes without any, that are passed over in one go. */
#define PASSED_OVER	1024

/*
 * The filesystem on the mapped device, with its s_umount held shared, or NULL.
 * Whoever has that lock keeps the superblock from being shut down.
 */
static struct super_block *lock_super(struct fold_pool *pool)
{
	struct super_block *sb = NULL;
	struct block_device *bdev;

	if (!pool->disk)
		return NULL;
	bdev = pool->disk->part0;
	/* The holder is let go, and its superblock freed, under this lock. */
	mutex_lock(&bdev->bd_holder_lock);
	if (bdev->bd_holder && bdev->bd_holder_ops == &fs_holder_ops) {
		sb = bdev->bd_holder;
		if (!down_read_trylock(&sb->s_umount))
			sb = NULL;
	}
	mutex_unlock(&bdev->bd_holder_lock);
	if (sb && (!sb->s_root || !(sb->s_flags & SB_BORN))) {
		up_read(&sb->s_umount);
		sb = NULL;
	}
	return sb;
}

static void unlock_super(struct super_block *sb)
{
	/* Whoever waited for the lock may free it; that waits for RCU. */
	rcu_read_lock();
	up_read(&sb->s_umount);
	rcu_read_unlock();
}

/* Up to GATHERED indices from *@start on of entries whose frames are marked. */
static int gather(struct fold_pool *pool, struct address_space *mapping,
		  pgoff_t *start, pgoff_t *found)
{
	XA_STATE(xas, &mapping->i_pages, *start);
	unsigned long pfn;
	int n = 0, i = 0;
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, ULONG_MAX) {
		if (xas_retry(&xas, entry))
			continue;
		pfn = fold_dax_entry_pfn(entry);
		if (pfn >= pool->pfn && pfn - pool->pfn < pool->nr &&
		    (READ_ONCE(pool->frames[pfn - pool->pfn].flags) &
		     FOLD_MARKED)) {
			found[n++] = xas.xa_index;
			if (n == GATHERED)
				break;
		}
		if (++i % PASSED_OVER)
			continue;
		xas_pause(&xas);
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	if (n)
		*start = found[n - 1] + 1;
	return n;
}

static u64 shoot_file(struct fold_pool *pool, struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t found[GATHERED], start = 0, first;
	u64 gone = 0;
	int n, i;

	if (!down_read_trylock(&mapping->invalidate_lock))
		return 0;
	do {
		n = gather(pool, mapping, &start, found);
		for (i = 0; i < n; i++) {
			first = found[i];
			while (i + 1 < n && found[i + 1] == found[i] + 1)
				i++;
			unmap_mapping_pages(mapping, first,
					    found[i] - first + 1, false);
			invalidate_inode_pages2_range(mapping, first, found[i]);
		}
		gone += n;
		cond_resched();
	} while (n == GATHERED && start);
	up_read(&mapping->invalidate_lock);
	return gone;
}

static u64 shoot_super(struct fold_pool *pool, struct super_block *sb)
{
	struct inode *inode, *last = NULL, *use;
	unsigned int passed = 0;
	u64 gone = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		use = NULL;
		/* One without entries only now and then, as a place to rest. */
		if ((IS_DAX(inode) && !mapping_empty(inode->i_mapping)) ||
		    ++passed % PASSED_OVER == 0)
			use = igrab(inode);
		if (!use)
			continue;
		spin_unlock(&sb->s_inode_list_lock);

		/* The one before keeps its place in the list until now. */
		iput(last);
		last = use;
		if (IS_DAX(use))
			gone += shoot_file(pool, use);
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(last);
	return gone;
}

/**
 * fold_shoot - take marked frames out of the files that show them
 * @pool: the pool
 *
 * Context: Sleeps for page tables and for faults that are about to end; waits
 * for nothing that may wait for a free frame. Called with pool->shoot_lock held
 * and no other.
 * Return: false if the filesystem could not be looked at: none is mounted, or
 * it is locked.
 */
bool fold_shoot(struct fold_pool *pool)
{
	struct super_block *sb;
	unsigned long irq;
	u64 gone;

	lockdep_assert_held(&pool->shoot_lock);
	sb = lock_super(pool);
	if (!sb)
		return false;
	gone = shoot_super(pool, sb);
	unlock_super(sb);
	fold_pool_lock(pool, irq);
	pool->stats[FOLD_SHOOTDOWNS] += gone;
	fold_pool_unlock(pool, irq);
	return true;
}
