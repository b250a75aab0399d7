/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flows and the table that holds them.
 *
 * Lookups run under RCU alone. The slab is type-safe (SLAB_TYPESAFE_BY_RCU): memory of a freed
 * flow may become another flow at any time, but stays a flow. So a reader locks what he found
 * and then checks that it is still alive and still the one he looked for.
 *
 * Who may hold a flow: the table and one queue of its namespace, both until flow_unlink();
 * readers under RCU, who lock it. Nobody keeps a pointer beyond that, so there is no count.
 *
 * Locks nest flow->lock, then a bucket's or a queue's. All with bottom halves off.
 */
#ifndef _TCPFSM_FLOW_H
#define _TCPFSM_FLOW_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/rculist_nulls.h>
#include <linux/spinlock.h>

#include "core/tfsm.h"

struct net;
struct sk_buff;
struct tcpfsm_net;
struct tcpfsm_service;

union tcpfsm_addr {
	__be32		ip4;
	struct in6_addr	ip6;
};

/* Both addresses of a flow in canonical order: the lower address, then port, comes first. */
struct tcpfsm_tuple {
	struct tcpfsm_net *tn;
	u32		  l3;		/* ifindex of the VRF or link-local scope, or 0 */
	u32		  hash;
	__be16		  port[2];
	u8		  family;
	union tcpfsm_addr addr[2];
};

/* A local socket, as seen when it last sent. Guarded by the flow's lock. */
struct tcpfsm_socket {
	u64		  cookie;	/* 0: not seen */
	kuid_t		  uid;
	u32		  ifindex;	/* it is bound to */
	__be16		  sport, dport;	/* its own view, where NAT made it another */
	union tcpfsm_addr src, dst;
};

struct tcpfsm_local {
	struct tcpfsm_socket end[TCPFSM_ENDS];
};

struct tcpfsm_flow {
	/* lookup */
	struct hlist_nulls_node	node;
	struct tcpfsm_net	*tn;
	u32			l3;
	u32			hash;
	__be16			port[2];
	u8			family;
	u8			orig:1;		/* index of orig in the canonical order */
	u8			dead:1;		/* unlinked; under lock */
	u8			queue;		/* enum tcpfsm_queue */
	spinlock_t		lock;		/* all below */

	u32			last;		/* jiffies of the last acceptable segment */
	u32			stamp;		/* jiffies of queueing; under the queue's lock */
	u32			step;
	struct tfsm		fsm;
	u64			bytes[TCPFSM_ENDS];
	u32			packets[TCPFSM_ENDS];

	/* per transition */
	u64			since[TCPFSM_ENDS];	/* ktime of the last transition */
	u64			history[TCPFSM_ENDS];	/* 16 states, latest lowest */
	struct list_head	queued;			/* under the queue's lock */
	struct tcpfsm_service	*service;
	struct tcpfsm_local	*local;			/* NULL: no local socket seen */
	u64			id;
	u64			start;			/* ktime of the first segment */

	union {
		__be32		ip4[2];
		struct in6_addr	ip6[2];		/* only in the IPv6 slab */
	} addr;
};

/* A segment and where it was seen. */
struct tcpfsm_view {
	struct tcpfsm_tuple tuple;
	u8		    from;		/* index of the sender in the canonical order */
	bool		    from_local;		/* the sender's socket is of this namespace */
	bool		    to_local;
	bool		    forwarded;
	bool		    offloaded;
	bool		    repeat;		/* ipvs_property: may be a second look */
	struct tfsm_seg	    seg;
	u32		    bytes;
	u32		    packets;
	const struct sk_buff *skb;
	unsigned int	    offset;		/* of the TCP header from skb->data */
};

/* A flow as users see it, copied under its lock; src is orig's, dst is resp's. */
struct tcpfsm_snap {
	u64		  id;
	struct tcpfsm_net *tn;
	union tcpfsm_addr src, dst;
	__be16		  sport, dport;
	u32		  l3;
	u32		  flags;	/* TCPFSM_F_* */
	u32		  step;
	u32		  idle;		/* jiffies */
	u8		  family;
	u8		  reason;	/* UNSET while it lives */
	u8		  state[TCPFSM_ENDS];
	u64		  start;	/* ktime */
	u64		  since[TCPFSM_ENDS];
	u64		  history[TCPFSM_ENDS];
	u64		  bytes[TCPFSM_ENDS];
	u32		  packets[TCPFSM_ENDS];
	struct tcpfsm_local local;
};

extern unsigned int tcpfsm_max_flows;

int tcpfsm_flow_init(unsigned int hashsize);
void tcpfsm_flow_exit(void);

/* The flows in the table, of all namespaces of an owner (enum tcpfsm_owner). */
unsigned int tcpfsm_flows_of(u8 owner);

/* What a namespace is told of it: its own flows; the initial one, all. */
unsigned int tcpfsm_flows_shown(const struct tcpfsm_net *tn);

void tcpfsm_tuple_hash(struct tcpfsm_tuple *t);

/* Track a segment. Context: RCU read side, bottom halves off. */
void tcpfsm_flow_segment(struct tcpfsm_view *v);

/* Find and lock a flow that a queue handed out; false if it is no longer that flow. */
bool tcpfsm_flow_lock(struct tcpfsm_flow *f, u64 id);

/* Copy what users see. Under the flow's lock. */
void tcpfsm_flow_snapshot(const struct tcpfsm_flow *f, struct tcpfsm_snap *s);

/* For expire.c: what becomes of a flow whose time is over. Each unlocks it. */
void tcpfsm_flow_remove(struct tcpfsm_flow *f, u8 reason)
	__releases(&f->lock);
void tcpfsm_flow_expire(struct tcpfsm_flow *f)
	__releases(&f->lock);
void tcpfsm_flow_gone(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock);

/* The id of the next flow; flows with lower ids exist or have existed. */
u64 tcpfsm_flow_next_id(void);

unsigned int tcpfsm_flow_buckets(void);

/*
 * tcpfsm_flow_bucket - copy the next flow of a bucket, in the order of their ids
 * @bucket: below tcpfsm_flow_buckets()
 * @after: in, out: the id of the flow copied last, 0 to begin
 * @below: flows with this id or a higher one are passed over
 * @want: called without the flow's lock, must only read what may be read so
 * @snap: out
 *
 * Return: false if there are no more.
 */
bool tcpfsm_flow_bucket(unsigned int bucket, u64 *after, u64 below,
			bool (*want)(const struct tcpfsm_flow *f, const void *arg),
			const void *arg, struct tcpfsm_snap *snap);

#endif /* _TCPFSM_FLOW_H */
