/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocations that fail on demand, and are counted (shim.c). */
#ifndef UNIT_SLAB_H
#define UNIT_SLAB_H

struct kmem_cache;

#define GFP_KERNEL		0
#define GFP_NOFS		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NORETRY		0
#define __GFP_NOWARN		0
#define __GFP_ACCOUNT		0
#define __GFP_NOFAIL		1
#define SLAB_RECLAIM_ACCOUNT	0
#define SLAB_ACCOUNT		0

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, unsigned int gfp);
void *kmem_cache_zalloc(struct kmem_cache *cache, unsigned int gfp);
void kmem_cache_free(struct kmem_cache *cache, void *obj);
void *kmalloc(size_t size, unsigned int gfp);
void *kzalloc(size_t size, unsigned int gfp);
void kfree(void *obj);

/* One in so many allocations fails; 0: none. */
extern unsigned int shim_alloc_fails;
/* Allocations that were made to fail so far. */
extern unsigned long shim_allocs_failed;
/* Objects that are allocated now. */
extern long shim_allocs_live;

#endif
