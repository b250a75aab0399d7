// SPDX-License-Identifier: GPL-2.0
/* What a namespace has on each processor. */
#include <linux/slab.h>

#include "charge.h"
#include "cpu.h"

/* What is counted when there is no memory at all: not to a namespace, but for a debugger to see. */
static struct tcpfsm_cpu homeless = {
	.lock	= __SPIN_LOCK_UNLOCKED(homeless.lock),
	.shared	= true,
};

static const struct tcpfsm_cpu_part *const *all_parts __ro_after_init;

static void release_cpu(struct tcpfsm_cpu *c)
{
	const struct tcpfsm_cpu_part *const *part;

	for (part = all_parts; *part; part++)
		(*part)->free(c);
	kfree(c);
}

static struct tcpfsm_cpu *allocate_cpu(struct tcpfsm_net *tn, bool shared)
{
	struct tcpfsm_cpu *c = tcpfsm_charge(tn, kzalloc(sizeof(*c), tcpfsm_charge_gfp(tn)));
	const struct tcpfsm_cpu_part *const *part;

	if (!c)
		return NULL;
	spin_lock_init(&c->lock);
	c->shared = shared;
	for (part = all_parts; *part; part++) {
		if (!(*part)->make(c, tn)) {
			release_cpu(c);
			return NULL;
		}
	}
	return c;
}

static struct tcpfsm_cpu *get_spare(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *spare = READ_ONCE(tn->spare), *old;

	if (spare)
		return spare;
	spare = allocate_cpu(tn, true);
	if (!spare)
		return &homeless;
	old = cmpxchg(&tn->spare, NULL, spare);
	if (!old)
		return spare;
	release_cpu(spare);
	return old;
}

noinline struct tcpfsm_cpu *tcpfsm_cpu_make(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *spare, *c, *old;

	/* A payer at its limit is not asked with each segment. */
	if (READ_ONCE(tn->starved) == ((u32)jiffies | 1))
		return READ_ONCE(tn->spare) ?: &homeless;
	spare = get_spare(tn);
	c = spare == &homeless ? NULL : allocate_cpu(tn, false);
	if (!c) {
		WRITE_ONCE(tn->starved, (u32)jiffies | 1);
		return spare;
	}
	/* With PREEMPT_RT, another bottom half may have been faster. */
	old = cmpxchg(this_cpu_ptr(tn->cpus), NULL, c);
	if (!old)
		return c;
	release_cpu(c);
	return old;
}

struct tcpfsm_cpu *tcpfsm_cpu_of(const struct tcpfsm_net *tn, unsigned int i)
{
	if (i >= nr_cpu_ids || !tn->cpus)	/* none: a namespace that was not finished */
		return READ_ONCE(tn->spare);
	return cpu_possible(i) ? READ_ONCE(*per_cpu_ptr(tn->cpus, i)) : NULL;
}

void tcpfsm_cpu_sum(const struct tcpfsm_net *tn, struct tcpfsm_stats *sums)
{
	const struct tcpfsm_cpu *c;
	unsigned int i;

	memset(sums, 0, sizeof(*sums));
	tcpfsm_for_each_cpu(i, c, tn)
		tcpfsm_stats_add(sums, &c->stats);
	tcpfsm_stats_settle(sums);
}

u64 tcpfsm_cpu_counter(const struct tcpfsm_net *tn, enum tcpfsm_counter counter)
{
	const struct tcpfsm_cpu *c;
	unsigned int i;
	u64 value = 0;

	tcpfsm_for_each_cpu(i, c, tn)
		value += READ_ONCE(c->stats.counter[counter]);
	return value;
}

void __init tcpfsm_cpu_init(const struct tcpfsm_cpu_part *const *parts)
{
	all_parts = parts;
}

int tcpfsm_cpu_net_init(struct tcpfsm_net *tn)
{
	tn->cpus = alloc_percpu_gfp(struct tcpfsm_cpu *, GFP_KERNEL_ACCOUNT);
	return tn->cpus ? 0 : -ENOMEM;
}

void tcpfsm_cpu_net_exit(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *c;
	unsigned int i;

	if (!tn->cpus)
		return;
	tcpfsm_for_each_cpu(i, c, tn)
		release_cpu(c);
	free_percpu(tn->cpus);
}
