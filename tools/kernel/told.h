/* SPDX-License-Identifier: GPL-2.0 */
/* Who is told of what follow() hears. */
#ifndef KERNEL_TOLD_H
#define KERNEL_TOLD_H

#include "kernel/cache.h"

struct follow {
	/* Any of these may be NULL. Any may set done; nothing more is told then. */
	void (*on_event)(const struct entry *entry, const struct event *e, void *arg);
	void (*on_end)(const struct flow *f, void *arg);	/* nothing follows of this flow */
	void (*on_lost)(const struct loss *l, void *arg);
	void (*on_tick)(void *arg);				/* five times a second */
	void *arg;
	bool wants_nat;		/* by which addresses both ends know a flow that is translated */
	bool done;
};

#endif
