/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a flow is.
 *
 * The table holds a flow until it ends; readers meet it there under RCU and lock it. Nobody keeps a
 * pointer beyond that, so there is no reference count.
 *
 * Locks nest flow->lock, then a bucket's or a queue's. All are taken with bottom halves off.
 */
#ifndef _TCPFSM_FLOW_H
#define _TCPFSM_FLOW_H

#include <linux/socket.h>
#include <linux/spinlock.h>

#include "core/tfsm.h"
#include "report.h"
#include "service.h"
#include "tuple.h"

struct tcpfsm_net;

/* What only flows with a local socket need, and those of more than 2^32 packets. */
struct tcpfsm_local {
	u64		     id;	/* of the flow */
	u32		     packets[TCPFSM_ENDS];	/* the upper half of what is counted */
	struct tcpfsm_socket end[TCPFSM_ENDS];
};

/*
 * There are millions of these: 176 bytes for IPv4. A segment in order needs the first 128, and what
 * it is looked up by is in front.
 */
struct tcpfsm_flow {
	/* lookup, under RCU */
	union {
		u64		key;
		__be32		ip4[2];
	};
	union {
		__be16		port[2];
		u32		ports;
	};

	spinlock_t		lock;		/* all below */
	u32			tag;		/* of its namespace; 0: not alive */
	u32			l3;
	struct tfsm		fsm;		/* its word: the id, or a struct tcpfsm_local */
	u32			last;		/* jiffies when its time-out began anew */
	u64			bytes[TCPFSM_ENDS];
	u32			packets[TCPFSM_ENDS];	/* the lower half */

	/* per transition */
	u32			stamp;		/* of its ticket, jiffies */
	u8			queue:4;	/* where its ticket is, enum tcpfsm_queue */
	u8			waits:4;	/* where it belongs, likewise */
	u8			orig:1;		/* index of orig in the canonical order */
	u8			local:1;	/* there is a struct tcpfsm_local */
	u8			noted:2;	/* by end: it holds that end's socket */
	bool			is_ip6;		/* also read without the lock */
	u8			refused;	/* segments, 255: or more */
	struct tcpfsm_flow __rcu *next;		/* in its bucket's chain; under RCU */
	struct tcpfsm_service	*service;	/* which knows the namespace */
	u64			start;		/* ktime of the first segment */
	u32			moved[TCPFSM_ENDS];	/* last transition: a span since then */
	u32			history[TCPFSM_ENDS];	/* 8 states, latest lowest */

	struct in6_addr		ip6[2];		/* only in the IPv6 slab */
};

static inline u8 tcpfsm_flow_family(const struct tcpfsm_flow *f)
{
	return f->is_ip6 ? AF_INET6 : AF_INET;
}

/* Under its lock, while it is alive and has a service. */
static inline struct tcpfsm_net *tcpfsm_flow_net(const struct tcpfsm_flow *f)
{
	return f->service->tn;
}

/*
 * Set all of a flow that has just been allocated, but for the engine's work: the flow is alive, has
 * a new id, and its ends are UNSET. Its service is the caller's to set. Under its lock.
 */
void tcpfsm_flow_init(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t, u8 orig, u64 now);

/* Under the flow's lock. The second: NULL if no local socket was seen. */
u64 tcpfsm_flow_id(const struct tcpfsm_flow *f);
struct tcpfsm_local *tcpfsm_flow_local(const struct tcpfsm_flow *f);

/* Give it a struct tcpfsm_local, zeroed, or return the one it has. NULL: no memory. */
struct tcpfsm_local *tcpfsm_flow_add_local(struct tcpfsm_flow *f);

/* The lower half of an end's packets has wrapped. Without memory it stays at its most. */
void tcpfsm_flow_carry(struct tcpfsm_flow *f, u8 end);

/* One end has sent so many packets more, of so many bytes together. */
static inline void tcpfsm_flow_sent(struct tcpfsm_flow *f, u8 end, u32 packets, u32 bytes)
{
	f->bytes[end] += bytes;
	f->packets[end] += packets;
	if (unlikely(f->packets[end] < packets))
		tcpfsm_flow_carry(f, end);
}

/* Count for the flow what it had kept of SYNs, and is its own (tfsm_take_uncounted()). */
void tcpfsm_flow_count_kept(struct tcpfsm_flow *f);

/* Memory for the engine's extension of the namespace's flow: zeroed; NULL if there is none. */
struct tfsm_ext *tcpfsm_flow_alloc_ext(const struct tcpfsm_net *tn);
void tcpfsm_flow_free_ext(struct tfsm_ext *ext);

/*
 * sparse cannot follow a lock out of a function that takes it under a condition. Such a function
 * says that it hands the lock over, and its caller takes it where the condition holds.
 */
#ifdef __CHECKER__
#define tcpfsm_hand_over(lock)		__context__(lock, -1)
#define tcpfsm_locked_if(lock, cond)	((cond) ? ({ __context__(lock, 1); 1; }) : 0)
#else
#define tcpfsm_hand_over(lock)		do { } while (0)
#define tcpfsm_locked_if(lock, cond)	(cond)
#endif

/*
 * Lock a flow met under RCU, if it still is the one with this id, of the namespace with this tag.
 * Return: false, and it is not locked, if it is not.
 */
#define tcpfsm_flow_lock(f, tag, id) \
	tcpfsm_locked_if(&(f)->lock, tcpfsm_flow_do_lock(f, tag, id))
bool tcpfsm_flow_do_lock(struct tcpfsm_flow *f, u32 tag, u64 id);

/* ktime of an end's last transition: of the flow's age then, 27 significant bits are kept. */
u64 tcpfsm_flow_since(const struct tcpfsm_flow *f, u8 end);

/* An end has moved to a state at this age of the flow. Return: how long it was in the last; ns. */
u64 tcpfsm_flow_moved(struct tcpfsm_flow *f, u8 end, u8 state, u64 age);

/* One of its addresses, zero-padded. Needs no lock while it is alive. */
void tcpfsm_flow_addr(const struct tcpfsm_flow *f, u8 i, union tcpfsm_addr *to);

/* Copy what users see: all; or id and tuple only. Under the flow's lock. */
void tcpfsm_flow_snapshot(const struct tcpfsm_flow *f, struct tcpfsm_snap *s);
void tcpfsm_flow_identify(const struct tcpfsm_flow *f, struct tcpfsm_snap *s);

int tcpfsm_flow_slabs_init(void);
void tcpfsm_flow_slabs_exit(void);

#endif /* _TCPFSM_FLOW_H */
