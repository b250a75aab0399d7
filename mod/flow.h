/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flows: what is kept of each, and what segments do to it. The table is in table.h.
 *
 * Who may hold a flow: the table and one queue of its namespace, both until it ends; readers
 * under RCU, who lock it. Nobody keeps a pointer beyond that, so there is no count.
 *
 * Locks nest flow->lock, then a bucket's or a queue's. All with bottom halves off.
 */
#ifndef _TCPFSM_FLOW_H
#define _TCPFSM_FLOW_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include "core/tfsm.h"

struct net;
struct sk_buff;
struct tcpfsm_net;
struct tcpfsm_service;

/* IPv4: the rest is zero. */
union tcpfsm_addr {
	u64		words[2];
	__be32		ip4;
	struct in6_addr	ip6;
};

/* Written in whole words, since that is how it is read next. */
static inline union tcpfsm_addr tcpfsm_addr_of_ip4(__be32 ip4)
{
#ifdef __BIG_ENDIAN
	return (union tcpfsm_addr) { .words = { (u64)(__force u32)ip4 << 32 } };
#else
	return (union tcpfsm_addr) { .words = { (__force u32)ip4 } };
#endif
}

/*
 * Both addresses of a flow in canonical order: which comes first is a matter of their bits, the
 * same for both directions.
 */
struct tcpfsm_tuple {
	struct tcpfsm_net *tn;
	u64		  key;		/* both addresses; IPv6: mixed from them */
	u32		  hash;
	u32		  l3;		/* ifindex of the VRF or link-local scope, or 0 */
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

/* What only flows with a local socket need. */
struct tcpfsm_local {
	u64		     id;	/* of the flow */
	struct tcpfsm_socket end[TCPFSM_ENDS];
};

/* Millions of these: 184 bytes for IPv4. A segment in order needs the first 136. */
struct tcpfsm_flow {
	/* lookup, under RCU */
	struct tcpfsm_flow __rcu *next;
	union {
		u64		key;
		__be32		ip4[2];
	};
	__be16			port[2];

	spinlock_t		lock;		/* all below */
	struct tcpfsm_service	*service;	/* which knows namespace and l3; NULL: not alive */
	struct tfsm		fsm;		/* its own: see tcpfsm_flow_id() */
	u32			last;		/* jiffies of the last acceptable segment */
	u64			bytes[TCPFSM_ENDS];
	u32			packets[TCPFSM_ENDS];

	/* per transition */
	u32			stamp;		/* jiffies of queueing; under the queue's lock */
	u8			queue;		/* enum tcpfsm_queue; likewise */
	u8			family;
	u8			orig:1;		/* index of orig in the canonical order */
	u8			local:1;	/* there is a struct tcpfsm_local */
	u8			noted:2;	/* by end: it holds that end's socket */
	u8			refused;	/* segments, 255: or more */
	struct list_head	queued;		/* under the queue's lock */
	u64			start;		/* ktime of the first segment */
	u32			moved[TCPFSM_ENDS];	/* last transition: a span since then */
	u32			history[TCPFSM_ENDS];	/* 8 states, latest lowest */

	struct in6_addr		ip6[2];		/* only in the IPv6 slab */
};

/* A segment and where it was seen. */
struct tcpfsm_view {
	struct tcpfsm_tuple tuple;
	struct tfsm_seg	    seg;
	u8		    from;		/* index of the sender in the canonical order */
	bool		    from_local;		/* the sender's socket is of this namespace */
	bool		    to_local;
	bool		    forwarded;
	bool		    offloaded;
	bool		    repeat;		/* ipvs_property: may be a second look */
	u64		    now;		/* ktime, 0: not asked yet */
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
	u8		  refused;
	u8		  state[TCPFSM_ENDS];
	u64		  start;	/* ktime */
	u64		  since[TCPFSM_ENDS];
	u32		  history[TCPFSM_ENDS];
	u64		  bytes[TCPFSM_ENDS];
	u32		  packets[TCPFSM_ENDS];
	struct tcpfsm_socket socket[TCPFSM_ENDS];
};

extern unsigned int tcpfsm_max_flows;

/* The flows in the table, of all namespaces of an owner (enum tcpfsm_owner). */
unsigned int tcpfsm_flows_of(u8 owner);

/* What a namespace is told of it: its own flows; the initial one, all. */
unsigned int tcpfsm_flows_shown(const struct tcpfsm_net *tn);

/* Track a segment. Context: RCU read side, bottom halves off. */
void tcpfsm_flow_segment(struct tcpfsm_view *v);

/* Under the flow's lock. The local sockets are told by struct tcpfsm_local, or NULL. */
u64 tcpfsm_flow_id(const struct tcpfsm_flow *f);
struct tcpfsm_local *tcpfsm_flow_local(const struct tcpfsm_flow *f);

/* Give it a struct tcpfsm_local, zeroed. Under the flow's lock. NULL: no memory. */
struct tcpfsm_local *tcpfsm_flow_add_local(struct tcpfsm_flow *f);

/* Lock a flow met under RCU; false if it is no longer that flow, or no flow of the namespace. */
bool tcpfsm_flow_lock(struct tcpfsm_flow *f, u64 id);
bool tcpfsm_flow_lock_of(struct tcpfsm_flow *f, const struct tcpfsm_net *tn);

/* ktime of an end's last transition; of the flow's age then, 27 significant bits are kept. */
u64 tcpfsm_flow_since(const struct tcpfsm_flow *f, u8 end);

/* One of its addresses, zero-padded. Needs no lock while it is alive. */
void tcpfsm_flow_addr(const struct tcpfsm_flow *f, u8 i, union tcpfsm_addr *to);

/* Copy what users see. Under the flow's lock. */
void tcpfsm_flow_snapshot(const struct tcpfsm_flow *f, struct tcpfsm_snap *s);

/* For expire.c: what becomes of a flow whose time is over. Each unlocks it. */
void tcpfsm_flow_remove(struct tcpfsm_flow *f, u8 reason)
	__releases(&f->lock);
void tcpfsm_flow_expire(struct tcpfsm_flow *f)
	__releases(&f->lock);
void tcpfsm_flow_gone(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock);

void tcpfsm_flow_lives(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock);

/* The id of the next flow; flows with lower ids exist or have existed. */
u64 tcpfsm_flow_next_id(void);

int tcpfsm_flow_init(unsigned int hashsize);
void tcpfsm_flow_exit(void);

#endif /* _TCPFSM_FLOW_H */
