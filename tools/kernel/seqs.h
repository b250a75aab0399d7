/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which events never came. Events are numbered per group and CPU without gaps, so that a gap is a
 * loss. If a CPU falls silent after a loss, no later number shows it; the positions in the next
 * dump do.
 */
#ifndef KERNEL_SEQS_H
#define KERNEL_SEQS_H

#include "lib/base.h"

#define SEQS_CPUS	65536		/* the number of a processor is lower */

enum seqs_group { SEQS_TRANSITION, SEQS_FLOW, SEQS_GROUPS };

struct seqs_cpu {
	bool seen;		/* a message came */
	u64 next;		/* number of the next event */
	u64 want;		/* numbers below this one must still come */
	u64 since;		/* when that was learnt */
};

struct seqs {
	struct seqs_cpu *cpu[SEQS_GROUPS];
	unsigned int cpus;
	bool based;		/* a dump told where all CPUs are */
};

/* A message of @count events came. Return: how many before it never did, from *@first on */
u64 seqs_take(struct seqs *s, enum seqs_group group, u32 cpu, u64 seq, u32 count, u64 *first);

/* A dump told the number of a CPU's next event. */
void seqs_position(struct seqs *s, enum seqs_group group, u32 cpu, u64 next, u64 now);

/* Gives up on events that should have come long before @now; ~0: on all. @fn is told of losses. */
void seqs_overdue(struct seqs *s, u64 now,
		  void (*fn)(enum seqs_group group, u32 cpu, u64 first, u64 count, void *arg),
		  void *arg);

void seqs_free(struct seqs *s);

#endif
