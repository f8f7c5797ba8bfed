/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * foldtmp: a filesystem in memory whose files can be cloned.
 *
 *	store.c		where pages lie, and who counts them
 *	tree.c		which page of the store is which page of a file
 *	view.c		in which files pages of the store are mapped
 *	bridge.c	how the kernel's reverse map reaches them
 *	page.c		one page of a file: found, made, copied before a change
 *	data.c		read and write
 *	range.c		truncation, holes, allocation, seeking
 *	mmap.c		faults
 *	clone.c		clones, deduplication
 *	inode.c		inodes and their attributes
 *	names.c		directories, readdir.c listing them, xattr.c attributes
 *	super.c		mount, options, statistics
 *
 * docs/foldtmp.md has the design and the order of locks.
 */
#ifndef FOLDTMP_H
#define FOLDTMP_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/shmem_fs.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "compat.h"
#include "tree.h"

/* Stores of a mount, so that no lock serves all inodes. */
#define FTMP_STORES	4

/*
 * What the bridge covers of each store: an address space has 128 TiB. Indices are
 * used again, so this limits what is there at a time.
 */
#define FTMP_WINDOW	BIT_ULL(44)
#define FTMP_MAX_BATCH	((FTMP_WINDOW >> (PAGE_SHIFT + FTMP_BITS)) - 1)

/* What a name or an inode costs of nr_inodes, as tmpfs counts. */
#define FTMP_INODE_COST	1024

/**
 * struct ftmp_batch - neighbouring pages of a store
 * @count: for each page, how many leaves of trees hold it; a page whose count
 *	gets to zero leaves the store
 * @live: pages with a count, and one for whoever may still make pages
 * @id: its place in the store; immutable
 * @given: pages that were ever handed out. Changes by whoever makes pages: with the
 *	leaf that has it for a home, or under the store's open_lock
 * @shared: pages that had more than one holder since somebody last made sure that
 *	nobody but the file has the page in hand; atomic bits
 * @store: which store; immutable
 * @views: where its pages are mapped; under ftmp_views_sem()
 *
 * Aligned, so that a pointer to it has room for the page's number: see unsigned long.
 */
struct ftmp_batch {
	atomic_t count[FTMP_BATCH];
	atomic_t live;
	u32 id;
	u64 given;
	unsigned long shared;
	struct ftmp_store *store;
	struct list_head views;
};

static inline struct ftmp_batch *ftmp_slot_batch(unsigned long slot)
{
	return (struct ftmp_batch *)(slot & ~(FTMP_BATCH - 1));
}

static inline unsigned int ftmp_slot_nr(unsigned long slot)
{
	return slot & (FTMP_BATCH - 1);
}

/* The page's index in its store. */
static inline pgoff_t ftmp_slot_index(unsigned long slot)
{
	return ((pgoff_t)ftmp_slot_batch(slot)->id << FTMP_BITS) +
	       ftmp_slot_nr(slot);
}

/**
 * struct ftmp_view - pages of a batch are mapped, or may be, in a file
 * @in_batch: in batch->views, under ftmp_views_sem()
 * @in_inode: in ti->views, under ti->view_lock
 * @batch: which batch; immutable
 * @ti: which file; immutable
 * @start: the page of the file where the batch's page 0 would be, plus FTMP_BATCH,
 *	for it may lie before the file's beginning; immutable
 */
struct ftmp_view {
	struct list_head in_batch;
	struct rb_node in_inode;
	struct ftmp_batch *batch;
	struct ftmp_inode *ti;
	unsigned long start;
};

struct ftmp_xattr {
	struct list_head list;
	char *name;
	size_t size;
	char value[];
};

/**
 * struct ftmp_inode - an inode
 * @map_sem: held for writing to change @map, and for reading while a page of it is
 *	looked up and locked; protects i_size of regular files too
 * @map: which pages it has
 * @view_lock: covers @views
 * @views: its views, by where they start; added under @map_sem (reading)
 * @xattr_sem: covers @xattrs
 * @xattrs: extended attributes
 * @offsets: of a directory: what stands at which offset; see readdir.c
 * @next_offset: of a directory; under its i_rwsem
 * @crtime: when it was made; immutable
 * @fsflags: as chattr has them; under i_rwsem
 */
struct ftmp_inode {
	struct rw_semaphore map_sem;
	struct ftmp_map map;
	spinlock_t view_lock;
	struct rb_root views;
	struct rw_semaphore xattr_sem;
	struct list_head xattrs;
	struct xarray offsets;
	u32 next_offset;
	struct timespec64 crtime;
	unsigned int fsflags;
	struct inode vfs_inode;
};

static inline struct ftmp_inode *FTMP_I(const struct inode *inode)
{
	return container_of(inode, struct ftmp_inode, vfs_inode);
}

/**
 * struct ftmp_store - pages, in a file of the kernel's own tmpfs
 * @sb: whose; immutable
 * @file: the file; immutable
 * @batches: by their id; entries go under ftmp_views_sem()
 * @addr: where the bridge maps it; immutable
 * @open_lock: covers @open and what is handed out from it
 * @open: the batch for files with few pages
 */
struct ftmp_store {
	struct ftmp_sb *sb;
	struct file *file;
	struct xarray batches;
	unsigned long addr;
	struct mutex open_lock;
	struct ftmp_batch *open;
};

#define FTMP_VIEW_SEMS	64

/**
 * struct ftmp_bridge - the address space that maps all stores
 * @loan: where it comes from
 * @scratch: a page that the loan wants
 * @mn: called when the kernel unmaps something from it
 * @registered: @mn is
 * @ready: the thread that makes it has come to an end
 * @err: and what it says
 * @spared: pages in a row that reclaim was told are in use
 */
struct ftmp_bridge {
	struct fold_loan *loan;
	void *scratch;
	struct mmu_notifier mn;
	bool registered;
	struct completion ready;
	int err;
	atomic_t spared;
};

/**
 * struct ftmp_sb - a mount
 * @store: where its pages are
 * @mnt: of the kernel's tmpfs, private
 * @bridge: see bridge.c
 * @views: semaphores for lists of views, by batch
 * @max_blocks: size=, in pages; 0: no limit
 * @used_blocks: pages in the stores
 * @lock: covers the following
 * @max_inodes: nr_inodes=; 0: no limit
 * @free_ispace: what is left of it, in bytes
 * @next_ino: the next inode's number
 * @ino32: numbers of 32 bits are wanted
 * @noswap: immutable
 * @uid: of the root, when mounted; immutable
 * @gid: as @uid
 * @mode: as @uid
 */
struct ftmp_sb {
	struct ftmp_store store[FTMP_STORES];
	struct vfsmount *mnt;
	struct ftmp_bridge bridge;
	struct rw_semaphore views[FTMP_VIEW_SEMS];
	unsigned long max_blocks;
	atomic_long_t used_blocks;

	spinlock_t lock;
	unsigned long max_inodes;
	u64 free_ispace;
	u64 next_ino;
	bool ino32;

	bool noswap;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
};

static inline struct ftmp_sb *FTMP_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct rw_semaphore *ftmp_views_sem(struct ftmp_store *store,
						  u32 id)
{
	return &store->sb->views[id % FTMP_VIEW_SEMS];
}

/* store.c */
int ftmp_store_cache_init(void);
void ftmp_store_cache_exit(void);
int ftmp_stores_open(struct ftmp_sb *fs);
void ftmp_stores_close(struct ftmp_sb *fs);
bool ftmp_reserve(struct ftmp_sb *fs, unsigned long pages);
void ftmp_unreserve(struct ftmp_sb *fs, unsigned long pages);
int ftmp_page_new(struct ftmp_inode *ti, struct ftmp_node *leaf,
		  pgoff_t index, unsigned long *slot);
int ftmp_page_lock(unsigned long slot, enum sgp_type sgp, struct folio **foliop);
int ftmp_page_find(unsigned long slot, struct folio **foliop);

static inline struct inode *ftmp_slot_inode(unsigned long slot)
{
	return file_inode(ftmp_slot_batch(slot)->store->file);
}

/* view.c; not 0 ends the walk */
typedef int (*ftmp_viewed_fn)(struct ftmp_inode *ti, pgoff_t index,
			      unsigned long slot, void *arg);
int ftmp_view_cache_init(void);
void ftmp_view_cache_exit(void);
bool ftmp_view_there(struct ftmp_inode *ti, pgoff_t index, unsigned long slot);
int ftmp_view_add(struct ftmp_inode *ti, pgoff_t index, unsigned long slot);
void ftmp_views_of_batch_gone(struct ftmp_batch *batch);
void ftmp_views_of_inode_gone(struct ftmp_inode *ti);
bool ftmp_viewed(struct ftmp_inode *ti);
void ftmp_unmap(struct ftmp_inode *ti, pgoff_t first, pgoff_t last);
void ftmp_store_unmap(struct ftmp_store *store, pgoff_t index, bool aging);
int ftmp_walk_viewed(struct ftmp_inode *ti, pgoff_t first, pgoff_t last,
		     ftmp_viewed_fn fn, void *arg);

/* bridge.c */
int ftmp_bridge_open(struct ftmp_sb *fs);
void ftmp_bridge_close(struct ftmp_sb *fs);

/* page.c */
bool ftmp_page_free_to_write(unsigned long slot, struct folio *folio);
int ftmp_page_make(struct ftmp_inode *ti, pgoff_t index, enum sgp_type sgp,
		   struct ftmp_path *path, unsigned long *slot,
		   struct folio **foliop);
int ftmp_page_own(struct ftmp_inode *ti, pgoff_t index, bool copy);
void ftmp_page_replace(struct ftmp_inode *ti, pgoff_t index,
		       struct ftmp_path *path, unsigned long slot);

/* data.c, range.c, mmap.c, clone.c */
extern const struct file_operations ftmp_file_operations;
loff_t ftmp_llseek(struct file *file, loff_t offset, int whence);
int ftmp_truncate(struct inode *inode, loff_t size);
long ftmp_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
int ftmp_mmap(struct file *file, struct vm_area_struct *vma);
loff_t ftmp_remap_file_range(struct file *in, loff_t pos_in, struct file *out,
			     loff_t pos_out, loff_t len, unsigned int flags);

/* inode.c */
int ftmp_inode_cache_init(void);
void ftmp_inode_cache_exit(void);
struct inode *ftmp_inode_new(struct mnt_idmap *idmap, struct super_block *sb,
			     struct inode *dir, umode_t mode, dev_t dev);
int ftmp_take_ispace(struct ftmp_sb *fs, size_t size);
void ftmp_give_ispace(struct ftmp_sb *fs, size_t size);
struct inode *ftmp_alloc_inode(struct super_block *sb);
void ftmp_free_inode(struct inode *inode);
void ftmp_evict_inode(struct inode *inode);
int ftmp_getattr(struct mnt_idmap *idmap, const struct path *path,
		 struct kstat *stat, u32 mask, unsigned int flags);
int ftmp_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct iattr *attr);
int ftmp_fileattr_get(struct dentry *dentry, struct file_kattr *fa);
int ftmp_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
		      struct file_kattr *fa);
extern const struct inode_operations ftmp_file_inode_operations;
extern const struct inode_operations ftmp_special_inode_operations;

/* names.c */
extern const struct inode_operations ftmp_dir_inode_operations;
extern const struct inode_operations ftmp_symlink_inode_operations;

/* readdir.c */
extern const struct file_operations ftmp_dir_operations;
int ftmp_offset_add(struct inode *dir, struct dentry *dentry);
void ftmp_offset_remove(struct inode *dir, struct dentry *dentry);
int ftmp_offset_exchange(struct inode *old_dir, struct dentry *old_dentry,
			 struct inode *new_dir, struct dentry *new_dentry);

/* xattr.c */
struct posix_acl;
extern const struct xattr_handler * const ftmp_xattr_handlers[];
ssize_t ftmp_listxattr(struct dentry *dentry, char *buffer, size_t size);
int ftmp_set_acl(struct mnt_idmap *idmap, struct dentry *dentry,
		 struct posix_acl *acl, int type);
int ftmp_init_security(struct inode *inode, struct inode *dir,
		       const struct qstr *name);
size_t ftmp_xattrs_free(struct ftmp_inode *ti);

/* super.c */
extern struct file_system_type ftmp_fs_type;
int ftmp_init(void);
void ftmp_exit(void);

#endif
