/* SPDX-License-Identifier: GPL-2.0 */
/* A doubly linked list of nodes that live inside the caller's objects. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/base.h"

struct list_node {
	struct list_node *before, *after;
};

/* A ring through its head; all zeroes is an empty list, too. */
struct list {
	struct list_node head;
};

static inline struct list_node *list_first(const struct list *l)
{
	return l->head.after == &l->head ? NULL : l->head.after;
}

static inline struct list_node *list_next(const struct list *l, const struct list_node *n)
{
	return n->after == &l->head ? NULL : n->after;
}

static inline void list_append(struct list *l, struct list_node *n)
{
	if (!l->head.after)
		l->head.before = l->head.after = &l->head;
	n->before = l->head.before;
	n->after = &l->head;
	n->before->after = n;
	l->head.before = n;
}

static inline void list_remove(struct list_node *n)
{
	n->before->after = n->after;
	n->after->before = n->before;
	n->before = n->after = NULL;
}

#endif
