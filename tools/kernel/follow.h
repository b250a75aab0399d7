/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that happens, each transition and each end of a flow, joined to what is known of the flow
 * and in its order, and what was lost: for monitor, ship and ipfix.
 */
#ifndef KERNEL_FOLLOW_H
#define KERNEL_FOLLOW_H

#include "kernel/cache.h"

struct follow {
	/* Any of these may be NULL, and may set done: then there is no more. */
	void (*on_event)(const struct entry *entry, const struct event *e, void *arg);
	void (*on_end)(const struct flow *f, void *arg);	/* the last that is told of it */
	void (*on_lost)(const struct loss *l, void *arg);
	void (*on_tick)(void *arg);				/* 5 times a second */
	void *arg;
	bool done;
};

/* Until done, a signal, or --for is over. Return: EXIT_FOUND, or EXIT_ERROR and said why. */
int follow(struct follow *f, const char *verb);

#endif
