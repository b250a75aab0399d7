/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which events never came. The numbers of events count per group and CPU and have no gaps, so
 * a gap is a loss. If a CPU falls silent after a loss no later number shows it; then the
 * positions of the dump that follows do.
 */
#ifndef SEQS_H
#define SEQS_H

#include "lib/base.h"

#define SEQS_CPUS	65536		/* numbers of processors are below */

enum seqs_group { SEQS_TRANSITION, SEQS_FLOW, SEQS_GROUPS };

struct seqs_cpu {
	bool seen;		/* a message came */
	u64 next;		/* number of the next event */
	u64 want;		/* it must come up to this number, exclusive */
	u64 since;		/* when that was learnt */
};

struct seqs {
	struct seqs_cpu *cpu[SEQS_GROUPS];
	unsigned int cpus;
	bool based;		/* a dump told where all CPUs are */
};

/* A message of @count events came. Return: how many before it did not; the first is *@first. */
u64 seqs_take(struct seqs *s, enum seqs_group group, u32 cpu, u64 seq, u32 count, u64 *first);

/* A dump told the number of a CPU's next event. */
void seqs_position(struct seqs *s, enum seqs_group group, u32 cpu, u64 next, u64 now);

/* Give up on what should have come long before @now; ~0: on all. @fn is told of each loss. */
void seqs_overdue(struct seqs *s, u64 now,
		  void (*fn)(enum seqs_group group, u32 cpu, u64 first, u64 count, void *arg),
		  void *arg);

void seqs_free(struct seqs *s);

#endif
