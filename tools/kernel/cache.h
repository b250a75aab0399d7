/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What monitor knows of flows, to join tuples to transitions and to put the transitions of a
 * flow that came over several CPUs into order. A transition whose flow is not known yet, or
 * whose predecessor has not come, is held for a moment.
 */
#ifndef CACHE_H
#define CACHE_H

#include "data/flow.h"
#include "lib/htab.h"

/* A transition that waits. */
struct held {
	struct event event;
	struct entry *entry;
	u64 until;
	struct held *later;		/* of the same flow, by step */
	struct held *before, *after;	/* of all, by time */
};

struct entry {
	struct hnode node;
	u64 id;
	struct tuple tuple;
	u32 flags;
	u32 ifindex;
	u64 start;
	u32 step;		/* the next one to come, 0: not known */
	u32 generation;		/* of the dump or event that last told of it */
	u8 state[TCPFSM_ENDS];
	bool known;		/* the tuple is, or there is no way to learn it */
	bool ended;
	u64 forget;		/* ended: when */
	struct entry *next_ended;
	struct held *held;
};

struct cache {
	/* Told of each transition in its turn. */
	void (*show)(struct entry *f, struct event *e, void *arg);
	/* Fill in a flow that nothing came of; it cannot be learnt if it stays unknown. */
	void (*ask)(struct entry *f, void *arg);
	void *arg;

	bool dumping;		/* the answer to most questions is on its way */
	u32 generation;
	struct htab table;
	struct held *first, *last;
	struct entry *first_ended, *last_ended;
};

/* What a dump or a flow event says. @born: all its transitions are still to come */
void cache_learn(struct cache *c, const struct flow *f, bool born);
void cache_fill(struct cache *c, struct entry *e, const struct flow *f);
/* The flow ended; what is under way of it may still come. */
void cache_end(struct cache *c, const struct flow *f, u64 now);
void cache_transition(struct cache *c, const struct event *e, u64 now);

/* A dump begins and ends. What it did not tell of is gone. */
void cache_dump_begin(struct cache *c);
void cache_dump_end(struct cache *c, u64 now);

/* What has waited long enough. Return: ns until there is more to do, ~0 if nothing waits. */
u64 cache_tick(struct cache *c, u64 now);

/* Show what still waits, and free all. */
void cache_free(struct cache *c);

#endif
