// SPDX-License-Identifier: GPL-2.0
/* Segments of a capture through the engine. */
#include <stdlib.h>
#include <string.h>

#include "capture/track_flow.h"
#include "lib/memory.h"

/* Which end of a flow sends a segment; TCPFSM_ENDS: it belongs to another flow. */
static u8 find_sender(const struct tuple *flow, const struct tuple *t)
{
	if (flow->family != t->family)
		return TCPFSM_ENDS;
	if (flow->sport == t->sport && flow->dport == t->dport &&
	    !memcmp(flow->src, t->src, sizeof(t->src)) &&
	    !memcmp(flow->dst, t->dst, sizeof(t->dst)))
		return TCPFSM_ORIG;
	if (flow->sport == t->dport && flow->dport == t->sport &&
	    !memcmp(flow->src, t->dst, sizeof(t->src)) &&
	    !memcmp(flow->dst, t->src, sizeof(t->dst)))
		return TCPFSM_RESP;
	return TCPFSM_ENDS;
}

static struct track_flow *find_flow(const struct track *t, const struct tuple *tuple, u64 hash,
				    u8 *sender)
{
	struct hnode *n;

	for (n = htab_first(&t->table, hash); n; n = htab_next(n)) {
		struct track_flow *f = container_of(n, struct track_flow, node);

		*sender = find_sender(&f->flow.tuple, tuple);
		if (*sender != TCPFSM_ENDS)
			return f;
	}
	return NULL;
}

static void count_segment(struct track_flow *f, u8 dir, const struct segment *s)
{
	track_count(f, dir, 1, s->bytes);
}

/* What the shell's callbacks are called with. */
struct passage {
	struct track *t;
	const struct segment *s;
	u64 hash, when;
};

static struct tfsm_ext *alloc_ext(void *ctx)
{
	(void)ctx;
	return zalloc(sizeof(struct tfsm_ext));
}

static void free_ext(void *ctx, struct tfsm_ext *ext)
{
	(void)ctx;
	free(ext);
}

/* A capture shows no listeners. */
static bool end_serves(void *ctx, enum tfsm_evidence evidence, bool sender)
{
	const struct passage *p = ctx;
	const struct tuple *t = &p->s->tuple;

	switch (evidence) {
	case TFSM_BY_SERVICE:
		return track_is_service(p->t, t->family, sender ? t->src : t->dst,
					sender ? t->sport : t->dport);
	case TFSM_BY_PORT:
		return sender ? t->sport <= t->dport : t->dport <= t->sport;
	default:
		return false;
	}
}

static void end_flow(void *ctx, struct tfsm *fsm, u8 reason)
{
	const struct passage *p = ctx;

	p->t->counters.flows_reopened++;
	track_finish(p->t, container_of(fsm, struct track_flow, fsm), p->when, reason);
}

static enum tfsm_opened open_flow(void *ctx, const struct tfsm_start *start)
{
	const struct passage *p = ctx;
	const struct segment *s = p->s;
	struct track *t = p->t;
	struct track_flow *f = zalloc(sizeof(*f));
	struct tfsm_out o = { .now = p->when };
	const struct tuple *tuple = &f->flow.tuple;
	unsigned int i;

	f->flow.id = ++t->flows;
	f->flow.tuple = start->sender == TCPFSM_ORIG ? s->tuple : tuple_reversed(&s->tuple);
	tfsm_shell_begin(&f->fsm, start, &o);
	if (start->past)
		track_count_kept(f);
	else
		count_segment(f, start->sender, s);
	f->flow.start = o.now;
	f->last = p->when;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		f->flow.end[i].state = TCPFSM_CLOSED;
		f->flow.end[i].history = TCPFSM_CLOSED;
		f->since[i] = o.now;
	}
	if (f->fsm.flags & TCPFSM_F_MIDSTREAM)
		t->counters.flows_midstream++;
	else
		t->counters.flows_opened++;
	if (start->past || s->seg.flags & TFSM_SYN)
		track_learn_service(t, tuple->family, tuple->dst, tuple->dport);
	htab_add(&t->table, &f->node, p->hash);
	if (t->keep) {
		f->all_next = t->all;
		t->all = f;
	}
	track_moved(t, f, &o);
	track_enqueue(t, f);
	return TFSM_OPENED;
}

static const struct tfsm_keeper keeper = {
	.alloc_ext = alloc_ext,
	.free_ext = free_ext,
	.serves = end_serves,
	.end = end_flow,
	.open = open_flow,
};

/* A segment for which there is no flow. */
static void open_from_segment(struct passage *p)
{
	enum tfsm_kind kind = p->s->seg.kind;
	enum tfsm_note why;

	if (tfsm_opens(kind)) {
		tfsm_shell_open(&keeper, p, &p->s->seg);
		return;
	}
	p->t->counters.no_flow++;
	why = tfsm_why_no_flow(kind);
	if (why == TFSM_NOTES)
		p->t->counters.foreign_rst++;
	else
		p->t->counters.notes[why]++;
}

/* Return: track the segment again, on the flow that has the tuple now. */
static bool take_segment(struct passage *p, struct track_flow *f, u8 dir)
{
	struct tfsm_out o = { .now = p->when };
	struct tfsm_seg seg = p->s->seg;
	enum tfsm_verdict verdict;

	seg.dir = dir;
	verdict = tfsm_in_order(&f->fsm, &seg) ? TFSM_OK :
		  tfsm_shell_track(&keeper, p, &f->fsm, &seg, &o);
	if (tfsm_belongs(verdict))
		count_segment(f, dir, p->s);
	else if (verdict == TFSM_KEPT)
		tfsm_count_kept(&f->fsm, dir, 1, p->s->bytes);
	track_count_kept(f);
	track_moved(p->t, f, &o);
	if (verdict >= TFSM_NEW)
		return tfsm_shell_replace(&keeper, p, &f->fsm, &seg, verdict);
	if (verdict == TFSM_OK)
		f->last = p->when;
	track_refresh(p->t, f, verdict, &o);
	return false;
}

void track_error(struct track *t, const struct segment *s, u64 when)
{
	struct passage p = { .t = t, .s = s, .hash = tuple_hash(&s->tuple), .when = when };
	struct tfsm_icmp error = s->icmp;
	struct tfsm_out o = { .now = when };
	struct track_flow *f;

	t->counters.icmp_errors++;
	track_tick(t, when);
	f = find_flow(t, &s->tuple, p.hash, &error.dir);
	if (!f) {
		t->counters.icmp_no_flow++;
		return;
	}
	tfsm_shell_icmp(&keeper, &p, &f->fsm, &error, &o);
	track_moved(t, f, &o);
	track_told(f);
}

void track_segment(struct track *t, struct segment *s, u64 when)
{
	struct passage p = { .t = t, .s = s, .hash = tuple_hash(&s->tuple), .when = when };
	struct track_flow *f;
	bool again = true;
	int tries;
	u8 dir;

	if (copies_seen(&t->recent, s, p.hash, when)) {
		t->copies++;
		return;
	}
	t->counters.segments++;
	track_tick(t, when);
	if (s->tuple.sport == s->tuple.dport &&
	    !memcmp(s->tuple.src, s->tuple.dst, sizeof(s->tuple.src))) {
		t->counters.self_connected++;
		return;
	}
	for (tries = 0; again && tries < TFSM_TRIES; tries++) {
		f = find_flow(t, &s->tuple, p.hash, &dir);
		if (!f)
			open_from_segment(&p);
		again = f && take_segment(&p, f, dir);
	}
}
