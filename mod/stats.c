// SPDX-License-Identifier: GPL-2.0
/* Counters of a namespace. */
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

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
	[TCPFSM_REASON_UNREACHABLE] = TCPFSM_C_ended_unreachable,
};

void tcpfsm_stats_report(struct tcpfsm_stats *s, const struct tcpfsm_report *r)
{
	u64 notes = r->notes;
	unsigned int i;

	for (; notes; notes &= notes - 1)	/* notes come first among the counters */
		tcpfsm_add(&s->counter[__ffs64(notes)], 1);
	for (i = 0; i < r->moves; i++) {
		const struct tfsm_move *m = &r->move[i];

		tcpfsm_add(&s->transition[m->from][m->to], 1);
		tcpfsm_add(&s->dwell[m->from][dwell_bucket(r->dwell[i])], 1);
	}
	if (r->before[TCPFSM_ORIG] && (r->moves || r->reason))
		tcpfsm_add(&s->pair[r->before[TCPFSM_ORIG]][r->before[TCPFSM_RESP]], -1);
	if (r->moves && !r->reason)
		tcpfsm_add(&s->pair[r->after[TCPFSM_ORIG]][r->after[TCPFSM_RESP]], 1);
	if (r->opened)
		tcpfsm_add(&s->counter[r->midstream ? TCPFSM_C_flows_midstream :
						      TCPFSM_C_flows_opened], 1);
	if (r->reason)
		tcpfsm_add(&s->counter[ended_as[r->reason]], 1);
}

void tcpfsm_stats_add(struct tcpfsm_stats *to, const struct tcpfsm_stats *from)
{
	const u64 *value = (const u64 *)from;
	u64 *sum = (u64 *)to;
	size_t i;

	for (i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += READ_ONCE(value[i]);
}

void tcpfsm_stats_settle(struct tcpfsm_stats *s)
{
	u64 *pair = &s->pair[0][0];
	unsigned int i;

	for (i = 0; i < TCPFSM_STATES * TCPFSM_STATES; i++)
		if ((s64)pair[i] < 0)
			pair[i] = 0;
}
