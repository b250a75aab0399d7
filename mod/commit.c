// SPDX-License-Identifier: GPL-2.0
/* From what the engine says to what the sinks are told. */
#include "commit.h"
#include "cpu.h"
#include "event.h"
#include "log.h"
#include "service.h"
#include "trace.h"

void tcpfsm_commit_begin(struct tcpfsm_report *r, const struct tcpfsm_flow *f)
{
	r->tn = tcpfsm_flow_net(f);
	r->service = f->service;
	r->before[TCPFSM_ORIG] = f->fsm.end[TCPFSM_ORIG].state;
	r->before[TCPFSM_RESP] = f->fsm.end[TCPFSM_RESP].state;
	r->notes = 0;
	r->moves = 0;
	r->ends = 0;
	r->reason = TCPFSM_REASON_UNSET;
	r->left = NULL;
	r->opened = false;
	r->told = false;
}

/* A service answers for the first time: from here on it has a row of its own. */
static noinline void join_service(struct tcpfsm_report *r, struct tcpfsm_flow *f)
{
	const struct tcpfsm_flow_tuple *t = &r->snap.tuple;
	const struct tcpfsm_service_key key = {
		.tn = r->tn, .addr = &t->dst, .l3 = t->l3, .port = t->dport, .family = t->family,
	};
	struct tcpfsm_service *s = tcpfsm_service_get(&key);

	if (s == f->service)
		return;
	if (!r->opened)
		r->left = f->service;
	f->service = s;
	r->service = s;
}

static bool has_answered(const struct tcpfsm_report *r)
{
	u8 i;

	for (i = 0; i < r->moves; i++)
		if (r->move[i].end == TCPFSM_RESP && r->move[i].to == TCPFSM_SYN_RCVD)
			return true;
	return false;
}

/* Somebody listens: copy the flow while it is locked. */
static void tell_of_flow(struct tcpfsm_report *r, const struct tcpfsm_flow *f)
{
	r->told = true;
	tcpfsm_flow_snapshot(f, &r->snap);
}

void tcpfsm_commit_moves(struct tcpfsm_report *r, struct tcpfsm_flow *f, const struct tfsm_out *o)
{
	u8 i;

	lockdep_assert_held(&f->lock);
	r->notes = o->notes;
	r->moves = o->moves;
	r->after[TCPFSM_ORIG] = f->fsm.end[TCPFSM_ORIG].state;
	r->after[TCPFSM_RESP] = f->fsm.end[TCPFSM_RESP].state;
	r->midstream = f->fsm.flags & TCPFSM_F_MIDSTREAM;
	if (!o->moves)
		return;
	r->now = o->now;
	r->age = o->now > f->start ? o->now - f->start : 0;
	r->move = o->move;
	r->step = tfsm_step(&f->fsm) - o->moves + 1;
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];

		r->ends |= 1U << m->end;
		r->dwell[i] = tcpfsm_flow_moved(f, m->end, m->to, r->age);
	}
	if (tcpfsm_event_wanted(r) || tcpfsm_trace_wanted())
		tell_of_flow(r, f);
	else
		tcpfsm_flow_identify(f, &r->snap);
	if (unlikely(f->service == r->tn->other) && has_answered(r))
		join_service(r, f);
}

void tcpfsm_commit_end(struct tcpfsm_report *r, const struct tcpfsm_flow *f, u8 reason)
{
	lockdep_assert_held(&f->lock);
	r->reason = reason;
	r->after[TCPFSM_RESP] = f->fsm.end[TCPFSM_RESP].state;
	if (r->told || tcpfsm_event_wanted(r))
		tell_of_flow(r, f);
	r->snap.reason = reason;
}

void tcpfsm_commit_deliver(const struct tcpfsm_report *r)
{
	struct tcpfsm_cpu *c;

	if (!r->moves && !r->notes && !r->reason)
		return;
	c = tcpfsm_cpu_get(r->tn);
	tcpfsm_stats_report(&c->stats, r);
	if (r->moves)
		tcpfsm_log_report(c, r);
	tcpfsm_cpu_put(c);
	if (r->ends & 1U << TCPFSM_RESP || r->reason || r->left || r->opened ||
	    r->notes & TCPFSM_SERVICE_NOTES)
		tcpfsm_service_report(r);
	if (!r->told)
		return;
	tcpfsm_trace_report(r);
	tcpfsm_event_report(r);
}
