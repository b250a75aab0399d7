/* SPDX-License-Identifier: GPL-2.0 */
/* What nf_conntrack knows of TCP flows. Asking does not load or enable it. */
#ifndef KERNEL_CONNTRACK_H
#define KERNEL_CONNTRACK_H

#include "data/tuple.h"

struct conntrack {
	struct tuple tuple;	/* as tcpfsm sees it: behind DNAT, before SNAT */
	struct tuple orig;	/* before both: as its client sends it */
	struct tuple resp;	/* behind both: as its server receives it */
	const char *state;	/* nf_conntrack's own name for it, which is not RFC 9293's */
	u32 timeout;		/* seconds until it forgets the flow */
	bool assured;
	bool offloaded;
};

/* Does this network namespace have nf_conntrack? */
bool conntrack_there(void);

/* Each that it knows. Return: 0 or -errno */
int conntrack_each(void (*fn)(const struct conntrack *c, void *arg), void *arg);
/* Those whose addresses or ports it translates. */
int conntrack_each_translated(void (*fn)(const struct conntrack *c, void *arg), void *arg);
/* Is there any of these? */
bool conntrack_translates(void);

/*
 * A socket to ask for single flows of the network namespace that it is opened in, wherever this
 * process is later. Return: NULL: there is none to be had
 */
struct nfct_handle *conntrack_open(void);
void conntrack_close(struct nfct_handle *h);
/*
 * The flow that has this tuple on one of its sides: behind DNAT alone or before SNAT alone, as
 * tcpfsm sees it, but not between both. Return: false: nf_conntrack knows none
 */
bool conntrack_get(struct nfct_handle *h, const struct tuple *tuple, struct conntrack *c);

#endif
