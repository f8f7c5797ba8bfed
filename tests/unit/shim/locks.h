/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks of a single-threaded program: they find what would deadlock, unlocks
 * without a lock, and work done without the lock that it needs.
 */
#ifndef UNIT_LOCKS_H
#define UNIT_LOCKS_H

struct shim_lock {
	int readers;
	bool writer;
};

/* Locks held under which the code under test must not allocate memory. */
extern int shim_no_alloc;

static inline void shim_lock_write(struct shim_lock *lock)
{
	BUG_ON(lock->writer || lock->readers);
	lock->writer = true;
}

static inline void shim_unlock_write(struct shim_lock *lock)
{
	BUG_ON(!lock->writer);
	lock->writer = false;
}

static inline void shim_lock_read(struct shim_lock *lock)
{
	BUG_ON(lock->writer);
	lock->readers++;
}

static inline void shim_unlock_read(struct shim_lock *lock)
{
	BUG_ON(!lock->readers);
	lock->readers--;
}

struct mutex {
	struct shim_lock l;
};

struct rw_semaphore {
	struct shim_lock l;
};

typedef struct {
	struct shim_lock l;
} rwlock_t;

typedef struct {
	struct shim_lock l;
} spinlock_t;

#define SHIM_INIT(lock)		((lock)->l = (struct shim_lock){ 0, false })
#define SHIM_ATOMIC(op)		(shim_no_alloc++, op)
#define SHIM_END_ATOMIC(op)	(op, shim_no_alloc--)

#define mutex_init(lock)	SHIM_INIT(lock)
#define mutex_lock(lock)	shim_lock_write(&(lock)->l)
#define mutex_unlock(lock)	shim_unlock_write(&(lock)->l)

#define rwlock_init(lock)	SHIM_INIT(lock)
#define read_lock(lock)		SHIM_ATOMIC(shim_lock_read(&(lock)->l))
#define read_unlock(lock)	SHIM_END_ATOMIC(shim_unlock_read(&(lock)->l))
#define write_lock(lock)	SHIM_ATOMIC(shim_lock_write(&(lock)->l))
#define write_unlock(lock)	SHIM_END_ATOMIC(shim_unlock_write(&(lock)->l))

#define spin_lock_init(lock)	SHIM_INIT(lock)
#define spin_lock(lock)		SHIM_ATOMIC(shim_lock_write(&(lock)->l))
#define spin_unlock(lock)	SHIM_END_ATOMIC(shim_unlock_write(&(lock)->l))

#define init_rwsem(lock)	SHIM_INIT(lock)
#define down_read(lock)		SHIM_ATOMIC(shim_lock_read(&(lock)->l))
#define up_read(lock)		SHIM_END_ATOMIC(shim_unlock_read(&(lock)->l))
#define down_write(lock)	SHIM_ATOMIC(shim_lock_write(&(lock)->l))
#define up_write(lock)		SHIM_END_ATOMIC(shim_unlock_write(&(lock)->l))

#define lockdep_assert_held(lock) \
	BUG_ON(!(lock)->l.writer && !(lock)->l.readers)
#define lockdep_assert_held_write(lock)	BUG_ON(!(lock)->l.writer)

#endif
