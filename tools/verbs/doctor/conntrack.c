// SPDX-License-Identifier: GPL-2.0
/* Flows that nf_conntrack is about to forget, and those that a flowtable hides. */
#include <stdlib.h>
#include <string.h>

#include "kernel/conntrack.h"
#include "verbs/doctor/doctor.h"
#include "verbs/doctor/group.h"

#define FORGETS		120		/* seconds */
#define HALF_CLOSED	(10 * NSEC)	/* before that, it may just be closing */

struct forgets {
	const struct patient *p;
	struct group *groups;
};

static int by_tuple(const void *a, const void *b)
{
	const struct tuple *x = &((const struct flow *)a)->tuple;
	const struct tuple *y = &((const struct flow *)b)->tuple;
	int d = x->family - y->family;

	d = d ? d : x->sport - y->sport;
	d = d ? d : x->dport - y->dport;
	d = d ? d : memcmp(x->src, y->src, sizeof(x->src));
	return d ? d : memcmp(x->dst, y->dst, sizeof(x->dst));
}

/* One end has closed and the other goes on. That may last for hours, and be well. */
static bool is_half_closed(const struct flow *f)
{
	u8 orig = f->end[TCPFSM_ORIG].state, resp = f->end[TCPFSM_RESP].state;

	if (f->end[TCPFSM_ORIG].dwell < HALF_CLOSED || f->end[TCPFSM_RESP].dwell < HALF_CLOSED)
		return false;
	return (orig == TCPFSM_FIN_WAIT_2 && resp == TCPFSM_CLOSE_WAIT) ||
	       (orig == TCPFSM_CLOSE_WAIT && resp == TCPFSM_FIN_WAIT_2);
}

static void check_conntrack(const struct conntrack *c, void *arg)
{
	struct flow key = { .tuple = c->tuple };
	struct forgets *x = arg;
	const struct flow *f;

	if (c->timeout > FORGETS)
		return;
	f = bsearch(&key, x->p->flow, x->p->flows, sizeof(*f), by_tuple);
	if (f && is_half_closed(f))
		group_add(group_of(&x->groups, c->state), c->timeout, f);
}

static void find_forgotten(const struct patient *p)
{
	struct forgets x = { .p = p };
	struct finding *f;
	struct group *g;
	int err;

	if (!p->flows || !conntrack_there())
		return;
	qsort(p->flow, p->flows, sizeof(*p->flow), by_tuple);
	err = conntrack_each(check_conntrack, &x);
	if (err)
		finding(RANK_NOTE, "conntrack", 0, "nf_conntrack could not be asked: %s.",
			strerror(-err));
	while ((g = group_take(&x.groups))) {
		f = finding(RANK_WARNING, "conntrack-forgets", g->count,
			    "nf_conntrack will forget %llu half-closed connection%s that still live%s, the first in %llu s: what comes after is INVALID to its rules, and NAT no longer translates it.",
			    (unsigned long long)g->count, s_of(g->count), g->count == 1 ? "s" : "",
			    (unsigned long long)g->least);
		evidence(f, "it calls their state %s; see net.netfilter.nf_conntrack_tcp_timeout_*",
			 g->key);
		evidence_flow(f, "one of them", g->worst);
		look_with(f, "tcpfsm flow %llu", (unsigned long long)g->worst->id);
		free(g);
	}
}

static void find_offloaded(const struct patient *p)
{
	struct finding *f;
	u64 n = 0;
	size_t i;

	for (i = 0; i < p->flows; i++)
		n += !!(p->flow[i].flags & TCPFSM_F_OFFLOADED);
	if (!n)
		return;
	f = finding(RANK_NOTE, "offloaded", n,
		    "%llu connection%s %s handed to a flowtable: what passes there is not seen, and their states may be old.",
		    (unsigned long long)n, s_of(n), n == 1 ? "is" : "are");
	look_with(f, "tcpfsm flows flag offloaded");
}

void doctor_conntrack(const struct patient *p)
{
	find_offloaded(p);
	find_forgotten(p);
}
