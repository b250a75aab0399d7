/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The observer: the real engine, and around it what its shell does (as in ../core/play.h), with
 * all memory by value so that a state of the search can be copied.
 */
#ifndef _MODEL_WATCH_H
#define _MODEL_WATCH_H

#include "tcp.h"

struct watch {
	struct tfsm flow;
	struct tfsm_ext ext;
	u8 alive, turned, has_ext;
	u8 flows;		/* saturates */
	u64 path[TCPFSM_ENDS];	/* by true end, if asked for */
};

/* Where the sequence numbers of each end begin on the wire, and how far incarnations lie apart. */
static u32 wire_base[TCPFSM_ENDS];
static u32 twin_base[TCPFSM_ENDS];	/* of an observer of the same elsewhere: near 2^32 */
static u32 wire_spread = 1000000;
static const char *watch_broken;	/* the engine broke a rule of its own */
static unsigned long watch_moves;

static u32 wire(u8 end, u8 seq)
{
	return wire_base[end] + seq / INCARNATION * wire_spread + seq % INCARNATION;
}

/* Both see the same, but for where the numbers lie. */
static bool watch_alike(const struct watch *w, const struct watch *t)
{
	u8 i;

	for (i = 0; i < TCPFSM_ENDS; i++) {
		const struct tfsm_end *a = &w->flow.end[i], *b = &t->flow.end[i];

		if (a->state != b->state || a->under != b->under || a->facts != b->facts)
			return false;
		if (w->ext.syn[i].kept != t->ext.syn[i].kept ||
		    w->ext.stray[i].count != t->ext.stray[i].count ||
		    w->ext.stray[i].fin_moved != t->ext.stray[i].fin_moved)
			return false;
	}
	return w->alive == t->alive && w->turned == t->turned && w->has_ext == t->has_ext &&
	       w->flow.flags == t->flow.flags && w->flow.reason == t->flow.reason;
}

static struct tfsm_seg wire_seg(u8 dir, struct seg s)
{
	struct tfsm_seg t;

	memset(&t, 0, sizeof(t));
	t.seq = wire(dir, s.seq);
	t.ack = s.flags & TFSM_ACK ? wire(!dir, s.ack) : 0;
	t.len = s.len;
	t.flags = s.flags;
	t.win = WINDOW;
	return t;
}

static u8 shown(const struct watch *w, u8 end)
{
	return w->alive ? w->flow.end[end ^ w->turned].state : TCPFSM_STATE_UNSET;
}

/* Moves are the machine's, follow each other, and none is missing. */
static void watch_check(struct watch *w, const struct tfsm_out *o, const u8 *before)
{
	u8 state[TCPFSM_ENDS] = { before[0], before[1] }, i;

	if (o->moves > TFSM_MOVES_MAX)
		watch_broken = "more moves than TFSM_MOVES_MAX";
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];
		u8 to = tfsm_next(m->from, m->cause);

		watch_moves++;
		if (m->from != state[m->end])
			watch_broken = "a move does not begin where the last one ended";
		if (to == TFSM_NEVER || to == TFSM_STAY || m->from == m->to ||
		    (to < TCPFSM_STATES && to != m->to) ||
		    (to == TFSM_PASSIVE && m->to != TCPFSM_LISTEN && m->to != TCPFSM_CLOSED))
			watch_broken = "a move that the machine does not have";
		state[m->end] = m->to;
		if (keep_paths)
			w->path[m->end ^ w->turned] = w->path[m->end ^ w->turned] << 4 | m->to;
	}
	for (i = 0; i < TCPFSM_ENDS; i++)
		if (state[i] != w->flow.end[i].state)
			watch_broken = "a state changed without a move";
}

static const u8 watch_new[TCPFSM_ENDS] = { TCPFSM_CLOSED, TCPFSM_CLOSED };

static void watch_begin(struct watch *w)
{
	memset(&w->flow, 0, sizeof(w->flow));
	memset(w->path, 0, sizeof(w->path));
	w->alive = true;
	if (w->flows < 3)
		w->flows++;
}

static void watch_open(struct watch *w, struct tfsm_seg s)
{
	struct tfsm_out o = {};

	if (s.flags & TFSM_SYN) {
		u8 should = s.flags & TFSM_ACK ? TCPFSM_RESP : TCPFSM_ORIG;

		w->turned ^= s.dir != should;
		s.dir = should;
	}
	watch_begin(w);
	memset(&w->ext, 0, sizeof(w->ext));
	w->has_ext = 0;
	tfsm_open(&w->flow, &s, &o);
	watch_check(w, &o, watch_new);
}

static void watch_kept(struct watch *w)
{
	struct tfsm_out o = {};
	struct tfsm past = w->flow;
	u8 who = 0;

	watch_begin(w);
	if (!tfsm_open_kept(&w->flow, &past, &who, &o)) {
		watch_broken = "a kept SYN that is not there";
		return;
	}
	w->turned ^= who == TCPFSM_RESP;
	watch_check(w, &o, watch_new);
}

static enum tfsm_verdict watch_track(struct watch *w, const struct tfsm_seg *s)
{
	u8 before[TCPFSM_ENDS] = { w->flow.end[0].state, w->flow.end[1].state };
	bool matters = tfsm_moves(&w->flow, s);
	struct tfsm_out o = {};
	enum tfsm_verdict v = tfsm_track(&w->flow, s, &o);

	if (v == TFSM_NEED_EXT) {
		if (o.moves || o.notes || o.time_wait)
			watch_broken = "it had done something when it asked for its extension";
		memset(&w->ext, 0, sizeof(w->ext));
		tfsm_set_ext(&w->flow, &w->ext);
		v = tfsm_track(&w->flow, s, &o);
	}
	if (o.moves && !matters)
		watch_broken = "a move that tfsm_moves() did not announce";
	watch_check(w, &o, before);
	return v;
}

/* As the module does: after TFSM_NEW_KEPT the segment is tracked again, on the new flow. */
static void watch_track_new(struct watch *w, struct tfsm_seg s, u8 dir)
{
	int tries;

	for (tries = 0; tries < 3; tries++) {
		s.dir = dir ^ w->turned;
		switch (watch_track(w, &s)) {
		case TFSM_NEW:
			watch_open(w, s);
			return;
		case TFSM_NEW_KEPT:
			watch_kept(w);
			break;
		case TFSM_NEW_AFTER:
			watch_kept(w);
			return;
		default:
			return;
		}
	}
}

static void watch_seg(struct watch *w, u8 dir, struct seg seg)
{
	struct tfsm_seg s = wire_seg(dir, seg);

	s.dir = dir ^ w->turned;
	if (!w->alive) {
		if (tfsm_opens(tfsm_classify(s.flags)))
			watch_open(w, s);
		return;
	}
	tfsm_set_ext(&w->flow, w->has_ext ? &w->ext : NULL);
	watch_track_new(w, s, dir);
	w->has_ext = !!tfsm_ext(&w->flow);
	tfsm_set_ext(&w->flow, NULL);
}

static void watch_twin(struct watch *t, u8 dir, struct seg seg)
{
	unsigned long moves = watch_moves;
	u32 base[TCPFSM_ENDS];

	memcpy(base, wire_base, sizeof(base));
	memcpy(wire_base, twin_base, sizeof(base));
	watch_seg(t, dir, seg);
	watch_moves = moves;
	memcpy(wire_base, base, sizeof(base));
}

static void watch_expire(struct watch *w)
{
	u8 before[TCPFSM_ENDS] = { w->flow.end[0].state, w->flow.end[1].state };
	struct tfsm_out o = {};

	if (!w->alive)
		return;
	tfsm_expire(&w->flow, &o);
	watch_check(w, &o, before);
}

#endif /* _MODEL_WATCH_H */
