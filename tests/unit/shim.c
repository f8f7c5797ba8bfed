// SPDX-License-Identifier: GPL-2.0-only
/* The parts of the stand-in kernel that are not inline. */
#include <linux/slab.h>

#include "test.h"

int shim_no_alloc;
unsigned int shim_alloc_fails;
unsigned long shim_allocs_failed;
long shim_allocs_live;

struct kmem_cache {
	size_t size;
	long live;
};

void shim_die(const char *file, int line, const char *what)
{
	test_fail(file, line, "%s", what);
}

static void *shim_alloc(size_t size)
{
	void *obj;

	BUG_ON(shim_no_alloc);
	if (shim_alloc_fails && !rnd(shim_alloc_fails)) {
		shim_allocs_failed++;
		return NULL;
	}
	obj = malloc(size);
	BUG_ON(!obj);
	/* What is not written is not zero in the kernel either. */
	memset(obj, 0x5a, size);
	shim_allocs_live++;
	return obj;
}

static void shim_free(void *obj)
{
	if (!obj)
		return;
	shim_allocs_live--;
	free(obj);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *cache = shim_alloc(sizeof(*cache));

	if (cache)
		*cache = (struct kmem_cache){ .size = size };
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	BUG_ON(cache && cache->live);
	shim_free(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, unsigned int gfp)
{
	void *obj = shim_alloc(cache->size);

	cache->live += !!obj;
	return obj;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, unsigned int gfp)
{
	void *obj;

	do {
		obj = kmem_cache_alloc(cache, gfp);
	} while (!obj && gfp & __GFP_NOFAIL);
	if (obj)
		memset(obj, 0, cache->size);
	return obj;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	BUG_ON(!obj);
	cache->live--;
	shim_free(obj);
}

void *kmalloc(size_t size, unsigned int gfp)
{
	return shim_alloc(size);
}

void *kzalloc(size_t size, unsigned int gfp)
{
	void *obj = shim_alloc(size);

	if (obj)
		memset(obj, 0, size);
	return obj;
}

void kfree(void *obj)
{
	shim_free(obj);
}
