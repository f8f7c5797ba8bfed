// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where pages lie: the third address space.
 *
 * A store is an unlinked file of the kernel's own tmpfs, which nobody can reach. So
 * its pages age, are swapped out and in, and are charged as any tmpfs's. A page
 * stays at its index for as long as anybody holds it, and files refer to indices:
 * clones of a file refer to the same ones. Batches of neighbouring indices are handed
 * out and counted here.
 *
 * A page's count is not of files but of leaves of their trees (tree.c): making,
 * keeping or dropping a clone touches no page.
 */
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "foldtmp.h"

/* So many pages of a leaf come from the open batch, which it shares with others. */
#define FROM_OPEN	4

static struct kmem_cache *batch_cache;

/**
 * ftmp_store_cache_init - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int __init ftmp_store_cache_init(void)
{
	/* Slots have the page's number in the low bits of the address. */
	batch_cache = kmem_cache_create("foldfs_tmp_batch",
					sizeof(struct ftmp_batch), FTMP_BATCH,
					SLAB_ACCOUNT, NULL);
	return batch_cache ? 0 : -ENOMEM;
}

/**
 * ftmp_store_cache_exit - when it is unloaded
 */
void ftmp_store_cache_exit(void)
{
	kmem_cache_destroy(batch_cache);
}

/**
 * ftmp_reserve - count pages before they are made
 * @fs: the mount
 * @pages: so many
 *
 * Return: true, to be undone by ftmp_unreserve() or when they leave the store; false
 * if the mount's size= does not allow for so many.
 */
bool ftmp_reserve(struct ftmp_sb *fs, unsigned long pages)
{
	unsigned long max = READ_ONCE(fs->max_blocks);
	long used = atomic_long_read(&fs->used_blocks);

	/* The kernel's counters by processor do not export their limit. */
	do {
		if (max && (used > max || pages > max - used))
			return false;
	} while (!atomic_long_try_cmpxchg(&fs->used_blocks, &used,
					  used + pages));
	return true;
}

/**
 * ftmp_unreserve - undo ftmp_reserve()
 * @fs: the mount
 * @pages: so many
 */
void ftmp_unreserve(struct ftmp_sb *fs, unsigned long pages)
{
	atomic_long_sub(pages, &fs->used_blocks);
}

static struct ftmp_batch *batch_new(struct ftmp_store *store)
{
	struct ftmp_batch *batch;
	u32 id;
	int err;

	batch = kmem_cache_zalloc(batch_cache, GFP_KERNEL);
	if (!batch)
		return ERR_PTR(-ENOMEM);
	atomic_set(&batch->live, 1);
	batch->store = store;
	INIT_LIST_HEAD(&batch->views);
	/* Nobody looks for it before it has pages, which needs its id. */
	err = xa_alloc(&store->batches, &id, batch,
		       XA_LIMIT(0, FTMP_MAX_BATCH), GFP_KERNEL_ACCOUNT);
	if (err) {
		kmem_cache_free(batch_cache, batch);
		return ERR_PTR(err == -EBUSY ? -ENOSPC : err);
	}
	batch->id = id;
	return batch;
}

/**
 * ftmp_batch_put - one page of it has left the store, or no more will be made
 * @batch: the batch
 *
 * Context: may sleep; no lock of ours but map_sem may be held.
 */
void ftmp_batch_put(struct ftmp_batch *batch)
{
	struct ftmp_store *store = batch->store;
	struct rw_semaphore *sem;

	if (!atomic_dec_and_test(&batch->live))
		return;
	sem = ftmp_views_sem(store, batch->id);
	down_write(sem);
	ftmp_views_of_batch_gone(batch);
	xa_erase(&store->batches, batch->id);
	up_write(sem);
	kmem_cache_free(batch_cache, batch);
}

static unsigned long batch_give(struct ftmp_batch *batch, unsigned int nr)
{
	batch->given |= BIT_ULL(nr);
	atomic_inc(&batch->live);
	atomic_set(&batch->count[nr], 1);
	return (unsigned long)batch | nr;
}

/* A page for a file with few pages, from the batch that all such share. */
static int page_from_open(struct ftmp_store *store, unsigned long *slot)
{
	struct ftmp_batch *batch, *full = NULL;
	int err = 0;

	mutex_lock(&store->open_lock);
	batch = store->open;
	if (!batch) {
		batch = batch_new(store);
		if (IS_ERR(batch)) {
			err = PTR_ERR(batch);
			goto unlock;
		}
		store->open = batch;
	}
	*slot = batch_give(batch, hweight64(batch->given));
	if (!~batch->given) {
		store->open = NULL;
		full = batch;
	}
unlock:
	mutex_unlock(&store->open_lock);
	if (full)
		ftmp_batch_put(full);
	return err;
}

/* The leaf's own batch, where a page has the place that it has in the leaf. */
static int page_from_home(struct ftmp_store *store, struct ftmp_node *leaf,
			  pgoff_t index, unsigned long *slot)
{
	unsigned int nr = index % FTMP_BATCH;
	struct ftmp_batch *batch = leaf->home;

	if (!batch || batch->given & BIT_ULL(nr)) {
		batch = batch_new(store);
		if (IS_ERR(batch))
			return PTR_ERR(batch);
		if (leaf->home)
			ftmp_batch_put(leaf->home);
		leaf->home = batch;
	}
	*slot = batch_give(batch, nr);
	return 0;
}

/**
 * ftmp_page_new - a place in a store for a new page
 * @ti: for which file
 * @leaf: of its tree, which belongs to it alone; NULL: it has but one page
 * @index: page of the file
 * @slot: set to the place, with a count of one
 *
 * The page is counted in the mount's size. There is no memory for it yet.
 *
 * Context: @ti's map_sem held for writing. May sleep for memory.
 * Return: 0, -ENOSPC, or -ENOMEM.
 */
int ftmp_page_new(struct ftmp_inode *ti, struct ftmp_node *leaf,
		  pgoff_t index, unsigned long *slot)
{
	struct inode *inode = &ti->vfs_inode;
	struct ftmp_sb *fs = FTMP_SB(inode->i_sb);
	struct ftmp_store *store = &fs->store[inode->i_ino % FTMP_STORES];
	int err;

	if (!ftmp_reserve(fs, 1))
		return -ENOSPC;
	if (!leaf || leaf->made < FROM_OPEN)
		err = page_from_open(store, slot);
	else
		err = page_from_home(store, leaf, index, slot);
	if (err)
		ftmp_unreserve(fs, 1);
	else if (leaf && leaf->made < FROM_OPEN)
		leaf->made++;
	return err;
}

/**
 * ftmp_page_get - one more leaf holds a page
 * @slot: the page, which somebody holds for the caller's sake
 */
void ftmp_page_get(unsigned long slot)
{
	ftmp_page_mark(slot);
	atomic_inc(&ftmp_slot_batch(slot)->count[ftmp_slot_nr(slot)]);
}

/**
 * ftmp_page_mark - somebody may have a page in hand through several files
 * @slot: the page
 */
void ftmp_page_mark(unsigned long slot)
{
	set_bit(ftmp_slot_nr(slot), &ftmp_slot_batch(slot)->shared);
}

/**
 * ftmp_page_sole - is there but one leaf that holds a page
 * @slot: the page, which the caller holds
 *
 * Return: true if so. It stays so for as long as none can begin to.
 */
bool ftmp_page_sole(unsigned long slot)
{
	return atomic_read(&ftmp_slot_batch(slot)->count[ftmp_slot_nr(slot)]) ==
	       1;
}

/**
 * ftmp_drop_end - let pages leave the store
 * @drop: which ftmp_page_put() has collected
 *
 * Where such a page is still mapped (a fault may have been under way) the store's
 * truncation unmaps it, over the bridge.
 *
 * Context: may sleep; takes folio locks. map_sem may be held.
 */
void ftmp_drop_end(struct ftmp_drop *drop)
{
	struct ftmp_batch *batch = drop->batch;
	struct ftmp_store *store;
	unsigned int nr = drop->nr;
	loff_t pos;

	if (!batch)
		return;
	drop->batch = NULL;
	store = batch->store;
	pos = (loff_t)(((pgoff_t)batch->id << FTMP_BITS) + drop->first)
	      << PAGE_SHIFT;
	shmem_truncate_range(file_inode(store->file), pos,
			     pos + ((loff_t)nr << PAGE_SHIFT) - 1);
	ftmp_unreserve(store->sb, nr);
	while (nr--)
		ftmp_batch_put(batch);
}

/**
 * ftmp_page_put - one leaf less holds a page
 * @slot: the page
 * @drop: collects what leaves the store; to be ended by ftmp_drop_end()
 *
 * Whoever finds that nobody holds it any more lets it go: there is no moment
 * between the two.
 *
 * Context: may sleep. map_sem may be held.
 */
void ftmp_page_put(unsigned long slot, struct ftmp_drop *drop)
{
	struct ftmp_batch *batch = ftmp_slot_batch(slot);
	unsigned int nr = ftmp_slot_nr(slot);

	if (!atomic_dec_and_test(&batch->count[nr]))
		return;
	if (drop->batch != batch || drop->first + drop->nr != nr) {
		ftmp_drop_end(drop);
		drop->batch = batch;
		drop->first = nr;
		drop->nr = 0;
	}
	drop->nr++;
}

/* Memory that has failed is kept where it is, and nobody gets to see it. */
static int check_folio(struct folio *folio)
{
	/* A file of tmpfs has large folios if it is a regular one: see open_store() */
	if (WARN_ON_ONCE(folio_test_large(folio)))
		return -EIO;
	return folio_contain_hwpoisoned_page(folio) ? -EHWPOISON : 0;
}

/**
 * ftmp_page_lock - a page's memory, locked
 * @slot: the page, which somebody holds for the caller's sake
 * @sgp: SGP_CACHE: made and cleared if it is new; SGP_WRITE: made and not cleared,
 *	then it is not up to date
 * @foliop: set to it, with a reference
 *
 * Context: may sleep for memory and for swap. map_sem may be held.
 * Return: 0, -ENOMEM, -EIO when swap cannot be read, -EHWPOISON when the memory
 * has failed.
 */
int ftmp_page_lock(unsigned long slot, enum sgp_type sgp, struct folio **foliop)
{
	struct folio *folio;
	int err;

	err = shmem_get_folio(ftmp_slot_inode(slot), ftmp_slot_index(slot), 0,
			      &folio, sgp);
	if (err)
		return err;
	err = check_folio(folio);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		return err;
	}
	*foliop = folio;
	return 0;
}

/**
 * ftmp_page_find - a page's memory, to be read
 * @slot: the page, which somebody holds for the caller's sake
 * @foliop: set to it, with a reference, not locked
 *
 * Context: may sleep for memory and for swap. map_sem may be held.
 * Return: as ftmp_page_lock().
 */
int ftmp_page_find(unsigned long slot, struct folio **foliop)
{
	struct folio *folio;
	int err;

	folio = filemap_get_folio(ftmp_slot_inode(slot)->i_mapping,
				  ftmp_slot_index(slot));
	if (!IS_ERR(folio) && folio_test_uptodate(folio)) {
		err = check_folio(folio);
		if (err)
			folio_put(folio);
		else
			*foliop = folio;
		return err;
	}
	if (!IS_ERR(folio))
		folio_put(folio);
	err = ftmp_page_lock(slot, SGP_CACHE, foliop);
	if (!err)
		folio_unlock(*foliop);
	return err;
}

static int open_store(struct ftmp_sb *fs, struct ftmp_store *store)
{
	struct inode *inode;
	struct file *file;

	file = fold_shmem_file(fs->mnt, "foldtmp", FTMP_WINDOW);
	if (IS_ERR(file))
		return PTR_ERR(file);
	inode = file_inode(file);
	/*
	 * Where neighbours are pages of different files there must be no large folio,
	 * and "force" in shmem_enabled brings them into any regular file.
	 */
	inode->i_mode &= ~S_IFMT;
	if (fs->noswap)
		mapping_set_unevictable(inode->i_mapping);
	store->sb = fs;
	store->file = file;
	xa_init_flags(&store->batches, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	mutex_init(&store->open_lock);
	return 0;
}

/**
 * ftmp_stores_open - make a mount's stores
 * @fs: the mount
 *
 * Context: may sleep.
 * Return: 0, to be undone by ftmp_stores_close(); or a negative errno.
 */
int ftmp_stores_open(struct ftmp_sb *fs)
{
	struct file_system_type *type;
	struct vfsmount *mnt;
	int i, err = 0;

	type = get_fs_type("tmpfs");
	if (!type)
		return -ENODEV;
	mnt = vfs_kern_mount(type, SB_KERNMOUNT, type->name, NULL);
	module_put(type->owner);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	fs->mnt = mnt;
	for (i = 0; i < FTMP_STORES && !err; i++)
		err = open_store(fs, &fs->store[i]);
	if (err)
		ftmp_stores_close(fs);
	return err;
}

/**
 * ftmp_stores_close - end a mount's stores
 * @fs: the mount, with no inode left
 *
 * Context: may sleep.
 */
void ftmp_stores_close(struct ftmp_sb *fs)
{
	struct ftmp_store *store;
	int i;

	for (i = 0; i < FTMP_STORES; i++) {
		store = &fs->store[i];
		if (!store->file)
			continue;
		if (store->open)
			ftmp_batch_put(store->open);
		WARN_ON_ONCE(!xa_empty(&store->batches));
		xa_destroy(&store->batches);
		fput(store->file);
		store->file = NULL;
	}
	mntput(fs->mnt);
	fs->mnt = NULL;
}
