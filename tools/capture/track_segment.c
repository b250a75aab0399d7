// SPDX-License-Identifier: GPL-2.0
/* Segments of a capture through the engine. */
#include <stdlib.h>
#include <string.h>

#include "capture/track_flow.h"
#include "lib/memory.h"

/* The same for both directions. */
static u64 tuple_hash(const struct tuple *t)
{
	u64 a = track_hash(t->sport, t->src, sizeof(t->src));
	u64 b = track_hash(t->dport, t->dst, sizeof(t->dst));

	return hash_mix(a + b + t->family);
}

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

static void note_segment(struct track_flow *f, const struct segment *s, u8 dir)
{
	f->flow.end[dir].packets++;
	f->flow.end[dir].bytes += s->bytes;
}

/* @past: the flow before on this tuple, if the new one starts from a SYN that it kept; or NULL */
static struct track_flow *open_flow(struct track *t, const struct segment *s, u64 hash, u8 dir,
				    u64 when, struct tfsm *past)
{
	struct track_flow *f = zalloc(sizeof(*f));
	struct tfsm_out o = { .now = when };
	struct tfsm_seg seg = s->seg;
	const struct tuple *tuple;
	u8 who;

	f->flow.id = ++t->flows;
	f->flow.tuple = dir == TCPFSM_ORIG ? s->tuple : tuple_reversed(&s->tuple);
	f->flow.end[TCPFSM_ORIG].state = TCPFSM_CLOSED;
	f->flow.end[TCPFSM_RESP].state = TCPFSM_CLOSED;
	f->flow.end[TCPFSM_ORIG].history = TCPFSM_CLOSED;
	f->flow.end[TCPFSM_RESP].history = TCPFSM_CLOSED;
	seg.dir = dir;
	if (past) {
		tfsm_open_kept(&f->fsm, past, &who, &o);
	} else {
		tfsm_open(&f->fsm, &seg, &o);
		note_segment(f, s, dir);
	}
	f->flow.start = o.now;
	f->last = when;
	f->since[TCPFSM_ORIG] = o.now;
	f->since[TCPFSM_RESP] = o.now;
	if (f->fsm.flags & TCPFSM_F_MIDSTREAM)
		t->counters.flows_midstream++;
	else
		t->counters.flows_opened++;
	tuple = &f->flow.tuple;
	if (past || s->seg.flags & TFSM_SYN)
		track_learn_service(t, tuple->family, tuple->dst, tuple->dport);
	htab_add(&t->table, &f->node, hash);
	if (t->keep) {
		f->all_next = t->all;
		t->all = f;
	}
	track_moved(t, f, &o);
	track_enqueue(t, f);
	return f;
}

/* A segment for which there is no flow. */
static void open_from(struct track *t, const struct segment *s, u64 hash, u64 when)
{
	enum tfsm_kind kind = tfsm_classify(s->seg.flags);

	if (tfsm_opens(kind)) {
		open_flow(t, s, hash, track_presume(t, s), when, NULL);
		return;
	}
	t->counters.no_flow++;
	if (kind == TFSM_KIND_RST)
		t->counters.foreign_rst++;
	else
		t->counters.notes[kind == TFSM_KIND_BAD ? TFSM_NOTE_bad_flags :
							  TFSM_NOTE_no_ack]++;
}

/*
 * A flow is over and the next one on its tuple begins.
 * Return: the new flow, if the segment has still to be tracked there.
 */
static struct track_flow *replace_flow(struct track *t, struct track_flow *f,
				       const struct segment *s, u8 dir, u64 when,
				       enum tfsm_verdict verdict)
{
	bool kept = verdict != TFSM_NEW;
	bool over = f->fsm.reason && tfsm_closed(&f->fsm.end[TCPFSM_ORIG]) &&
		    tfsm_closed(&f->fsm.end[TCPFSM_RESP]);
	struct tfsm past = f->fsm;
	u64 hash = f->node.hash;

	if (kept) {
		/* The end that sent the kept SYN is orig now. */
		tfsm_set_ext(&f->fsm, NULL);
		dir ^= tfsm_ext(&past)->next == TCPFSM_RESP;
	} else if (s->seg.flags & TFSM_SYN) {
		dir = track_presume(t, s);
	}
	t->counters.flows_reopened++;
	track_finish(t, f, when, over ? past.reason : TCPFSM_REASON_REOPENED);
	f = open_flow(t, s, hash, dir, when, kept ? &past : NULL);
	return verdict == TFSM_NEW_KEPT ? f : NULL;
}

/* Return: the flow where the segment has to be tracked again. */
static struct track_flow *take_segment(struct track *t, struct track_flow *f,
				       const struct segment *s, u8 dir, u64 when)
{
	struct tfsm_out o = { .now = when };
	struct tfsm_seg seg = s->seg;
	enum tfsm_verdict verdict;

	seg.dir = dir;
	verdict = tfsm_track(&f->fsm, &seg, &o);
	if (verdict == TFSM_NEED_EXT) {
		tfsm_set_ext(&f->fsm, zalloc(sizeof(*f->fsm.ext)));
		verdict = tfsm_track(&f->fsm, &seg, &o);
	}
	if (verdict == TFSM_OK || verdict == TFSM_REFUSED || verdict == TFSM_NEW_AFTER)
		note_segment(f, s, dir);
	track_moved(t, f, &o);
	if (verdict >= TFSM_NEW)
		return replace_flow(t, f, s, dir, when, verdict);
	if (verdict == TFSM_OK)
		f->last = when;
	track_refresh(t, f, verdict == TFSM_OK, o.time_wait);
	return NULL;
}

void track_segment(struct track *t, struct segment *s, u64 when)
{
	struct track_flow *f;
	u64 hash = tuple_hash(&s->tuple);
	int tries;
	u8 dir;

	t->counters.segments++;
	if (when > t->clock)
		t->clock = when;
	if (!t->no_expire)
		track_expire(t);
	if (s->tuple.sport == s->tuple.dport &&
	    !memcmp(s->tuple.src, s->tuple.dst, sizeof(s->tuple.src))) {
		t->counters.self_connected++;
		return;
	}
	f = find_flow(t, &s->tuple, hash, &dir);
	if (!f)
		open_from(t, s, hash, when);
	for (tries = 0; f && tries < 3; tries++) {
		dir = find_sender(&f->flow.tuple, &s->tuple);
		f = take_segment(t, f, s, dir, when);
	}
}
