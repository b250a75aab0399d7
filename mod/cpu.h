/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a namespace has on each processor. Only that processor writes it, with bottom halves off, so
 * counting takes no locked instruction and moves no cache line; readers sum over all of them. It is
 * made when the namespace's first segment passes on the processor.
 *
 * A processor for which there is no memory uses the namespace's spare, which has a lock. So does
 * every processor with PREEMPT_RT, where bottom halves may preempt each other.
 */
#ifndef _TCPFSM_CPU_H
#define _TCPFSM_CPU_H

#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "netns.h"
#include "stats.h"

struct tcpfsm_log;
struct tcpfsm_queues;

/* How often in a row something has failed within a jiffy. */
struct tcpfsm_failures {
	unsigned long	jiffy;
	unsigned int	nr;
};

struct tcpfsm_cpu {
	struct tcpfsm_stats	stats;
	struct tcpfsm_log __rcu	*log;
	struct tcpfsm_queues	*queues;
	int			flows;		/* more than the namespace was told, owner.c */
	u64			next_id;	/* of a flow, flow.c */
	u64			end_of_ids;	/* that this processor has taken */
	unsigned long		quiet_at;	/* jiffies: nobody listened; event.c */
	int			quiet_after;	/* requests for positions */
	struct tcpfsm_failures	found_none[2];	/* searches for a flow to evict, evict.c */
	spinlock_t		lock;	/* if it is shared */
	bool			shared;
};

/* What others keep in it. */
struct tcpfsm_cpu_part {
	bool (*make)(struct tcpfsm_cpu *c, struct tcpfsm_net *tn);	/* false: no memory */
	void (*free)(struct tcpfsm_cpu *c);	/* also if it was not made */
};

void tcpfsm_cpu_init(const struct tcpfsm_cpu_part *const *parts);	/* NULL at their end */

/* Make what this processor lacks. Return: the spare if there is no memory. */
struct tcpfsm_cpu *tcpfsm_cpu_make(struct tcpfsm_net *tn);

static inline bool tcpfsm_cpu_is_locked(const struct tcpfsm_cpu *c)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) || unlikely(c->shared);
}

/*
 * To write it; then put it. Context: bottom halves off. sparse does not follow a lock that is taken
 * under a condition, and is not shown it.
 */
#ifdef __CHECKER__
struct tcpfsm_cpu *tcpfsm_cpu_get(struct tcpfsm_net *tn);
void tcpfsm_cpu_put(struct tcpfsm_cpu *c);
#else
static inline struct tcpfsm_cpu *tcpfsm_cpu_get(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *c = *this_cpu_ptr(tn->cpus);

	if (unlikely(!c))
		c = tcpfsm_cpu_make(tn);
	if (tcpfsm_cpu_is_locked(c))
		spin_lock(&c->lock);
	return c;
}

static inline void tcpfsm_cpu_put(struct tcpfsm_cpu *c)
{
	if (tcpfsm_cpu_is_locked(c))
		spin_unlock(&c->lock);
}
#endif

/*
 * Has the namespace a spare? Then what is counted from here on is not lost: a flow may begin. So it
 * is as soon as a segment has been counted, unless there was no memory.
 */
static inline bool tcpfsm_cpu_ready(const struct tcpfsm_net *tn)
{
	return READ_ONCE(tn->spare);
}

/* Of a processor, or (nr_cpu_ids) the spare; NULL if there is none. Under RCU or RTNL's like. */
struct tcpfsm_cpu *tcpfsm_cpu_of(const struct tcpfsm_net *tn, unsigned int i);

/* Of all processors and the spare: i is the number for tcpfsm_cpu_of(). */
#define tcpfsm_for_each_cpu(i, c, tn)					\
	for ((i) = 0; (c) = tcpfsm_cpu_of(tn, i), (i) <= nr_cpu_ids; (i)++) \
		if (c)

static inline void tcpfsm_count_many(struct tcpfsm_net *tn, enum tcpfsm_counter counter, u64 n)
{
	struct tcpfsm_cpu *c = tcpfsm_cpu_get(tn);

	tcpfsm_add(&c->stats.counter[counter], n);
	tcpfsm_cpu_put(c);
}

static inline void tcpfsm_count(struct tcpfsm_net *tn, enum tcpfsm_counter counter)
{
	tcpfsm_count_many(tn, counter, 1);
}

/* Sum the counters, at a cost that does not depend on flows. */
void tcpfsm_cpu_sum(const struct tcpfsm_net *tn, struct tcpfsm_stats *sums);
u64 tcpfsm_cpu_counter(const struct tcpfsm_net *tn, enum tcpfsm_counter counter);

int tcpfsm_cpu_net_init(struct tcpfsm_net *tn);
void tcpfsm_cpu_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_CPU_H */
