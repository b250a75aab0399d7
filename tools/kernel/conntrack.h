/* SPDX-License-Identifier: GPL-2.0 */
/* What nf_conntrack has of TCP flows, where it is there: it is never switched on by asking. */
#ifndef KERNEL_CONNTRACK_H
#define KERNEL_CONNTRACK_H

#include "data/tuple.h"

struct conntrack {
	struct tuple tuple;	/* as tcpfsm sees it: behind DNAT, before SNAT */
	const char *state;	/* its own name for it, which is not RFC 9293's */
	u32 timeout;		/* seconds until it forgets */
	bool assured;
	bool offloaded;
};

/* Has this network namespace nf_conntrack? */
bool conntrack_there(void);

/* Return: 0 or -errno. */
int conntrack_each(void (*fn)(const struct conntrack *c, void *arg), void *arg);

#endif
