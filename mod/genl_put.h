/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What netlink messages say. Each function adds attributes, and returns 0 or -EMSGSIZE; the caller
 * cancels the message then.
 */
#ifndef _TCPFSM_GENL_PUT_H
#define _TCPFSM_GENL_PUT_H

#include <net/netlink.h>

#include "report.h"

struct tcpfsm_log_entry;
struct tcpfsm_net;
struct tcpfsm_service;
struct tcpfsm_stats;

/* What time it is, and what to add to a ktime for the time of day: asked once for many. */
struct tcpfsm_clock {
	u64	now;		/* ktime */
	s64	to_wall;	/* ns to add */
};

struct tcpfsm_clock tcpfsm_clock(u64 now);

/* Bytes of tailroom that one takes at most, padding for alignment included. */
#define TCPFSM_FLOW_ROOM	640
#define TCPFSM_TRANSITION_ROOM	60

/* A TCPFSM_A_FLOW; uids as @ns numbers them. -EMSGSIZE leaves the message as it was. */
int tcpfsm_put_flow(struct sk_buff *skb, const struct tcpfsm_snap *s,
		    const struct tcpfsm_clock *clock, struct user_namespace *ns);

/* A nest of TCPFSM_TRANSITION_* with this attribute type. @when: time of day, ns; @dwell: ns */
int tcpfsm_put_transition(struct sk_buff *skb, int attr, u64 flow, u64 when, u64 dwell, u32 step,
			  const struct tfsm_move *m);

/* 4 or 16 bytes. */
int tcpfsm_put_addr(struct sk_buff *skb, int attr, u8 family, const union tcpfsm_addr *addr);

/* The attributes of a namespace's TCPFSM_CMD_STATS_GET. Its counts are added up in @sums. */
int tcpfsm_put_stats(struct sk_buff *skb, struct tcpfsm_net *tn, struct tcpfsm_stats *sums);

/* @c: enum tcpfsm_counter */
int tcpfsm_put_counter(struct sk_buff *skb, unsigned int c, u64 value);

int tcpfsm_put_service(struct sk_buff *skb, struct tcpfsm_service *s);
int tcpfsm_put_log(struct sk_buff *skb, u32 cpu, const struct tcpfsm_log_entry *e);

#endif /* _TCPFSM_GENL_PUT_H */
