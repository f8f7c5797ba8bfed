/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doubly linked lists that know whether an entry is linked: linking it twice,
 * or removing it twice, ends the test.
 */
#ifndef UNIT_LIST_H
#define UNIT_LIST_H

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_UNLINKED	((struct list_head *)0x10)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	BUG_ON(head->prev->next != head);
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	BUG_ON(entry->next == LIST_UNLINKED);
	BUG_ON(entry->next->prev != entry || entry->prev->next != entry);
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	entry->next = LIST_UNLINKED;
	entry->prev = LIST_UNLINKED;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first_entry(head, type, member) \
	list_entry((head)->next, type, member)

#define list_for_each_entry(pos, head, member)				\
	for (pos = list_entry((head)->next, typeof(*pos), member);	\
	     &pos->member != (head);					\
	     pos = list_entry(pos->member.next, typeof(*pos), member))

#define list_for_each_entry_from(pos, head, member)			\
	for (; &pos->member != (head);					\
	     pos = list_entry(pos->member.next, typeof(*pos), member))

#define list_for_each_entry_safe(pos, n, head, member)			\
	for (pos = list_entry((head)->next, typeof(*pos), member),	\
	     n = list_entry(pos->member.next, typeof(*pos), member);	\
	     &pos->member != (head);					\
	     pos = n, n = list_entry(n->member.next, typeof(*n), member))

#endif
