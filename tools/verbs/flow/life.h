/* SPDX-License-Identifier: GPL-2.0 */
/* All that is known of one flow, and how it is printed. */
#ifndef VERBS_FLOW_LIFE_H
#define VERBS_FLOW_LIFE_H

#include "data/event.h"
#include "data/flow.h"
#include "filter/filter.h"
#include "kernel/conntrack.h"
#include "kernel/socket.h"

struct life {
	const struct filter *filter;
	const struct tuple *translated;	/* found by other addresses: those of the log */
	const struct netns *netns;	/* where it is looked for, or was recorded */
	bool recorded;			/* the transitions are from a record, not from the log */
	u64 last;			/* of a record: when it was heard of last */
	struct process process[TCPFSM_ENDS];	/* of a record; pid 0: not known */
	struct flow flow;		/* the latest that fits; id 0: no such flow lives */
	u64 id;				/* of the latest flow, alive or in the log or record */
	u64 earlier;			/* incarnations there, and the last of them */
	u64 earlier_id;
	struct event *event;		/* of the log or record, oldest first */
	struct tuple tuple;
	size_t events;
	struct sock sock[TCPFSM_ENDS];
	bool has_sock[TCPFSM_ENDS];
	struct conntrack ct;
	bool has_ct;
};

void life_print(const struct life *l);

#endif
