// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/htab.h"
#include "lib/memory.h"
#include "record/block.h"

static void note_when(struct block *b, u64 when)
{
	if (!b->first || when < b->first)
		b->first = when;
	if (when > b->last)
		b->last = when;
}

static void *grow_array(void *array, size_t *room, size_t size)
{
	*room = *room ? 2 * *room : 64;
	array = reallocarray(array, *room, size);
	if (!array)
		out_of_memory();
	return array;
}

/* One more of an array of the block. */
#define APPEND(array)	(*((array).n < (array).room ? (void)0 : (void)	\
			   ((array).at = grow_array((array).at, &(array).room,	\
						    sizeof(*(array).at))), \
			 &(array).at[(array).n++]))

static u32 find_netns(struct block *b, const struct netns *ns)
{
	size_t i;

	if (!ns)
		return BLOCK_NONE;
	for (i = b->netns.n; i-- > 0;)
		if (b->netns.at[i].inode == ns->inode)
			return i;
	APPEND(b->netns) = *ns;
	return b->netns.n - 1;
}

/* ---- flows by their numbers ---- */

static void grow_slots(struct block *b)
{
	size_t i, at;

	b->slots = b->slots ? 2 * b->slots : 1024;
	free(b->slot);
	b->slot = malloc(b->slots * sizeof(*b->slot));
	if (!b->slot)
		out_of_memory();
	memset(b->slot, 0xff, b->slots * sizeof(*b->slot));
	for (i = 0; i < b->flow.n; i++) {
		at = hash_mix(b->flow.at[i].id);
		while (b->slot[at & (b->slots - 1)] != BLOCK_NONE)
			at++;
		b->slot[at & (b->slots - 1)] = i;
	}
}

/* Return: where it is, or is to be */
static u32 *find_slot(struct block *b, u64 id, u32 netns)
{
	size_t at = hash_mix(id);
	u32 *slot;

	if (2 * b->flow.n >= b->slots)
		grow_slots(b);
	for (;; at++) {
		slot = &b->slot[at & (b->slots - 1)];
		if (*slot == BLOCK_NONE ||
		    (b->flow.at[*slot].id == id && b->flow.at[*slot].netns == netns))
			return slot;
	}
}

static struct block_flow *get_flow(struct block *b, const struct flow *f, const struct event *e)
{
	u32 netns = find_netns(b, f->netns), *slot = find_slot(b, f->id, netns);
	struct block_flow *have;
	unsigned int i;

	if (*slot != BLOCK_NONE) {
		have = &b->flow.at[*slot];
		/* After a loss, its addresses become known later. */
		if (!have->tuple.family)
			have->tuple = f->tuple;
		if (!have->start)
			have->start = f->start;
		return have;
	}
	*slot = b->flow.n;
	have = &APPEND(b->flow);
	*have = (struct block_flow){
		.id = f->id, .start = f->start, .tuple = f->tuple, .netns = netns,
		.first = BLOCK_NONE, .last = BLOCK_NONE,
	};
	for (i = 0; i < TCPFSM_ENDS; i++)
		have->state[i] = f->end[i].state;
	have->state[e->end] = e->from;
	return have;
}

/* ---- what is collected ---- */

static void keep_process(struct process *to, const struct process *p)
{
	if (p && !to->pid)
		*to = *p;
}

void block_add_event(struct block *b, const struct flow *f, const struct event *e)
{
	struct block_flow *flow = get_flow(b, f, e);
	unsigned int i;

	if (e->nat)
		flow->nat = *e->nat;
	for (i = 0; i < TCPFSM_ENDS; i++)
		keep_process(&flow->process[i], e->process[i]);
	if (flow->moves++)
		b->move.at[flow->last].next = b->move.n;
	else
		flow->first = b->move.n;
	flow->last = b->move.n;
	APPEND(b->move) = (struct block_move){
		.when = e->when, .dwell = e->dwell, .step = e->step, .next = BLOCK_NONE,
		.end = e->end, .from = e->from, .to = e->to, .cause = e->cause, .flags = e->flags,
	};
	note_when(b, e->when);
}

void block_add_end(struct block *b, const struct flow *f)
{
	u32 netns = find_netns(b, f->netns);
	struct block_end *end = &APPEND(b->end);
	unsigned int i;

	*end = (struct block_end){ .when = f->ended, .netns = netns, .flow = *f };
	for (i = 0; i < TCPFSM_ENDS; i++)
		keep_process(&end->process[i], f->end[i].process);
	note_when(b, f->ended);
}

void block_add_loss(struct block *b, const struct loss *l, u64 when)
{
	u32 netns = find_netns(b, l->netns);
	struct block_loss *loss = &APPEND(b->loss);

	*loss = (struct block_loss){
		.when = when, .count = l->count, .first = l->first,
		.cpu = l->cpu < 0 ? BLOCK_NONE : (u32)l->cpu, .netns = netns,
	};
	snprintf(loss->group, sizeof(loss->group), "%s", l->group);
	note_when(b, when);
}

void block_add_growth(struct block *b, const struct netns *ns, const char *name, u64 growth,
		      u64 when)
{
	u32 netns = find_netns(b, ns);
	struct block_growth *g = &APPEND(b->growth);

	*g = (struct block_growth){ .growth = growth, .netns = netns };
	snprintf(g->name, sizeof(g->name), "%s", name);
	note_when(b, when);
}

void block_reset(struct block *b)
{
	b->first = 0;
	b->last = 0;
	b->netns.n = 0;
	b->flow.n = 0;
	b->move.n = 0;
	b->end.n = 0;
	b->loss.n = 0;
	b->growth.n = 0;
	if (b->slot)
		memset(b->slot, 0xff, b->slots * sizeof(*b->slot));
}

void block_free(struct block *b)
{
	free(b->netns.at);
	free(b->flow.at);
	free(b->move.at);
	free(b->end.at);
	free(b->loss.at);
	free(b->growth.at);
	free(b->slot);
	*b = (struct block){ 0 };
}
