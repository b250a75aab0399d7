/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table that holds all flows of all namespaces.
 *
 * Lookups run under RCU alone. The slab is type-safe (SLAB_TYPESAFE_BY_RCU): memory of a freed
 * flow may become another flow at any time, but stays a flow. So a reader locks what it has found,
 * then checks that this is still alive and still the flow that it looks for.
 */
#ifndef _TCPFSM_TABLE_H
#define _TCPFSM_TABLE_H

#include "flow.h"
#include "netns.h"
#include "tuple.h"

/* Set the tuple's key and hash from the rest of it; what follows will look there. */
void tcpfsm_table_hash(struct tcpfsm_tuple *t);

/*
 * Find a flow and lock it, or return NULL. Context: RCU read side, bottom halves off, as for all
 * here.
 */
#define tcpfsm_table_find_lock(t) ({					\
	struct tcpfsm_flow *found = tcpfsm_table_do_find_lock(t);	\
	tcpfsm_locked_if(&found->lock, found) ? found : NULL; })
struct tcpfsm_flow *tcpfsm_table_do_find_lock(const struct tcpfsm_tuple *t);

/* The hash of a locked flow's tuple. */
u32 tcpfsm_table_hash_of(const struct tcpfsm_flow *f);

/*
 * Who holds a ticket: what the flow has to be, all of it. Two flows that agree in it may stand in
 * for each other: both are due.
 */
struct tcpfsm_holder {
	u32	hash;
	u32	tag;		/* of the namespace */
	u32	stamp;
	u16	id;		/* low bits */
	u8	queue;
};

/* Find such a flow, or return NULL. Its lock is handed over: tcpfsm_queue_lock() takes it. */
struct tcpfsm_flow *tcpfsm_table_do_find_holder(const struct tcpfsm_holder *h);

/*
 * Memory for a flow of this family, or NULL. Its lock is initialized, and it is in no list;
 * f->is_ip6 has to be set before it is freed. A flow is charged to its namespace's owner before it
 * is allocated, and uncharged where it is freed.
 */
struct tcpfsm_flow *tcpfsm_table_alloc(const struct tcpfsm_net *tn, u8 family);
void tcpfsm_table_free(struct tcpfsm_flow *f, const struct tcpfsm_net *tn);

/*
 * Put in a new, locked flow. Return: -EEXIST if its tuple is there already; -ENOSPC if too many
 * others are in its bucket, for all that is done with a bucket takes a bounded time.
 */
int tcpfsm_table_insert(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t);

/* Take out a locked flow that is still alive. */
void tcpfsm_table_remove(struct tcpfsm_flow *f);

unsigned int tcpfsm_table_buckets(void);

/* What a walk through the table looks for. */
struct tcpfsm_walk {
	u32		tag;		/* of the namespace whose flows it wants */
	u64		begun;		/* ktime: flows that have started since are passed over */
	/* Asked under the flow's lock; NULL: it wants all. */
	bool		(*want)(const struct tcpfsm_flow *f, const void *arg);
	const void	*arg;
};

/*
 * tcpfsm_table_next - copy the next flow of a bucket
 * @bucket: below tcpfsm_table_buckets()
 * @at: in, out: how far the walk has come within it; 0 to begin, opaque
 * @snap: out
 *
 * A walk from bucket to bucket meets every flow that stays meanwhile, once.
 *
 * Return: false if there are no more. Context: process.
 */
bool tcpfsm_table_next(unsigned int bucket, u64 *at, const struct tcpfsm_walk *w,
		       struct tcpfsm_snap *snap);

/* @hashsize: for how many flows there is room before chains begin to grow, a power of two. */
int tcpfsm_table_init(unsigned int hashsize);
void tcpfsm_table_exit(void);

#endif /* _TCPFSM_TABLE_H */
