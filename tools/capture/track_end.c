// SPDX-License-Identifier: GPL-2.0
/* How flows end, and what becomes of them. */
#include <stdlib.h>

#include "capture/track_flow.h"
#include "lib/memory.h"

static u64 *find_counter(struct track_counters *c, u8 reason)
{
	switch (reason) {
	case TCPFSM_REASON_FIN:
		return &c->ended_fin;
	case TCPFSM_REASON_RST_ORIG:
	case TCPFSM_REASON_RST_RESP:
	case TCPFSM_REASON_RST_HOST:
		return &c->ended_rst;
	case TCPFSM_REASON_REFUSED:
		return &c->ended_refused;
	case TCPFSM_REASON_STALE_SYN:
		return &c->ended_stale_syn;
	case TCPFSM_REASON_UNREACHABLE:
		return &c->ended_unreachable;
	case TCPFSM_REASON_REOPENED:
		return &c->ended_reopened;
	default:
		return &c->ended_timeout;
	}
}

static u64 span_between(u64 from, u64 to)
{
	return to > from ? to - from : 0;
}

/* Sets what a dump of the flow would tell of it now, beside its moves. */
static void settle_times(struct track_flow *f, u64 now)
{
	unsigned int i;

	track_told(f);
	f->flow.idle = span_between(f->last, now);
	for (i = 0; i < TCPFSM_ENDS; i++)
		f->flow.end[i].dwell = span_between(f->since[i], now);
}

static void release_flow(struct track_flow *f)
{
	free(tfsm_ext(&f->fsm));
	free(f);
}

void track_finish(struct track *t, struct track_flow *f, u64 when, u8 reason)
{
	settle_times(f, when);
	tfsm_drop_all_kept(&f->fsm);
	track_count_kept(f);
	f->flow.reason = reason;
	++*find_counter(&t->counters, reason);
	track_dequeue(f);
	htab_del(&t->table, &f->node);
	if (t->keep)
		return;
	if (t->on_end)
		t->on_end(&f->flow, t->arg);
	release_flow(f);
}

static int by_start(const void *a, const void *b)
{
	const struct flow *x = &(*(struct track_flow * const *)a)->flow;
	const struct flow *y = &(*(struct track_flow * const *)b)->flow;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

struct listed {
	struct track *track;
	struct track_flow **flow;
	size_t n;
};

static void list_flow(struct listed *l, struct track_flow *f)
{
	if (!f->flow.reason)
		settle_times(f, l->track->clock);
	/* It only lingers for late segments; the reason of its end is known. */
	if (!f->flow.reason && f->class == TFSM_CLASS_CLOSED)
		f->flow.reason = f->fsm.reason;
	l->flow[l->n++] = f;
}

static bool list_living_flow(struct hnode *n, void *arg)
{
	list_flow(arg, container_of(n, struct track_flow, node));
	return false;
}

void track_each(struct track *t, void (*fn)(const struct flow *f, void *arg), void *arg)
{
	size_t most = t->keep ? t->flows : t->table.count, i;
	struct listed l = { .track = t, .flow = zalloc((most + 1) * sizeof(struct track_flow *)) };
	struct track_flow *f;

	if (t->keep)
		for (f = t->all; f; f = f->all_next)
			list_flow(&l, f);
	else
		htab_sweep(&t->table, list_living_flow, &l);
	qsort(l.flow, l.n, sizeof(struct track_flow *), by_start);
	for (i = 0; i < l.n; i++)
		fn(&l.flow[i]->flow, arg);
	free(l.flow);
}

static bool free_flow(struct hnode *n, void *keep)
{
	if (!*(bool *)keep)
		release_flow(container_of(n, struct track_flow, node));
	return true;
}

void track_free(struct track *t)
{
	struct track_flow *f;

	htab_sweep(&t->table, free_flow, &t->keep);
	htab_free(&t->table);
	while ((f = t->all)) {
		t->all = f->all_next;
		release_flow(f);
	}
	track_free_services(t);
}
