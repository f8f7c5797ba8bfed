// SPDX-License-Identifier: GPL-2.0-only
/*
 * In which files pages of a store are mapped.
 *
 * A VMA hangs on the mapping of the file that it shows, and its pages are the store's,
 * so the kernel's reverse map of such a page does not find it. A view says that pages
 * of a batch may be mapped in a file, from the first fault on until nobody has the
 * file mapped any more. Files that nobody maps have none, so clones that are only
 * kept cost nothing here.
 *
 * A fault adds its view before its PTE is installed and with the page's slot held, so
 * whoever unmaps a page everywhere finds all of them; he has the page locked, or has
 * locked it since, and so no PTE is on its way.
 */
#include <linux/lockdep.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "../share/mapped.h"
#include "foldtmp.h"

static struct kmem_cache *view_cache;

/**
 * ftmp_view_cache_init - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int __init ftmp_view_cache_init(void)
{
	view_cache = kmem_cache_create("foldfs_tmp_view",
				       sizeof(struct ftmp_view), 0,
				       SLAB_ACCOUNT, NULL);
	return view_cache ? 0 : -ENOMEM;
}

/**
 * ftmp_view_cache_exit - when it is unloaded
 */
void ftmp_view_cache_exit(void)
{
	kmem_cache_destroy(view_cache);
}

static struct ftmp_view *to_view(struct rb_node *node)
{
	return rb_entry(node, struct ftmp_view, in_inode);
}

static bool before(unsigned long start, const struct ftmp_batch *batch,
		   const struct ftmp_view *view)
{
	return start != view->start ? start < view->start : batch < view->batch;
}

/* The place of a view in the tree; sets *@found if there is one already. */
static struct rb_node **view_place(struct ftmp_inode *ti, unsigned long start,
				   const struct ftmp_batch *batch,
				   struct rb_node **parent, bool *found)
{
	struct rb_node **link = &ti->views.rb_node;
	struct ftmp_view *view;

	*parent = NULL;
	*found = false;
	while (*link) {
		view = to_view(*link);
		if (view->start == start && view->batch == batch) {
			*found = true;
			break;
		}
		*parent = *link;
		link = before(start, batch, view) ? &(*link)->rb_left :
						    &(*link)->rb_right;
	}
	return link;
}

/**
 * ftmp_view_there - may a page be mapped in a file without more
 * @ti: the file
 * @index: its page
 * @slot: the page of a store that is there
 *
 * The answer holds for the other pages of the same batch that lie in the file as they
 * lie in it.
 *
 * Context: a fault; @ti's map_sem held for reading, and the VMA is there: so one that
 * is there stays. Does not sleep.
 * Return: false if ftmp_view_add() is wanted first.
 */
bool ftmp_view_there(struct ftmp_inode *ti, pgoff_t index, unsigned long slot)
{
	unsigned long start = index + FTMP_BATCH - ftmp_slot_nr(slot);
	struct rb_node *parent;
	bool found;

	spin_lock(&ti->view_lock);
	view_place(ti, start, ftmp_slot_batch(slot), &parent, &found);
	spin_unlock(&ti->view_lock);
	return found;
}

/**
 * ftmp_view_add - a page is about to be mapped in a file
 * @ti: the file
 * @index: its page
 * @slot: the page of a store that is there
 *
 * Context: a fault; @ti's map_sem held for reading, and the VMA is there. May sleep
 * for memory.
 * Return: 0 or -ENOMEM.
 */
int ftmp_view_add(struct ftmp_inode *ti, pgoff_t index, unsigned long slot)
{
	struct ftmp_batch *batch = ftmp_slot_batch(slot);
	unsigned long start = index + FTMP_BATCH - ftmp_slot_nr(slot);
	struct rb_node **link, *parent;
	struct rw_semaphore *sem;
	struct ftmp_view *view;
	bool found;

	/* One that is there stays: the page keeps the batch, the VMA the rest. */
	if (ftmp_view_there(ti, index, slot))
		return 0;

	view = kmem_cache_alloc(view_cache, GFP_KERNEL);
	if (!view)
		return -ENOMEM;
	view->ti = ti;
	view->batch = batch;
	view->start = start;

	sem = ftmp_views_sem(batch->store, batch->id);
	down_write(sem);
	spin_lock(&ti->view_lock);
	link = view_place(ti, start, batch, &parent, &found);
	if (!found) {
		rb_link_node(&view->in_inode, parent, link);
		rb_insert_color(&view->in_inode, &ti->views);
		list_add(&view->in_batch, &batch->views);
	}
	spin_unlock(&ti->view_lock);
	up_write(sem);
	if (found)
		kmem_cache_free(view_cache, view);
	return 0;
}

/* Its batch's semaphore is held for writing, and its file's view_lock. */
static void view_remove(struct ftmp_view *view)
{
	list_del(&view->in_batch);
	rb_erase(&view->in_inode, &view->ti->views);
	kmem_cache_free(view_cache, view);
}

/**
 * ftmp_views_of_batch_gone - no page of a batch is left
 * @batch: the batch
 *
 * Context: its ftmp_views_sem() held for writing.
 */
void ftmp_views_of_batch_gone(struct ftmp_batch *batch)
{
	struct ftmp_view *view, *next;

	list_for_each_entry_safe(view, next, &batch->views, in_batch) {
		struct ftmp_inode *ti = view->ti;

		spin_lock(&ti->view_lock);
		view_remove(view);
		spin_unlock(&ti->view_lock);
	}
}

/**
 * ftmp_views_of_inode_gone - nobody has a file mapped, and nobody can begin to
 * @ti: the file
 *
 * Context: no fault is under way: @ti's map_sem is held for writing and it is not
 * mapped, or the inode is being evicted. May sleep.
 */
void ftmp_views_of_inode_gone(struct ftmp_inode *ti)
{
	struct rw_semaphore *sem = NULL, *other;
	struct ftmp_view *view;
	struct rb_node *node;

	/* The batch may go with the view unless one of both locks is held. */
	for (;;) {
		spin_lock(&ti->view_lock);
		node = rb_first(&ti->views);
		other = NULL;
		if (node) {
			view = to_view(node);
			other = ftmp_views_sem(view->batch->store,
					       view->batch->id);
			if (other == sem)
				view_remove(view);
		}
		spin_unlock(&ti->view_lock);
		if (other == sem && sem)
			continue;
		if (sem)
			up_write(sem);
		sem = other;
		if (!sem)
			return;
		down_write(sem);
	}
}

/**
 * ftmp_viewed - may pages of a file be mapped
 * @ti: the file
 *
 * Context: map_sem held for writing, so that no fault begins. Whether one has been
 * on its way before is answered, too.
 * Return: false if none is.
 */
bool ftmp_viewed(struct ftmp_inode *ti)
{
	return !RB_EMPTY_ROOT(&ti->views);
}

/* The first view that shows the page @index or a later one: where, and how far. */
static bool view_from(struct ftmp_inode *ti, pgoff_t index, pgoff_t *first,
		      pgoff_t *last)
{
	struct ftmp_view *view, *best = NULL;
	struct rb_node *node;

	spin_lock(&ti->view_lock);
	node = ti->views.rb_node;
	while (node) {
		view = to_view(node);
		/* Its last page is start - 1, as start is moved by a batch. */
		if (view->start > index) {
			best = view;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	if (best) {
		*first = best->start - min(best->start, FTMP_BATCH);
		*last = best->start - 1;
	}
	spin_unlock(&ti->view_lock);
	return best;
}

/**
 * ftmp_walk_viewed - call a function for each page that may be mapped
 * @ti: the file
 * @first: first page of the file
 * @last: last page, inclusive
 * @fn: the function; not 0 ends the walk
 * @arg: for it
 *
 * Context: map_sem held for writing. May sleep if @fn may.
 * Return: what @fn returned last, or 0.
 */
int ftmp_walk_viewed(struct ftmp_inode *ti, pgoff_t first, pgoff_t last,
		     ftmp_viewed_fn fn, void *arg)
{
	pgoff_t from, to;
	unsigned long slot;
	int ret;

	while (first <= last && view_from(ti, first, &from, &to)) {
		first = max(first, from);
		to = min(to, last);
		for (; first <= to; first++) {
			slot = ftmp_map_find(&ti->map, first, NULL);
			ret = slot ? fn(ti, first, slot, arg) : 0;
			if (ret)
				return ret;
		}
		cond_resched();
	}
	return 0;
}

/* A fault that has returned the page keeps it locked until its PTE is there. */
static int settle(struct ftmp_inode *ti, pgoff_t index, unsigned long slot,
		  void *arg)
{
	struct folio *folio;

	folio = filemap_get_folio(ftmp_slot_inode(slot)->i_mapping,
				  ftmp_slot_index(slot));
	if (IS_ERR(folio))
		return 0;
	if (folio_test_locked(folio)) {
		folio_lock(folio);
		folio_unlock(folio);
	}
	folio_put(folio);
	return 0;
}

/**
 * ftmp_unmap - unmap pages of a file wherever it is mapped
 * @ti: the file
 * @first: first page
 * @last: last page, inclusive
 *
 * Private copies stay. When this returns no PTE shows the pages that were there, and
 * none can before map_sem is let go.
 *
 * Context: map_sem held for writing, no folio locked. May sleep.
 */
void ftmp_unmap(struct ftmp_inode *ti, pgoff_t first, pgoff_t last)
{
	if (!ftmp_viewed(ti))
		return;
	ftmp_walk_viewed(ti, first, last, settle, NULL);
	unmap_mapping_pages(ti->vfs_inode.i_mapping, first, last - first + 1,
			    false);
}

/* So many pages in a row are spared, and so many go then: reclaim's batch. */
#define SPARED_MOST	1024
#define SPARED_NOT	32

static bool in_use(struct ftmp_batch *batch, unsigned int nr,
		   struct folio *folio)
{
	atomic_t *spared = &batch->store->sb->bridge.spared;
	enum fold_use use = FOLD_IDLE;
	struct ftmp_view *view;
	int row;

	list_for_each_entry(view, &batch->views, in_batch) {
		use = max(use, fold_mapping_look(view->ti->vfs_inode.i_mapping,
						 view->start - FTMP_BATCH + nr,
						 1, folio_page(folio, 0)));
		if (use == FOLD_KEPT)
			return true;
	}
	if (use != FOLD_USED) {
		if (atomic_read(spared))
			atomic_set(spared, 0);
		return false;
	}
	/* Where programs use all faster than reclaim gets round some go anyway. */
	row = atomic_inc_return(spared);
	if (row >= SPARED_MOST + SPARED_NOT)
		atomic_set(spared, 0);
	return row <= SPARED_MOST;
}

/*
 * Called from an MMU notifier, for an address space where nothing is mapped, this calls
 * those of the address spaces where the page is. lockdep takes all for one lock.
 */
static void zap(struct ftmp_view *view, unsigned int nr)
{
	lockdep_off();
	unmap_mapping_pages(view->ti->vfs_inode.i_mapping,
			    view->start - FTMP_BATCH + nr, 1, false);
	lockdep_on();
}

/**
 * ftmp_store_unmap - unmap a page from all files that show it
 * @store: the store
 * @index: its page
 * @aging: only if no program has used it lately
 *
 * Context: reclaim, migration, truncation of the store: the folio is locked, the
 * store's i_mmap_rwsem held. Waits for no lock that is held across an allocation.
 */
void ftmp_store_unmap(struct ftmp_store *store, pgoff_t index, bool aging)
{
	unsigned int nr = index % FTMP_BATCH;
	u32 id = index >> FTMP_BITS;
	struct ftmp_batch *batch;
	struct ftmp_view *view;
	struct folio *folio;

	folio = filemap_get_folio(file_inode(store->file)->i_mapping, index);
	if (IS_ERR(folio))
		return;
	if (!folio_mapped(folio))
		goto put;
	down_read(ftmp_views_sem(store, id));
	batch = xa_load(&store->batches, id);
	if (!batch || (aging && in_use(batch, nr, folio)))
		goto unlock;
	list_for_each_entry(view, &batch->views, in_batch) {
		zap(view, nr);
		if (!folio_mapped(folio))
			break;
	}
unlock:
	up_read(ftmp_views_sem(store, id));
put:
	folio_put(folio);
}
