/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a namespace, in a few shards rather than one for each CPU: a namespace on a big host
 * must not pay for all its CPUs.
 */
#ifndef _TCPFSM_STATS_H
#define _TCPFSM_STATS_H

#include <linux/percpu.h>

#include "../include/tcpfsm_names.h"
#include "netns.h"
#include "report.h"

enum tcpfsm_counter {
#define X(name, help) TCPFSM_C_##name,
	TCPFSM_NOTE_LIST(X)
	TCPFSM_SHELL_LIST(X)
#undef X
	TCPFSM_COUNTERS,
};

struct tcpfsm_stats {
	atomic64_t counter[TCPFSM_COUNTERS];
	atomic64_t pair[TCPFSM_STATES][TCPFSM_STATES];	/* gauge, a shard may be negative */
	atomic64_t transition[TCPFSM_STATES][TCPFSM_STATES];
	atomic64_t dwell[TCPFSM_STATES][TCPFSM_DWELL_BUCKETS];
};

struct tcpfsm_sums {
	u64 counter[TCPFSM_COUNTERS];
	u64 pair[TCPFSM_STATES][TCPFSM_STATES];
	u64 transition[TCPFSM_STATES][TCPFSM_STATES];
	u64 dwell[TCPFSM_STATES][TCPFSM_DWELL_BUCKETS];
};

extern const char *const tcpfsm_counter_name[TCPFSM_COUNTERS];
extern const char *const tcpfsm_counter_help[TCPFSM_COUNTERS];

void tcpfsm_stats_init(void);
void tcpfsm_stats_free(struct tcpfsm_net *tn);

/* Context: bottom halves off. */
void tcpfsm_count(struct tcpfsm_net *tn, enum tcpfsm_counter c);
void tcpfsm_stats_report(const struct tcpfsm_report *r);

/* Once for each segment, hence not where other processors count, too. */
static inline void tcpfsm_count_segment(struct tcpfsm_net *tn)
{
	u64 __percpu *segments = READ_ONCE(tn->segments);

	if (unlikely(!segments))
		tcpfsm_count(tn, TCPFSM_C_segments);
	else if (IS_ENABLED(CONFIG_PREEMPT_RT))
		this_cpu_inc(*segments);
	else
		WRITE_ONCE(*this_cpu_ptr(segments), *this_cpu_ptr(segments) + 1);
}

/* Has the namespace seen TCP? */
bool tcpfsm_stats_seen(const struct tcpfsm_net *tn);

/* Sum the shards, at a cost that does not depend on flows. */
void tcpfsm_stats_sum(struct tcpfsm_net *tn, struct tcpfsm_sums *sums);
u64 tcpfsm_stats_counter(struct tcpfsm_net *tn, enum tcpfsm_counter c);

#endif /* _TCPFSM_STATS_H */
