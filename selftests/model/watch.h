/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The observer: the real engine in its real shell, with all memory by value so that a state of the
 * search can be copied.
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
/*
 * An end without a connection sends an RST with SEQ 0 (RFC 9293 3.10.7.1), which lies elsewhere
 * when the others do. Without this, it lies where the end's own numbers begin.
 */
static bool wire_zero;
static const char *watch_broken;	/* the engine broke a rule of its own */
static unsigned long watch_moves, watch_quick;
static u8 watch_from;			/* the true end that sent the segment at hand */
static const struct tfsm_out *watch_out;	/* what came of it so far */

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
	t.seq = wire_zero && s.flags == (TFSM_RST | TFSM_ACK) && !s.seq ? 0 : wire(dir, s.seq);
	t.ack = s.flags & TFSM_ACK ? wire(!dir, s.ack) : 0;
	t.len = s.len;
	tfsm_set_flags(&t, s.flags);
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

static struct tfsm_ext *watch_alloc_ext(void *ctx)
{
	struct watch *w = ctx;

	if (watch_out->moves || watch_out->notes || watch_out->time_wait)
		watch_broken = "it had done something when it asked for its extension";
	memset(&w->ext, 0, sizeof(w->ext));
	return &w->ext;
}

static void watch_free_ext(void *ctx, struct tfsm_ext *ext)
{
}

static void watch_end(void *ctx, struct tfsm *f, u8 reason)
{
	struct watch *w = ctx;

	w->alive = false;
}

static enum tfsm_opened watch_open(void *ctx, const struct tfsm_start *start)
{
	struct tfsm_out o = {};
	struct watch *w = ctx;

	w->turned = watch_from != start->sender;
	memset(&w->flow, 0, sizeof(w->flow));
	memset(w->path, 0, sizeof(w->path));
	w->alive = true;
	if (w->flows < 3)
		w->flows++;
	tfsm_shell_begin(&w->flow, start, &o);
	if (!w->flow.end[TCPFSM_ORIG].state)
		watch_broken = "a kept SYN that is not there";
	if (!tfsm_ext(&w->flow))
		memset(&w->ext, 0, sizeof(w->ext));
	watch_check(w, &o, watch_new);
	return TFSM_OPENED;
}

static const struct tfsm_keeper watcher = {
	.alloc_ext = watch_alloc_ext,
	.free_ext = watch_free_ext,
	.end = watch_end,
	.open = watch_open,
};

/* Return: track it again, on the flow that has the tuple now. */
static bool watch_track(struct watch *w, struct tfsm_seg s)
{
	u8 before[TCPFSM_ENDS];
	struct tfsm_out o = {};
	enum tfsm_verdict v;
	bool matters, quick;
	const char *why;

	watch_out = &o;
	s.dir = watch_from ^ w->turned;
	if (!w->alive) {
		if (tfsm_opens(s.kind))
			tfsm_shell_open(&watcher, w, &s);
		return false;
	}
	before[0] = w->flow.end[0].state;
	before[1] = w->flow.end[1].state;
	matters = tfsm_moves(&w->flow, &s);
	why = ways_differ(&w->flow, &s, 0, &quick);
	if (why)
		watch_broken = why;
	watch_quick += quick;
	v = tfsm_shell_track(&watcher, w, &w->flow, &s, &o);
	if (o.moves && !matters)
		watch_broken = "a move that tfsm_moves() did not announce";
	watch_check(w, &o, before);
	return v >= TFSM_NEW && tfsm_shell_replace(&watcher, w, &w->flow, &s, v);
}

static void watch_seg(struct watch *w, u8 dir, struct seg seg)
{
	struct tfsm_seg s = wire_seg(dir, seg);
	unsigned int tries = 0;

	watch_from = dir;
	tfsm_set_ext(&w->flow, w->has_ext ? &w->ext : NULL);
	while (watch_track(w, s))
		if (++tries == TFSM_TRIES)
			watch_broken = "a segment that finds no flow to be of";
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
