// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "kernel/seqs.h"
#include "lib/memory.h"

#define PATIENCE	(500 * NSEC_PER_MS)	/* messages leave the kernel within 10 ms */

static struct seqs_cpu *get_cpu(struct seqs *s, enum seqs_group group, u32 cpu)
{
	unsigned int cpus = s->cpus ? s->cpus : 16, g;

	while (cpus <= cpu)
		cpus *= 2;
	for (g = 0; g < SEQS_GROUPS && cpus != s->cpus; g++) {
		struct seqs_cpu *more = zalloc(cpus * sizeof(*more));

		if (s->cpus)
			memcpy(more, s->cpu[g], s->cpus * sizeof(*more));
		free(s->cpu[g]);
		s->cpu[g] = more;
	}
	s->cpus = cpus;
	return &s->cpu[group][cpu];
}

u64 seqs_take(struct seqs *s, enum seqs_group group, u32 cpu, u64 seq, u32 count, u64 *first)
{
	struct seqs_cpu *c = get_cpu(s, group, cpu);
	u64 lost = 0;

	*first = c->next;
	/* Until the first dump tells positions, any number may be the first. */
	if ((c->seen || s->based) && seq > c->next)
		lost = seq - c->next;
	c->seen = true;
	c->next = seq + count;
	return lost;
}

void seqs_position(struct seqs *s, enum seqs_group group, u32 cpu, u64 next, u64 now)
{
	struct seqs_cpu *c = get_cpu(s, group, cpu);

	if (!c->seen && !s->based)
		c->next = next;
	c->want = next;
	c->since = now;
}

void seqs_overdue(struct seqs *s, u64 now,
		  void (*fn)(enum seqs_group group, u32 cpu, u64 first, u64 count, void *arg),
		  void *arg)
{
	unsigned int g, i;

	for (g = 0; g < SEQS_GROUPS; g++) {
		for (i = 0; i < s->cpus; i++) {
			struct seqs_cpu *c = &s->cpu[g][i];

			if (c->next >= c->want || now - c->since < PATIENCE)
				continue;
			fn(g, i, c->next, c->want - c->next, arg);
			c->next = c->want;
			c->seen = true;
		}
	}
}

void seqs_free(struct seqs *s)
{
	unsigned int g;

	for (g = 0; g < SEQS_GROUPS; g++)
		free(s->cpu[g]);
}
