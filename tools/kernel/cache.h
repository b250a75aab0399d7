/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of the flows whose events are followed: it joins tuples to transitions, and puts
 * the transitions of a flow that came from several CPUs into order. A transition whose flow is not
 * known yet, or whose predecessor has not come, is held for a moment.
 */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include "data/event.h"
#include "data/flow.h"
#include "lib/htab.h"
#include "lib/list.h"

/* A transition that waits. */
struct held {
	struct event event;
	struct entry *entry;
	u64 until;
	struct held *later;		/* of the same flow, by step */
	struct list_node node;		/* in cache.held */
};

struct entry {
	struct hnode node;
	u64 id;
	struct tuple tuple;
	u32 flags;
	u32 ifindex;
	u64 start;
	u32 step;		/* of the next transition, 0: not known */
	u32 generation;		/* of the dump or event that last told of it */
	u8 state[TCPFSM_ENDS];
	struct process process[TCPFSM_ENDS];	/* that have the sockets; pid 0: not known */
	struct nat *nat;	/* NULL: not translated, or not known */
	bool nat_asked;
	bool known;		/* the tuple is known, or there is no way to learn it */
	bool ended;
	u64 forget;		/* when, if it ended */
	struct list_node ended_node;	/* in cache.ended */
	struct held *held;
};

/*
 * What is known of the flow of a transition, after it, into @f, of which nothing else is set: it is
 * all zeroes before the first call.
 */
void entry_as_flow(const struct entry *entry, const struct event *e, struct flow *f);

struct cache {
	/* Is told of each transition in its turn. */
	void (*show)(struct entry *f, struct event *e, void *arg);
	/* Fills in a flow that no message told of; what stays unknown then cannot be learnt. */
	void (*ask)(struct entry *f, void *arg);
	void *arg;

	bool dumping;		/* a dump is on its way, which answers most questions */
	u32 generation;
	struct htab table;
	struct list held;		/* in the order of their time */
	struct list ended;		/* likewise */
};

/* A dump or a flow event tells of a flow. @born: all its transitions are still to come. */
void cache_learn(struct cache *c, const struct flow *f, bool born);
void cache_fill(struct cache *c, struct entry *e, const struct flow *f);
/*
 * The flow ended; transitions of it that are under way may still come. Return: what is known of it,
 * until the next call
 */
struct entry *cache_end(struct cache *c, const struct flow *f, u64 now);
void cache_transition(struct cache *c, const struct event *e, u64 now);

/* A dump begins and ends. Flows that it did not tell of are gone. */
void cache_dump_begin(struct cache *c);
void cache_dump_end(struct cache *c, u64 now);

/* Shows what has waited long enough. Return: ns until there is more to do, ~0: nothing waits. */
u64 cache_tick(struct cache *c, u64 now);

/* Shows what still waits, and frees everything. */
void cache_free(struct cache *c);

#endif
