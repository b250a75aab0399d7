/* SPDX-License-Identifier: GPL-2.0 */
/* The counts of a network namespace. */
#ifndef DATA_STATS_H
#define DATA_STATS_H

#include "data/netns.h"

typedef u64 state_matrix[TCPFSM_STATES][TCPFSM_STATES];

struct stats {
	const struct netns *netns;	/* NULL: those of all are summed up */
	u64 entries, limit;	/* of the table */
	state_matrix pairs;	/* flows now: orig's state, resp's state */
	state_matrix moves;	/* so far: from, to */
	u64 dwell[TCPFSM_STATES][TCPFSM_DWELL_BUCKETS];
};

/* How many ends are in a state now: orig's, resp's. */
u64 stats_orig(const struct stats *s, unsigned int state);
u64 stats_resp(const struct stats *s, unsigned int state);
/* How many ends ever moved into it. */
u64 stats_entered(const struct stats *s, unsigned int state);

/* What the module counted beside that; the words last as long as the call that tells them. */
struct counter {
	const char *name, *help;
	const struct netns *netns;
	u64 value;
};

#endif
