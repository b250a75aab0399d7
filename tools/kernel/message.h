/* SPDX-License-Identifier: GPL-2.0 */
/* The module's attributes as the tool's structs. */
#ifndef PARSE_H
#define PARSE_H

#include "data/flow.h"
#include "kernel/attr.h"

typedef u64 state_matrix[TCPFSM_STATES][TCPFSM_STATES];

/* The counts of a network namespace. */
struct stats {
	u32 netns;		/* its inode number */
	u64 entries, limit;	/* of the table */
	state_matrix pairs;	/* flows now: orig's state, resp's */
	state_matrix moves;	/* so far: from, to */
	u64 dwell[TCPFSM_STATES][TCPFSM_DWELL_BUCKETS];
};

/* Who responds at an address and port, or (family 0) all those for whom there was no room. */
struct service {
	u8 family, addr[16];
	u16 port;
	u64 count[TCPFSM_STATES];	/* of the responding ends, now */
	u64 flows, handshakes, refused, reset, synack_resent;	/* so far */
	u64 connects, connect_ns, accepts, accept_ns;		/* how many, their sum */
};

/* A whole message of the family. */
void stats_parse(struct stats *s, const struct nlmsghdr *nlh);
/* The same, for kernel_ask(): @arg is a struct stats. */
int stats_take(const struct nlmsghdr *nlh, void *arg);
/* Return: false if it is about none. */
bool service_parse(struct service *s, const struct nlmsghdr *nlh);

/* How many ends are in a state: orig's, resp's; and how many ever moved into it. */
u64 stats_orig(const struct stats *s, unsigned int state);
u64 stats_resp(const struct stats *s, unsigned int state);
u64 stats_entered(const struct stats *s, unsigned int state);

void flow_parse(struct flow *f, const struct nlattr *nest);
/* A nest of TCPFSM_TRANSITION_*; e->tuple and e->seq are not touched. */
void event_parse(struct event *e, const struct nlattr *a);

/* What was counted; the words stand in the message. Return: false if it is none. */
struct counted {
	const char *name, *help;
	u64 value;
};
bool counter_parse(struct counted *c, const struct nlmsghdr *nlh);

/* A message of the log; f: id and tuple alone, to which e points. Return: false if it is none. */
bool log_parse(struct flow *f, struct event *e, const struct nlmsghdr *nlh);

/* The first attribute of a type in a message of the family. */
const struct nlattr *message_attr(const struct nlmsghdr *nlh, unsigned int type);

#endif
