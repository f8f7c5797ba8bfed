// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of resident threads that can ask lower inodes for extents.
 *
 * One pool serves the whole module, from the first fold_query_get() to the
 * last fold_query_put(). Its threads stay in one borrowed address space, since
 * going in and out, or a workqueue, costs more than the query itself. That
 * address space maps one buffer, the scratch, which the kernel sees at
 * fold_pool->scratch as well. Each thread has a slot of it, where ->fiemap()
 * writes with copy_to_user() and the thread reads directly.
 *
 * ->fiemap() waits for the lower inode's lock, and cannot be interrupted. So an
 * inode whose lock is taken is not asked. Between the look at the lock and the
 * query somebody may take it all the same: the lock cannot be held over the
 * query, which takes it itself, and to take it twice is a deadlock if a writer
 * comes in between. Disks are slow as well. So a thread may wait as long as
 * somebody else pleases. That this delays nobody else, every stuck thread is
 * replaced by an extra one, up to the number of slots. It stays as long as
 * those it replaces are stuck. And nobody gets more than a small part of the
 * threads (see queue.c).
 *
 * Resident threads are bound to a processor each, as far as there are enough,
 * and a job goes to the one where it was submitted: who submits is likely to
 * wait for it, and waking another processor twice costs more than the query.
 *
 * Locks: pool_mutex (users, creation, destruction) is outermost; the queue's
 * lock covers what is said below, is taken in timers, and nests nothing but the
 * timers' own.
 */
#include <linux/cpumask.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "lender/lender.h"
#include "query.h"
#include "queue.h"

/* Threads that stay, and the most that there may be with replacements. */
#define POOL_RESIDENT	8
#define POOL_MAX	32

/* A job that runs for longer has its thread count as stuck. */
#define POOL_STUCK	msecs_to_jiffies(100)

/* An extra thread looks after this time without work whether it may end. */
#define POOL_LINGER	(5 * HZ)

/* How long a lender may take. */
#define POOL_LENDING	(10 * HZ)

#define POOL_SLOT	PAGE_ALIGN(FOLD_QUERY_EXTENTS * \
				   sizeof(struct fiemap_extent))

/**
 * struct fold_querier - a thread of the pool and its slot of the scratch
 * @task: the thread, with a reference, or NULL; changed by pool_start_thread()
 *	and pool_destroy(), which exclude each other
 * @extents: the slot as the kernel sees it; immutable
 * @uextents: the slot as ->fiemap() sees it; immutable once threads run
 * @user: whose job runs; under the queue's lock
 * @owner: of the job that runs; under the queue's lock
 * @since: when that job was taken, jiffies; under the queue's lock
 * @live: the thread has not decided to end; under the queue's lock, but the
 *	thread itself reads it without
 * @busy: a job runs; under the queue's lock
 */
struct fold_querier {
	struct task_struct *task;
	struct fiemap_extent *extents;
	struct fiemap_extent __user *uextents;
	struct fold_user *user;
	const void *owner;
	unsigned long since;
	bool live;
	bool busy;
};

struct fold_pool {
	struct fold_queue queue;
	unsigned int nr_live;		/* under the queue's lock, as the next */
	unsigned int nr_busy;

	wait_queue_head_t work;		/* threads, for jobs */
	wait_queue_head_t done;		/* fold_query_cancel(), for threads */
	struct delayed_work watch;	/* replaces stuck threads */

	/* Immutable while threads run. */
	struct fold_loan *loan;
	void *scratch;
	struct fold_querier queriers[POOL_MAX];

	/* For the first thread only, which borrows the address space. */
	struct completion lent;
	int lend_error;
};

static DEFINE_MUTEX(pool_mutex);
static unsigned int pool_users;		/* under pool_mutex */

/* Changes under pool_mutex; stable for whoever holds a fold_query_get(). */
static struct fold_pool *fold_pool;

static bool pool_has_news(const struct fold_pool *pool)
{
	return !list_empty(&pool->queue.ready) || kthread_should_stop();
}

/* Wait for a job. Returns NULL when the thread is to end. */
static struct fold_job *pool_take_job(struct fold_pool *pool,
				      struct fold_querier *q)
{
	bool extra = q - pool->queriers >= POOL_RESIDENT;
	long patience = extra ? POOL_LINGER : MAX_SCHEDULE_TIMEOUT;
	struct fold_job *job;
	bool more;

	/*
	 * TASK_IDLE, and not freezable: a thread that waits for a lock whose
	 * holder is frozen could not be frozen itself, and would make every
	 * suspend fail. With user space frozen no new jobs arrive.
	 */
	more = wait_event_idle_exclusive_timeout(pool->work,
						 pool_has_news(pool), patience);

	/*
	 * The list is looked at again, under the lock: a wake-up for a job may
	 * have come to this very thread while its time ran out.
	 */
	spin_lock_bh(&pool->queue.lock);
	job = fold_queue_take(&pool->queue);
	if (job) {
		pool->nr_busy++;
		q->busy = true;
		q->user = job->user;
		q->owner = job->owner;
		q->since = jiffies;
	} else if (kthread_should_stop() ||
		   (!more && pool->nr_live - pool->nr_busy > POOL_RESIDENT)) {
		pool->nr_live--;
		WRITE_ONCE(q->live, false);
	}
	spin_unlock_bh(&pool->queue.lock);
	return job;
}

static void pool_job_done(struct fold_pool *pool, struct fold_querier *q)
{
	spin_lock_bh(&pool->queue.lock);
	fold_queue_done(&pool->queue, q->user);
	pool->nr_busy--;
	q->busy = false;
	q->user = NULL;
	q->owner = NULL;
	spin_unlock_bh(&pool->queue.lock);
	/* Pairs with the wait in fold_query_cancel(). */
	if (wq_has_sleeper(&pool->done))
		wake_up_all(&pool->done);
}

static int pool_thread(void *data)
{
	struct fold_querier *q = data;
	struct fold_pool *pool = fold_pool;
	struct mm_struct *mm = fold_loan_mm(pool->loan);

	kthread_use_mm(mm);
	while (READ_ONCE(q->live)) {
		struct fold_job *job = pool_take_job(pool, q);

		if (!job)
			continue;
		job->run(job, q);
		pool_job_done(pool, q);
		cond_resched();
	}
	kthread_unuse_mm(mm);
	return 0;
}

/* Prove that what is written to the slots' user addresses arrives in them. */
static int pool_check_scratch(struct fold_pool *pool)
{
	unsigned int i;

	for (i = 0; i < POOL_MAX; i++) {
		struct fold_querier *q = &pool->queriers[i];
		u64 __user *first = (u64 __user *)q->uextents;
		u64 *last = (u64 *)((char *)q->extents + POOL_SLOT) - 1;
		u64 __user *ulast = (u64 __user *)((char __user *)first +
						   POOL_SLOT) - 1;

		if (put_user(~(u64)i, first) || put_user(i + 1, ulast))
			return -EFAULT;
		if (READ_ONCE(*(u64 *)q->extents) != ~(u64)i ||
		    READ_ONCE(*last) != i + 1)
			return -EFAULT;
	}
	return 0;
}

/* The first thread: borrows the address space before it does what all do. */
static int pool_first_thread(void *data)
{
	struct fold_querier *q = data;
	struct fold_pool *pool = fold_pool;
	unsigned int i;
	int err;

	err = fold_loan_take(pool->loan);
	if (!err) {
		for (i = 0; i < POOL_MAX; i++)
			pool->queriers[i].uextents = (void __user *)
				(fold_loan_addr(pool->loan) + i * POOL_SLOT);
		kthread_use_mm(fold_loan_mm(pool->loan));
		fold_loan_strip(pool->loan);
		err = pool_check_scratch(pool);
		kthread_unuse_mm(fold_loan_mm(pool->loan));
	}
	pool->lend_error = err;
	complete(&pool->lent);
	if (!err)
		return pool_thread(q);

	/* kthread_stop() is on its way, and must find the thread. */
	wait_event_idle(pool->work, kthread_should_stop());
	return 0;
}

/* Thread n belongs to processor n. */
static bool pool_thread_is_bound(unsigned int n)
{
	return n < POOL_RESIDENT && n < nr_cpu_ids && cpu_online(n);
}

static int pool_start_thread(struct fold_pool *pool, struct fold_querier *q,
			     int (*fn)(void *))
{
	struct task_struct *task;

	/* A thread that ended by itself still has a reference to be put. */
	if (q->task) {
		kthread_stop_put(q->task);
		q->task = NULL;
	}
	task = kthread_create(fn, q, "foldfs-query/%td", q - pool->queriers);
	if (IS_ERR(task))
		return PTR_ERR(task);
	q->task = get_task_struct(task);
	if (pool_thread_is_bound(q - pool->queriers))
		kthread_bind(task, q - pool->queriers);

	spin_lock_bh(&pool->queue.lock);
	WRITE_ONCE(q->live, true);
	pool->nr_live++;
	spin_unlock_bh(&pool->queue.lock);
	wake_up_process(task);
	return 0;
}

/* Is a thread stuck? The queue's lock is held. */
static bool is_stuck(const struct fold_querier *q)
{
	return q->busy && time_after_eq(jiffies, q->since + POOL_STUCK);
}

/*
 * Runs while more jobs might run than there are threads, to replace those that
 * are stuck. A replacement that cannot be started is tried again the next time.
 */
static void pool_watch(struct work_struct *work)
{
	struct fold_pool *pool = container_of(to_delayed_work(work),
					      struct fold_pool, watch);
	struct fold_querier *spare = NULL;
	unsigned int stuck = 0;
	unsigned int i;
	bool waiting;

	spin_lock_bh(&pool->queue.lock);
	waiting = pool->queue.nr_ready;
	for (i = 0; i < POOL_MAX; i++) {
		struct fold_querier *q = &pool->queriers[i];

		stuck += is_stuck(q);
		if (!q->live && !spare)
			spare = q;
	}
	if (pool->nr_live >= POOL_RESIDENT + stuck)
		spare = NULL;
	spin_unlock_bh(&pool->queue.lock);

	if (!waiting)
		return;
	if (spare)
		pool_start_thread(pool, spare, pool_thread);
	schedule_delayed_work(&pool->watch, POOL_STUCK);
}

/* All users are gone, and so are their jobs. */
static void pool_destroy(struct fold_pool *pool)
{
	unsigned int i;

	WARN_ON_ONCE(!hash_empty(pool->queue.users));
	cancel_delayed_work_sync(&pool->watch);
	for (i = 0; i < POOL_MAX; i++) {
		if (pool->queriers[i].task)
			kthread_stop_put(pool->queriers[i].task);
	}
	fold_loan_free(pool->loan);
	vfree(pool->scratch);
	fold_pool = NULL;
	kfree(pool);
}

static int pool_create(void)
{
	struct fold_pool *pool;
	unsigned int i;
	long left;
	int err;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	fold_queue_init(&pool->queue);
	init_waitqueue_head(&pool->work);
	init_waitqueue_head(&pool->done);
	INIT_DELAYED_WORK(&pool->watch, pool_watch);
	init_completion(&pool->lent);

	err = -ENOMEM;
	pool->scratch = vmalloc_user(POOL_MAX * POOL_SLOT);
	if (!pool->scratch)
		goto out_free_pool;
	for (i = 0; i < POOL_MAX; i++)
		pool->queriers[i].extents = pool->scratch + i * POOL_SLOT;
	pool->loan = fold_loan_new(pool->scratch, POOL_MAX * POOL_SLOT);
	if (!pool->loan)
		goto out_free_scratch;

	fold_pool = pool;
	err = pool_start_thread(pool, &pool->queriers[0], pool_first_thread);
	if (err)
		goto out_destroy;
	left = wait_for_completion_killable_timeout(&pool->lent, POOL_LENDING);
	if (left <= 0) {
		fold_loan_abort(pool->loan);
		wait_for_completion(&pool->lent);
	}
	err = pool->lend_error;
	if (err) {
		if (err == -EINTR && !left)
			err = -ETIMEDOUT;
		goto out_destroy;
	}

	for (i = 1; i < POOL_RESIDENT; i++) {
		err = pool_start_thread(pool, &pool->queriers[i], pool_thread);
		if (err)
			goto out_destroy;
	}
	return 0;

out_destroy:
	pool_destroy(pool);
	return err;
out_free_scratch:
	vfree(pool->scratch);
out_free_pool:
	kfree(pool);
	return err;
}

/**
 * fold_query_get - have the pool of resident threads, made if need be
 *
 * Context: a process that may sleep; killable. Holds no lock that a usermode
 * helper's start could need.
 * Return: 0, to be undone by fold_query_put(); -EINTR when killed, -ETIMEDOUT
 * when no lender came to an end in time, -ENOMEM, or why an address space
 * could not be borrowed (see fold_loan_take()).
 */
int fold_query_get(void)
{
	int err = 0;

	if (mutex_lock_killable(&pool_mutex))
		return -EINTR;
	if (!pool_users)
		err = pool_create();
	if (!err)
		pool_users++;
	mutex_unlock(&pool_mutex);
	return err;
}

/**
 * fold_query_put - undo one fold_query_get()
 *
 * The caller's jobs are all over: fold_query_cancel() has returned for all of
 * its owners, and nothing submits for them any more. The last put ends the
 * threads and gives the address space up.
 *
 * Context: may sleep; not a thread of the pool.
 */
void fold_query_put(void)
{
	mutex_lock(&pool_mutex);
	if (!--pool_users)
		pool_destroy(fold_pool);
	mutex_unlock(&pool_mutex);
}

/*
 * Will a job of the user's that was queued just now soon have a thread? Not if
 * all that he may have are stuck, or all that there are. The queue's lock is
 * held.
 */
static bool soon(const struct fold_pool *pool, const struct fold_user *user)
{
	unsigned int his = 0, all = 0, i;

	for (i = 0; i < POOL_MAX; i++) {
		if (!is_stuck(&pool->queriers[i]))
			continue;
		all++;
		his += pool->queriers[i].user == user;
	}
	return his < FOLD_USER_THREADS && all < pool->nr_live;
}

/* The thread of this processor, if it can take the only job that waits. */
static struct fold_querier *near_thread(struct fold_pool *pool)
{
	unsigned int cpu = smp_processor_id();

	/*
	 * Only if no other job waits: that one's wake-up may have gone to the
	 * same thread, which takes one job at a time.
	 */
	if (pool->queue.nr_ready == 1 && cpu < POOL_RESIDENT &&
	    pool->queriers[cpu].live && !pool->queriers[cpu].busy)
		return &pool->queriers[cpu];
	return NULL;
}

/* A job was queued. The queue's lock is held, and is given up. */
static void wake_and_unlock(struct fold_pool *pool)
	__releases(&pool->queue.lock)
{
	bool short_of_threads =
		pool->nr_live - pool->nr_busy < pool->queue.nr_ready;
	struct fold_querier *q = near_thread(pool);

	spin_unlock_bh(&pool->queue.lock);
	if (q)
		wake_up_process(q->task);
	else
		wake_up(&pool->work);
	if (short_of_threads)
		schedule_delayed_work(&pool->watch, POOL_STUCK);
}

static void job_due(struct timer_list *timer)
{
	struct fold_job *job = timer_container_of(job, timer, timer);
	struct fold_pool *pool = fold_pool;

	spin_lock_bh(&pool->queue.lock);
	/* Unless fold_query_cancel() has it. */
	if (job->later) {
		if (fold_queue_due(&pool->queue, job)) {
			wake_and_unlock(pool);
			return;
		}
		mod_timer(&job->timer, jiffies + HZ);
	}
	spin_unlock_bh(&pool->queue.lock);
}

/**
 * fold_query_job_init - a job comes into being
 * @job: the job
 * @owner: what fold_query_cancel() will be asked for
 * @run: what it does
 *
 * It belongs to the user whose program asks for it: to the current task's, or
 * to the one who made the user namespace that it lives in.
 *
 * Context: process context, with a fold_query_get() held by somebody until
 * fold_query_job_exit(); allocates.
 * Return: 0 or -ENOMEM.
 */
int fold_query_job_init(struct fold_job *job, const void *owner,
			void (*run)(struct fold_job *job,
				    struct fold_querier *q))
{
	INIT_LIST_HEAD(&job->entry);
	job->owner = owner;
	job->run = run;
	job->later = false;
	timer_setup(&job->timer, job_due, 0);
	job->user = fold_queue_user(&fold_pool->queue);
	return job->user ? 0 : -ENOMEM;
}

/**
 * fold_query_job_exit - a job ceases to exist
 * @job: the job; it is neither queued nor waits for its time, and may be running
 *
 * Context: process context; waits for the job's timer.
 */
void fold_query_job_exit(struct fold_job *job)
{
	/* It may have been told to hurry when its time had just come. */
	timer_shutdown_sync(&job->timer);
	fold_queue_put_user(&fold_pool->queue, job->user);
}

/**
 * fold_query_submit - hand a job to the pool
 * @job: the job; neither queued nor waiting for its time
 * @prompt: set to whether it is worthwhile to wait for it: false if all threads
 *	    that its user may have are stuck
 *
 * Jobs of one user start in the order in which they were submitted.
 *
 * Context: any task; does not sleep. Not from interrupts.
 * Return: false if the user has too many jobs that wait. The job is then still
 * the caller's.
 */
bool fold_query_submit(struct fold_job *job, bool *prompt)
{
	struct fold_pool *pool = fold_pool;

	spin_lock_bh(&pool->queue.lock);
	if (!fold_queue_add(&pool->queue, job)) {
		spin_unlock_bh(&pool->queue.lock);
		return false;
	}
	*prompt = soon(pool, job->user);
	wake_and_unlock(pool);
	return true;
}

/**
 * fold_query_submit_later - hand a job to the pool when some time has passed
 * @job: the job; neither queued nor waiting for its time
 * @delay: jiffies
 *
 * Context: any but interrupts, a job's run() as well.
 */
void fold_query_submit_later(struct fold_job *job, unsigned long delay)
{
	struct fold_pool *pool = fold_pool;

	spin_lock_bh(&pool->queue.lock);
	fold_queue_later(&pool->queue, job);
	mod_timer(&job->timer, jiffies + delay);
	spin_unlock_bh(&pool->queue.lock);
}

/**
 * fold_query_hurry - a job's time has come already
 * @job: a job that exists; nothing happens if it does not wait for its time
 *
 * Context: any but interrupts.
 */
void fold_query_hurry(struct fold_job *job)
{
	struct fold_pool *pool = fold_pool;

	spin_lock_bh(&pool->queue.lock);
	if (job->later)
		mod_timer(&job->timer, jiffies);
	spin_unlock_bh(&pool->queue.lock);
}

static bool pool_runs_for(struct fold_pool *pool, const void *owner)
{
	bool ret = false;
	unsigned int i;

	spin_lock_bh(&pool->queue.lock);
	for (i = 0; i < POOL_MAX && !ret; i++)
		ret = pool->queriers[i].busy && pool->queriers[i].owner == owner;
	spin_unlock_bh(&pool->queue.lock);
	return ret;
}

/**
 * fold_query_cancel - end all jobs of one owner
 * @owner: as in &struct fold_job
 *
 * Jobs that still wait, for a thread or for their time, are run here and now
 * with a NULL querier. Those that run in the pool are waited for, as long as
 * they take: they use the lower inode. Jobs of other owners are neither touched
 * nor waited for. A job that is submitted meanwhile, by a job that ran or by
 * others, is ended as well if it is seen; the caller makes sure that there are
 * none later.
 *
 * Context: may sleep; not a thread of the pool.
 */
void fold_query_cancel(const void *owner)
{
	struct fold_pool *pool = fold_pool;
	struct fold_job *job;
	LIST_HEAD(cancelled);
	bool again;

	do {
		spin_lock_bh(&pool->queue.lock);
		fold_queue_cut(&pool->queue, owner, &cancelled);
		spin_unlock_bh(&pool->queue.lock);

		again = pool_runs_for(pool, owner) || !list_empty(&cancelled);
		while (!list_empty(&cancelled)) {
			job = list_first_entry(&cancelled, struct fold_job,
					       entry);
			list_del_init(&job->entry);
			job->run(job, NULL);
		}
		wait_event_idle(pool->done, !pool_runs_for(pool, owner));
	} while (again);
}

/* What a lower filesystem answered is believed only as far as it makes sense. */
static bool extents_sane(const struct fiemap_extent *fe, unsigned int nr,
			 u64 start, u64 end)
{
	u64 from = 0;
	u64 to, phys;

	for (; nr; nr--, fe++) {
		if (!fe->fe_length || fe->fe_logical < from ||
		    fe->fe_logical >= end ||
		    check_add_overflow(fe->fe_logical, fe->fe_length, &to) ||
		    check_add_overflow(fe->fe_physical, fe->fe_length, &phys) ||
		    to <= start)
			return false;
		from = to;
	}
	return true;
}

/**
 * fold_query_fiemap - ask a lower inode for its extents as fiemap tells them
 * @q: as given to the job's run()
 * @lower: the lower inode, referenced by the job
 * @flags: FIEMAP_FLAG_SYNC, or 0
 * @start: first byte of the range
 * @len: of the range, bytes, not zero
 * @max: most extents that are wanted, at most %FOLD_QUERY_EXTENTS
 * @out: set to the extents, in kernel memory of the thread's own, valid until
 *	the job's next call or end
 * @nr: set to their number
 * @last: set when there are no more in the range; else ask again from the end
 *	of the last one
 *
 * The extents come as the filesystem has them in memory and on disk: without
 * FIEMAP_FLAG_SYNC nothing is written back first, so those of a range that is dirty
 * or being written mean nothing. They ascend, do not overlap and touch the range,
 * rounded out to blocks, but the first may begin before it and the last end after
 * it. Holes have none.
 *
 * Context: in a job's run(), with none of the lower inode's locks held. Sleeps
 * for I/O, and uninterruptibly for the lower inode's lock (i_rwsem on XFS) if
 * somebody takes it between the look at it and the query. With FIEMAP_FLAG_SYNC
 * also for all that is being written.
 * Return: 0; -EAGAIN when somebody has the inode locked, or waits for that;
 * -EOPNOTSUPP when the inode cannot tell; -EFBIG when @start is
 * beyond any file of this filesystem; -EIO when the answer makes no sense; or
 * the filesystem's error.
 */
int fold_query_fiemap(struct fold_querier *q, struct inode *lower, u32 flags,
		      u64 start, u64 len, unsigned int max,
		      const struct fiemap_extent **out, unsigned int *nr,
		      bool *last)
{
	struct fiemap_extent_info info = {
		.fi_flags = flags,
		.fi_extents_max = max,
		.fi_extents_start = q->uextents,
	};
	const u64 block = i_blocksize(lower);
	const struct fiemap_extent *fe;
	u64 end;
	int err;

	if (!lower->i_op->fiemap)
		return -EOPNOTSUPP;
	if (!inode_trylock_shared(lower))
		return -EAGAIN;
	inode_unlock_shared(lower);
	if (check_add_overflow(start, len, &end))
		end = U64_MAX;

	err = lower->i_op->fiemap(lower, &info, start, end - start);
	if (err)
		return err < 0 ? err : -EIO;
	/* Filesystems may round the range that they are asked for. */
	if (info.fi_extents_mapped > max ||
	    !extents_sane(q->extents, info.fi_extents_mapped,
			  round_down(start, block),
			  max(end, round_up(end, block))))
		return -EIO;

	*out = q->extents;
	*nr = info.fi_extents_mapped;
	*last = true;
	if (*nr == max) {
		fe = &q->extents[*nr - 1];
		*last = (fe->fe_flags & FIEMAP_EXTENT_LAST) ||
			fe->fe_logical + fe->fe_length >= end;
	}
	return 0;
}

/**
 * fold_query_enter - do something in the borrowed address space for a moment
 * @fn: called with user memory that no process sees, zeroed
 * @data: for @fn
 * @size: of that memory, bytes
 *
 * Context: a kernel thread that is in no address space, a worker as well, while a
 * fold_query_get() lasts. Waits for memory, and for @fn.
 * Return: what @fn returned, or an error of vm_mmap().
 */
long fold_query_enter(long (*fn)(void *data, void __user *mem), void *data,
		      size_t size)
{
	struct mm_struct *mm = fold_loan_mm(fold_pool->loan);
	unsigned long addr;
	long ret;

	kthread_use_mm(mm);
	addr = vm_mmap(NULL, 0, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr)) {
		ret = addr;
	} else {
		ret = fn(data, (void __user *)addr);
		vm_munmap(addr, size);
	}
	kthread_unuse_mm(mm);
	return ret;
}

/**
 * struct pool_guest - somebody else's thread in the borrowed address space
 * @fn: what it does
 * @data: for @fn
 * @done: @ret is there
 * @ret: what @fn returned
 */
struct pool_guest {
	long (*fn)(void *data, void __user *page);
	void *data;
	struct completion done;
	long ret;
};

static int pool_guest_thread(void *data)
{
	struct pool_guest *guest = data;

	guest->ret = fold_query_enter(guest->fn, guest->data, PAGE_SIZE);
	complete(&guest->done);
	return 0;
}

/**
 * fold_query_visit - do something in the borrowed address space
 * @fn: called in a thread of its own, which shares its open files with the
 *	kernel's threads and with no process; @page is a page of user memory that
 *	no process sees either
 * @data: for @fn
 *
 * For what takes its arguments from user memory and must not find them changed.
 * It does not use the pool's threads, for which others wait: however long @fn
 * takes, only the caller does.
 *
 * Context: a process that may sleep, with no lock that a usermode helper's start
 * could need. Waits for @fn, uninterruptibly.
 * Return: what @fn returned, or an error of fold_query_get(), kthread_create()
 * or vm_mmap().
 */
long fold_query_visit(long (*fn)(void *data, void __user *page), void *data)
{
	struct pool_guest guest = { .fn = fn, .data = data };
	struct task_struct *task;
	int err;

	err = fold_query_get();
	if (err)
		return err;
	init_completion(&guest.done);
	task = kthread_create(pool_guest_thread, &guest, "foldfs-visit");
	if (IS_ERR(task)) {
		guest.ret = PTR_ERR(task);
		goto out_put;
	}
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&guest.done);
	/* It may still have an instruction of ours to go. */
	kthread_stop_put(task);
out_put:
	fold_query_put();
	return guest.ret;
}
