/* SPDX-License-Identifier: GPL-2.0 */
/* What a request asks: a dump's filter, and one flow's tuple. */
#ifndef _TCPFSM_GENL_FILTER_H
#define _TCPFSM_GENL_FILTER_H

#include <net/netlink.h>

#include "flow.h"

/* A TCPFSM_A_FILTER, read. All that is set must hold. */
struct tcpfsm_filter {
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

/* A TCPFSM_A_FLOW of a request. */
extern const struct nla_policy tcpfsm_tuple_policy[TCPFSM_FLOW_IFINDEX + 1];

/*
 * Read what tells a flow from all others, from either end's view: its tuple but for its namespace,
 * in canonical order, and the id, or 0 if that is not asked for.
 */
int tcpfsm_tuple_parse(struct tcpfsm_tuple *t, u64 *id, const struct nlattr *attr,
		       struct netlink_ext_ack *extack);

#endif /* _TCPFSM_GENL_FILTER_H */
