// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose job is next.
 *
 * A query waits for the lower inode's lock, and whoever has that file open
 * decides for how long. So a user who has files of his own and means harm can
 * hold up every thread that his jobs get. He gets a fixed small part of them:
 * what else he wants waits behind it, and the others' jobs pass. Users that may
 * have a thread take turns, a job each.
 *
 * A user is the one whose program asked; inside a user namespace, all who live
 * there are one, since he who owns it could make any number of them.
 */
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "queue.h"
#include "query.h"

/**
 * fold_queue_init - an empty queue
 * @queue: the queue
 */
void fold_queue_init(struct fold_queue *queue)
{
	spin_lock_init(&queue->lock);
	hash_init(queue->users);
	INIT_LIST_HEAD(&queue->ready);
	INIT_LIST_HEAD(&queue->later);
	queue->nr_ready = 0;
}

/*
 * Namespaces that root made, as a manager of containers does, are told from one
 * another by whom their root is outside; that is not up to those inside.
 */
static kuid_t submitter(void)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t root;

	if (ns == &init_user_ns)
		return current_uid();
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
		return ns->owner;
	root = make_kuid(ns, 0);
	return uid_valid(root) ? root : ns->owner;
}

static struct fold_user *known_user(struct fold_queue *queue, kuid_t uid)
{
	struct fold_user *user;

	hash_for_each_possible(queue->users, user, node, __kuid_val(uid)) {
		if (uid_eq(user->uid, uid)) {
			user->refs++;
			return user;
		}
	}
	return NULL;
}

/**
 * fold_queue_user - the user whom a job of the current task belongs to
 * @queue: the queue
 *
 * Context: process context; allocates.
 * Return: the user, with a reference for the job; or NULL for lack of memory.
 */
struct fold_user *fold_queue_user(struct fold_queue *queue)
{
	kuid_t uid = submitter();
	struct fold_user *user, *new;

	spin_lock_bh(&queue->lock);
	user = known_user(queue, uid);
	spin_unlock_bh(&queue->lock);
	if (user)
		return user;

	/* Nobody is killed for the want of a join. */
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT | __GFP_NORETRY |
				    __GFP_NOWARN);
	if (!new)
		return NULL;
	new->uid = uid;
	new->refs = 1;
	INIT_LIST_HEAD(&new->jobs);
	INIT_LIST_HEAD(&new->ready);
	spin_lock_bh(&queue->lock);
	user = known_user(queue, uid);
	if (!user) {
		user = new;
		hash_add(queue->users, &new->node, __kuid_val(uid));
		new = NULL;
	}
	spin_unlock_bh(&queue->lock);
	kfree(new);
	return user;
}

static void put_user_locked(struct fold_queue *queue, struct fold_user *user)
{
	lockdep_assert_held(&queue->lock);
	if (--user->refs)
		return;
	hash_del(&user->node);
	kfree(user);
}

/**
 * fold_queue_put_user - a job of a user's ceases to exist
 * @queue: the queue
 * @user: from fold_queue_user()
 *
 * Context: any but interrupts.
 */
void fold_queue_put_user(struct fold_queue *queue, struct fold_user *user)
{
	spin_lock_bh(&queue->lock);
	put_user_locked(queue, user);
	spin_unlock_bh(&queue->lock);
}

/* How many of his jobs may have a thread. */
static unsigned int nr_ready(const struct fold_user *user)
{
	return min(user->nr_queued, FOLD_USER_THREADS - user->nr_running);
}

/* The user's figures have changed; @was is what nr_ready() said before. */
static void settle(struct fold_queue *queue, struct fold_user *user,
		   unsigned int was)
{
	unsigned int is = nr_ready(user);

	queue->nr_ready += is - was;
	if (!is)
		list_del_init(&user->ready);
	else if (list_empty(&user->ready))
		list_add_tail(&user->ready, &queue->ready);
}

/**
 * fold_queue_add - a job waits for a thread from now on
 * @queue: the queue
 * @job: the job, nowhere else
 *
 * Context: the queue's lock held.
 * Return: false if its user has too many that wait; then it is not queued.
 */
bool fold_queue_add(struct fold_queue *queue, struct fold_job *job)
{
	struct fold_user *user = job->user;
	unsigned int was = nr_ready(user);

	lockdep_assert_held(&queue->lock);
	if (user->nr_queued >= FOLD_USER_QUEUED)
		return false;
	list_add_tail(&job->entry, &user->jobs);
	user->nr_queued++;
	settle(queue, user, was);
	return true;
}

/**
 * fold_queue_take - the next job, for a thread
 * @queue: the queue
 *
 * Context: the queue's lock held.
 * Return: the job, whose user has a reference more until fold_queue_done(); or
 * NULL if there is none that may have a thread.
 */
struct fold_job *fold_queue_take(struct fold_queue *queue)
{
	struct fold_user *user;
	struct fold_job *job;
	unsigned int was;

	lockdep_assert_held(&queue->lock);
	user = list_first_entry_or_null(&queue->ready, struct fold_user, ready);
	if (!user)
		return NULL;
	was = nr_ready(user);
	job = list_first_entry(&user->jobs, struct fold_job, entry);
	list_del_init(&job->entry);
	user->nr_queued--;
	user->nr_running++;
	user->refs++;
	list_move_tail(&user->ready, &queue->ready);
	settle(queue, user, was);
	return job;
}

/**
 * fold_queue_done - a thread has run a job
 * @queue: the queue
 * @user: whose job it was
 *
 * Context: the queue's lock held.
 */
void fold_queue_done(struct fold_queue *queue, struct fold_user *user)
{
	unsigned int was = nr_ready(user);

	lockdep_assert_held(&queue->lock);
	user->nr_running--;
	settle(queue, user, was);
	put_user_locked(queue, user);
}

/**
 * fold_queue_later - a job waits for its time from now on
 * @queue: the queue
 * @job: the job, nowhere else
 *
 * Context: the queue's lock held.
 */
void fold_queue_later(struct fold_queue *queue, struct fold_job *job)
{
	lockdep_assert_held(&queue->lock);
	job->later = true;
	list_add_tail(&job->entry, &queue->later);
}

/**
 * fold_queue_due - a job's time has come
 * @queue: the queue
 * @job: the job
 *
 * Context: the queue's lock held.
 * Return: false if its user has too many that wait; then it is as it was.
 */
bool fold_queue_due(struct fold_queue *queue, struct fold_job *job)
{
	lockdep_assert_held(&queue->lock);
	list_del_init(&job->entry);
	if (!fold_queue_add(queue, job)) {
		list_add_tail(&job->entry, &queue->later);
		return false;
	}
	job->later = false;
	return true;
}

/**
 * fold_queue_cut - take all jobs of one owner out
 * @queue: the queue
 * @owner: as in &struct fold_job
 * @cut: they are moved there; timers of theirs may still run
 *
 * Context: the queue's lock held.
 */
void fold_queue_cut(struct fold_queue *queue, const void *owner,
		    struct list_head *cut)
{
	struct fold_job *job, *next;
	struct fold_user *user;
	unsigned int bucket, was;

	lockdep_assert_held(&queue->lock);
	hash_for_each(queue->users, bucket, user, node) {
		was = nr_ready(user);
		list_for_each_entry_safe(job, next, &user->jobs, entry) {
			if (job->owner != owner)
				continue;
			list_move_tail(&job->entry, cut);
			user->nr_queued--;
		}
		settle(queue, user, was);
	}
	list_for_each_entry_safe(job, next, &queue->later, entry) {
		if (job->owner != owner)
			continue;
		list_move_tail(&job->entry, cut);
		job->later = false;
	}
}
