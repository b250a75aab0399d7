/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything as it happens: each transition and each end of a flow, in the flow's own order and
 * joined to what is known of it, and each loss.
 */
#ifndef KERNEL_FOLLOW_H
#define KERNEL_FOLLOW_H

#include "kernel/cache.h"

struct follow {
	/* Any of these may be NULL. Any may set done; nothing more is told then. */
	void (*on_event)(const struct entry *entry, const struct event *e, void *arg);
	void (*on_end)(const struct flow *f, void *arg);	/* nothing follows of this flow */
	void (*on_lost)(const struct loss *l, void *arg);
	void (*on_tick)(void *arg);				/* five times a second */
	void *arg;
	bool done;
};

/*
 * Goes on until done, a signal, or the end of --for.
 * Return: EXIT_FOUND, or EXIT_ERROR and said why.
 */
int follow(struct follow *f, const char *verb);

#endif
