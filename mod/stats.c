// SPDX-License-Identifier: GPL-2.0
/* Counters of a namespace. */
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "stats.h"

const char *const tcpfsm_counter_name[TCPFSM_COUNTERS] = {
#define X(name, help) #name,
	TCPFSM_NOTE_LIST(X)
	TCPFSM_SHELL_LIST(X)
#undef X
};

const char *const tcpfsm_counter_help[TCPFSM_COUNTERS] = {
#define X(name, help) help,
	TCPFSM_NOTE_LIST(X)
	TCPFSM_SHELL_LIST(X)
#undef X
};

static unsigned int shards __ro_after_init;
static bool shared __read_mostly;	/* several writers may have the same shard */

/* Where counts go when there is no memory for a shard: not to a namespace, but not lost from
 * sight in a debugger either.
 */
static struct tcpfsm_stats homeless;

void __init tcpfsm_stats_init(void)
{
	shards = min_t(unsigned int, roundup_pow_of_two(nr_cpu_ids), TCPFSM_SHARDS_MAX);
	/* With PREEMPT_RT, bottom halves may preempt each other. */
	shared = shards < nr_cpu_ids || IS_ENABLED(CONFIG_PREEMPT_RT);
}

static void add_to(atomic64_t *counter, s64 n)
{
	if (READ_ONCE(shared))
		atomic64_add(n, counter);
	else
		atomic64_set(counter, atomic64_read(counter) + n);
}

static void add_segments(struct tcpfsm_net *tn)
{
	u64 __percpu *new = alloc_percpu_gfp(u64, GFP_ATOMIC | __GFP_NOWARN);

	if (new && cmpxchg(&tn->segments, NULL, new))
		free_percpu(new);
}

static noinline struct tcpfsm_stats *add_shard(struct tcpfsm_net *tn, unsigned int i)
{
	struct tcpfsm_stats *new = kzalloc(sizeof(*new), GFP_ATOMIC | __GFP_NOWARN), *old;

	if (!READ_ONCE(tn->segments))
		add_segments(tn);
	if (!new) {
		/* Any shard is as right as another, only slower: it has two writers now. */
		WRITE_ONCE(shared, true);
		for (i = 0; i < shards; i++)
			if (READ_ONCE(tn->stats[i]))
				return tn->stats[i];
		return &homeless;
	}
	old = cmpxchg(&tn->stats[i], NULL, new);
	if (!old)
		return new;
	kfree(new);
	return old;
}

static struct tcpfsm_stats *shard_of(struct tcpfsm_net *tn)
{
	unsigned int i = smp_processor_id() & (shards - 1);
	struct tcpfsm_stats *s = READ_ONCE(tn->stats[i]);

	return likely(s) ? s : add_shard(tn, i);
}

void tcpfsm_count(struct tcpfsm_net *tn, enum tcpfsm_counter c)
{
	add_to(&shard_of(tn)->counter[c], 1);
}

static unsigned int dwell_bucket(u64 ns)
{
	u64 us = div_u64(ns, NSEC_PER_USEC);

	return us ? min_t(unsigned int, ilog2(us), TCPFSM_DWELL_BUCKETS - 1) : 0;
}

static const u8 ended_as[TCPFSM_REASONS] = {
	[TCPFSM_REASON_FIN]	  = TCPFSM_C_ended_fin,
	[TCPFSM_REASON_RST_ORIG]  = TCPFSM_C_ended_rst,
	[TCPFSM_REASON_RST_RESP]  = TCPFSM_C_ended_rst,
	[TCPFSM_REASON_RST_HOST]  = TCPFSM_C_ended_rst,
	[TCPFSM_REASON_REFUSED]	  = TCPFSM_C_ended_refused,
	[TCPFSM_REASON_STALE_SYN] = TCPFSM_C_ended_stale_syn,
	[TCPFSM_REASON_SILENT]	  = TCPFSM_C_ended_silent,
	[TCPFSM_REASON_TIMEOUT]	  = TCPFSM_C_ended_timeout,
	[TCPFSM_REASON_REOPENED]  = TCPFSM_C_ended_reopened,
	[TCPFSM_REASON_EVICTED]	  = TCPFSM_C_ended_evicted,
	[TCPFSM_REASON_FLUSHED]	  = TCPFSM_C_ended_flushed,
};

void tcpfsm_stats_report(const struct tcpfsm_report *r)
{
	struct tcpfsm_stats *s = shard_of(r->tn);
	u64 notes = r->notes;
	unsigned int i;

	for (; notes; notes &= notes - 1)	/* notes come first among the counters */
		add_to(&s->counter[__ffs64(notes)], 1);
	for (i = 0; i < r->moves; i++) {
		const struct tfsm_move *m = &r->move[i];

		add_to(&s->transition[m->from][m->to], 1);
		add_to(&s->dwell[m->from][dwell_bucket(r->dwell[i])], 1);
	}
	if (r->before[TCPFSM_ORIG] && (r->moves || r->reason))
		add_to(&s->pair[r->before[TCPFSM_ORIG]][r->before[TCPFSM_RESP]], -1);
	if (r->moves && !r->reason)
		add_to(&s->pair[r->after[TCPFSM_ORIG]][r->after[TCPFSM_RESP]], 1);
	if (r->opened)
		add_to(&s->counter[r->midstream ? TCPFSM_C_flows_midstream :
					       TCPFSM_C_flows_opened], 1);
	if (r->reason)
		add_to(&s->counter[ended_as[r->reason]], 1);
}

bool tcpfsm_stats_seen(const struct tcpfsm_net *tn)
{
	unsigned int i;

	for (i = 0; i < shards; i++)
		if (READ_ONCE(tn->stats[i]))
			return true;
	return false;
}

static void sum_shard(u64 *to, const atomic64_t *from, unsigned int n)
{
	while (n--)
		*to++ += atomic64_read(from++);
}

static u64 sum_segments(const struct tcpfsm_net *tn)
{
	u64 __percpu *all = READ_ONCE(tn->segments);
	u64 value = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		value += all ? READ_ONCE(*per_cpu_ptr(all, cpu)) : 0;
	return value;
}

void tcpfsm_stats_sum(struct tcpfsm_net *tn, struct tcpfsm_sums *sums)
{
	u64 *pair = &sums->pair[0][0];
	unsigned int i;

	memset(sums, 0, sizeof(*sums));
	for (i = 0; i < shards; i++) {
		const struct tcpfsm_stats *s = READ_ONCE(tn->stats[i]);

		if (!s)
			continue;
		sum_shard(sums->counter, s->counter, ARRAY_SIZE(s->counter));
		sum_shard(pair, &s->pair[0][0], TCPFSM_STATES * TCPFSM_STATES);
		sum_shard(&sums->transition[0][0], &s->transition[0][0],
			  TCPFSM_STATES * TCPFSM_STATES);
		sum_shard(&sums->dwell[0][0], &s->dwell[0][0],
			  TCPFSM_STATES * TCPFSM_DWELL_BUCKETS);
	}
	sums->counter[TCPFSM_C_segments] += sum_segments(tn);
	/* A gauge read between two shards' halves of a move may be one below zero. */
	for (i = 0; i < TCPFSM_STATES * TCPFSM_STATES; i++)
		if ((s64)pair[i] < 0)
			pair[i] = 0;
}

u64 tcpfsm_stats_counter(struct tcpfsm_net *tn, enum tcpfsm_counter c)
{
	u64 value = c == TCPFSM_C_segments ? sum_segments(tn) : 0;
	unsigned int i;

	for (i = 0; i < shards; i++) {
		const struct tcpfsm_stats *s = READ_ONCE(tn->stats[i]);

		if (s)
			value += atomic64_read(&s->counter[c]);
	}
	return value;
}

void tcpfsm_stats_free(struct tcpfsm_net *tn)
{
	unsigned int i;

	for (i = 0; i < TCPFSM_SHARDS_MAX; i++)
		kfree(tn->stats[i]);
	free_percpu(tn->segments);
}
