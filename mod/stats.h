/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a namespace, or of a part of it that one processor counts. */
#ifndef _TCPFSM_STATS_H
#define _TCPFSM_STATS_H

#include <linux/compiler.h>

#include "../include/tcpfsm_names.h"
#include "report.h"

enum tcpfsm_counter {
#define X(name, help) TCPFSM_C_##name,
	TCPFSM_NOTE_LIST(X)
	TCPFSM_SHELL_LIST(X)
#undef X
	TCPFSM_COUNTERS,
};

struct tcpfsm_stats {
	u64 counter[TCPFSM_COUNTERS];
	u64 pair[TCPFSM_STATES][TCPFSM_STATES];	/* gauge; that of one processor may be negative */
	u64 transition[TCPFSM_STATES][TCPFSM_STATES];
	u64 dwell[TCPFSM_STATES][TCPFSM_DWELL_BUCKETS];
};

extern const char *const tcpfsm_counter_name[TCPFSM_COUNTERS];
extern const char *const tcpfsm_counter_help[TCPFSM_COUNTERS];

/* There is one writer; others read meanwhile. */
static inline void tcpfsm_add(u64 *to, u64 n)
{
	WRITE_ONCE(*to, *to + n);
}

void tcpfsm_stats_report(struct tcpfsm_stats *s, const struct tcpfsm_report *r);

/* Add what another processor counts meanwhile. */
void tcpfsm_stats_add(struct tcpfsm_stats *to, const struct tcpfsm_stats *from);

/* The sum is whole: a gauge, read between two processors' halves of a move, is not negative. */
void tcpfsm_stats_settle(struct tcpfsm_stats *s);

#endif /* _TCPFSM_STATS_H */
