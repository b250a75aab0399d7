/* SPDX-License-Identifier: GPL-2.0 */
/* What netlink messages say of a flow; what a filter asks of one. */
#ifndef _TCPFSM_GENL_PUT_H
#define _TCPFSM_GENL_PUT_H

#include <net/netlink.h>

#include "tcpfsm.h"

/* What time it is, and what a ktime is on the clock on the wall: asked once for many. */
struct tcpfsm_clock {
	u64	now;		/* ktime */
	s64	to_wall;	/* add this */
};

struct tcpfsm_clock tcpfsm_clock(u64 now);

/* Bytes of tailroom that one takes at most, padding where the processor wants it included. */
#define TCPFSM_FLOW_ROOM	512
#define TCPFSM_TRANSITION_ROOM	60

/* Add a TCPFSM_A_FLOW; uids as @ns numbers them. -EMSGSIZE leaves the message as it was. */
int tcpfsm_put_flow(struct sk_buff *skb, const struct tcpfsm_snap *s,
		    const struct tcpfsm_clock *clock, struct user_namespace *ns);

/* Add a nest of TCPFSM_TRANSITION_* with this attribute type; @when is by the clock on the wall. */
int tcpfsm_put_transition(struct sk_buff *skb, int attr, u64 flow, u64 when, u64 dwell, u32 step,
			  const struct tfsm_move *m);

/* 4 or 16 bytes. */
int tcpfsm_put_addr(struct sk_buff *skb, int attr, u8 family, const union tcpfsm_addr *addr);

/* A TCPFSM_A_FILTER, read. All that is set must hold. */
struct tcpfsm_filter {
	const struct tcpfsm_net	*tn;
	bool			any;		/* something is asked at all */
	u64			id;
	u8			family;
	u32			states[TCPFSM_ENDS];	/* masks, 0: not asked */
	u32			any_states;
	union tcpfsm_addr	addr[TCPFSM_ENDS];	/* by end */
	int			len[TCPFSM_ENDS];	/* prefix length, -1: not asked */
	u16			port_min[TCPFSM_ENDS], port_max[TCPFSM_ENDS];
	u64			age_min;		/* ns */
	u64			idle_min;		/* ns */
};

extern const struct nla_policy tcpfsm_filter_policy[TCPFSM_FILTER_MAX + 1];

/* @attr may be NULL: everything passes. */
int tcpfsm_filter_parse(struct tcpfsm_filter *filter, const struct nlattr *attr,
			struct netlink_ext_ack *extack);

/* For tcpfsm_table_next(). */
bool tcpfsm_filter_wants(const struct tcpfsm_flow *f, const void *filter);

#endif /* _TCPFSM_GENL_PUT_H */
