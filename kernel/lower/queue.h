/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose job is next: the queue before the threads of query.c.
 */
#ifndef FOLDFS_QUEUE_H
#define FOLDFS_QUEUE_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

struct fold_job;

/*
 * Threads that one user's jobs may have at a time, and jobs of his that may
 * wait for one.
 */
#define FOLD_USER_THREADS	4
#define FOLD_USER_QUEUED	1024

/**
 * struct fold_user - who has jobs
 * @node: in the queue's hash table, by @uid
 * @uid: immutable
 * @refs: jobs of his that exist, and threads that run one; freed with the last
 * @jobs: that wait for a thread
 * @nr_queued: how many
 * @nr_running: threads that run a job of his
 * @ready: on the queue's list if he has a job that may have a thread
 *
 * All under the queue's lock.
 */
struct fold_user {
	struct hlist_node node;
	kuid_t uid;
	unsigned int refs;
	struct list_head jobs;
	unsigned int nr_queued;
	unsigned int nr_running;
	struct list_head ready;
};

/**
 * struct fold_queue - jobs that wait
 * @lock: protects all of it, the jobs' places included; taken in timers
 * @users: who has jobs
 * @ready: users that have a job that may have a thread, who is next first
 * @later: jobs whose time has not come
 * @nr_ready: jobs that may have a thread
 */
struct fold_queue {
	spinlock_t lock;
	DECLARE_HASHTABLE(users, 6);
	struct list_head ready;
	struct list_head later;
	unsigned int nr_ready;
};

void fold_queue_init(struct fold_queue *queue);
struct fold_user *fold_queue_user(struct fold_queue *queue);
void fold_queue_put_user(struct fold_queue *queue, struct fold_user *user);
bool fold_queue_add(struct fold_queue *queue, struct fold_job *job);
struct fold_job *fold_queue_take(struct fold_queue *queue);
void fold_queue_done(struct fold_queue *queue, struct fold_user *user);
void fold_queue_later(struct fold_queue *queue, struct fold_job *job);
bool fold_queue_due(struct fold_queue *queue, struct fold_job *job);
void fold_queue_cut(struct fold_queue *queue, const void *owner,
		    struct list_head *cut);

#endif
